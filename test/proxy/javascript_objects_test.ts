/**
 * JavaScript objects in Python: their attributes and items, names that are Python's keywords, equality and text, copies,
 * and Proxies whose traps answer to everything or throw. What protocols they have is in javascript_protocols_test.ts.
 */
import { test } from "node:test";
import { intoPromise, kw, PyProxy, python, PythonError, toJs, toLoop, toPy } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define, thrownBy } from "../support/define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

/** Evaluates Python with the value as `x`. */
const py = (code: string, x: unknown, more: object = {}): Value => python.exec(code, { globals: { x, ...more } });

const { builtins } = python;
const run = (code: string, names: Record<string, unknown>): Value => python.exec(code, { globals: builtins.dict(kw(names)) });

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
  const own = Object.assign(new (class Own {})(), { from: 1, class: 2, finally: 3, from_: 4, async: 5 });
  assertEquals(run("[x.from_, x.class_, x.finally_, x.async_]", { x: own }).$toJs(), [1, 2, 3, 5]);
  run("x.import_ = 6", { x: own });
  assertEquals((own as unknown as { import: number }).import, 6);
  const settled: string[] = [];
  await intoPromise(run("p.then(lambda v: v).finally_(f)", { p: Promise.resolve(5), f: () => void settled.push("finally") }));
  assertEquals(settled, ["finally"]);
  const error = await intoPromise(run("p.catch(lambda e: [e])", { p: Promise.reject(new Error("x")) }));
  assertInstanceOf(toJs(error), Array);
});

test("JavaScript's own names are its own, whatever Python calls its parts", () => {
  class Socket {
    _handle = "mine";
    _heap = 5;
    _count = [1];
    _bind = () => "bound";
  }
  const socket = new Socket();
  assertEquals(toJs(py("[x._handle, x._heap, list(x._count), x._bind()]", socket)), ["mine", 5, [1], "bound"]);
  py("x._handle = None; x._count = 0", socket);
  assertEquals([socket._handle, socket._count as unknown], [null, 0]);
  assertStrictEquals(py("x", socket), socket);
  assert(!(toJs(py("dir(x)", socket)) as string[]).some((name) => name.startsWith("_pyawait")));
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
  run("x['a'] = 1\nx['b'] = [2]", { x: bag });
  assertEquals([bag.a, toJs(bag.b), ...run("[x['a'], 'a' in x, 'c' in x]", { x: bag }).$toJs()], [1, [2], 1, true, false]);
  run("del x['a']", { x: bag });
  assertEquals(Object.keys(bag), ["k", "b"]);
  assertEquals(run("[len(p), bool(z)]", { p: new Point(1, 2), z: new Point(0, 0) }).$toJs(), [2, true]);
  assertThrows(() => run("len(x)", { x: new WeakMap() }));
  const frozen = Object.freeze(Object.assign(new Bag(), { x: 1 }));
  assertEquals(assertThrows(() => run("delattr(b, 'x')", { b: frozen }), PythonError).name, "TypeError");
  assertThrows(() => run("setattr(b, 'x', 2)", { b: frozen }), TypeError);
  assertEquals(run("type(m).__name__", { m: new Live([[1, 2]]) }), "dict"); // Maps are copied, subclasses too
  const url = new URLSearchParams("a=1&b=2");
  assertEquals(run("[u.get('a'), 'b' in u, 'c' in u, list(u)]", { u: url }).$toJs(), ["1", true, false, ["a", "b"]]);
  assertEquals(run("[hasattr(u, 'get'), hasattr(u, 'nothing'), getattr(u, 'nothing', 5), 'append' in dir(u)]", { u: url }).$toJs(), [
    true,
    false,
    5,
    true,
  ]);
});

test("__proto__ is an ordinary item of an object by reference", () => {
  const object: Record<string, unknown> = { a: 1 }, proxy = toPy(object, { depth: 0 });
  assertEquals(py("'__proto__' in x", proxy), false);
  assertEquals(thrownBy(() => py("x['__proto__']", proxy)).name, "KeyError");
  assertEquals(thrownBy(() => py("del x['__proto__']", proxy)).name, "KeyError");
  py("x['__proto__'] = 5", proxy);
  assertEquals([Object.getPrototypeOf(object) === Object.prototype, Object.hasOwn(object, "__proto__")], [true, true]);
  assertEquals(py("x['__proto__']", proxy), 5);
  py("del x['__proto__']", proxy);
  assertEquals(py("'__proto__' in x", proxy), false);
});

test("what is inherited cannot be deleted, and Python is told", () => {
  class Base {
    method() {}
  }
  const object: Value = new Base();
  assertEquals(assertThrows(() => py("del x.method", object), PythonError, "inherited").name, "AttributeError");
  object.method = 1;
  py("del x.method", object);
  assertEquals([typeof object.method, Object.keys(object)], ["function", []]);
  const behind: Value = { a: 1 };
  const proxy = new Proxy({}, { has: () => true, deleteProperty: (_, key) => delete behind[key] });
  py("del x.a", toPy(proxy, { depth: 0 }));
  assertEquals(behind, {});
});

test("equality, hash and repr", () => {
  const point = new Point(1, 2);
  assertEquals(py("x == y, x is y, hash(x) == hash(y)", point, { y: point }).$toJs(), [true, true, true]);
  assertEquals(py("x == y", point, { y: new Point(1, 2) }), false);
  assertEquals(py("{x: 1}[y]", point, { y: point }), 1);
  assertEquals(py("type(repr(x)).__name__", point), "str");
  assertEquals(py("x == 1 or x == None or x == 'text'", point), false);
});

test("str() is toString where an object has one of its own; repr says its class", () => {
  const texts = (x: unknown) => py('[str(x), repr(x), f"{x}"]', x);
  class Point {
    x = 1;
  }
  class Named {
    toString() {
      return "named!";
    }
  }
  assertEquals(texts(new URL("http://a/")).$toJs(), ["http://a/", '<JavaScript URL "http://a/">', "http://a/"]);
  assertEquals(texts(/a+/g).$toJs(), ["/a+/g", "<JavaScript RegExp {}>", "/a+/g"]);
  assertEquals(texts(new Named()).$toJs(), ["named!", "<JavaScript Named {}>", "named!"]);
  assertEquals(texts(new Point()).$toJs(), Array(3).fill('<JavaScript Point {"x":1}>'));
});

test("a copy of a JavaScript value in Python is the value, and keeps it alive", async () => {
  const copying = define(`
import copy, pickle
kept = []
def keep(value): kept[:] = [value]
def copies(value):
    pair = [copy.copy(value), copy.deepcopy(value), copy.deepcopy([value])[0]]
    return all(each is value for each in pair)
`);
  let object: Value = new (class Kept {
    n = 1;
  })();
  copying.keep(object);
  assertEquals(copying.copies(object), true);
  assertEquals(copying.copies(new Error("kept")), true); // another one each time: of the exception
  for (const code of ["pickle.dumps(x)", "pickle.dumps([x])"]) {
    assertEquals(assertThrows(() => py(code, object, { pickle: copying.pickle }), PythonError, "Cannot pickle").name, "TypeError");
  }
  object = undefined;
  for (let round = 0; round < 3; round++) {
    python.import("gc").collect();
    await collect();
  }
  assertEquals(copying.kept[0].n, 1);
  copying.keep(null);
});

test("a JavaScript Proxy that answers everything is no PyProxy", () => {
  const echo: Value = new Proxy(function () {}, { get: (_, key) => key === Symbol.toPrimitive ? () => "echo" : echo });
  const ones = new Proxy({}, { get: () => 1 });
  for (const value of [echo, ones]) {
    assert(!(value instanceof PyProxy));
    assertStrictEquals(py("x", value), value);
  }
});

test("objects that answer to every name have every attribute, and throwing traps do not stop a value", () => {
  class Remote {}
  const remote = new Proxy(new Remote(), { get: (_, key) => typeof key === "symbol" || key === "then" ? undefined : `dyn ${key}` });
  assertEquals(py("[x.foo, x['bar']]", remote).$toJs(), ["dyn foo", "dyn bar"]);
  const strict = new Proxy(() => 5, {
    has() {
      throw new Error("has trap");
    },
  });
  assertEquals(py("x()", strict), 5);
  const named = Object.defineProperty(() => 1, "name", {
    get: () => {
      throw new Error("name");
    },
  });
  assertEquals(py("x()", named), 1);
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
