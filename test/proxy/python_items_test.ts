/**
 * The items of Python objects in JavaScript, by index and by key, and iteration: lists, mappings, iterators, generators.
 */
import { test } from "node:test";
import { python, PythonError, slice, toJs, tuple } from "../../mod.ts";
import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const { builtins } = python;

const py = define(`
import sqlite3

class Store:
    def __init__(self): self.items = {}
    def __getitem__(self, key): return self.items[key]
    def __setitem__(self, key, value): self.items[key] = value
    def __delitem__(self, key): del self.items[key]
    def __contains__(self, key): return key in self.items

class Items:
    def __getitem__(self, index):
        if index > 2: raise IndexError(index)
        return index * 10

class Property:
    @property
    def __module__(self): return 5
    def __call__(self): return "called"

class Names:
    def __dir__(self): return ["a", "b", "a"]

class Thing: pass

def row():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    return connection.execute("select 1 as a, 'two' as b").fetchone()

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

def exchange():
    try: yield ("got", (yield 1))
    except ValueError as error: yield "caught"
    except Exception as error: yield str(error)
`);

test("items of sequences by index", () => {
  const list = python.exec("['a', 'b', 'c']");
  assertEquals([list[0], list[2], list[3], list[-1], list[1.5]], ["a", "c", undefined, undefined, undefined]);
  assertEquals([0 in list, 2 in list, 3 in list], [true, true, false]);
  assertEquals([list.$get(-1), toJs(list.$get(builtins.slice(1, 3)))], ["c", ["b", "c"]]);
  list[1] = "B";
  assertEquals(toJs(list), ["a", "B", "c"]);
  delete list[0];
  assertEquals(toJs(list), ["B", "c"]);
  assertThrows(() => list[-1] = "last", TypeError, "$set(-1, value)");
  const dict = builtins.dict(new Map([[1, "one"]]));
  assertEquals(assertThrows(() => dict[1] = "changed", PythonError).name, "AttributeError");
  assertEquals(dict.$get(1), "one");
  assertEquals((assertThrows(() => list[9] = 1) as PythonError).name, "IndexError");
  assertEquals((assertThrows(() => list.$get(9)) as PythonError).name, "IndexError");
  assertEquals(python.exec("(1, 2)")[1], 2);
  assertEquals(python.exec("range(10, 20)")[3], 13);
});

test("numbers as keys, of any size", () => {
  const range = python.exec("range(2 ** 60)"), list = python.builtins.list([1]);
  assertEquals([range["9007199254740992"], list["9007199254740992"], list["4294967296"]], [9007199254740992n, undefined, undefined]);
  assertEquals(["9007199254740992" in range, "9007199254740992" in list], [true, false]);
  assertThrows(() => list["9007199254740992"] = 1, PythonError);
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
  const store = py.Store();
  store.$set("key", [1]);
  store.$set(tuple([1, 2]), "tuple");
  assertEquals([toJs(store.$get("key")), store.$get(tuple([1, 2]))], [[1], "tuple"]);
  assertEquals([store.$has("key"), store.$has("none")], [true, false]);
  store.$delete("key");
  assertEquals(store.$has("key"), false);
  assertEquals((assertThrows(() => store.$get("key")) as PythonError).name, "KeyError");
  assertEquals((assertThrows(() => store.$delete("key")) as PythonError).name, "KeyError");
});

test("iteration and items are Python's", () => {
  assertEquals([...py.Items()], [0, 10, 20]);
  assertEquals([py.Items()[1], py.Items()[3], 1 in py.Items(), 3 in py.Items()], [10, undefined, true, false]);
  assertEquals(python.exec("__import__('re').match('(a)(b)', 'ab')")[2], "b");
  const row = py.row();
  assertEquals([row[0], row[1], row.length, row.$get("b"), [...row]], [1, "two", 2, "two", [1, "two"]]);
  assertEquals(py.Property()(), "called");
  assertEquals(Reflect.ownKeys(py.Names()).filter((key) => typeof key === "string"), ["a", "b"]);
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

test("yield* hands over to a Python generator: values, errors, the end", () => {
  const delegate = function* (): Generator<unknown, unknown, unknown> {
    return yield* py.exchange();
  };
  let generator = delegate();
  assertEquals([generator.next().value, toJs(generator.next(7).value)], [1, ["got", 7]]);
  generator = delegate();
  generator.next();
  assertMatch(String(generator.throw(new Error("thrown")).value), /thrown/);
  generator = delegate();
  generator.next();
  assertEquals([generator.return(3), generator.next()], [{ done: true, value: 3 }, { done: true, value: undefined }]);
  const own = py.exchange();
  assertStrictEquals(own[Symbol.iterator](), own);
  const iterator = python.exec("iter([1])");
  assertEquals([iterator.next(), iterator.next(), iterator.return(5)], [
    { done: false, value: 1 },
    { done: true, value: null },
    { done: true, value: 5 },
  ]);
});

test("several keys are a tuple", () => {
  const table = python.exec("{(0, 1): 'a', (0, 1, 2): 'b', 0: 'c', (0,): 'd'}");
  assertEquals([table.$get(0, 1), table.$get(0, 1, 2), table.$get(0), table.$get(tuple([0]))], ["a", "b", "c", "d"]);
  assertEquals([table.$has(0, 1), table.$has(1, 0), table.$has(0)], [true, false, true]);
  table.$set(1, 2, "e");
  table.$set(1, 2, 3, undefined);
  table.$set(1, "f");
  assertEquals([table.$get(1, 2), table.$get(1, 2, 3), table.$get(1)], ["e", null, "f"]);
  table.$delete(0, 1);
  assertEquals(table.$has(0, 1), false);
  const shown = python.exec("class Keys:\n  def __getitem__(self, key): return repr(key)\nKeys()");
  assertEquals(shown.$get(slice(0, 2), 1, null), "(slice(0, 2, None), 1, None)");
  assertEquals(shown.$get(slice(1, null), slice(null, null, -1)), "(slice(1, None, None), slice(None, None, -1))");
});

test("the KeyError of two keys says that there is no default", () => {
  const table = python.exec("{'a': 1}");
  const two = assertThrows(() => table.$get("b", 5), PythonError, "('b', 5): two keys are a tuple, and $get has no default");
  assertEquals((two as PythonError).name, "KeyError");
  assertEquals(assertThrows(() => table.$get("b"), PythonError).message, "'b'");
  assertEquals(assertThrows(() => table.$get("b", 5, 6), PythonError).message, "('b', 5, 6)");
  assertEquals(table.get("b", 5), 5);
});
