/**
 * Objects that answer oddly, of both languages: nothing that they do is lost, taken for something else or breaks others.
 */
import { test } from "node:test";
import vm from "node:vm";
import { kw, pyClass, PyProxy, python, PythonError, tidy, toJs, toPy } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define, thrownBy } from "../support/define.ts";

// deno-lint-ignore no-explicit-any
type Value = any;

const py = define(`
import collections, datetime, gc, io, re, sqlite3, sys

def same(value): return value
def type_of(value): return type(value).__name__
def call(function, *args): return function(*args)
def value_of(function):
    import pyawait
    try: function()
    except pyawait.JsException as error: return [error.value, error.value is error.value]
def caused(function):
    try: function()
    except Exception as error: raise ValueError("caused") from error
def grouped(function):
    try: function()
    except Exception as error: raise ExceptionGroup("several", [error, KeyError("k")])
def reraise(function):
    try: function()
    except BaseException as error: raise error
def generator():
    while True:
        try: yield
        except ZeroDivisionError: return
class Marked: pass
def marked(count): return [Marked() for _ in range(count)]
def count_marked():
    gc.collect()
    return sum(1 for each in gc.get_objects() if type(each) is Marked)
class Text(str):
    __hash__ = object.__hash__
    def __eq__(self, other): return self is other
class Items:
    def __getitem__(self, index):
        if index > 2: raise IndexError(index)
        return index * 10
class Falsy(Exception):
    def __len__(self): return 0
class Meta(type):
    @property
    def __name__(cls): raise KeyboardInterrupt
class Unnamed(Exception, metaclass=Meta): pass
class Rude(Exception):
    def __str__(self): raise SystemExit
class Listing(Exception):
    exceptions = (1, 2)
class Property:
    @property
    def __module__(self): return 5
    def __call__(self): return "called"
class Names:
    def __dir__(self): return ["a", "b", "a"]
class Big:
    def __index__(self): return 2**60
def ordered():
    result = collections.OrderedDict(a=1, b=2)
    result.move_to_end("a")
    return result
class Set(set): pass
def row():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    return connection.execute("select 1 as a, 'two' as b").fetchone()
`);

const thrower = (value: unknown) => () => {
  throw value;
};

test("a JavaScript Proxy that answers everything is no PyProxy", () => {
  const echo: Value = new Proxy(function () {}, { get: (_, key) => key === Symbol.toPrimitive ? () => "echo" : echo });
  const ones = new Proxy({}, { get: () => 1 });
  for (const value of [echo, ones]) {
    assert(!(value instanceof PyProxy));
    assertStrictEquals(py.same(value), value);
  }
});

test("references that a failing toJs has not read are given back", async () => {
  const before = py.count_marked();
  const fail = thrower(new Error("default"));
  for (let round = 0; round < 10; round++) {
    assertThrows(() => toJs([py.marked(200)][0], { default: fail }), Error, "default");
    assertThrows(() =>
      toJs(py.same(new Map([[1, { deep: [py.marked(50), "text", 1.5, 2n ** 70n, new Uint8Array(3)] }]])), { default: fail })
    );
  }
  let after = Infinity;
  for (let round = 0; round < 20 && after > before; round++) {
    await collect();
    after = py.count_marked();
  }
  assertEquals(after, before);
});

test("what would collide in JavaScript is refused", () => {
  assertThrows(() => toJs(python.exec("{float('nan'): 1, float('nan'): 2}")), TypeError, "two of its keys");
  assertThrows(() => toJs(python.exec("{float('nan'), float('nan')}")), TypeError, "two of its items");
});

test("classes of dicts and sets are copied in their own order", () => {
  assertEquals(Object.keys(toJs(py.ordered()) as object), ["b", "a"]);
  assertEquals([...toJs(py.Set([1, 2])) as Set<number>], [1, 2]);
  assertEquals(toJs(python.import("collections").Counter("aab")), { a: 2, b: 1 });
});

test("what JavaScript threw is itself wherever it comes out again", () => {
  const symbol = Symbol("s"), object = { a: 1 };
  for (const thrown of ["boom", 5, true, null, 5n, object, symbol, undefined, new Error("e"), () => 1]) {
    const error = thrownBy(() => py.caused(thrower(thrown)));
    assertEquals(error.message, "caused");
    assertStrictEquals(error.cause, thrown);
    assertStrictEquals(thrownBy(() => py.reraise(thrower(thrown))), thrown);
    const generator = py.generator();
    generator.next();
    assertStrictEquals(thrownBy(() => generator.throw(thrown)), thrown);
  }
  for (const [thrown, value] of [[5n, 5], [undefined, null], ["text", "text"]]) {
    assertEquals(toJs(py.value_of(thrower(thrown))), [value, true]);
  }
  assertEquals((toJs(py.value_of(thrower(object))) as unknown[])[1], true);
  const proxy = py.Items();
  assertStrictEquals(thrownBy(() => py.reraise(thrower(proxy))), proxy);
  const mine = Object.assign(thrownBy(() => python.exec("{}['k']")), { extra: 1 });
  assertStrictEquals(thrownBy(() => py.reraise(thrower(mine))), mine);
  assertEquals(mine.extra, 1);
});

test("the members of a group", { skip: python.exec("import sys\nsys.version_info < (3, 11)") && "Python has groups since 3.11" }, () => {
  assertStrictEquals(thrownBy(() => py.grouped(thrower("text"))).errors[0], "text");
  const foreign = vm.runInThisContext("new RangeError('foreign')");
  const group = new (class Several extends AggregateError {
    override name = "Several";
  })([foreign, new Error("own")], "both");
  const members = python.exec("def f(g):\n  try: g()\n  except Exception as e: return e.exceptions\nf")(thrower(group));
  assertStrictEquals(thrownBy(() => py.call(python.exec("def f(e): raise e\nf"), members[0])), foreign);
});

test("exceptions that break when they are looked at keep their names", () => {
  assertEquals(thrownBy(() => py.call(py.reraise, python.exec("def f(E):\n  def g(): raise E('x')\n  return g\nf")(py.Rude))).name, "Rude");
  const unnamed = thrownBy(() => python.exec("def f(E): raise E('text')\nf")(py.Unnamed));
  assertEquals([unnamed.name, unnamed.message], ["Unnamed", "text"]);
  const listing = thrownBy(() => python.exec("def f(E): raise E('text')\nf")(py.Listing));
  assertEquals("errors" in listing, false);
  const falsy = thrownBy(() => python.exec("def f(E): raise ValueError() from E('cause')\nf")(py.Falsy));
  assertEquals(falsy.cause.name, "Falsy");
});

test("leaving a loop closes a generator and nothing else", () => {
  const file = python.import("io").StringIO("a\nb\nc\n");
  for (const line of file) {
    assertEquals(line, "a\n");
    break;
  }
  assertEquals([...file], ["b\n", "c\n"]);
  const generator = python.exec("(n for n in range(5))");
  for (const _ of generator) break;
  assertEquals([...generator], []);
});

test("iteration and items are Python's", () => {
  assertEquals([...py.Items()], [0, 10, 20]);
  assertEquals([py.Items()[1], py.Items()[3], 1 in py.Items(), 3 in py.Items()], [10, undefined, true, false]);
  assertEquals(python.exec("__import__('re').match('(a)(b)', 'ab')")[2], "b");
  const row = py.row();
  assertEquals([row[0], row[1], row.length, row.$get("b"), [...row]], [1, "two", 2, "two", [1, "two"]]);
  assertEquals(py.Property()(), "called");
  assertEquals(Reflect.ownKeys(py.Names()), ["a", "b"]);
});

test("what is read by an index is set and deleted by it, and nothing else", () => {
  const list = python.builtins.list([1, 2, 3]), dict = python.builtins.dict([[1, "one"]] as Value);
  list[0] = "first";
  assertEquals(toJs(list), ["first", 2, 3]);
  assertThrows(() => list[-1] = "last", TypeError, "$set(-1, value)");
  assertEquals(assertThrows(() => dict[1] = "changed", PythonError).name, "AttributeError");
  assertEquals(dict.$get(1), "one");
  delete list[0];
  assertEquals(toJs(list), [2, 3]);
});

test("freezing a proxy is refused and leaves it as it was", () => {
  const list = python.builtins.list([1]);
  for (const freeze of [Object.freeze, Object.seal, Object.preventExtensions]) assertThrows(() => freeze(list as object), TypeError);
  assertInstanceOf(list, PyProxy as never);
  assert(Reflect.ownKeys(list as object).includes("append"));
});

test("tidy keeps the function of a coroutine that it returns", async () => {
  assertEquals(await tidy(() => python.import("asyncio").sleep(0, 5)), 5);
  const { coroutine } = tidy(() => ({ coroutine: python.import("asyncio").sleep(0, 6) }));
  assertEquals(await coroutine, 6);
});

test("JSON.stringify writes what toJs gives", () => {
  const moment = python.exec("import datetime\ndatetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)");
  assertEquals(JSON.stringify(moment), '"2026-01-02T03:04:05.000Z"');
  assertEquals(JSON.stringify(python.builtins.list([moment])), '["2026-01-02T03:04:05.000Z"]');
});

test("numbers and instances", () => {
  assertEquals(+py.Big(), 2 ** 60);
  const { int, str, bool, float: Float } = python.builtins;
  const is = (value: Value, type: Value) => value instanceof type;
  assertEquals([is(5, int), is("a", str), is(true, bool), is(1.5, Float), is(5, str)], [
    true,
    true,
    true,
    true,
    false,
  ]);
});

test("kinds are told by brand, not by prototype", () => {
  const strip = (value: object) => Object.setPrototypeOf(value, null);
  assertEquals(py.type_of(strip(new Map([[1, 2]]))), "dict");
  assertEquals(toJs(py.same(strip(new Map([[1, 2]])))), new Map([[1, 2]]));
  assertEquals([py.type_of(strip(new Date())), py.type_of(strip(new Uint8Array(2)))], ["datetime", "bytes"]);
  assertEquals(py.type_of(strip({ a: 1 })), "dict");
  assertEquals(py.type_of(strip(new Set([1]))), "set");
});

test("a sparse Array of a length that no message has is refused at once", () => {
  assertThrows(() => py.same(new Array(2 ** 32 - 1)), RangeError, "4294967295 items");
});

test("options that are none are refused", () => {
  const list = python.builtins.list([1]);
  assertThrows(() => toJs(list, { dict: "bogus" as never }), TypeError, '"auto", "object" or "map"');
  for (const depth of ["2", NaN, null]) assertThrows(() => toJs(list, { depth: depth as never }), TypeError, "depth");
  assertThrows(() => kw(new Map([["a", 1]]) as never), TypeError, "kw({...})");
  assertThrows(() => pyClass("X", [5 as never], {}), TypeError, "Python classes");
  assertThrows(() => toPy([1], { depth: "1" as never }), TypeError, "depth");
});

test("what is shared is converted once by default", () => {
  const shared = py.Marked();
  const made: unknown[] = [];
  const [first, second] = toJs(python.builtins.list([shared, shared]), {
    default: () => {
      made.push({});
      return made.at(-1);
    },
  }) as object[];
  assertStrictEquals(first, second);
  assertEquals(made.length, 1);
});
