/**
 * Python's values in JavaScript: what comes as a value, what toJs copies and how deep, what stays a proxy; and round
 * trips of random values.
 */
import { test } from "node:test";
import { inspect, isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { PyProxy, python, toJs } from "../../mod.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const py = define(`
import array, collections, datetime, enum, struct, sys

def show(value): return repr(value)
def type_of(value): return type(value).__name__
def same(value): return value
def is_same(a, b): return a is b

class Int(int): pass
class Float(float): pass
class Str(str): pass
class Bytes(bytes): pass
class Color(enum.IntEnum): RED = 3
Point = collections.namedtuple("Point", "x y")
class Plain: pass
`);

const { same, show } = py;

/** What JavaScript gets of Python's expressions; -0 and NaN are told apart. */
function assertGiven(cases: [expression: string, value: unknown][]): void {
  for (const [expression, value] of cases) {
    const given = python.exec(expression, { globals: py.__dict__ });
    assert(isDeepStrictEqual(given, value), `${expression} is ${String(given)} (${typeof given})`);
  }
}

function assertCopied(cases: [expression: string, value: unknown][]): void {
  for (const [expression, value] of cases) {
    const copy = toJs(python.exec(expression, { globals: py.__dict__ }));
    assert(isDeepStrictEqual(copy, value), `${expression} is ${inspect(copy)}`);
  }
}

test("integers come as numbers where they are safe, else as bigints", () => {
  assertGiven([
    ["None", null],
    ["True", true],
    ["False", false],
    ["0", 0],
    ["2**31 - 1", 2 ** 31 - 1],
    ["2**31", 2 ** 31],
    ["-2**31", -(2 ** 31)],
    ["-2**31 - 1", -(2 ** 31) - 1],
    ["2**53 - 1", 2 ** 53 - 1],
    ["-2**53 + 1", -(2 ** 53) + 1],
    ["2**53", 2n ** 53n],
    ["-2**53", -(2n ** 53n)],
    ["2**63", 2n ** 63n],
    ["2**64", 2n ** 64n],
    ["-10**30", -(10n ** 30n)],
    ["1.0", 1],
    ["-0.0", -0],
    ["float('nan')", NaN],
    ["float('-inf')", -Infinity],
    ["5e-324", 5e-324],
    ["1e300", 1e300],
    ["2.0**53", 2 ** 53],
  ]);
});

test("subclasses of int, float and str come as what they are", () => {
  assertGiven([
    ["Int(7)", 7],
    ["Int(2**70)", 2n ** 70n],
    ["Color.RED", 3],
    ["Float(1.5)", 1.5],
    ["Str('text')", "text"],
    ["Str('\\u20ac')", "\u20ac"],
  ]);
  assertEquals(show(same(python.exec("Color.RED", { globals: py.__dict__ }))), "3");
});

test("toJs copies containers", () => {
  assertCopied([
    ["[1, (2, [3]), {}]", [1, [2, [3]], {}]],
    ["{'a': {'b': (None,)}}", { a: { b: [null] } }],
    ["{1: 'a', 'b': 2}", new Map<unknown, unknown>([[1, "a"], ["b", 2]])],
    ["{(1, 2): 3}", new Map([[[1, 2], 3]])],
    ["{1: 'a', '1': 'b', 1.5: 'c'}", new Map<unknown, unknown>([[1, "a"], ["1", "b"], [1.5, "c"]])],
    ["{1, 2}", new Set([1, 2])],
    ["frozenset(['a'])", new Set(["a"])],
    ["[set(), frozenset()]", [new Set(), new Set()]],
    ["Point(1, [2])", [1, [2]]],
    ["collections.OrderedDict(b=1, a=2)", { b: 1, a: 2 }],
    ["[b'a', bytearray(b'b')]", [new Uint8Array([97]), new Uint8Array([98])]],
  ]);
  assertEquals(Object.keys(toJs(python.exec("dict(b=1, a=2)")) as object), ["b", "a"]);
  const odd = toJs(python.exec("{'__proto__': 1, 'constructor': 2}")) as object;
  assertEquals(Object.entries(odd), [["__proto__", 1], ["constructor", 2]]);
  assertStrictEquals(Object.getPrototypeOf(odd), Object.prototype);
  for (const value of [5, "text", null, undefined, [1]]) assertStrictEquals(toJs(value), value);
});

test("toJs takes a depth and says what a dict becomes", () => {
  const list = python.exec("[1, [2, [3]], {'a': []}]");
  assertStrictEquals(toJs(list, { depth: 0 }), list);
  const [one, two, dict] = toJs(list, { depth: 1 }) as [number, unknown, { a: unknown }];
  assertEquals([one, two instanceof PyProxy, dict instanceof PyProxy], [1, true, true]);
  const copy = toJs(list, { depth: 2 }) as [number, unknown[], { a: unknown }];
  assertEquals([copy[1][0], copy[1][1] instanceof PyProxy, copy[2].a instanceof PyProxy], [2, true, true]);
  assertEquals(list.$toJs({ depth: 1 })[0], 1);
  const mixed = python.exec("{'a': {1: 2}}");
  assertEquals(toJs(python.exec("{'a': {'b': 1}}"), { dict: "map" }), new Map([["a", new Map([["b", 1]])]]));
  assertEquals((assertThrows(() => toJs(mixed, { dict: "object" })) as Error).name, "TypeError");
  assertEquals(toJs(python.exec("{'a': 1}"), { dict: "object" }), { a: 1 });
});

test("toJs copies buffers into typed arrays of their item type", () => {
  for (
    const array of [
      Int8Array,
      Uint8Array,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
    ]
  ) {
    const values = array === BigInt64Array || array === BigUint64Array ? [1n, 2n] : [1, 2];
    const typed = new (array as { new (items: unknown): ArrayLike<unknown> })(values);
    if (array !== Uint8Array) assertEquals(toJs(same(typed)), typed as unknown);
  }
  assertCopied([
    ["array.array('d', [1.5])", new Float64Array([1.5])],
    ["memoryview(b'abcdef')[::2]", new Uint8Array([97, 99, 101])],
    ["memoryview(array.array('i', [1, 2, 3]))[::-1]", new Int32Array([3, 2, 1])],
    ["memoryview(b'\\1\\0').cast('?')", new Uint8Array([1, 0])],
    ["array.array('l', [-1])", new BigInt64Array([-1n])],
    ["memoryview(bytearray(b'ab'))", new Uint8Array([97, 98])],
  ]);
  const matrix = toJs(python.exec("memoryview(bytes(range(6))).cast('B', (2, 3))")) as Uint8Array & {
    shape: number[];
  };
  assertEquals([[...matrix], matrix.shape], [[0, 1, 2, 3, 4, 5], [2, 3]]);
});

test("a buffer that is there twice is one typed array", () => {
  const globals = { a: python.exec("import array\narray.array('d', [1, 2])"), b: python.builtins.bytearray(new Uint8Array([97])) };
  // deno-lint-ignore no-explicit-any
  const copy = toJs(python.exec("[a, [1], a, {'a': a, 'b': [b, b]}, (b, memoryview(b))]", { globals })) as any[];
  assertEquals(copy[0], new Float64Array([1, 2]));
  assert(copy[0] === copy[2] && copy[0] === copy[3].a && copy[3].b[0] === copy[3].b[1] && copy[3].b[0] === copy[4][0]);
  assert(copy[4][0] !== copy[4][1]); // another object with the same memory
  // deno-lint-ignore no-explicit-any
  const circular = toJs(python.exec("l = [a, [1], a]; l += [l[1], l]; l", { globals })) as any[];
  assert(circular[4] === circular && circular[3] === circular[1] && circular[2] === circular[0]);
});

test("keys with the same text, of classes of their own, are refused", () => {
  const globals = python.builtins.dict();
  python.exec("class Key(str):\n    __hash__ = object.__hash__\n    def __eq__(self, other): return self is other", { globals });
  const made = (code: string) => python.exec(code, { globals });
  for (const dict of ["auto", "object", "map"] as const) {
    assertThrows(() => toJs(made("[{Key('a'): 1, Key('a'): object()}]"), { dict }), Error, "two of its keys", dict);
  }
  assertEquals(toJs(made("{Key('a'): 1, 'b': 2}")), { a: 1, b: 2 });
});

test("what has no counterpart stays a proxy, inside containers too", () => {
  for (
    const expression of [
      "object()",
      "Plain()",
      "iter([])",
      "(x for x in [])",
      "range(3)",
      "len",
      "int",
      "datetime.date(2026, 1, 1)",
      "1j",
    ]
  ) {
    const value = python.exec(expression, { globals: py.__dict__ });
    assert(value instanceof PyProxy && toJs(value) instanceof PyProxy);
    assertStrictEquals((toJs(same([value])) as unknown[])[0], value);
  }
  for (const expression of ["[]", "()", "{}", "set()", "bytearray()"]) {
    assert(python.exec(expression) instanceof PyProxy);
  }
});

test("random values come back as they were", () => {
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 }).map((codes) => String.fromCharCode(...codes));
  const text = fc.oneof(units, fc.string({ unit: "binary", maxLength: 80 }), fc.string());
  const isSafe = (n: bigint) => n >= BigInt(Number.MIN_SAFE_INTEGER) && n <= BigInt(Number.MAX_SAFE_INTEGER);
  const number = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double(),
    fc.bigInt().filter((n) => !isSafe(n)),
  );
  const date = fc.date({
    min: new Date(-62135596800000),
    max: new Date(253402300799999),
    noInvalidDate: true,
  });
  const bytes = fc.uint8Array();
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      number,
      text,
      fc.boolean(),
      fc.constant(null),
      date,
      bytes,
      tie("list"),
      tie("object"),
      tie("map"),
      tie("set"),
    ),
    list: fc.array(tie("value"), { maxLength: 5 }),
    object: fc.dictionary(text, tie("value"), { maxKeys: 5, noNullPrototype: true }),
    map: fc.uniqueArray(fc.tuple(fc.integer(), tie("value")), {
      selector: ([key]) => key,
      minLength: 1,
      maxLength: 5,
    }).map((entries) => new Map(entries)),
    set: fc.uniqueArray(fc.oneof(text, fc.integer()), { maxLength: 5 }).map((items) => new Set(items)),
  }));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 3 }), (values) => {
      assert(isDeepStrictEqual(toJs(same(values)), values));
      assert(isDeepStrictEqual(toJs(python.builtins.list(values)), values));
    }),
    { numRuns: 500 },
  );
});
