// Promises that wait for Python: which record settles which, and what keeps the process alive meanwhile.
//
//    CANCEL ──► behind its START, in the same inbox      DONE ◄── what has happened, decided by the loop thread
//
// A Promise is known by a number until its DONE record has come; then the number is used again.
import { whenAborted } from "../context/abort_signals.ts";
import { PythonClosedError } from "../interpreter/closed.ts";
import { closeRecord, In, openRecord } from "../interpreter/inbox.ts";
import { isClosed, openInterpreter } from "../interpreter/interpreter.ts";
import type { Reference } from "../interpreter/reference.ts";
import { callHelper } from "../proxy/call.ts";
import { read, readError } from "../values/decode.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { PythonError } from "../values/python_error.ts";
import type { Reader } from "../wire/codec.ts";
import { Kind, Tag } from "../wire/numbers.ts";

/** One Promise that waits. */
export interface Pending {
  readonly id: number;
  readonly loop: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** What the message borrows. */
  readonly pins: readonly Reference[];
  /** Whether it keeps the process alive: not while its loop does not run. */
  keepsAlive: boolean;
  /** The proxy that is awaited, if it is one. */
  readonly state: State | undefined;
  /** Set when a signal has asked for its cancellation. */
  aborted: { reason: unknown } | undefined;
  /** Stops listening to signals. */
  unlisten: (() => void)[];
}

/** This heap's Promises; only this file writes it. */
const heap = {
  /** By number. */
  pending: [] as (Pending | undefined)[],
  /** Numbers that may be used again. */
  free: [] as number[],
  /** How many keep the process alive. */
  waiting: 0,
};

/** Something waits: the process stays alive, until {@linkcode stopWaiting}. Counted. */
export function startWaiting(): void {
  if (heap.waiting++ === 0) openInterpreter()!.bell.ref();
}

export function stopWaiting(): void {
  if (--heap.waiting === 0) openInterpreter()!.bell.unref();
}

/** A Promise that waits from now on. */
export function addPending(
  loop: number,
  waits: boolean,
  pins: readonly Reference[],
  state: State | undefined,
): { promise: Promise<unknown>; entry: Pending } {
  const id = heap.free.pop() ?? heap.pending.length;
  let entry!: Pending;
  const promise = new Promise((resolve, reject) => {
    entry = { id, loop, resolve, reject, pins, state, keepsAlive: !waits, aborted: undefined, unlisten: [] };
  });
  heap.pending[id] = entry;
  if (entry.keepsAlive) startWaiting();
  else setTimeout(keepAliveForRunningLoops, 20); // Deno ends on an unsettled top-level await before it tells of it
  return { promise, entry };
}

/** Aborting the signal sends CANCEL. */
export function cancelWith(entry: Pending, signal: AbortSignal): void {
  const abort = () => {
    if (heap.pending[entry.id] !== entry) return;
    entry.aborted ??= { reason: signal.reason };
    const writer = openRecord(entry.loop, In.cancel);
    writer.u32(entry.id);
    closeRecord(entry.loop);
  };
  if (signal.aborted) return abort();
  entry.unlisten.push(whenAborted(signal, abort));
}

function remove(entry: Pending): void {
  heap.pending[entry.id] = undefined;
  heap.free.push(entry.id);
  for (const reference of entry.pins) reference.unpin();
  for (const unlisten of entry.unlisten) unlisten();
  if (entry.keepsAlive) stopWaiting();
}

/** A DONE record: the task of a Promise has ended. */
export function complete(r: Reader): void {
  const id = r.u32();
  const entry = heap.pending[id];
  const tag = r.bytes[r.at];
  if (tag === Tag.error || tag === Tag.throw) {
    r.at++;
    const error = readError(r, tag);
    if (!entry) return;
    remove(entry);
    const cancelled = entry.aborted && error instanceof PythonError && error.name === "CancelledError";
    return entry.reject(cancelled ? entry.aborted!.reason : error);
  }
  const value = read(r);
  if (!entry) return;
  remove(entry);
  const state = stateOf(value);
  if (state && state === entry.state) state.settledToItself = true;
  if (state && entry.state && leadsBack(entry.state, state)) {
    return entry.reject(
      new TypeError("Chaining cycle detected: the result of this awaitable is awaited as well, and leads back to itself"),
    );
  }
  entry.resolve(value);
}

const isAlwaysThenable = (state: State) => (state.kinds & (Kind.coroutine | Kind.future)) !== 0;

/** Whether awaiting this result, and that one's result, and so on, would never end, as with a Promise of itself. */
function leadsBack(from: State, result: State): boolean {
  if (!isAlwaysThenable(from) || !isAlwaysThenable(result)) return false;
  for (let at: State | undefined = result; at; at = at.next) if (at === from) return true;
  from.next = result;
  return false;
}

function rejectAll(error: (entry: Pending) => unknown, which: (entry: Pending) => boolean): void {
  for (const entry of heap.pending) {
    if (!entry || !which(entry)) continue;
    remove(entry);
    entry.reject(error(entry));
  }
}

/** A loop is closed: what was awaited on it will never be settled by it. */
export function rejectLoop(loop: number): void {
  rejectAll(() => new Error("Cannot await on this event loop: it was closed"), (entry) => entry.loop === loop);
}

/** Nothing keeps the process alive any more: what waits for a loop that has begun to run since does now. */
export function keepAliveForRunningLoops(): void {
  if (isClosed()) return;
  for (const entry of heap.pending) {
    if (!entry || entry.keepsAlive || callHelper("is_loop_running", entry.loop) !== true) continue;
    entry.keepsAlive = true;
    startWaiting();
  }
}

/** Python has ended: nothing will be settled by it any more. */
export function rejectPending(): void {
  rejectAll(() => new PythonClosedError(), () => true);
}

/** How many Promises wait for Python: for tests. */
export function countPending(): number {
  return heap.waiting;
}
