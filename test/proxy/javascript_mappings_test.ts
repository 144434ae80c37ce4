/**
 * JavaScript objects with a mapping's methods (`get`, `has`, `keys`, iteration by pairs) are mappings in Python: every
 * way to look into one agrees with the others.
 */
import { test } from "node:test";
import { python, PythonError, toJs, toPy } from "../../mod.ts";
import { assertEquals, assertStrictEquals, assertThrows } from "#std/assert";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

/** Evaluates Python with the value, by reference, as `x`. */
const py = (code: string, value: object): Value => {
  const x = toPy(value, { depth: 0 }); // Python keeps one proxy of it
  return toJs(python.exec(code, { globals: python.builtins.dict([["x", x]]) }));
};

/** A mapping of a class, as caches and multi-maps are; its iterator is one of its own. */
class Registry {
  readonly #values: Map<string, unknown>;
  constructor(pairs: Iterable<[string, unknown]>) {
    this.#values = new Map(pairs);
  }
  get(key: string) {
    return this.#values.get(key);
  }
  has(key: string) {
    return this.#values.has(key);
  }
  keys() {
    return this.#values.keys();
  }
  *[Symbol.iterator]() {
    yield* this.#values;
  }
}
class Sorted<V> extends Map<string, V> {}

const pairs: [string, string][] = [["a", "1"], ["b", "2"]];
function formData(): FormData {
  const form = new FormData();
  for (const [key, value] of pairs) form.append(key, value);
  return form;
}
const mappings: [name: string, value: object][] = [
  ["Headers", new Headers(pairs)],
  ["URLSearchParams", new URLSearchParams(pairs)],
  ["FormData", formData()],
  ["Map", new Map(pairs)],
  ["a class derived from Map", new Sorted(pairs)],
  ["a class", new Registry(pairs)],
];

test("every way to look into one agrees", () => {
  const code = `
import collections.abc
same = dict(a="1", b="2")
assert isinstance(x, collections.abc.Mapping) and isinstance(x, collections.abc.Iterable), type(x).__mro__
assert not isinstance(x, collections.abc.Sequence)
assert "a" in x and "c" not in x and x.__contains__("b") is True
assert x["a"] == "1" and x["b"] == "2"
try: x["c"]
except KeyError as error: assert error.args == ("c",), error.args
else: raise AssertionError("no KeyError")
assert x.get("a") == "1" and x.get("c") is None and x.get("c", 5) == 5 and x.get("a", default=5) == "1"
assert list(x) == ["a", "b"] == list(x.keys()) == [key for key in x], list(x)
assert len(x) == 2 == len(x.keys()) == len(x.items()) == len(x.values())
assert x.keys() == {"a", "b"} and "a" in x.keys() and x.keys() & {"a", "c"} == {"a"}
assert list(x.items()) == [("a", "1"), ("b", "2")] and ("a", "1") in x.items() and ("a", "2") not in x.items()
assert list(x.values()) == ["1", "2"] and "2" in x.values() and "3" not in x.values()
assert dict(x) == same == {**x} == dict(x.items()) == x.to_py(), dict(x)
assert list(x.entries()) == [("a", "1"), ("b", "2")] and next(x.entries()) == ("a", "1")
def keywords(**names): return names
assert keywords(**x) == same
assert collections.ChainMap({}, x)["b"] == "2"
assert "%(a)s" % x == "1" and "{a}".format_map(x) == "1"
assert x == x and hash(x) == hash(x)
`;
  for (const [name, value] of mappings) {
    python.exec(code, { globals: python.builtins.dict([["x", toPy(value, { depth: 0 })]]) });
    assertStrictEquals(python.exec("x", { globals: python.builtins.dict([["x", toPy(value, { depth: 0 })]]) }), value, name);
  }
});

test("a repeated key has its first value, and entries() has all", () => {
  const headers = new Headers([["x", "1"], ["set-cookie", "a=1"], ["Set-Cookie", "b=2"], ["x", "2"]]);
  const params = new URLSearchParams("k=1&l=2&k=3"), form = formData();
  form.append("a", "3");
  const code =
    "[x[key], x.get(key), dict(x)[key], dict(x.items())[key], list(x).count(key), len(x), len(x.keys()), len(list(x.values())), " +
    "len(list(x.entries())), [value for name, value in x.entries() if name == key]]";
  const about = (value: object, key: string): unknown => py(`key = ${JSON.stringify(key)}\n${code}`, value);
  assertEquals(about(params, "k"), ["1", "1", "1", "1", 1, 2, 2, 2, 3, ["1", "3"]]);
  assertEquals(about(form, "a"), ["1", "1", "1", "1", 1, 2, 2, 2, 3, ["1", "3"]]);
  assertEquals(about(headers, "set-cookie"), ["a=1", "a=1", "a=1", "a=1", 1, 2, 2, 2, 3, ["a=1", "b=2"]]);
  assertEquals(py("[x['X'], x['x'], 'SET-COOKIE' in x, x['SET-COOKIE']]", headers), ["1, 2", "1, 2", true, "a=1"]);
  assertEquals(py("x.to_py()", params), { k: "1", l: "2" });
});

test("items are set and deleted where the object can", () => {
  for (const [name, value] of [["Headers", new Headers(pairs)], ["Map", new Map(pairs)], ["FormData", formData()]] as const) {
    py("x['c'] = '3'\nx['a'] = '0'\ndel x['b']", value);
    assertEquals(py("dict(x)", value), { a: "0", c: "3" }, name);
    assertEquals(assertThrows(() => py("del x['b']", value), PythonError).name, "KeyError", name);
  }
  for (const code of ["x['c'] = 1", "del x['a']"]) {
    assertEquals(assertThrows(() => py(code, new Registry(pairs)), PythonError).name, "TypeError");
  }
});

test("an empty one, keys of every kind, values that are undefined or objects", () => {
  for (const value of [new Headers(), new URLSearchParams(), new Map(), new Registry([])]) {
    assertEquals(py("[len(x), list(x), dict(x), x.get('a', 1), 'a' in x]", value), [0, [], {}, 1, false]);
  }
  const object = new (class Thing {})();
  const map = new Map<unknown, unknown>([[1, "int"], ["1", "str"], [null, undefined], [true, object]]);
  assertEquals(py("[x[1], x['1'], x[None], x.get(None, 5), None in x, 2 in x, len(x), list(x)]", map), [
    "int",
    "str",
    null,
    null,
    true,
    false,
    4,
    [1, "1", null, true],
  ]);
  assertStrictEquals(py("[*x.values()][3]", map), object);
  const growing = new Map([["a", 1]]), held = toPy(growing, { depth: 0 });
  growing.set("b", 2);
  assertEquals(toJs(python.exec("dict(x)", { globals: python.builtins.dict([["x", held]]) })), { a: 1, b: 2 });
});

test("JavaScript's own attributes stay reachable", () => {
  const headers = new Headers(pairs);
  py("x.append('c', '3')\nx.set('a', '9')", headers);
  assertEquals([...headers], [["a", "9"], ["b", "2"], ["c", "3"]]);
  assertEquals(py("[x.size, x.has('a'), len(x)]", new Map(pairs)), [2, true, 2]);
});

test("what has other methods, or iterates otherwise, is no mapping", () => {
  class Values extends Registry {
    override *[Symbol.iterator](): Generator<[string, unknown]> {
      yield "item" as never;
    }
  }
  const others: object[] = [
    new Set([1]),
    new (class Methods {
      get() {}
      has() {}
      keys() {}
    })(),
    new Values(pairs),
    [["a", 1]],
    new (class Pairs {
      *[Symbol.iterator]() {
        yield ["a", 1];
      }
    })(),
  ];
  for (const value of others) assertEquals(py("isinstance(x, __import__('collections').abc.Mapping)", value), false);
  assertEquals(py("list(x)", new Values(pairs)), ["item"]);
  class Hidden {
    get get() {
      throw new Error("get");
    }
    has() {}
    keys() {}
    *[Symbol.iterator]() {
      yield 1;
    }
  }
  assertEquals(py("[isinstance(x, __import__('collections').abc.Mapping), list(x)]", new Hidden()), [false, [1]]);
});

test("what a mapping's own code throws is raised", () => {
  class Fails extends Registry {
    override get(): never {
      throw new RangeError("get");
    }
  }
  assertThrows(() => py("x['a']", new Fails(pairs)), RangeError, "get");
  assertEquals(py("['a' in x, x.get('c', 1)]", new Fails(pairs)), [true, 1]);
});
