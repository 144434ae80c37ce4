// deno-lint-ignore-file no-explicit-any -- what Python gives is what Python decides
// Python awaitables as Promises.
//
//    intoPromise(coroutine)            ──► START record, one wake per turn ──►    the loop makes a task
//    the Promise settles  ◄── DONE record, one ring per drain ◄──                its done callback (C)
//
// The one thing to know: who decides between a result and a cancellation is the loop thread. CANCEL is a record like
// any other, behind its START; what DONE says then is what has happened.
import type { AsyncResource } from "node:async_hooks";
import process from "node:process";
import { callHelper, dropLazy, takeBack, takeLazy } from "../proxy/call.ts";
import { read, readError } from "../values/decode.ts";
import { write, writeHelper } from "../values/encode.ts";
import { type Encoding, encoding } from "../values/encoding.ts";
import { PythonClosedError } from "../interpreter/closed.ts";
import { PythonError } from "../values/python_error.ts";
import { interpreter, isClosed, isClosing, openInterpreter, whenOpened } from "../interpreter/interpreter.ts";
import { Kind } from "../wire/kinds.ts";
import { captureScope, currentPlace, numberScope, type Place } from "../context/call_context.ts";
import { placeOf, type TaskLocals } from "./task_locals.ts";
import { addressOf } from "../proxy/lifetime.ts";
import type { Reference } from "../interpreter/reference.ts";
import { whenAborted } from "../context/abort_signals.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { closeRecord, In, openRecord, whenLoopIsGone } from "../interpreter/inbox.ts";
import { type Reader, Tag, Writer } from "../wire/codec.ts";

/** Options of everything that awaits Python. */
export interface AwaitOptions {
  /** The loop and context to run in. Default: the current ones. */
  locals?: TaskLocals;
  /** Aborting it cancels the Python task. Default: the signal of the await that is being served; `null`: none. */
  signal?: AbortSignal | null;
}

interface Pending {
  readonly id: number;
  readonly loop: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** What the message borrows. */
  readonly pins: readonly Reference[];
  /** Whether it keeps the process alive: not while its loop does not run. */
  held: boolean;
  /** The proxy that is awaited, if it is one. */
  readonly state: State | undefined;
  /** Set when a signal has asked for its cancellation. */
  aborted: { reason: unknown } | undefined;
  /** Stops listening to signals. */
  unlisten: (() => void)[];
}

const pending: (Pending | undefined)[] = [];
const free: number[] = [];
let waiting = 0;

/** Something waits: the process stays alive. */
export function hold(): void {
  if (waiting++ === 0) openInterpreter()!.bell.ref();
}

export function letGo(): void {
  if (--waiting === 0) openInterpreter()!.bell.unref();
}

function listen(entry: Pending, signal: AbortSignal): void {
  const abort = () => {
    if (pending[entry.id] !== entry) return;
    entry.aborted ??= { reason: signal.reason };
    const writer = openRecord(entry.loop, In.cancel);
    writer.u32(entry.id);
    closeRecord(entry.loop);
  };
  if (signal.aborted) return abort();
  entry.unlisten.push(whenAborted(signal, abort));
}

/** As a reaction of the Promise it runs where V8 knows which functions await that. */
function withAwaiters(error: unknown): never {
  if (error instanceof PythonError) PythonError.capture(error);
  throw error;
}

/** Where something is started from. */
interface Origin {
  readonly locals: TaskLocals | undefined;
  readonly place: Place | undefined;
  readonly resource: AsyncResource | undefined;
}

function here(locals: TaskLocals | undefined): Origin {
  return { locals, place: currentPlace(), resource: captureScope() };
}

/** Sends what `payload` holds as a START or AWAIT record and gives the Promise of its outcome. */
function submit(
  kind: number,
  payload: Uint8Array,
  pins: Reference[],
  state: State | undefined,
  from: Origin,
): { promise: Promise<unknown>; entry: Pending } {
  const { loop, context, waits } = placeOf(from.locals, from.place);
  const id = free.pop() ?? pending.length;
  let entry!: Pending;
  const promise = new Promise((resolve, reject) => {
    entry = { id, loop, resolve, reject, pins, state, held: !waits, aborted: undefined, unlisten: [] };
  });
  pending[id] = entry;
  const writer = openRecord(loop, kind);
  writer.u32(id);
  writer.u32(numberScope(from.resource));
  if (context) {
    context.pins++;
    pins.push(context);
    writer.object(context.address);
  } else writer.u8(Tag.none);
  writer.data(payload);
  closeRecord(loop);
  if (entry.held) hold();
  else setTimeout(holdWhatRuns, 20); // Deno ends on an unsettled top-level await before it tells anybody
  return { promise: promise.then(undefined, withAwaiters), entry };
}

function settle(entry: Pending): void {
  pending[entry.id] = undefined;
  free.push(entry.id);
  for (const reference of entry.pins) reference.unpin();
  for (const unlisten of entry.unlisten) unlisten();
  if (entry.held) letGo();
}

/** A DONE record: the task of a Promise has ended. */
export function complete(r: Reader): void {
  const id = r.u32();
  const entry = pending[id];
  const tag = r.bytes[r.at];
  if (tag === Tag.error || tag === Tag.throw) {
    r.at++;
    const error = readError(r, tag);
    if (!entry) return;
    settle(entry);
    const cancelled = entry.aborted && error instanceof PythonError && error.name === "CancelledError";
    return entry.reject(cancelled ? entry.aborted!.reason : error);
  }
  const value = read(r);
  if (!entry) return;
  settle(entry);
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
  for (const entry of pending) {
    if (!entry || !which(entry)) continue;
    settle(entry);
    entry.reject(error(entry));
  }
}

/** A loop is closed: what was awaited on it will never be settled by it. */
export function rejectLoop(loop: number): void {
  rejectAll(() => new Error("Cannot await on this event loop: it was closed"), (entry) => entry.loop === loop);
}

whenLoopIsGone(rejectLoop);

/** Nothing keeps the process alive any more: what waits for a loop that has begun to run since does now. */
function holdWhatRuns(): void {
  if (isClosed()) return;
  for (const entry of pending) {
    if (!entry || entry.held || callHelper("is_loop_running", entry.loop) !== true) continue;
    entry.held = true;
    hold();
  }
}

whenOpened(() => {
  process.on("beforeExit", holdWhatRuns);
});

/** Python has ended: nothing will be settled by it any more. */
export function rejectPending(): void {
  rejectAll(() => new PythonClosedError(), () => true);
}

const scratch = { writer: undefined as Writer | undefined };

/** The bytes of an AWAIT record's awaitable. */
function encodeAwaitable(value: unknown): { bytes: Uint8Array; pins: Reference[] } {
  const writer = scratch.writer ?? new Writer(4096);
  scratch.writer = undefined; // a getter in `value` may await something else
  const e = encoding(writer, interpreter().heapId);
  writer.at = 0;
  writePinned(e, [value]);
  const bytes = writer.bytes.slice(0, writer.at);
  scratch.writer = writer;
  return { bytes, pins: e.pins! };
}

/** Writes values whose message is sent later; what it takes is given back where one cannot be converted. */
function writePinned(e: Encoding, values: readonly unknown[]): void {
  e.pins = [];
  try {
    for (const value of values) write(e, value);
  } catch (error) {
    takeBack(e.handles);
    for (const reference of e.pins) reference.unpin();
    throw error;
  }
}

/** The bytes of a START record that calls one of src/py's `async def`s. */
function encodeHelperCall(name: string, args: readonly unknown[]): { bytes: Uint8Array; pins: Reference[] } {
  const writer = new Writer(1024);
  const e = encoding(writer, interpreter().heapId);
  writeHelper(e, name);
  writer.u32(args.length);
  writePinned(e, args);
  writer.u8(Tag.none);
  return { bytes: writer.bytes.slice(0, writer.at), pins: e.pins! };
}

export function signalOf(options: AwaitOptions): AbortSignal | undefined {
  const { signal } = options;
  if (signal === undefined) return currentPlace()?.served?.signal;
  if (signal === null) return undefined;
  if (typeof signal.addEventListener !== "function" || typeof signal.aborted !== "boolean") {
    throw new TypeError(`Cannot await with signal ${String(signal)}: it has to be an AbortSignal, or null for none`);
  }
  return signal;
}

/** Never started: its signal was aborted before. */
function discard(state: State | undefined, awaitable: unknown, reason: unknown): Promise<never> {
  if (state?.lazy) {
    dropLazy(state.lazy);
    state.lazy = undefined;
  } else if (state && state.kinds & Kind.coroutine && !state.started) callHelper("close_coroutine", awaitable);
  const promise = Promise.reject(reason);
  if (state && state.kinds & Kind.coroutine) state.started = { promise, cancelWith() {} };
  return promise;
}

/**
 * A Promise of any Python awaitable: a coroutine, a Task, a Future, an object with `__await__`.
 *
 * It starts at once, on the background loop; a Task or Future is awaited on its own loop. Aborting `signal` cancels
 * the Python task, and the Promise settles when the task has ended, so its cleanup has run: rejected with
 * `signal.reason` if it ended cancelled, else as it ended.
 *
 * @param awaitable what to await; what is no awaitable rejects at once with a `TypeError` of Python's
 * @param options `signal`, see {@linkcode AwaitOptions}
 * @returns the awaitable's result, converted; rejects with a {@linkcode PythonError} for what it raises
 * @example
 * ```ts
 * import { intoPromise, python } from "pyawait";
 * const asyncio = python.import("asyncio");
 * await intoPromise(asyncio.sleep(0.01, "done"), { signal: AbortSignal.timeout(500) }); // "done"
 * ```
 */
// The result is what Python decides:
export function intoPromise(awaitable: unknown, options: AwaitOptions = {}): Promise<any> {
  try {
    return start(awaitable, signalOf(options), options.locals);
  } catch (error) {
    return Promise.reject(error);
  }
}

function checkOpen(): void {
  if (isClosed()) interpreter(); // throws
  if (isClosing() && currentPlace() === undefined) throw new PythonClosedError();
}

function start(awaitable: unknown, signal: AbortSignal | undefined, locals: TaskLocals | undefined): Promise<unknown> {
  checkOpen();
  const state = stateOf(awaitable);
  if (state?.started) {
    if (signal) state.started.cancelWith(signal);
    return state.started.promise;
  }
  const runs = state !== undefined && (state.kinds & Kind.future) !== 0; // it is cancelled, and awaited until it has ended
  if (signal?.aborted && !runs) return discard(state, awaitable, signal.reason);
  const { promise, entry } = state?.lazy ? submitLazy(state, locals) : submitValue(awaitable, state, locals);
  if (signal) listen(entry, signal);
  if (state && state.kinds & Kind.coroutine) state.started = { promise, cancelWith: (other) => listen(entry, other) };
  return promise;
}

function submitLazy(state: State, locals: TaskLocals | undefined): { promise: Promise<unknown>; entry: Pending } {
  const { bytes, pins, place, resource } = takeLazy(state);
  return submit(In.start, bytes, pins as Reference[], state, { locals, place, resource });
}

function submitValue(
  awaitable: unknown,
  state: State | undefined,
  locals: TaskLocals | undefined,
): { promise: Promise<unknown>; entry: Pending } {
  if (state) addressOf(state); // destroyed: it says so here
  const { bytes, pins } = encodeAwaitable(awaitable);
  return submit(In.await, bytes, pins, state, here(locals));
}

/** Runs one of src/py's `async def`s as a task. */
export function runHelper(name: string, args: readonly unknown[], options: AwaitOptions): Promise<unknown> {
  try {
    const signal = signalOf(options);
    checkOpen();
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { bytes, pins } = encodeHelperCall(name, args);
    const { promise, entry } = submit(In.start, bytes, pins, undefined, here(options.locals));
    if (signal) listen(entry, signal);
    return promise;
  } catch (error) {
    return Promise.reject(error);
  }
}

/** How many Promises wait for Python: for tests. */
export function countPending(): number {
  return waiting;
}
