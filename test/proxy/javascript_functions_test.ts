/**
 * JavaScript objects in Python that are more than data: context managers, names that are keywords, items of what goes
 * by reference, methods and their `this`.
 */
import { test } from "node:test";
import { asyncDef, intoPromise, kw, PyProxy, python, PythonError, toJs, tuple } from "../../mod.ts";
import { assertEquals, assertInstanceOf, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { isAtLeast } from "../support/define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

const { builtins } = python;
const run = (code: string, names: Record<string, unknown> = {}): Value =>
  python.exec(code, { globals: builtins.dict(kw({ inspect: python.import("inspect"), ...names })) });

class Point {
  x: number;
  constructor(x: number) {
    this.x = x;
  }
}

const { dispose, asyncDispose } = Symbol as { dispose?: symbol; asyncDispose?: symbol };
/** What Python raises for `with` over an object that is no context manager. */
const noContext = isAtLeast(3, 11) ? "TypeError" : "AttributeError";
const noDispose = dispose && asyncDispose ? false : "this runtime has no Symbol.dispose";
if (noDispose) console.log(`skip: ${noDispose}`);

class Resource {
  log: string[] = [];
  fails: unknown;
  note(text: string) {
    this.log.push(text);
  }
}
if (dispose) {
  Object.defineProperty(Resource.prototype, dispose, {
    value(this: Resource) {
      this.log.push("closed");
      if (this.fails) throw this.fails;
    },
  });
}
class AsyncResource extends Resource {}
if (asyncDispose) {
  Object.defineProperty(AsyncResource.prototype, asyncDispose, {
    async value(this: Resource) {
      await Promise.resolve();
      this.log.push("closed later");
      if (this.fails) throw this.fails;
    },
  });
}

test("with: Symbol.dispose, whatever ends the block", { skip: noDispose }, () => {
  const r = new Resource();
  python.exec("with r as same: same.note('in'); assert same is r", { globals: { r } });
  assertEquals(r.log.splice(0), ["in", "closed"]);
  assertThrows(() => python.exec("with r: raise KeyError(1)", { globals: { r } }), PythonError, "1");
  assertEquals(python.exec("def f():\n  with r: return 5\nf()", { globals: { r } }), 5);
  assertEquals(r.log.splice(0), ["closed", "closed"]);
  r.fails = new Error("dispose");
  assertStrictEquals(assertThrows(() => python.exec("with r: pass", { globals: { r } })), r.fails);
  const refused = assertThrows(() => python.exec("with r: pass", { globals: { r: new Point(1) } }), PythonError);
  assertEquals(refused.name, noContext);
});

test("async with: Symbol.asyncDispose, else Symbol.dispose", { skip: noDispose }, async () => {
  const r = new AsyncResource(), plain = new Resource();
  const code = "async with r as same: assert same is r\nasync with plain: pass";
  await python.execAsync(code, { globals: { r, plain } });
  assertEquals([r.log.splice(0), plain.log.splice(0)], [["closed later"], ["closed"]]);
  await assertRejects(() => python.execAsync("async with r: raise KeyError(1)", { globals: { r } }), PythonError);
  python.exec("with r: pass", { globals: { r } });
  assertEquals(r.log, ["closed later", "closed"]);
  r.fails = new Error("dispose");
  assertStrictEquals(await assertRejects(() => python.execAsync("async with r: pass", { globals: { r } })), r.fails);
  const refused = () => python.execAsync("async with r: pass", { globals: { r: new Point(1) } });
  assertEquals((await assertRejects(refused, PythonError)).name, noContext);
});

test("a trailing underscore reaches the names that are Python's keywords", async () => {
  const keywords = (toJs(python.import("keyword").kwlist) as string[]).filter((name) => /^[a-z]/.test(name));
  class Names {
    [name: string]: unknown;
  }
  const names = new Names();
  for (const name of keywords) run(`setattr(n, '${name}_', '${name}')`, { n: names });
  assertEquals(Object.keys(names), keywords);
  assertEquals(toJs(run(`[${keywords.map((name) => `n.${name}_`)}]`, { n: names })), keywords);
  names.own_ = 1, names.own = 2;
  assertEquals(run("n.own_", { n: names }), 1); // no keyword: as it is
  run("delattr(n, 'from_')", { n: names });
  assertEquals("from" in names, false);
  const settled: string[] = [];
  await intoPromise(run("p.then(lambda v: v).finally_(f)", { p: Promise.resolve(5), f: () => void settled.push("finally") }));
  assertEquals(settled, ["finally"]);
  const error = await intoPromise(run("p.catch(lambda e: [e])", { p: Promise.reject(new Error("x")) }));
  assertInstanceOf(toJs(error), Array);
});

test("items of Maps, Arrays and objects held by reference", () => {
  class Live extends Map<unknown, unknown> {}
  class Bag {
    [key: string]: unknown;
  }
  const bag = new Bag(), list = { [Symbol.iterator]: () => [1, 2].values(), length: 2, 0: "a" };
  Object.setPrototypeOf(list, { own: true });
  assertEquals(run("[x[0], len(x), list(x)]", { x: list }).$toJs(), ["a", 2, [1, 2]]);
  run("b.__setitem__('k', (1, 2))", { b: bag });
  assertInstanceOf(bag.k, PyProxy as never);
  assertEquals([run("'k' in b", { b: bag }), run("'z' in b", { b: bag })], [true, false]);
  assertEquals(assertThrows(() => run("b['z']", { b: bag }), PythonError).name, "KeyError");
  assertEquals(assertThrows(() => run("b.__delitem__('z')", { b: bag }), PythonError).name, "KeyError");
  assertEquals(assertThrows(() => run("delattr(b, 'z')", { b: bag }), PythonError).name, "AttributeError");
  const frozen = Object.freeze(Object.assign(new Bag(), { x: 1 }));
  assertEquals(assertThrows(() => run("delattr(b, 'x')", { b: frozen }), PythonError).name, "TypeError");
  assertThrows(() => run("setattr(b, 'x', 2)", { b: frozen }), TypeError);
  assertEquals(run("type(m).__name__", { m: new Live([[1, 2]]) }), "dict"); // Maps are copied, subclasses too
  const url = new URLSearchParams("a=1&b=2");
  assertEquals(run("[u.get('a'), 'b' in u, 'c' in u, [list(p) for p in u]]", { u: url }).$toJs(), ["1", true, false, [["a", "1"], [
    "b",
    "2",
  ]]]);
  assertEquals(run("[hasattr(u, 'get'), hasattr(u, 'nothing'), getattr(u, 'nothing', 5), 'append' in dir(u)]", { u: url }).$toJs(), [
    true,
    false,
    5,
    true,
  ]);
});

test("static methods have their class as this, and asynchronous ones stay async defs", async () => {
  class Factory {
    static make() {
      return new this();
    }
    async wait(n: number) {
      return await Promise.resolve([this instanceof Factory, n]);
    }
    promised = asyncDef(function (this: Factory, n: number) {
      return Promise.resolve([this instanceof Factory, n]);
    });
  }
  assertInstanceOf(run("F.make()", { F: Factory }), Factory);
  assertEquals(await intoPromise(run("P.resolve(5)", { P: Promise })), 5);
  assertEquals(run("A.of(1, 2)", { A: Array }).$toJs(), [1, 2]);
  const f = new Factory();
  for (const name of ["wait", "promised"]) {
    assertEquals(run(`inspect.iscoroutinefunction(f.${name})`, { f }), true, name);
    assertEquals(await python.execAsync(`(await f.${name}(3)) == [True, 3]`, { globals: { f } }), true, name);
  }
});

test("methods keep their this, are equal when asked again and themselves in JavaScript; functions have attributes", async () => {
  const point = {
    __proto__: {
      twice(this: { n: number }) {
        return this.n * 2;
      },
    },
    n: 4,
  } as Value;
  assertEquals(run("[p.twice(), (lambda f: f())(p.twice), p.twice == p.twice, isinstance(p.twice, type(p))]", { p: point }).$toJs(), [
    8,
    8,
    true,
    true,
  ]);
  assertStrictEquals(run("p.twice", { p: point }), point.twice);
  class Emitter {
    handler = () => "own";
    async later() {
      return await Promise.resolve(this);
    }
  }
  const emitter = new Emitter();
  assertStrictEquals(run("e.handler", { e: emitter }), emitter.handler);
  assertStrictEquals(run("e.later", { e: emitter }), emitter.later);
  assertStrictEquals(await python.execAsync("await e.later()", { globals: { e: emitter } }), emitter);
  assertEquals(run("inspect.iscoroutinefunction(e.later)", { e: emitter }), true);
  run("setattr(p.twice, 'note', 7)", { p: point });
  assertEquals((point.twice as Value).note, 7);
  class Holder {
    f = builtins.len;
    c = builtins.int;
  }
  assertEquals(run("[h.f is len, h.c is int, h.f([1])]", { h: new Holder() }).$toJs(), [true, true, 1]);
  const f = Object.assign((a: number, b = 2) => a + b, { extra: [1], nested: Object.assign(() => 1, { deep: 2 }) });
  assertEquals(run("[f.extra, f.nested.deep, f.length, f(1)]", { f }).$toJs(), [[1], 2, 1, 3]);
  run("setattr(f, 'more', 5)", { f });
  assertEquals((f as Value).more, 5);
  assertEquals(run("str(inspect.signature(f))", { f: (_a: unknown, _b: unknown) => 1 }).startsWith("("), true);
  assertEquals(run("f.bind(None, 1)", { f })(), 3);
  assertEquals(run("f.call(None, *t)", { f, t: tuple([1, 2]) }), 3);
});
