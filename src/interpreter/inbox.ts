// Records from JavaScript to Python's loops, collected during a turn and submitted in one call.
//
// Nothing here attaches: however many coroutines a turn starts, its records are one chunk, one copy and one wake. No
// user code may run between opening and closing a record: it could open another one in the same buffer.
import { queueMicrotask } from "../../ffi/intrinsics.ts";
import { Writer } from "../wire/codec.ts";
import { BACKGROUND, In } from "../wire/numbers.ts";
import { bridge } from "./bridge.ts";
import { heap, type Turn } from "./heap.ts";
import { type Interpreter, isClosed, openInterpreter } from "./interpreter.ts";

export { BACKGROUND, In } from "../wire/numbers.ts";

function turnOf(loop: number): Turn {
  if (loop === BACKGROUND && heap.background) return heap.background;
  let turn = heap.turns.get(loop);
  if (!turn) {
    turn = { loop, writer: new Writer(1 << 16), start: 0 };
    heap.turns.set(loop, turn);
    if (loop === BACKGROUND) heap.background = turn;
  }
  return turn;
}

/** Begins a record and returns the Writer for its payload. */
export function openRecord(loop: number, kind: number): Writer {
  const turn = turnOf(loop);
  const { writer } = turn;
  turn.start = writer.at;
  writer.reserve(16);
  writer.at += 4;
  writer.bytes[writer.at++] = kind;
  return writer;
}

export function closeRecord(loop: number): void {
  const { writer, start } = turnOf(loop);
  writer.patch32(start, writer.at - start);
  schedule();
}

function schedule(): void {
  if (heap.scheduled) return;
  queueMicrotask(flush);
  heap.scheduled = true; // after the call: if it throws, a later record schedules again
}

/** Releases one reference to the object at this address with the turn's other records: a finalizer must not attach. */
export function forget(address: number): void {
  heap.released.push(address);
  if ((heap.released.length === 1 || heap.released.length >= 4096) && heap.python) schedule();
}

/** Submits the collected records. */
export function flush(): void {
  heap.scheduled = false;
  const python = openInterpreter();
  if (!python || isClosed()) return;
  writeReleases();
  for (const turn of heap.turns.values()) if (turn.writer.at > 0) send(python, turn);
}

function send({ shim, heap: address }: Interpreter, turn: Turn): void {
  const { writer, loop } = turn;
  const delivered = shim.pyawait_submit(address, loop, writer.pointer, writer.at) === 0;
  writer.at = 0;
  if (writer.bytes.length > 1 << 22) drop(loop); // too large to keep
  if (delivered || loop === BACKGROUND) return;
  drop(loop);
  bridge.onLoopEnd(loop);
}

function drop(loop: number): void {
  heap.turns.delete(loop);
  if (loop === BACKGROUND) heap.background = undefined;
}

function writeReleases(): void {
  const addresses = heap.released;
  if (addresses.length === 0) return;
  heap.released = [];
  const writer = openRecord(BACKGROUND, In.release);
  writer.u32(addresses.length);
  writer.reserve(8 * addresses.length);
  for (const address of addresses) writer.address(address);
  const { start } = turnOf(BACKGROUND);
  writer.patch32(start, writer.at - start);
}
