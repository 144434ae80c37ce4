/**
 * PyProxy: a Python object as a JavaScript object. Its attributes and names, and what JavaScript's operators and its
 * console make of it. Items and iteration are in python_items_test.ts.
 */
import nodeAssert from "node:assert";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { PyProxy, python, PythonError, toJs } from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertNotEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "#std/assert";
import { define } from "../support/define.ts";

const { builtins } = python;

const py = define(`
import fractions

evaluated = []

class Thing:
    "A thing."
    kind = "thing"
    def __init__(self, name="x"):
        self.name = name
    @property
    def watched(self):
        evaluated.append("watched")
        return "seen"
    @property
    def broken(self): raise LookupError("broken")
    @property
    def missing(self): raise AttributeError("no such thing")
    def method(self, a): return (self.name, a)
    def __repr__(self): return "<Thing %s>" % self.name
    def __str__(self): return "thing " + self.name

class Hider:
    length, name, call, apply, bind, toString, toJSON = "a b c d e f g".split()
    get, set, has, delete, copy, destroy, type = "h i j k l m n".split()
    then, catch = "o", "p"
    constructor, prototype, hasOwnProperty, valueOf, __proto__ = "q r s t u".split()

class Guarded:
    def __setattr__(self, name, value): raise AttributeError("cannot set " + name)

class Sized:
    def __len__(self): return 7

class Derived(Thing): pass

class Error(Exception): pass

class Big:
    def __index__(self): return 2**60

class BadFloat:
    def __float__(self): raise ValueError("no float")

class Unrepresentable:
    def __repr__(self): raise ValueError("no repr")
`);

test("the same object gives the same proxy", () => {
  const list = python.exec("shared = []\nshared", { globals: py.__dict__ });
  assertStrictEquals(py.shared, list);
  assertStrictEquals(python.exec("shared", { globals: py.__dict__ }), list);
  assertStrictEquals(python.import("sys"), python.import("sys"));
  assertStrictEquals(builtins.list, builtins.type(list));
  assert(python.exec("[]") !== python.exec("[]"));
  assertEquals(new Map([[list, 1]]).get(py.shared), 1);
});

test("a missing attribute is undefined, any other exception is thrown", () => {
  const thing = py.Thing();
  assertStrictEquals(thing.nothing, undefined);
  assertStrictEquals(thing.missing, undefined);
  assertStrictEquals(python.exec("None"), null);
  assertEquals((assertThrows(() => thing.broken) as PythonError).name, "LookupError");
  assertEquals(thing.nothing?.more, undefined);
  assertEquals(thing.name, "x");
  assertEquals(toJs(thing.method(1)), ["x", 1]);
  const { method } = thing; // bound, as in Python
  assertEquals(toJs(method(2)), ["x", 2]);
});

test("in, assignment and delete are hasattr, setattr and delattr", () => {
  const thing = py.Thing();
  assertEquals(["name", "kind", "watched", "missing", "nothing", "method"].map((name) => name in thing), [
    true,
    true,
    true,
    false,
    false,
    true,
  ]);
  thing.added = [1];
  assertEquals([toJs(thing.added), "added" in thing, thing.__dict__.$has("added")], [[1], true, true]);
  assertEquals(delete thing.added, true);
  assertEquals("added" in thing, false);
  assertEquals((assertThrows(() => delete thing.added) as PythonError).name, "AttributeError");
  thing.kind = "its own";
  assertEquals([thing.kind, py.Thing.kind], ["its own", "thing"]);
  delete thing.kind;
  assertEquals(thing.kind, "thing");
  assertEquals((assertThrows(() => py.Guarded().a = 1) as PythonError).name, "AttributeError");
  assertThrows(() => "broken" in thing, PythonError, "broken");
});

test("Python's attributes come before JavaScript's names", () => {
  const hider = py.Hider();
  const names = [
    "length",
    "name",
    "call",
    "apply",
    "bind",
    "toString",
    "toJSON",
    "get",
    "set",
    "has",
    "delete",
    "copy",
  ];
  names.push("destroy", "type");
  assertEquals(names.map((name) => hider[name]).join(" "), "a b c d e f g h i j k l m n");
  assertEquals([hider.catch, hider.constructor, hider.prototype, hider.hasOwnProperty, hider.valueOf], [
    "p",
    "q",
    "r",
    "s",
    "t",
  ]);
  assertEquals(hider["__proto__"], "u");
  assertStrictEquals(hider.then, undefined);
  assertEquals(builtins.getattr(hider, "then"), "o");
});

test("JavaScript's names where Python has none", () => {
  const thing = py.Thing();
  assertEquals([
    thing.toString(),
    py.Sized().length,
    python.exec("[1, 2]").length,
    python.exec("{1: 2}").length,
  ], ["thing x", 7, 2, 1]);
  assertEquals([builtins.len.name, py.Thing.name, thing.length, builtins.len.length], [
    "len",
    "Thing",
    undefined,
    undefined,
  ]);
  assertEquals(builtins.max.call(null, 1, 3, 2), 3);
  assertEquals(builtins.max.apply(null, [1, 3, 2]), 3);
  assertEquals(builtins.max.bind(null, 5)(1, 3), 5);
  assertEquals(
    ["prototype", "arguments", "caller"].map((name) => thing[name]),
    Array(3).fill(undefined),
  );
  assertStrictEquals(thing.constructor, py.Thing);
  assertStrictEquals(thing.valueOf(), thing);
  assertEquals(["name", "nothing"].map(thing["hasOwnProperty"]), [true, false]);
});

test("keys are dir() and not enumerable, and nothing is evaluated", async () => {
  const thing = py.Thing();
  py.evaluated.clear();
  const keys = Reflect.ownKeys(thing);
  assert(["kind", "method", "name", "watched", "__init__"].every((key) => keys.includes(key)));
  assertEquals(Object.keys(thing), []);
  assertEquals([Object.keys({ ...thing }), Object.keys(Object.assign({}, thing))], [[], []]);
  assert(!PyProxy[Symbol.hasInstance]({ ...thing }));
  for (const key in thing) assert(!key, key);
  inspect(thing);
  inspect([thing, { thing }], { showHidden: true });
  Object.getOwnPropertyDescriptor(thing, "watched");
  Object.entries(thing);
  await Promise.resolve(thing);
  assertEquals(toJs(py.evaluated), []);
  assertEquals(thing.watched, "seen");
  assertEquals(Reflect.ownKeys(builtins.len).includes("__call__"), true);
});

test("what begins with $ is ours and cannot be set", () => {
  const thing = py.Thing();
  assertEquals([thing.$type, py.Thing.$type, builtins.len.$type], [
    "Thing",
    "type",
    "builtin_function_or_method",
  ]);
  for (const name of ["$get", "$own"]) {
    assertThrows(() => thing[name] = 1, TypeError, "$");
    assertThrows(() => Object.defineProperty(thing, name, { value: 1 }), TypeError);
  }
  assertEquals("$get" in thing, true);
  assertThrows(() => delete thing.$get, TypeError);
});

test("callables are called and constructed, others are neither", () => {
  assertEquals([typeof builtins.len, typeof py.Thing, typeof py.Thing(), typeof python.exec("[]")], [
    "function",
    "function",
    "object",
    "object",
  ]);
  assertEquals(new py.Thing("y").name, "y");
  assertEquals(py.Thing("z").name, "z");
  assertEquals(["a", "bb"].map((text) => builtins.len(text)), [1, 2]);
  assertThrows(() => py.Thing()(), TypeError);
  assertThrows(() => py.Thing().nothing(), TypeError);
  assertThrows(() => new builtins.int(5), TypeError, "call it without new");
});

test("instanceof is isinstance", () => {
  assert(
    py.Thing() instanceof py.Thing && py.Derived() instanceof py.Thing && !(py.Thing() instanceof py.Derived),
  );
  assert(python.exec("[]") instanceof builtins.list && !(python.exec("[]") instanceof builtins.dict));
  assert(
    py.Thing() instanceof PyProxy && py.Thing instanceof PyProxy && !({} instanceof PyProxy) &&
      !(Object(1) instanceof PyProxy),
  );
  assert(!([] instanceof builtins.list) && !(Object(5) instanceof builtins.int));
  // deno-lint-ignore no-explicit-any -- TypeScript takes no primitive value before instanceof
  const is = (value: any, type: any) => value instanceof type;
  const primitives = [is(5, builtins.int), is("a", builtins.str), is(true, builtins.bool), is(1.5, builtins.float), is(5, builtins.str)];
  assertEquals(primitives, [true, true, true, true, false]);
  const error = assertThrows(() => python.exec("raise Error('x')", { globals: py.__dict__ }));
  assert(error instanceof py.Error && error instanceof builtins.Exception && error instanceof PythonError);
  assert(!(error instanceof builtins.KeyError) && error instanceof Error);
});

test("coercions", () => {
  const thing = py.Thing(), half = py.fractions.Fraction(1, 2);
  assertEquals([String(thing), `${thing}`, `${python.exec("[1, 'a']")}`, String(half)], [
    "thing x",
    "thing x",
    "[1, 'a']",
    "1/2",
  ]);
  assertEquals(+py.Big(), 2 ** 60);
  assertEquals([+half, half + 1, half * 4, half < 1, half > 1], [0.5, 1.5, 2, true, false]);
  assertEquals([thing + "!", "" + python.exec("[1]")], ["thing x!", "[1]"]);
  assertEquals("" + python.exec("__import__('array').array('B', b'ab')"), "array('B', [97, 98])");
  assertEquals("" + python.exec("bytearray(b'1')"), "bytearray(b'1')");
  assertThrows(() => +py.BadFloat(), PythonError, "no float");
  for (const bad of [() => +thing, () => thing < 1, () => thing * 2, () => +python.exec("memoryview(b'1')")]) {
    assertThrows(bad, TypeError, "operator");
  }
  assert(python.exec("[]") && python.exec("{}") && !builtins.bool(python.exec("[]")));
  assertEquals(python.exec("[1]") == python.exec("[1]"), false);
  assertEquals(python.import("operator").eq(python.exec("[1]"), [1]), true);
});

test("the console shows repr", () => {
  assertEquals(inspect(py.Thing("shown")), "<Thing shown>");
  assertEquals(inspect(python.exec("[1, 'a']")), "[1, 'a']");
  assertStringIncludes(inspect({ a: [py.Thing("inner")] }), "<Thing inner>");
  assertMatch(inspect(builtins.len), /^<built-in function len>$/);
  assertMatch(inspect(py.Thing), /^<class '.*Thing'>$/);
  assertStringIncludes(inspect(py.Unrepresentable()), "no repr");
  const { Deno, Bun } = globalThis as {
    Deno?: { inspect(value: unknown): string };
    Bun?: { inspect(value: unknown): string };
  };
  const show = Deno?.inspect ?? Bun?.inspect ?? inspect;
  for (const value of [py.Thing("shown"), builtins.len]) assertEquals(show(value), builtins.repr(value));
});

test("util.format shows what Python would", () => {
  const { list, int } = python.builtins, plain = define("class Plain:\n  def __repr__(self): return 'plain'").Plain();
  assertEquals(format("%s %s %s", list([1]), plain, int), "[1] plain <class 'int'>");
});

test("structuredClone refuses", () => {
  for (const value of [py.Thing(), builtins.len, { a: python.exec("[]") }]) {
    const error = assertThrows(() => structuredClone(value)) as Error;
    assertEquals([error.name, error.message.includes("Target")], ["DataCloneError", false]); // nothing of the inside
  }
});

test("then is undefined on what cannot be awaited", async () => {
  for (
    const value of [
      py.Thing(),
      py.Hider(),
      builtins.len,
      python.exec("[]"),
      python.import("asyncio"),
      python.exec("(n for n in [])"),
    ]
  ) {
    assertEquals([value.then, await value === value], [undefined, true]);
  }
});

test("freezing a proxy is refused and leaves it as it was", () => {
  const list = python.builtins.list([1]);
  for (const freeze of [Object.freeze, Object.seal, Object.preventExtensions]) assertThrows(() => freeze(list as object), TypeError);
  assertInstanceOf(list, PyProxy as never);
  assert(Reflect.ownKeys(list as object).includes("append"));
});

test("the same bound method is the same proxy while one is alive", () => {
  const { Listener } = define(`
class Listener:
    def __init__(self): self.heard = []
    def hear(self, word): self.heard.append(word)
    @classmethod
    def make(cls): return cls()
`);
  const one = Listener(), two = Listener(), emitter = new EventEmitter();
  assertStrictEquals(one.hear, one.hear);
  assert(one.hear !== two.hear && one.heard.append === one.heard.append && Listener.make === Listener.make);
  emitter.on("word", one.hear);
  emitter.emit("word", "a");
  emitter.off("word", one.hear);
  emitter.emit("word", "b");
  assertEquals(toJs(one.heard), ["a"]);
  const { hear } = one;
  one.hear = two.hear; // another method of that name
  assert(one.hear !== hear);
  one.hear("c");
  assertEquals(toJs(two.heard), ["c"]);
  one.hear.$destroy();
  two.hear("d");
  assertEquals(toJs(two.heard), ["c", "d"]);
});

test("comparing by structure finds different objects different", () => {
  const [a, b, c] = [python.exec("[1]"), python.exec("[2]"), python.exec("[1]")];
  for (const other of [b, c]) {
    nodeAssert.notDeepStrictEqual(a, other);
    nodeAssert.notDeepStrictEqual({ x: [a] }, { x: [other] });
    assertNotEquals(a, other);
    assertNotEquals({ x: [a] }, { x: [other] });
    assertThrows(() => assertEquals(a, other));
  }
  nodeAssert.deepStrictEqual({ x: [a] }, { x: [a] });
  assertEquals({ x: [a] }, { x: [a] });
  assertEquals(toJs(a), toJs(c));
  assertEquals([Object.keys(a), JSON.stringify({ ...a })], [[], "{}"]);
});
