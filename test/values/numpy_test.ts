/**
 * numpy: its arrays in JavaScript, live and copied, memory that both fill, and its scalars. The test installs numpy
 * into a temporary folder where the Python in use has none.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { buffer, PyBuffer, PyProxy, python, PythonError, toJs, toThread } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertThrows } from "#std/assert";
import { items } from "../support/buffer_items.ts";
import { collect } from "../support/collect.ts";

// deno-lint-ignore no-explicit-any -- numpy is what Python says
type Value = any;

let folder: string | undefined;
after(() => folder && rmSync(folder, { recursive: true, force: true }));

/** numpy, or in words why there is none. */
function findNumpy(): Value {
  try {
    return python.import("numpy");
  } catch (error) {
    if (!(error instanceof PythonError) || error.name !== "ModuleNotFoundError") throw error;
  }
  if (process.env.PYAWAIT_TEST_NUMPY === "0") return "NUMPY HAS NOT BEEN TESTED: PYAWAIT_TEST_NUMPY=0";
  folder = mkdtempSync(join(tmpdir(), "pyawait-numpy-"));
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--target", folder, "numpy"];
  const { status, stderr, error } = spawnSync(python.info.executable!, args, {
    encoding: "utf8",
    timeout: 120_000,
    env: { ...process.env, PYTHONHOME: undefined },
  });
  if (status !== 0) return `numpy cannot be installed: ${error?.message ?? stderr.trim().split("\n").pop()}`;
  python.import("sys").path.append(folder);
  python.import("importlib").invalidate_caches();
  return python.import("numpy");
}

const found = findNumpy();
const skip = typeof found === "string" ? found : false;
if (skip) console.log(`skip: ${skip}`);
const np: Value = found;
const run = (expression: string, x?: unknown): Value => python.exec(expression, { globals: { np, x } });

const types: [dtype: string, type: unknown, items: unknown[]][] = [
  ["int8", Int8Array, [-1, 2]],
  ["uint8", Uint8Array, [1, 255]],
  ["int16", Int16Array, [-1, 2]],
  ["uint16", Uint16Array, [1, 65535]],
  ["int32", Int32Array, [-1, 2]],
  ["uint32", Uint32Array, [1, 2 ** 32 - 1]],
  ["int64", BigInt64Array, [-1n, 2n ** 62n]],
  ["uint64", BigUint64Array, [1n, 2n ** 64n - 1n]],
  ["float32", Float32Array, [0.5, -2]],
  ["float64", Float64Array, [0.1, NaN]],
  ["bool", Uint8Array, [1, 0]],
];

test("every numeric dtype, live and copied", { skip }, () => {
  for (const [dtype, type, values] of types) {
    const array = np.array(values, dtype);
    const copy = toJs(array), view = array.$getBuffer() as PyBuffer;
    assert(isDeepStrictEqual([...copy as Iterable<unknown>], values), dtype);
    assertEquals([(copy as object).constructor, view.data.constructor], [type, type], dtype);
    assert(isDeepStrictEqual(items(view), values), dtype);
    assertEquals([view.itemsize, view.shape, view.readonly], [array.itemsize, [2], false]);
    view.release();
  }
});

test("shapes and strides of every order: live as they are, copied in C order", { skip }, () => {
  const expressions = [
    "x",
    "x.T",
    "x[::-1, :, ::-1]",
    "x[:, ::2, 1]",
    "x[1:, :, ::-2]",
    "np.asfortranarray(x)",
    "x.reshape(6, 4)[::-2, ::3]",
    "np.broadcast_to(x[0, 0], (2, 4))",
    "x[:, :, :0]",
    "x[1, 2, 3:4].reshape(())",
    "np.swapaxes(x, 0, 2)",
  ];
  for (const dtype of ["float64", "int16", "uint8"]) {
    const x = run("np.arange(24).reshape(2, 3, 4)").astype(dtype);
    for (const expression of expressions) {
      const array = run(expression, x), flat = toJs(array.ravel().tolist()), shape = toJs(array.shape) as number[];
      const view = array.$getBuffer() as PyBuffer, copy = toJs(array) as Float64Array & { shape?: number[] };
      const what = `${dtype} ${expression}`;
      assertEquals(items(view), flat as unknown[], what);
      assertEquals([view.shape, view.strides], [shape, toJs(python.builtins.memoryview(array).strides) as number[]], what);
      assertEquals([...copy], flat as number[], what);
      assertEquals(copy.shape, shape.length > 1 ? shape : undefined, what);
      view.release();
    }
  }
});

test("read-only arrays say so, and both sides see writes to others", { skip }, async () => {
  const frozen = run("a = np.arange(3)\na.flags.writeable = False\na").$getBuffer() as PyBuffer;
  assertEquals(frozen.readonly, true);
  const array = np.zeros(4), view = array.$getBuffer() as PyBuffer;
  (view.data as Float64Array).set([1.5, 2.5]);
  assertEquals(array.sum(), 4);
  array.$set(3, -1);
  await toThread(run("lambda a: a.__imul__(2)"), [array]);
  assertEquals([...view.data as Float64Array], [3, 5, 0, -2]);
  assertThrows(() => array.resize(100), PythonError);
  view.release();
});

test("buffer(Float64Array, n) is what frombuffer fills while JavaScript sees it", { skip }, async () => {
  const numbers = buffer(Float64Array, 1000), array = np.frombuffer(numbers);
  assertEquals([array.dtype.name, array.size, array.flags.writeable], ["float64", 1000, true]);
  array.$set(python.builtins.slice(null), np.arange(1000));
  assertEquals(numbers.data.reduce((a, b) => a + b), 499500);
  numbers.data.fill(0.5);
  assertEquals(array.sum(), 500);
  numbers.release();
  for (let i = 0; i < 5; i++) await collect();
  assertEquals(array.sum(), 500); // numpy's view keeps the memory
  const ints = buffer(Int32Array, 6), matrix = np.frombuffer(ints, "int32").reshape(2, 3);
  matrix.$set(1, np.array([7, 8, 9]));
  assertEquals([...ints.data], [0, 0, 0, 7, 8, 9]);
});

test("the array is kept while it is seen, and its memory read by nobody afterwards", { skip }, async () => {
  const open = () => (np.full(100_000, 7).$getBuffer() as PyBuffer).data;
  const kept: ArrayLike<unknown>[] = [];
  for (let i = 0; i < 200; i++) {
    const data = open();
    if (i % 20 === 0) kept.push(data);
    if (i % 50 === 49) await collect();
  }
  for (let i = 0; i < 5; i++) await collect();
  for (const data of kept) assertEquals([Number(data[0]), Number(data[99_999])], [7, 7]);
});

test("records, packed fields, other byte orders and complex numbers", { skip }, () => {
  const packed = run("np.array([(1, 0.5), (2, 1.5)], dtype=[('a', 'u1'), ('x', 'f8')])");
  const records = packed.$getBuffer() as PyBuffer;
  assertEquals([records.data.constructor, records.itemsize, records.data.length, records.data[9]], [Uint8Array, 9, 18, 2]);
  const field = run("x['x']", packed), view = field.$getBuffer() as PyBuffer; // its items lie 9 bytes apart
  assertEquals([view.format, view.strides, view.itemsize, view.data.constructor], ["=d", [9], 8, Uint8Array]);
  const bytes = view.data as Uint8Array;
  assertEquals(new DataView(bytes.buffer).getFloat64(9, true), 1.5);
  assertEquals(toJs(field), new Float64Array([0.5, 1.5]));
  assertEquals(toJs(run("np.array([1, -2], '>i4')")), new Int32Array([1, -2]));
  assertEquals((run("np.array([1, 2], '>i4')").$getBuffer() as PyBuffer).data.constructor, Uint8Array);
  for (
    const other of [
      "np.array([1j])",
      "np.array(['text'])",
      "np.array([None])",
      "np.array(['2026-01-01'], 'M8[D]')",
    ]
  ) {
    assertInstanceOf(toJs(run(other)), PyProxy as never, other);
  }
  assertEquals([...(run("np.array([1 + 2j])").$getBuffer() as PyBuffer).shape], [1]);
});

test("float16: a Float16Array, a Float32Array where the runtime has none", { skip }, () => {
  const { Float16Array = Float32Array } = globalThis as { Float16Array?: typeof Float32Array };
  const numbers = [0, -0, 1.5, -2, 65504, 2 ** -24, 2 ** -14, Infinity, -Infinity, NaN];
  assertEquals(toJs(run("np.array(x, 'float16')", numbers)), Float16Array.from(numbers));
  const view = run("np.array([1.5], 'float16')").$getBuffer() as PyBuffer;
  assertEquals([view.data.constructor, view.itemsize], [Float16Array === Float32Array ? Uint8Array : Float16Array, 2]);
});

test("arrays of Python objects: no pointer is read or written", { skip }, () => {
  const expressions = ["np.array([None, 'a'], object)", "np.array([], object)", "np.array([(1, None)], [('x', 'i4'), ('y', object)])"];
  for (const expression of expressions) {
    const array = run(expression);
    assertThrows(() => array.$getBuffer(), TypeError, "toJs", expression);
    assertInstanceOf(toJs(array), PyProxy as never, expression);
  }
  assertEquals(toJs(run("np.array([None, 'a'], object)").tolist()), [null, "a"]);
  const named = run("np.array([(1, 2)], [('O', 'i4'), ('OO', 'i4')])").$getBuffer() as PyBuffer; // the names of fields
  assertEquals([named.data.constructor, named.data[0], named.data[4]], [Uint8Array, 1, 2]);
});

test("subclasses of ndarray are copied, but masked arrays, which hide items", { skip }, () => {
  assertEquals(toJs(run("np.asmatrix([1., 2.])")), new Float64Array([1, 2]));
  assertEquals(toJs(run("class Own(np.ndarray): pass\nnp.arange(3.).view(Own)")), new Float64Array([0, 1, 2]));
  assertInstanceOf(toJs(run("np.ma.array([1, 2], mask=[True, False])")), PyProxy as never);
});

test("scalars come as their item()", { skip }, () => {
  const cases: [string, unknown][] = [
    ["np.bool_(True)", true],
    ["np.int8(-1)", -1],
    ["np.uint64(2**64 - 1)", 2n ** 64n - 1n],
    ["np.int64(2**53)", 2n ** 53n],
    ["np.int64(7)", 7],
    ["np.float32(0.5)", 0.5],
    ["np.float64(-0.0)", -0],
    ["np.float16('nan')", NaN],
    ["np.arange(3)[2]", 2],
    ["np.arange(3.).mean()", 1],
    ["np.str_('text')", "text"],
  ];
  for (const [expression, value] of cases) assert(Object.is(run(expression), value), expression);
  assertEquals(toJs(run("[np.int32(1), {'a': np.float64(2.5)}]")), [1, { a: 2.5 }]);
  for (const other of ["np.complex64(1)", "np.datetime64('2026-01-01')"]) assertInstanceOf(run(other), PyProxy as never);
});

test("JavaScript's typed arrays are numpy's", { skip }, () => {
  assertEquals(np.array(new Float64Array([1, 2])).dtype.name, "float64");
  assertEquals(np.asarray(new Int16Array([1, 2])).dtype.name, "int16");
  assertEquals(run("int((np.eye(100) @ np.ones((100, 100))).sum())"), 10_000); // numpy computes at all
  assertEquals(np.dot(new Float64Array([1, 2]), new Float64Array([3, 4])), 11);
});
