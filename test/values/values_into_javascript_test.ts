/**
 * Python's values in JavaScript: which come as values, what `toJs` makes of the others, and what stays a proxy or is
 * refused. The options of `toJs` are in copy_options_test.ts.
 */
import process from "node:process";
import { test } from "node:test";
import { PyProxy, python, toJs } from "../../mod.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
import { assertCopied, assertGiven, py } from "../support/conversions.ts";
import { define } from "../support/define.ts";

const { same, show } = py;

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
  for (const value of [5, "text", null, undefined, new Date(0)]) assertStrictEquals(toJs(value), value);
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
    ["array.array('l', [-1])", process.platform === "win32" ? new Int32Array([-1]) : new BigInt64Array([-1n])], // a C `long`
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

test("keys that are surrogate pairs are the same in JavaScript, and are refused", () => {
  const twins = python.exec("{'\\ud83d\\ude00': 1, '\u{1f600}': 2}");
  for (const dict of ["auto", "object", "map"] as const) assertThrows(() => toJs(twins, { dict }), Error, "two of its keys");
  assertThrows(
    () => python.exec("x(**{'\\ud83d\\ude00': 1, '\u{1f600}': 2})", { globals: { x: (x: unknown) => x } }),
    Error,
    "two of its keys",
  );
  assertEquals(toJs(python.exec("{'\\ud83d': 1, '\u{1f600}': 2}")), { "\ud83d": 1, "\u{1f600}": 2 });
});

test("what would collide in JavaScript is refused", () => {
  assertThrows(() => toJs(python.exec("{float('nan'): 1, float('nan'): 2}")), TypeError, "two of its keys");
  assertThrows(() => toJs(python.exec("{float('nan'), float('nan')}")), TypeError, "two of its items");
});

test("classes of dicts and sets are copied in their own order", () => {
  const kinds = define(`
import collections
ordered = collections.OrderedDict(a=1, b=2)
ordered.move_to_end("a")
class Set(set): pass
`);
  assertEquals(Object.keys(toJs(kinds.ordered) as object), ["b", "a"]);
  assertEquals([...toJs(kinds.Set([1, 2])) as Set<number>], [1, 2]);
  assertEquals(toJs(python.import("collections").Counter("aab")), { a: 2, b: 1 });
});

test("references that a failing toJs has not read are given back", async () => {
  const objects = define(`
import gc
class Marked: pass
def marked(count): return [Marked() for _ in range(count)]
def count_marked():
    gc.collect()
    return sum(1 for each in gc.get_objects() if type(each) is Marked)
`);
  const before = objects.count_marked();
  const fail = () => {
    throw new Error("default");
  };
  for (let round = 0; round < 10; round++) {
    assertThrows(() => toJs([objects.marked(200)][0], { default: fail }), Error, "default");
    assertThrows(() =>
      toJs(same(new Map([[1, { deep: [objects.marked(50), "text", 1.5, 2n ** 70n, new Uint8Array(3)] }]])), { default: fail })
    );
  }
  let after = Infinity;
  for (let round = 0; round < 20 && after > before; round++) {
    await collect();
    after = objects.count_marked();
  }
  assertEquals(after, before);
});
