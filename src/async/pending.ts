// Promises that wait for Python: which record settles which, and when they keep the process alive.
//
//    CANCEL ──► after its START, in the same inbox      DONE ◄── what has happened, decided by the loop thread
//
// A Promise is known by a number until its DONE record arrives; then the number is used again. The queues of two loops
// have no common order, so a late CANCEL or DONE may meet a number that another Promise has by now: a serial tells.
import { Promise, setTimeout } from "../../ffi/intrinsics.ts";
import { whenAborted } from "../context/abort_signals.ts";
import { PythonClosedError } from "../interpreter/closed.ts";
import { closeRecord, In, openRecord } from "../interpreter/inbox.ts";
import { isClosed, openInterpreter } from "../interpreter/interpreter.ts";
import type { Reference } from "../interpreter/reference.ts";
import { callHelper } from "../proxy/call.ts";
import { read, readError, releaseUnread } from "../values/decode.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { PythonError } from "../values/python_error.ts";
import type { Reader } from "../wire/codec.ts";
import { Kind, Tag } from "../wire/numbers.ts";

/** A Promise that waits for Python. */
export interface Pending {
  readonly id: number;
  /** Differs between the Promises that have had this number. */
  readonly serial: number;
  readonly loop: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** References that its message borrows. */
  readonly pins: readonly Reference[];
  /** Whether it keeps the process alive; not while its loop does not run. */
  keepsAlive: boolean;
  /** The state of the awaited proxy, if it is one. */
  readonly state: State | undefined;
  /** Set when a signal has asked for cancellation. */
  aborted: { reason: unknown } | undefined;
  /** Each stops listening to a signal. */
  unlisten: (() => void)[] | undefined;
}

/** This heap's pending Promises; only this file writes it. */
const promises = {
  /** By number. */
  pending: [] as (Pending | undefined)[],
  /** Numbers that are free again. */
  free: [] as number[],
  lastSerial: 0,
  /** How many keep the process alive. */
  waiting: 0,
};

/** Keeps the process alive until {@linkcode stopWaiting}. Counted. */
export function startWaiting(): void {
  if (promises.waiting++ === 0) openInterpreter()!.bell.ref();
}

export function stopWaiting(): void {
  if (--promises.waiting === 0) openInterpreter()?.bell.unref();
}

/** Registers a new pending Promise. */
export function addPending(
  loop: number,
  waits: boolean,
  pins: readonly Reference[],
  state: State | undefined,
): { promise: Promise<unknown>; entry: Pending } {
  const id = promises.free.pop() ?? promises.pending.length;
  const serial = promises.lastSerial = (promises.lastSerial + 1) >>> 0;
  let entry!: Pending;
  const promise = new Promise((resolve, reject) => {
    entry = { id, serial, loop, resolve, reject, pins, state, keepsAlive: !waits, aborted: undefined, unlisten: undefined };
  });
  promises.pending[id] = entry;
  if (entry.keepsAlive) startWaiting();
  else setTimeout(keepAliveForRunningLoops, 20); // Deno reports no "beforeExit" before it ends on an unsettled top-level await
  return { promise, entry };
}

/** Sends CANCEL when the signal aborts. */
export function cancelWith(entry: Pending, signal: AbortSignal): void {
  const abort = () => {
    if (promises.pending[entry.id] !== entry) return;
    entry.aborted ??= { reason: signal.reason };
    const writer = openRecord(entry.loop, In.cancel, 8);
    writer.u32(entry.id);
    writer.u32(entry.serial);
    closeRecord(entry.loop);
  };
  if (signal.aborted) return abort();
  (entry.unlisten ??= []).push(whenAborted(signal, abort));
}

function remove(entry: Pending): void {
  promises.pending[entry.id] = undefined;
  promises.free.push(entry.id);
  for (const reference of entry.pins) reference.unpin();
  for (const unlisten of entry.unlisten ?? []) unlisten();
  if (entry.keepsAlive) stopWaiting();
}

/** Handles a DONE record: the task of a Promise has ended. What fails here is the Promise's outcome. */
export function complete(r: Reader): void {
  const entry = promises.pending[r.u32()], serial = r.u32(), start = r.at;
  if (entry?.serial !== serial) return releaseUnread(r, start, 1); // it was rejected when its loop was closed
  remove(entry);
  try {
    settle(entry, r);
  } catch (error) {
    releaseUnread(r, start, 1);
    entry.reject(error);
  }
}

function settle(entry: Pending, r: Reader): void {
  const tag = r.bytes[r.at];
  if (tag === Tag.error || tag === Tag.throw) {
    r.at++;
    const error = readError(r, tag);
    const cancelled = entry.aborted && error instanceof PythonError && error.name === "CancelledError";
    return entry.reject(cancelled ? entry.aborted!.reason : error);
  }
  const value = read(r), state = stateOf(value);
  if (state && state === entry.state) state.settledToItself = true;
  if (state && entry.state && leadsBack(entry.state, state)) {
    return entry.reject(
      new TypeError("Chaining cycle detected: the result of this awaitable is awaited as well, and leads back to itself"),
    );
  }
  entry.resolve(value);
}

const isAlwaysThenable = (state: State) => (state.kinds & (Kind.coroutine | Kind.future)) !== 0;

/**
 * Whether awaiting this result, and then its result, and so on, would never end; like a Promise resolved with itself.
 */
function leadsBack(from: State, result: State): boolean {
  if (!isAlwaysThenable(from) || !isAlwaysThenable(result)) return false;
  for (let at: State | undefined = result; at; at = at.next) if (at === from) return true;
  from.next = result;
  return false;
}

function rejectAll(error: (entry: Pending) => unknown, which: (entry: Pending) => boolean): void {
  for (const entry of promises.pending) {
    if (!entry || !which(entry)) continue;
    remove(entry);
    entry.reject(error(entry));
  }
}

/** Rejects what waits for a loop that was closed. */
export function rejectLoop(loop: number): void {
  rejectAll(() => new Error("Cannot await on this event loop: it was closed"), (entry) => entry.loop === loop);
}

/**
 * Lets Promises keep the process alive whose loop has begun to run since they were made. Runs before the process would
 * end.
 */
export function keepAliveForRunningLoops(): void {
  if (isClosed()) return;
  for (const entry of promises.pending) {
    if (!entry || entry.keepsAlive || callHelper("is_loop_running", entry.loop) !== true) continue;
    entry.keepsAlive = true;
    startWaiting();
  }
}

/** Rejects everything: by default because Python has ended. */
export function rejectPending(error: Error = new PythonClosedError()): void {
  rejectAll(() => error, () => true);
}

/** The number of Promises that keep the process alive; for tests. */
export function countPending(): number {
  return promises.waiting;
}
