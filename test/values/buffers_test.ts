/**
 * Python's memory in JavaScript without a copy: what of it is seen, in both directions. How long it is locked is in
 * buffer_lifetime_test.ts, and numpy's arrays are in numpy_test.ts.
 */
import process from "node:process";
import { test } from "node:test";
import { buffer, kw, PyBuffer, PyProxy, python, PythonError, toJs, toThread } from "../../mod.ts";
import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "#std/assert";
import { items } from "../support/buffer_items.ts";
import { define } from "../support/define.ts";

const py = define(`
import array, ctypes, mmap, struct, sys

def made(expression): return eval(expression)
def count(value): return sys.getrefcount(value)
def format_of(view): return [view.format, view.nbytes, view.readonly, view.tolist()]
def write(view, index, value): view[index] = value
class Memory(ctypes.Structure): # a Py_buffer
    _fields_ = [("buf", ctypes.c_void_p), ("obj", ctypes.c_void_p), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int), ("ndim", ctypes.c_int), ("format", ctypes.c_char_p), ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)), ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p)]
kept = []
def of_format(format, itemsize, items):
    """A memoryview of any format over the bytes 0, 1, 2, ..."""
    memory = (ctypes.c_char * (items * itemsize)).from_buffer_copy(bytes(range(items * itemsize)))
    numbers = [(ctypes.c_ssize_t * 1)(items), (ctypes.c_ssize_t * 1)(itemsize)]
    about = Memory(ctypes.addressof(memory), None, items * itemsize, itemsize, 0, 1, format, *numbers, None, None)
    kept.append((memory, numbers, about))
    from_buffer = ctypes.pythonapi.PyMemoryView_FromBuffer
    from_buffer.restype = ctypes.py_object
    return from_buffer(ctypes.byref(about))
class Record(ctypes.Structure): _fields_ = [("a", ctypes.c_int8), ("b", ctypes.c_int32)]
class Holder(ctypes.Structure): _fields_ = [("O", ctypes.c_int32), ("b", ctypes.py_object)]
`);
const { made } = py;
const { builtins } = python;
const windows = process.platform === "win32"; // where a C `long` has 32 bits

test("exporters of every kind: items, shape, strides, format", () => {
  const cases: [expression: string, type: unknown, items: unknown[], about: Partial<PyBuffer>][] = [
    ["b'ab'", Uint8Array, [97, 98], { format: "B", readonly: true, shape: [2], strides: [1], itemsize: 1, offset: 0 }],
    ["bytearray(b'ab')", Uint8Array, [97, 98], { format: "B", readonly: false }],
    ["array.array('b', [-1])", Int8Array, [-1], { format: "b", itemsize: 1 }],
    ["array.array('H', [65535])", Uint16Array, [65535], { format: "H", itemsize: 2 }],
    ["array.array('i', [-5, 6])", Int32Array, [-5, 6], { format: "i", itemsize: 4, strides: [4] }],
    ["array.array('I', [2**32 - 1])", Uint32Array, [2 ** 32 - 1], { format: "I" }],
    ["array.array('q', [-2**63])", BigInt64Array, [-(2n ** 63n)], { format: "q", itemsize: 8 }],
    ["array.array('Q', [2**64 - 1])", BigUint64Array, [2n ** 64n - 1n], { format: "Q" }],
    ["array.array('f', [0.5])", Float32Array, [0.5], { format: "f" }],
    ["array.array('d', [0.1, -0.0])", Float64Array, [0.1, -0], { format: "d" }],
    ["memoryview(b'abcdef')[1:5:2]", Uint8Array, [98, 100], { shape: [2], strides: [2], offset: 0, readonly: true }],
    ["memoryview(b'abcd')[::-1]", Uint8Array, [100, 99, 98, 97], { shape: [4], strides: [-1], offset: 3 }],
    ["memoryview(array.array('i', range(7)))[::-3]", Int32Array, [6, 3, 0], { shape: [3], strides: [-12], offset: 6 }],
    ["memoryview(bytes(range(24))).cast('B', (2, 3, 4))", Uint8Array, [...Array(24).keys()], { shape: [2, 3, 4], strides: [12, 4, 1] }],
    ["memoryview(bytearray(16)).cast('d', (2, 1))", Float64Array, [0, 0], { shape: [2, 1], strides: [8, 8], format: "d" }],
    ["memoryview(b'\\1\\0').cast('?')", Uint8Array, [1, 0], { format: "?" }],
    ["memoryview(b'ab').cast('c')", Uint8Array, [97, 98], { format: "c" }],
    ["(ctypes.c_int32 * 3)(1, -2, 3)", Int32Array, [1, -2, 3], { format: windows ? "<l" : "<i", readonly: false }],
    ["(ctypes.c_double * 2 * 2)()", Float64Array, [0, 0, 0, 0], { shape: [2, 2], strides: [16, 8] }],
    ["(ctypes.c_int64 * 1)(-1)", BigInt64Array, [-1n], { itemsize: 8 }],
    ["ctypes.c_uint16(513)", Uint16Array, [513], { shape: [], strides: [] }],
    ["bytearray()", Uint8Array, [], { shape: [0] }],
    ["memoryview(b'abc')[3:]", Uint8Array, [], { shape: [0] }],
    ["array.array('d')", Float64Array, [], { shape: [0] }],
  ];
  for (const [expression, type, wanted, about] of cases) {
    const view = builtins.memoryview(made(expression)).$getBuffer() as PyBuffer;
    assertInstanceOf(view, PyBuffer);
    assertStrictEquals(view.data.constructor, type, expression);
    assertEquals(items(view), wanted, expression);
    assertEquals(
      Object.fromEntries(Object.keys(about).map((key) => [key, view[key as keyof PyBuffer]])),
      about as Record<string, unknown>,
      expression,
    );
    view.release();
  }
  const record = made("(Record * 2)((1, 2), (3, 4))").$getBuffer() as PyBuffer; // no typed array has such items: its bytes
  assertEquals([record.data.constructor, record.data.length, record.itemsize, record.data[8]], [Uint8Array, 16, 8, 3]);
  const native = made("array.array('l', [-1])").$getBuffer() as PyBuffer;
  assertEquals(native.data[0], native.itemsize === 8 ? -1n : -1);
});

test("items of several values: $getBuffer() sees their bytes, toJs copies none", () => {
  for (const format of ["lL", "Lq", "qQ", "nN", "lLq", "LN", "ln", "2i", "bB", "", "@lL", "<qQ", "bBhHiIqQ"]) {
    const memory = py.of_format(new TextEncoder().encode(format), 16, 2), view = memory.$getBuffer() as PyBuffer;
    assertEquals([view.data.constructor, view.data.length, view.data[31], view.itemsize, view.format], [Uint8Array, 32, 31, 16, format]);
    assertInstanceOf(toJs(memory), PyProxy as never, format);
  }
  const single = { l: BigInt64Array, L: BigUint64Array, q: BigInt64Array, "@n": BigInt64Array, "=N": BigUint64Array, d: Float64Array };
  for (const [format, type] of Object.entries(single)) {
    const memory = py.of_format(new TextEncoder().encode(format), 8, 2);
    assertEquals([memory.$getBuffer().data.constructor, (toJs(memory) as object).constructor], [type, type], format);
  }
});

test("pointers to Python objects are not given away, and the exporter is not left locked", () => {
  for (const expression of ["(ctypes.py_object * 1)('a')", "Holder(1, 'a')"]) {
    const value = made(expression), before = py.count(value);
    assertThrows(() => value.$getBuffer(), TypeError, "toJs", expression);
    assertEquals(py.count(value), before);
  }
});

test("both sides see what the other writes", async () => {
  const bytes = builtins.bytearray(4), view = bytes.$getBuffer() as PyBuffer;
  view.data[0] = 255;
  assertEquals([bytes[0], view.readonly], [255, false]);
  bytes.$set(1, 7);
  py.write(builtins.memoryview(bytes), 3, 9);
  await toThread(py.write, [bytes, 2, 8]);
  assertEquals([...view.data as Uint8Array], [255, 7, 8, 9]);
  const second = bytes.$getBuffer() as PyBuffer; // a view of its own of the same memory
  second.data[0] = 1;
  assertEquals(view.data[0], 1);
  const map = py.mmap.mmap(-1, 4096), mapped = map.$getBuffer() as PyBuffer;
  mapped.data[4095] = 42;
  assertEquals([map[4095], mapped.data.length], [42, 4096]);
  assertEquals(assertThrows(() => map.close(), PythonError).name, "BufferError");
});

test("a PyBuffer in Python is its memoryview: no copy, writable as the memory is", () => {
  const bytes = builtins.bytearray(new Uint8Array([1, 2, 3])), view = bytes.$getBuffer() as PyBuffer;
  const memory = builtins.memoryview(view);
  assertEquals([memory.$type, toJs(py.format_of(memory))], ["memoryview", ["B", 3, false, [1, 2, 3]]]);
  memory.$set(0, 9);
  assertEquals([view.data[0], bytes[0]], [9, 9]);
  assertEquals(python.exec("x[0]['a'][1].obj is y", { globals: { x: [{ a: [0, view] }], y: bytes } }), true);
  const fixed = made("b'xy'").$getBuffer ? builtins.memoryview(new Uint8Array([1, 2])).$getBuffer() as PyBuffer : undefined;
  assertEquals(assertThrows(() => py.write(fixed, 0, 1), PythonError).name, "TypeError"); // read-only memory
  view.release();
  memory.$set(1, 8); // Python's own view goes on
  assertEquals(bytes[1], 8);
});

test("buffer() makes memory of Python's for every item type", () => {
  const types = {
    b: Int8Array,
    B: Uint8Array,
    h: Int16Array,
    H: Uint16Array,
    i: Int32Array,
    I: Uint32Array,
    q: BigInt64Array,
    Q: BigUint64Array,
    f: Float32Array,
    d: Float64Array,
  };
  for (const [code, type] of Object.entries(types)) {
    const made = buffer(type as typeof Float64Array, 3);
    assertEquals([made.data.constructor, made.data.length, made.readonly, made.format, made.shape], [type, 3, false, code, [3]]);
    const one = code === "q" || code === "Q" ? 1n : 1;
    made.data[1] = one as number;
    assertEquals(toJs(py.format_of(made)), [code, 3 * type.BYTES_PER_ELEMENT, false, [0, 1, 0]]);
    py.write(made, 2, 7);
    assertEquals(Number(made.data[2]), 7);
    made.release();
  }
  const clamped = buffer(Uint8ClampedArray, 2), none = buffer(Float64Array, 0);
  clamped.data[0] = 300;
  assertInstanceOf(clamped.data, Uint8ClampedArray);
  assertEquals(toJs(py.format_of(clamped)), ["B", 2, false, [255, 0]]);
  assertEquals([clamped.format, none.data.length, toJs(py.format_of(none))], ["B", 0, ["d", 0, false, []]]);
  const text = buffer(Uint8Array, 5);
  builtins.open("/dev/zero", "rb").readinto(text);
  py.struct.pack_into("<i", text, 1, 0x01020304);
  assertEquals([...text.data], [0, 4, 3, 2, 1]);
});

test("a typed array that is in a message twice is one array.array", async () => {
  const a = new Float64Array([1]), b = new Uint8ClampedArray([2]), list: unknown[] = [a, b];
  list.push(list, a, { b }, new Map([["a", a]]));
  const wanted = "x[0] is x[3] is x[5]['a'] and x[1] is x[4]['b'] and x[2] is x and x[0] is not x[1]";
  assertEquals(python.exec(`${wanted} and x[0][0] == 1 and x[1][0] == 2`, { globals: { x: list } }), true);
  const same = python.exec("lambda x, y: x is y and x.append(3) is None and len(y) == 2 and x.typecode");
  assertEquals([same(a, a), same(kw({ x: a, y: a }))], ["d", "d"]);
  assertEquals([same(a, a.slice()), same(a, a.subarray())], [false, false]);
  assertEquals(await python.exec("async def f(x, y): return x[0] is y\nf")([a], a), true);
  assertEquals(python.exec("lambda f: (lambda x: x[0] is x[1])(f())")(() => [a, a]), true);
  assertEquals(a, new Float64Array([1])); // they are copies
});

test("a buffer of float16", () => {
  const { Float16Array } = globalThis as unknown as { Float16Array?: unknown };
  if (!Float16Array) return console.log("skip: this runtime has no Float16Array");
  const made = buffer(Float16Array as typeof Float32Array, 2);
  made.data.set([1.5, -2]);
  assertEquals([made.data.constructor as unknown, toJs(python.builtins.bytes(made))], [Float16Array, new Uint8Array([0, 0x3e, 0, 0xc0])]);
  made.release();
});
