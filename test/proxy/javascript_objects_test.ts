/**
 * JavaScript's objects in Python: JsProxy's attributes, items, calls, iteration and the rest of what Python does with
 * objects.
 */
import { test } from "node:test";
import { kw, python, PythonError, toJs, toLoop } from "../../mod.ts";
import { assertEquals, assertStrictEquals, assertThrows } from "#std/assert";

/** Evaluates Python with the value as `x`. */
// deno-lint-ignore no-explicit-any -- what Python says
const py = (code: string, x: unknown, more: object = {}): any => python.exec(code, { globals: { x, ...more } });

class Point {
  static origin = "static";
  x: number;
  y: number;
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
  get length() {
    return 2;
  }
  norm() {
    return Math.hypot(this.x, this.y);
  }
  self() {
    return this;
  }
  *[Symbol.iterator]() {
    yield this.x;
    yield this.y;
  }
}

test("attributes are properties", () => {
  const point = new Point(3, 4);
  assertEquals(py("[x.x, x.y, x.length]", point).$toJs(), [3, 4, 2]);
  assertEquals(py("x.norm()", point), 5);
  assertEquals(py("m = x.norm\nm()", point), 5);
  assertEquals(py("x.norm == x.norm", point), true);
  assertStrictEquals(py("x.self()", point), point);
  py("x.x = 6\nx.added = [1]", point);
  assertEquals([point.x, toJs((point as unknown as { added: unknown }).added)], [6, [1]]);
  py("del x.added", point);
  assertEquals("added" in point, false);
  assertEquals(py("[hasattr(x, 'x'), hasattr(x, 'nothing'), getattr(x, 'nothing', 7)]", point).$toJs(), [
    true,
    false,
    7,
  ]);
  assertEquals((assertThrows(() => py("x.nothing", point)) as PythonError).name, "AttributeError");
  assertEquals(py("{'x', 'y', 'norm', 'self'} <= set(dir(x))", point), true);
  assertEquals(py("x.value is None", Object.create({ value: undefined })), true);
});

test("names that Python keeps for itself have a trailing underscore", () => {
  const value = Object.assign(new (class Own {})(), { from: 1, class: 2, finally: 3, from_: 4, async: 5 });
  assertEquals(py("[x.from_, x.class_, x.finally_, x.async_]", value).$toJs(), [1, 2, 3, 5]);
  py("x.import_ = 6", value);
  assertEquals((value as unknown as { import: number }).import, 6);
});

test("names with two underscores on both sides are Python's own", () => {
  const f = function plain(x: number) {
    return x;
  };
  const code = "import functools\ndef g(): 'doc'\nw = functools.wraps(g)(x)\n" +
    "[w is x, w.__wrapped__ is g, w.__name__, w.__doc__, w(5), delattr(x, '__wrapped__'), hasattr(x, '__wrapped__')]";
  assertEquals(py(code, f).$toJs(), [true, true, "g", "doc", 5, null, false]);
  assertEquals([Reflect.ownKeys(f).filter((key) => String(key).startsWith("__")), f.name], [[], "plain"]);
  assertEquals((assertThrows(() => py("del x.__nothing__", f)) as Error).name, "AttributeError");
});

test("classes are constructed, functions called", () => {
  const point = py("x(3, 4)", Point);
  assertEquals([point instanceof Point, point.norm()], [true, 5]);
  assertEquals(py("x.new(3, 4).norm()", Point), 5);
  assertEquals(py("x.origin", Point), "static");
  assertEquals(py("x.name", function named() {}), "named");
  assertEquals([py("x.typeof", Point), py("x.typeof", new Point(1, 2)), py("callable(x)", () => {})], [
    "function",
    "object",
    true,
  ]);
  assertEquals((assertThrows(() => py("x()", new Point(1, 2))) as Error).name, "TypeError");
  const f = (_a: number, options: object) => new Map(Object.entries(options));
  assertEquals(py("x(1, b=2)['b']", f), 2);
});

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

test("items, length, membership", () => {
  class Bag {
    [key: string]: unknown;
  }
  const bag = new Bag();
  py("x['a'] = 1\nx['b'] = [2]", bag);
  assertEquals([bag.a, toJs(bag.b), py("x['a']", bag), py("'a' in x", bag), py("'c' in x", bag)], [
    1,
    [2],
    1,
    true,
    false,
  ]);
  py("del x['a']", bag);
  assertEquals(Object.keys(bag), ["b"]);
  assertEquals(py("len(x)", new Point(1, 2)), 2);
  assertThrows(() => py("len(x)", new WeakMap()));
  assertEquals(py("bool(x)", new Point(0, 0)), true);
});

test("iteration", () => {
  assertEquals(py("list(x)", new Point(3, 4)).$toJs(), [3, 4]);
  assertEquals(py("a, b = x\na + b", new Point(3, 4)), 7);
  assertEquals((assertThrows(() => py("list(x)", new WeakMap())) as Error).name, "TypeError");
  assertEquals(py("[n for n in x]", [1, 2].values()).$toJs(), [1, 2]);
});

test("equality, hash and repr", () => {
  const point = new Point(1, 2);
  assertEquals(py("x == y, x is y, hash(x) == hash(y)", point, { y: point }).$toJs(), [true, true, true]);
  assertEquals(py("x == y", point, { y: new Point(1, 2) }), false);
  assertEquals(py("{x: 1}[y]", point, { y: point }), 1);
  assertEquals(py("type(repr(x)).__name__", point), "str");
  assertEquals(py("x == 1 or x == None or x == 'text'", point), false);
});

test("to_py copies", () => {
  class Own {
    a = 1;
    b = [2];
  }
  assertEquals(py("x.to_py() == {'a': 1, 'b': [2]}", new Own()), true);
  assertEquals(py("x.to_py()", new Point(3, 4)).$toJs(), [3, 4]);
});

test("what a property throws is raised, and errors of a kind stay one", () => {
  const thrown = new RangeError("getter");
  const value = Object.create({
    get bad() {
      throw thrown;
    },
  });
  assertStrictEquals(assertThrows(() => py("x.bad", value)), thrown);
  assertStrictEquals(assertThrows(() => py("hasattr(x, 'bad')", value)), thrown);
});

test("everything of it works on the loop's thread and in others", async () => {
  const point = new Point(3, 4);
  assertEquals(
    await toLoop(python.exec("lambda x: (x.x, x.norm(), list(x), len(x), 'x' in dir(x))"), [point]).then(
      toJs as never,
    ),
    [
      3,
      5,
      [3, 4],
      2,
      true,
    ],
  );
  const { ThreadPoolExecutor } = python.import("concurrent.futures");
  const pool = ThreadPoolExecutor(kw({ max_workers: 2 }));
  const results = await python.execAsync(
    "import asyncio\nawait asyncio.gather(*[asyncio.get_running_loop().run_in_executor(pool, lambda: x.norm()) for _ in range(20)])",
    { globals: { pool, x: point } },
  );
  assertEquals(toJs(results), Array(20).fill(5));
});
