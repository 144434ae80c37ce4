/**
 * JavaScript functions and methods in Python: their `this`, attributes, names and signatures, and wrappers around them.
 */
import { test } from "node:test";
import { asyncDef, intoPromise, kw, python, tuple } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

const { builtins } = python;
const run = (code: string, names: Record<string, unknown> = {}): Value =>
  python.exec(code, { globals: builtins.dict(kw({ inspect: python.import("inspect"), ...names })) });

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

test("names with two underscores on both sides are Python's own", () => {
  const f = function plain(x: number) {
    return x;
  };
  const code = "import functools\ndef g(): 'doc'\nw = functools.wraps(g)(x)\n" +
    "[w is x, w.__wrapped__ is g, w.__name__, w.__doc__, w(5), delattr(x, '__wrapped__'), hasattr(x, '__wrapped__')]";
  assertEquals(run(code, { x: f }).$toJs(), [true, true, "g", "doc", 5, null, false]);
  assertEquals([Reflect.ownKeys(f).filter((key) => String(key).startsWith("__")), f.name], [[], "plain"]);
  assertEquals((assertThrows(() => run("del x.__nothing__", { x: f })) as Error).name, "AttributeError");
});

test("a wrapper around an async function of JavaScript's is Python's own", async () => {
  const { logged } = define(`
import functools
def logged(f):
    @functools.wraps(f)
    async def wrapper(x): return "logged %s" % await f(x)
    return wrapper
`);
  const load = async (x: number) => await x;
  const wrapper = logged(load);
  assert(wrapper !== load);
  assertEquals(await wrapper(1), "logged 1");
  assertStrictEquals(run("x", { x: load }), load);
  const signature = "str(inspect.signature(x)), list(inspect.signature(x).parameters), inspect.signature(x) == inspect.signature(x)";
  assertEquals(run(`[${signature}]`, { x: async (_x: number, _y = 1) => await 1 }).$toJs(), ["(_x, _y=None, /)", ["_x", "_y"], true]);
  assertEquals(run("[x.__doc__, x.__name__]", { x: function plain() {} }).$toJs(), [null, "plain"]);
});
