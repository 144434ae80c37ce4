// What JavaScript sends to Python's loops: records, collected for a turn and submitted in one call.
//
// The one thing to know: nothing here attaches. A turn's records are one chunk, one copy and one wake, however many
// coroutines it starts; between opening and closing a record no code of the user's may run.
import { type Interpreter, isClosed, openInterpreter, whenOpened } from "./interpreter.ts";
import { releaseWith, takeReleased } from "./reference.ts";
import { Writer } from "../wire/codec.ts";

/** Kinds of records, as `enum in` of ffi/shim/loop.h. */
export const In = { start: 1, await: 2, cancel: 3, settle: 4, signalTaken: 5, release: 6, unlock: 7 } as const;

interface Turn {
  readonly loop: number;
  readonly writer: Writer;
  start: number;
}

/** The background loop's inbox. */
export const BACKGROUND = 0;

const turns = new Map<number, Turn>();
let background: Turn | undefined;
let scheduled = false;

function turnOf(loop: number): Turn {
  if (loop === BACKGROUND && background) return background;
  let turn = turns.get(loop);
  if (!turn) {
    turn = { loop, writer: new Writer(1 << 16), start: 0 };
    turns.set(loop, turn);
    if (loop === BACKGROUND) background = turn;
  }
  return turn;
}

/** Begins a record; what follows it is written to the result. */
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
  if (scheduled) return;
  scheduled = true;
  queueMicrotask(flush);
}

const gone: ((loop: number) => void)[] = [];

/** Runs when records could not be delivered, because their loop is closed. */
export function whenLoopIsGone(fn: (loop: number) => void): void {
  gone.push(fn);
}

/** Sends what has been collected. */
export function flush(): void {
  scheduled = false;
  const python = openInterpreter();
  if (!python || isClosed()) return;
  writeReleases();
  for (const turn of turns.values()) if (turn.writer.at > 0) send(python, turn);
}

function send({ shim, heap }: Interpreter, turn: Turn): void {
  const { writer, loop } = turn;
  const delivered = shim.pyawait_submit(heap, loop, writer.pointer, writer.at) === 0;
  writer.at = 0;
  if (writer.bytes.length > 1 << 22) turns.delete(loop), background = loop === BACKGROUND ? undefined : background;
  if (delivered || loop === BACKGROUND) return;
  turns.delete(loop);
  for (const fn of gone) fn(loop);
}

function writeReleases(): void {
  const addresses = takeReleased();
  if (addresses.length === 0) return;
  const writer = openRecord(BACKGROUND, In.release);
  writer.u32(addresses.length);
  writer.reserve(8 * addresses.length);
  for (const address of addresses) writer.address(address);
  const { start } = turnOf(BACKGROUND);
  writer.patch32(start, writer.at - start);
}

whenOpened(() => {
  releaseWith(schedule);
});
