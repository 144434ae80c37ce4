/**
 * PyProxy: a Python object as a JavaScript object. Its attributes, items and iteration, and what JavaScript's operators
 * and console make of it.
 */
import { test } from "node:test";
import { inspect } from "node:util";
import { PyProxy, python, PythonError, toJs, tuple } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
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

class Unrepresentable:
    def __repr__(self): raise ValueError("no repr")

def generate(log):
    try:
        while True:
            log.append((yield len(log)))
    except ValueError as error:
        yield "caught %s" % error
    finally:
        log.append("closed")

def returning():
    yield 1
    return "result"

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
    ["constructor", "prototype", "valueOf", "hasOwnProperty", "arguments", "caller"].map((name) => thing[name]),
    Array(6).fill(undefined),
  );
});

test("keys are dir() and not enumerable, and nothing is evaluated", async () => {
  const thing = py.Thing();
  py.evaluated.clear();
  const keys = Reflect.ownKeys(thing);
  assert(["kind", "method", "name", "watched", "__init__"].every((key) => keys.includes(key)));
  assertEquals(Object.keys(thing), []);
  assertEquals({ ...thing }, {});
  assertEquals(Object.assign({}, thing), {});
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

test("items of sequences by index", () => {
  const list = python.exec("['a', 'b', 'c']");
  assertEquals([list[0], list[2], list[3], list[-1], list[1.5]], ["a", "c", undefined, undefined, undefined]);
  assertEquals([0 in list, 2 in list, 3 in list], [true, true, false]);
  assertEquals([list.$get(-1), toJs(list.$get(builtins.slice(1, 3)))], ["c", ["b", "c"]]);
  list[1] = "B";
  assertEquals(toJs(list), ["a", "B", "c"]);
  delete list[0];
  assertEquals(toJs(list), ["B", "c"]);
  assertEquals((assertThrows(() => list[9] = 1) as PythonError).name, "IndexError");
  assertEquals((assertThrows(() => list.$get(9)) as PythonError).name, "IndexError");
  assertEquals(python.exec("(1, 2)")[1], 2);
  assertEquals(python.exec("range(10, 20)")[3], 13);
});

test("items of mappings by $get and friends", () => {
  const dict = python.exec("{'get': 1, 2: 'two', (3,): 'three'}");
  assertEquals([dict.$get("get"), dict.$get(2), dict.$get(tuple([3]))], [1, "two", "three"]);
  assertEquals([dict.$has("get"), dict.$has("keys"), dict.$has(2)], [true, false, true]);
  dict.$set("new", { a: 1 });
  dict.$delete("get");
  assertEquals([toJs(dict.$get("new")), dict.$has("get"), dict.length], [{ a: 1 }, false, 3]);
  assertEquals((assertThrows(() => dict.$get("get")) as PythonError).name, "KeyError");
  assertEquals(builtins.len(dict), 3);
  assertEquals(dict[2], undefined); // an attribute's name, and there is none
  assertEquals(dict.get(2), "two");
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

test("iteration is Python's", () => {
  assertEquals([...python.exec("[1, 'a', None]")], [1, "a", null]);
  assertEquals([...python.exec("{'a': 1, 'b': 2}")], ["a", "b"]);
  assertEquals([...python.exec("{'a': 1}.items()")].map((item) => toJs(item)), [["a", 1]]);
  assertEquals([...python.exec("range(3)"), ...python.exec("(x * x for x in range(3))")], [0, 1, 2, 0, 1, 4]);
  const [first, ...rest] = python.exec("(1, 2, 3)");
  assertEquals([first, rest], [1, [2, 3]]);
  assertEquals(Array.from(python.exec("map(str, [1, 2])")), ["1", "2"]);
  assertEquals(new Map(python.exec("[('a', 1)]")).get("a"), 1);
  assertThrows(() => [...py.Thing()], TypeError);
  assertStrictEquals(py.Thing()[Symbol.iterator], undefined);
  assertThrows(() => [...python.exec("(1 // x for x in [1, 0])")], PythonError, "division");
});

test("generators are Python's, and leaving the loop closes them", () => {
  const log = python.exec("[]");
  for (const item of py.generate(log)) if (item === 2) break;
  assertEquals(toJs(log), [null, null, "closed"]);
  log.clear();
  const generator = py.generate(log);
  assertEquals([generator.next(), generator.next("sent"), generator.next(5)], [
    { done: false, value: 0 },
    { done: false, value: 1 },
    { done: false, value: 2 },
  ]);
  assertEquals(generator.throw(builtins.ValueError("thrown")), { done: false, value: "caught thrown" });
  assertEquals(generator.return("end"), { done: true, value: "end" });
  assertEquals([generator.next(), toJs(log)], [{ done: true, value: null }, ["sent", 5, "closed"]]);
  const returning = py.returning();
  assertEquals([returning.next(), returning.next()], [{ done: false, value: 1 }, {
    done: true,
    value: "result",
  }]);
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
  assertEquals([+half, half + 1, half * 4, half < 1, half > 1], [0.5, 1.5, 2, true, false]);
  assertEquals([thing + "!", "" + python.exec("[1]")], ["thing x!", "[1]"]);
  for (const bad of [() => +thing, () => thing < 1, () => thing * 2]) {
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

test("JSON.stringify writes what toJs gives", () => {
  assertEquals(
    JSON.stringify(python.exec("{'a': [1, (2.5, None)], 'b': True}")),
    '{"a":[1,[2.5,null]],"b":true}',
  );
  assertEquals(JSON.stringify({ list: python.exec("[1]") }), '{"list":[1]}');
  const price = python.exec("import decimal\n{'price': decimal.Decimal('1.5'), 'f': len}");
  for (const value of [price, price.$get("price"), [py.Thing()]]) {
    assertThrows(() => JSON.stringify(value), TypeError, "{ default: String }");
  }
  assertEquals(JSON.stringify(toJs(price, { default: String })), '{"price":"1.5","f":"<built-in function len>"}');
  assertEquals(JSON.stringify({ f: builtins.len, all: [builtins.len] }), '{"all":[null]}');
});

test("structuredClone refuses", () => {
  for (const value of [py.Thing(), builtins.len, { a: python.exec("[]") }]) {
    assertEquals((assertThrows(() => structuredClone(value)) as Error).name, "DataCloneError");
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
      py.generate([]),
    ]
  ) {
    assertEquals([value.then, await value === value], [undefined, true]);
  }
});
