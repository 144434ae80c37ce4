// Records from JavaScript to Python's loops, collected until a microtask submits them: a turn, one call for each loop.
//
// Nothing here attaches: however many coroutines a turn starts, its records are one chunk, one copy and one wake; of many
// the loop is given 64 at a time, so that it works while JavaScript writes the next. No user code may run between opening
// and closing a record: it could open another one in the same buffer. A record is sent whole or not at all: its memory is
// reserved when it is opened, and only closing it makes it part of the turn.
import { queueMicrotask, setTimeout } from "../../ffi/intrinsics.ts";
import { limits, Writer } from "../wire/codec.ts";
import { BACKGROUND, In, Submitted } from "../wire/numbers.ts";
import { bridge } from "./bridge.ts";
import { heap, type Turn } from "./heap.ts";
import { type Interpreter, isClosed, openInterpreter } from "./interpreter.ts";

export { BACKGROUND, In } from "../wire/numbers.ts";

/** Bytes of a record's size and kind. */
const headBytes = 5;

/** Milliseconds after which records are submitted again for which there was no memory. */
const pause = 100;

function turnOf(loop: number): Turn {
  if (loop === BACKGROUND && heap.background) return heap.background;
  let turn = heap.turns.get(loop);
  if (!turn) {
    turn = { loop, writer: new Writer(loop === BACKGROUND ? 1 << 16 : 1 << 12), end: 0, records: 0 };
    heap.turns.set(loop, turn);
    if (loop === BACKGROUND) heap.background = turn;
  }
  return turn;
}

/** The turn of a loop with room for `size` bytes: a turn that would be too long for one message is submitted early. */
function turnWithRoom(loop: number, size: number): Turn {
  let turn = turnOf(loop);
  if (turn.end > 0 && turn.end + size > limits.message) {
    send(openInterpreter()!, turn);
    turn = turnOf(loop);
  }
  turn.writer.at = turn.end;
  turn.writer.reserve(size);
  return turn;
}

/**
 * Begins a record and returns the Writer for its payload, which has `payload` bytes or fewer.
 *
 * @throws {RangeError} if it is too long for a message, or there is no memory
 */
export function openRecord(loop: number, kind: number, payload: number): Writer {
  const { writer } = turnWithRoom(loop, headBytes + payload);
  writer.at += 4;
  writer.bytes[writer.at++] = kind;
  return writer;
}

function endRecord(turn: Turn): void {
  const { writer, end } = turn;
  writer.patch32(end, writer.at - end);
  turn.end = writer.at;
  turn.records++;
}

export function closeRecord(loop: number): void {
  const turn = turnOf(loop);
  endRecord(turn);
  schedule();
  if (turn.records === early && !heap.called && heap.skipEarly === 0 && !isClosed()) sendEarly(turn);
}

/** So many records are handed over before the turn's end, for the loop to read while JavaScript writes more. */
const early = 64;

/**
 * Turns without that after one that made a synchronous call behind it: the call waits for the GIL, which the loop has then
 * for long.
 */
const skipped = 16;

function sendEarly(turn: Turn): void {
  const python = openInterpreter();
  if (!python) return;
  heap.sentEarly = true;
  send(python, turn);
}

function schedule(): void {
  if (heap.scheduled) return;
  queueMicrotask(flush);
  heap.called = false;
  heap.scheduled = true; // after the call: if it throws, a later record schedules again
}

/**
 * Releases one reference to the object at this address, with the next synchronous operation or the turn's other records: a
 * finalizer must not attach.
 *
 * @param onLoop only with the turn's records, on the loop's thread
 */
export function forget(address: number, onLoop = false): void {
  const list = onLoop ? heap.releasedOnLoop : heap.released;
  list.push(address);
  if ((list.length === 1 || list.length >= 4096) && heap.python) schedule();
}

/** Submits the collected records. */
export function flush(): void {
  heap.scheduled = false;
  if (heap.sentEarly && heap.called) heap.skipEarly = skipped;
  else if (heap.skipEarly > 0) heap.skipEarly--;
  heap.sentEarly = false;
  const python = openInterpreter();
  if (!python || isClosed()) return;
  writeReleases();
  for (const turn of heap.turns.values()) if (turn.end > 0) send(python, turn);
}

function send({ shim, heap: address }: Interpreter, turn: Turn): void {
  const { writer, loop, end } = turn;
  const submitted = shim.pyawait_submit(address, loop, writer.pointer, end);
  if (submitted === Submitted.noMemory) return void setTimeout(schedule, pause); // the records stay in the turn
  turn.end = writer.at = turn.records = 0;
  if (writer.bytes.length > 1 << 22) drop(loop); // too large to keep
  if (submitted === Submitted.done || loop === BACKGROUND) return;
  drop(loop);
  queueMicrotask(() => {
    bridge.onRing(); // results that the loop has sent before its end come first
    bridge.onLoopEnd(loop);
  });
}

function drop(loop: number): void {
  heap.turns.delete(loop);
  if (loop === BACKGROUND) heap.background = undefined;
}

/** The loop is closed. Records that are not submitted yet will be, so that the shim gives back what they lend. */
export function dropTurn(loop: number): void {
  if (heap.turns.get(loop)?.end === 0) drop(loop);
}

function writeReleases(): void {
  const addresses = [...heap.released, ...heap.releasedOnLoop];
  if (addresses.length === 0) return;
  const writer = openRecord(BACKGROUND, In.release, 4 + 8 * addresses.length);
  heap.released = [], heap.releasedOnLoop = [];
  writer.u32(addresses.length);
  for (const address of addresses) writer.address(address);
  endRecord(turnOf(BACKGROUND));
}
