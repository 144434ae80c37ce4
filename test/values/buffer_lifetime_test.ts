/**
 * How long an exporter of memory is locked while JavaScript sees it, what releases it, and that nothing reads memory
 * that Python has freed.
 */
import { constants } from "node:buffer";
import { test } from "node:test";
import { buffer, PyBuffer, PyProxy, python, PythonError, tidy, toJs } from "../../mod.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "#std/assert";
import { child, runtime } from "../support/child.ts";
import { collect } from "../support/collect.ts";
import { define } from "../support/define.ts";

const py = define(`
import array, gc, mmap, sys

def made(expression): return eval(expression)
def count(value): return sys.getrefcount(value)
def format_of(view): return [view.format, view.nbytes, view.readonly, view.tolist()]
def reserve(size):
    try: return mmap.mmap(-1, size)
    except (OSError, OverflowError): return None
def release_all():
    for each in gc.get_objects():
        if isinstance(each, memoryview):
            try: each.release()
            except BufferError: pass
def is_locked(value):
    try:
        value.append(0)
        value.pop()
        return False
    except BufferError:
        return True
`);
const { made, is_locked } = py;
const { builtins } = python;

/** Collects on both sides until it holds; what is dropped is collected in some later turn. */
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !condition(); i++) {
    await collect();
    py.gc.collect();
  }
  assert(condition());
}

test("the exporter is locked until release, and then data is empty", () => {
  for (const [exporter, code] of [[builtins.bytearray(8), "B"], [made("array.array('d', [1, 2])"), "d"]]) {
    const view = exporter.$getBuffer() as PyBuffer;
    assertEquals([view.format, is_locked(exporter)], [code, true]);
    assertEquals(assertThrows(() => exporter.append(1), PythonError).name, "BufferError");
    view.release();
    view.release(); // twice is once
    assertEquals([view.data.length, view.data[0], view.data.buffer.byteLength, is_locked(exporter)], [0, undefined, 0, false]);
    exporter.append(1);
  }
});

test("two views: the lock is given up with the last one", () => {
  const bytes = builtins.bytearray(8), one = bytes.$getBuffer() as PyBuffer, two = bytes.$getBuffer() as PyBuffer;
  one.release();
  assertEquals(is_locked(bytes), true);
  two.data[0] = 5;
  two.release();
  assertEquals([is_locked(bytes), bytes[0]], [false, 5]);
});

const { dispose } = Symbol as { dispose?: symbol };
if (!dispose) console.log("skip: this runtime has no Symbol.dispose");
test("Symbol.dispose is release", { skip: !dispose && "no Symbol.dispose" }, () => {
  const view = builtins.bytearray(2).$getBuffer() as PyBuffer & Record<symbol, () => void>;
  assertStrictEquals(view[dispose!], view.release);
  view[dispose!]();
  assertThrows(() => builtins.len(view), TypeError, "released");
});

test("a released buffer cannot be passed, a destroyed proxy not be seen, and a list has no buffer", () => {
  const view = builtins.bytearray(2).$getBuffer() as PyBuffer, { data } = view;
  view.release();
  assertThrows(() => builtins.memoryview(view), TypeError, "released");
  assertThrows(() => builtins.list([[view]]), TypeError, "released");
  if (data.length === 0) assertThrows(() => builtins.list([data]), TypeError, "its memory was released");
  const bytes = builtins.bytearray(new Uint8Array([1]));
  bytes.$destroy();
  assertThrows(() => bytes.$getBuffer(), TypeError, "destroyed");
  for (const value of [builtins.list(), builtins.range(3), python.import("math"), builtins.object()]) {
    assertEquals(assertThrows(() => value.$getBuffer(), PythonError).name, "TypeError");
  }
  assertEquals(
    assertThrows(() => {
      const m = made("memoryview(b'x')");
      m.release();
      m.$getBuffer();
    }, PythonError).name,
    "ValueError",
  );
});

test("memory that Python goes on using stays after release and after everything is collected", async () => {
  const keep = builtins.list();
  for (let i = 0; i < 100; i++) {
    const numbers = buffer(Float64Array, 1000);
    numbers.data.fill(i);
    keep.append(numbers);
    if (i % 2) numbers.release();
  }
  for (let i = 0; i < 5; i++) await collect(), py.gc.collect();
  assertEquals(toJs(python.exec("[m[999] for m in keep]", { globals: python.builtins.dict([["keep", keep]].map((each) => each)) })), [
    ...Array(100).keys(),
  ]);
});

test("data alone keeps the exporter locked, and so does a part of it", async () => {
  const whole = builtins.bytearray(1 << 16), part = builtins.bytearray(1 << 16), raw = builtins.bytearray(1 << 16);
  const take = () =>
    [
      (whole.$getBuffer() as PyBuffer).data,
      ((part.$getBuffer() as PyBuffer).data as Uint8Array).subarray(100, 200),
      new DataView((raw.$getBuffer() as PyBuffer).data.buffer as ArrayBuffer, 5),
    ] as [Uint8Array, Uint8Array, DataView];
  const [data, some, view] = take();
  for (let i = 0; i < 30; i++) {
    await collect();
    py.gc.collect();
    assertEquals([is_locked(whole), is_locked(part), is_locked(raw)], [true, true, true], `after ${i} collections`);
    data[0] = some[0] = i;
    view.setUint8(0, i);
    assertEquals([whole[0], part[100], raw[5]], [i, i, i]);
  }
});

test("what is dropped is unlocked when it is collected", async () => {
  const exporters = Array.from({ length: 50 }, () => builtins.bytearray(100));
  for (const each of exporters) (each.$getBuffer() as PyBuffer).data[0] = 1;
  const slack = "Bun" in globalThis ? 2 : 0; // its collector scans the stack conservatively
  await until(() => exporters.filter((each) => is_locked(each)).length <= slack);
});

test("thousands, made, dropped, released and collected in between on both sides", async () => {
  const bytes = builtins.bytearray(64), before = py.count(bytes);
  const kept: PyBuffer[] = [];
  const batch = () => { // a function of its own: a suspended one would keep what its registers hold
    for (const each of kept.splice(0)) each.data[0] = 1, each.release();
    for (let i = 0; i < 500; i++) {
      const view = (i % 3 ? bytes : builtins.bytearray(32)).$getBuffer() as PyBuffer;
      view.data[i % 32] = i;
      assertEquals(view.data[i % 32], i & 255);
      if (i % 4 === 0) view.release();
      if (i % 4 === 1) kept.push(view);
    }
  };
  for (let i = 0; i < 8; i++) {
    batch();
    await collect();
    py.gc.collect();
  }
  kept.length = 0;
  const slack = "Bun" in globalThis ? 5 : 0;
  await until(() => py.count(bytes) <= before + slack);
  if (slack === 0) assertEquals(is_locked(bytes), false);
});

test("a buffer holds its exporter itself: tidy() and $destroy() take it from nobody", () => {
  const three = tidy(() => buffer(Uint8Array, 3));
  three.data[1] = 5;
  assertEquals(toJs(py.format_of(three)), ["B", 3, false, [0, 5, 0]]);
  three.release();
  const bytes = builtins.bytearray(2);
  const one = bytes.$getBuffer() as PyBuffer, two = tidy(() => bytes.$getBuffer() as PyBuffer);
  one.release();
  bytes.$destroy();
  assertEquals([builtins.len(two), toJs(py.format_of(two))], [2, ["B", 2, false, [0, 0]]]);
  two.release();
  assertThrows(() => bytes.append(1), TypeError, "destroyed"); // the last hold was the buffer's
  assertThrows(() => builtins.len(two), TypeError, "released");
});

test("an exporter outlives its proxy while it is seen", async () => {
  const open = () => {
    const bytes = builtins.bytearray(1 << 20), view = bytes.$getBuffer() as PyBuffer;
    bytes.$destroy();
    return view;
  };
  const view = open();
  for (let i = 0; i < 5; i++) await collect(), py.gc.collect();
  view.data.fill(3 as never);
  assertEquals(view.data[(1 << 20) - 1], 3);
  assert(!(view.data instanceof PyProxy));
  view.release();
});

test("memory that is moved away keeps the exporter locked as long as it lives, wherever it is", async () => {
  const { transfer } = ArrayBuffer.prototype as unknown as { transfer?(this: unknown): ArrayBuffer };
  if (transfer) {
    const bytes = builtins.bytearray(4), view = bytes.$getBuffer() as PyBuffer & { data: Uint8Array };
    const moved = transfer.call(view.data.buffer);
    assertThrows(() => view.release(), TypeError, "transferred to another ArrayBuffer");
    view.release(); // twice is once
    assertEquals([moved.byteLength, view.data.length, is_locked(bytes)], [4, 0, true]);
  }
  const { code, signal, stdout, stderr } = await child("transfers");
  assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" }, stdout);
  const lines = stdout.trimEnd().split("\n");
  assertEquals([lines.length, lines.filter((line) => !/: (stayed|moved, locked, 7, (un)?locked)$/.test(line))], [24, []]);
  const moved = lines.filter((line) => line.includes(": moved")), late = moved.filter((line) => !line.endsWith("unlocked"));
  const slack = "Bun" in globalThis ? moved.length / 2 : 0; // its collector scans the stack conservatively
  assert(moved.length > 0 && late.length <= slack, stdout);
});

test("nobody who finds Python's half of a buffer can release it", () => {
  const memory = python.builtins.bytearray(1000), view = memory.$getBuffer() as PyBuffer;
  py.release_all();
  assert(py.is_locked(memory));
  view.data[999] = 7;
  assertEquals(memory[999], 7);
  view.release();
  assert(!py.is_locked(memory));
});

test("memory that is too large for an ArrayBuffer is refused, and nothing is left", async () => {
  const bytes = 2 ** 32 + 1, memory = py.reserve(bytes);
  if (memory === null) return console.log("skip: the system does not reserve 4 GiB");
  for (let i = 0; i < 3; i++) {
    if (runtime === "deno") (memory.$getBuffer() as PyBuffer).release(); // it has larger ones
    else if (constants.MAX_LENGTH < bytes) assertThrows(() => memory.$getBuffer(), RangeError, "Cannot see 4294967297 bytes");
    await collect();
  }
  memory.close(); // it is not locked
});
