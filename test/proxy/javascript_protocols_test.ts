/**
 * The protocols that JavaScript objects have in Python: callable, iterable, sized, awaitable, context managers. An object
 * has those that its properties say, wherever it comes from.
 */
import { test } from "node:test";
import { python, PythonError, toJs, toPy } from "../../mod.ts";
import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { isAtLeast } from "../support/define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

/** Evaluates Python with the value as `x`. */
const py = (code: string, x: unknown): Value => python.exec(code, { globals: { x } });
const run = (code: string, a: unknown): Value => toJs(python.exec(code, { globals: { a } }));

class Point {
  x: number;
  constructor(x: number) {
    this.x = x;
  }
}
class Pair {
  *[Symbol.iterator]() {
    yield* [3, 4];
  }
}

test("Python's protocols are there where the object has them", () => {
  class Empty {}
  const traits = (value: unknown) =>
    py(
      "', '.join(n for n in 'callable iter aiter len enter aenter await'.split() if " +
        "(callable(x) if n == 'callable' else getattr(type(x), '__%s__' % n, None) is not None))",
      value,
    );
  const all = Object.assign(new Empty(), { [Symbol.iterator]: function* () {}, length: 0, then() {} });
  const cases: [value: unknown, traits: string][] = [
    [new Empty(), ""],
    [() => 1, "callable"],
    [Empty, "callable"],
    [/x/, ""],
    [Math, ""],
    [Object.assign(new Empty(), { [Symbol.iterator]: function* () {} }), "iter, aiter"],
    [Object.assign(() => 1, { [Symbol.iterator]: function* () {} }), "callable, iter, aiter"],
    [Object.assign(new Empty(), { [Symbol.asyncIterator]: async function* () {} }), "aiter"],
    [Object.assign(new Empty(), { size: 1 }), "len"],
    [all, "iter, aiter, len, await"],
  ];
  for (const [value, wanted] of cases) assertEquals(traits(value), wanted);
  const names = "c = __import__('collections').abc; [isinstance(x, t) for t in (c.Iterable, c.Callable, c.Sized, c.AsyncIterable)]";
  assertEquals(py(names, new Empty()).$toJs(), [false, false, false, false]);
  assertEquals(py(names, all).$toJs(), [true, false, true, true]);
  assertEquals((assertThrows(() => py("list(x)", new Empty())) as Error).message, "'JsProxy' object is not iterable");
  assertEquals((assertThrows(() => py("x()", new Empty())) as Error).message, "'JsProxy' object is not callable");
  assertEquals(py("isinstance(x, __import__('pyawait').JsProxy) and type(x).__name__", new Empty()), "JsProxy");
});

test("every iterable can be made a list, with or without a length", () => {
  assertEquals(run("list(a)", [1, 2].values()), [1, 2]);
  assertEquals(run("sorted(a)", new Headers({ b: "1", a: "2" })), ["a", "b"]); // a mapping: its keys
  assertEquals(run("(lambda *args: len(args))(*a)", new Map([[1, 2]]).keys()), 1);
  assertEquals(run("list(a)", new Pair()), [3, 4]);
  assertEquals(python.exec("a, b = x\na + b", { globals: { x: new Pair() } }), 7);
  assertEquals(run("[n for n in a]", [1, 2].values()), [1, 2]);
  assertEquals((assertThrows(() => run("list(a)", new WeakMap())) as Error).name, "TypeError");
  for (const code of ["len(a)", "a()", "list(a)"]) {
    assertEquals(assertThrows(() => run(code, new (class Nothing {})()), PythonError).name, "TypeError", code);
  }
  const frozen = Object.freeze(function (a: number, b: number) {
    return a + b;
  });
  assertEquals(run("a(1, 2)", frozen), 3); // no class, though its prototype cannot be replaced
});

test("JavaScript's iterators are Python's", () => {
  assertEquals(
    py("[next(x), next(x, 5), list(x), isinstance(x, __import__('collections').abc.Iterator)]", new Map([[1, 2]]).keys()).$toJs(),
    [1, 5, [], true],
  );
  const generator = (function* () {
    yield 1;
    yield 2;
  })();
  const held = toPy([generator, generator]);
  assertEquals(py("[x[0] is x[1], next(x[0]), next(x[1])]", held).$toJs(), [true, 1, 2]);
});

test("what has a then is awaited", async () => {
  class Query {
    then(done: (value: number) => void) {
      done(5);
    }
  }
  assertEquals(await python.execAsync("await q", { globals: { q: new Query() } }), 5);
});

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

test("what was thrown can do what it can do", () => {
  const throwing = (value: unknown) => () => {
    throw value;
  };
  const caught = "try: x()\nexcept Exception as error: value = error.value\n";
  assertEquals(py(`${caught}[list(value), len(value), value[0:1]]`, throwing(["a", "b"])).$toJs(), [["a", "b"], 2, ["a"]]);
  assertEquals(py(`${caught}value()`, throwing(() => 42)), 42);
  class Process extends Promise<number> {
    get length() {
      return 2;
    }
    *[Symbol.iterator]() {
      yield 1;
    }
  }
  assertEquals(py("[len(x), list(x)]", Process.resolve(1)).$toJs(), [2, [1]]);
  const grows: Value = Object.assign(new (class Own {})(), { n: 1 }), held = toPy(grows, { depth: 0 });
  assertEquals(py("hasattr(x, '__len__')", held), false);
  grows[Symbol.iterator] = function* () {
    yield 3;
  };
  assertEquals(py("list(x)", grows).$toJs(), [3]);
});
