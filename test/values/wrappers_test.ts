/**
 * The wrappers for what JavaScript's values cannot say: `float`, `tuple`, `array`, `slice`, `kw`, and `buffer` for Python's memory. Where
 * they are allowed, and what misuse of them says.
 */
import { test } from "node:test";
import { array, buffer, float, kw, python, PythonError, slice, toJs, toPy, tuple } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const py = define(`
def show(value): return repr(value)
def is_same(a, b): return a is b
def call(f, *args): return f(*args)
async def same_async(value): return value
`);
const { show } = py;

test("wrappers are seen through, wherever they are", async () => {
  assertEquals(show([float(1), { a: tuple([float(2)]) }, new Map([[float(3), 1]])]), "[1.0, {'a': (2.0,)}, {3.0: 1}]");
  assertEquals(show(tuple(new Map([[1, 2]]))), "([1, 2],)");
  assertEquals(show(tuple("añ😀")), "('a', 'ñ', '😀')");
  assertEquals(show(toPy(tuple([1]))), "(1,)");
  assertEquals(show(toPy(float(1))), "1.0");
  assertEquals(py.call(() => float(1)), 1);
  assertEquals(show(await py.same_async(tuple([1]))), "(1,)");
  assertEquals(py.is_same(...twice(tuple([[]]))), true); // one tuple, one object
  const options = { a: undefined, b: 1 };
  assertEquals(python.exec("lambda **k: sorted(k)")(kw(options)).$toJs(), ["b"]);
  assertEquals(Object.keys(options), ["a", "b"]);
  await assertRejects(async () => await py.same_async(kw({ nothing: 1 })), PythonError);
});

test("array: an array.array of every typed array, a Uint8Array's too", () => {
  const bytes = new Uint8Array([1, 255]);
  assertEquals(show(array(bytes)), "array('B', [1, 255])");
  assertEquals(show(bytes), "b'\\x01\\xff'");
  assertEquals(
    show([array(new Float32Array([0.5])), { a: array(new BigInt64Array([-1n])) }]),
    "[array('f', [0.5]), {'a': array('q', [-1])}]",
  );
  assertEquals(show(array(new Uint8ClampedArray(1))), "array('B', [0])");
  assertEquals(show(array(bytes.subarray(1))), "array('B', [255])");
  assertEquals(show(array(new Uint8Array())), "array('B')");
  const made = toPy(array(bytes));
  made.append(3);
  assertEquals([toJs(made), bytes.length], [new Uint8Array([1, 255, 3]), 2]);
  assertEquals(py.is_same(...twice(array(bytes))), true);
  const values: unknown[] = [new DataView(new ArrayBuffer(1)), new ArrayBuffer(1), [1], "ab", 5, null, undefined];
  for (const value of values) assertThrows(() => array(value as never), TypeError, "array(typedArray)");
  const { Float16Array } = globalThis as unknown as { Float16Array?: new (length: number) => Float32Array };
  if (Float16Array) assertThrows(() => show(array(new Float16Array(1))), TypeError, "Float16Array");
});

test("slice: bounds of every kind", () => {
  assertEquals(show([slice(1, 3), slice(null, -1), slice(0, 9, 2)]), "[slice(1, 3, None), slice(None, -1, None), slice(0, 9, 2)]");
  assertEquals(show(slice()), "slice(None, None, None)");
  assertEquals(show(slice("a", tuple([1]), 2n ** 70n)), "slice('a', (1,), 1180591620717411303424)");
  const list = python.builtins.list([0, 1, 2, 3]);
  assertEquals(toJs(list.$get(slice(1, 3))), [1, 2]);
  list.$set(slice(0, 2), ["x"]);
  list.$delete(slice(2));
  assertEquals(toJs(list), ["x", 2]);
  assertThrows(() => show(slice(Symbol("s"), 1)), TypeError, "Symbol(s)");
  assertEquals(assertThrows(() => list.$get(slice("a", "b")), PythonError).name, "TypeError");
});

function twice<T>(value: T): [T, T] {
  return [value, value];
}

test("kw is the last argument of a call and nothing else", () => {
  for (const use of [() => show(kw({ a: 1 }), 2), () => show([kw({ a: 1 })]), () => show([kw({})])]) {
    const { message } = assertThrows(use, TypeError, "last argument");
    assertStringIncludes(message, "kw");
  }
});

test("misuse of float, tuple, kw and buffer says what is wanted", () => {
  for (const value of ["1", 1n, null, undefined, {}]) assertThrows(() => float(value as never), TypeError, "float");
  for (const value of [5, null, undefined, {}]) assertThrows(() => tuple(value as never), TypeError, "tuple");
  for (const value of [5, null, undefined, "ab"]) assertThrows(() => kw(value as never), TypeError, "kw");
  assertThrows(() => kw(new Map([["a", 1]]) as never), TypeError, "kw({...})");
  assertEquals(assertThrows(() => show(1, kw({ nothing: 1 })), PythonError).name, "TypeError");
  assertEquals(show(1, kw({ nothing: undefined })), "1");
  for (const type of [Array, Uint8Array.from([1]), "Float64Array", undefined, DataView, ArrayBuffer]) {
    assertThrows(() => buffer(type as never, 1), TypeError, "typed array");
  }
  for (const length of [-1, 1.5, NaN, "3", 2 ** 53, undefined]) {
    assertThrows(() => buffer(Uint8Array, length as never), RangeError, "length");
  }
  assertThrows(() => buffer(Float64Array, "3" as never), RangeError, 'of "3" items');
  const none = assertThrows(() => buffer(Float64Array, 2 ** 46), PythonError, "no memory for a buffer of 562949953421312 bytes");
  assertEquals(none.name, "MemoryError");
  const many = assertThrows(() => buffer(Float64Array, 2 ** 50));
  assert(many instanceof Error && ["MemoryError", "OverflowError"].includes(many.name), String(many));
});
