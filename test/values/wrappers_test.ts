/**
 * The wrappers for what JavaScript's values cannot say: `float`, `tuple`, `kw`, and `buffer` for Python's memory. Where
 * they are allowed, and what misuse of them says.
 */
import { test } from "node:test";
import { buffer, float, kw, python, PythonError, toPy, tuple } from "../../mod.ts";
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
