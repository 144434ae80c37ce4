// deno-lint-ignore-file no-explicit-any -- what Python gives is what Python decides
// Python awaitables as Promises.
//
//    intoPromise(coroutine)            ──► START record, one wake per turn ──►    the loop makes a task
//    the Promise settles  ◄── DONE record, one ring per drain ◄──                its done callback (C)
//
// The loop thread decides between a result and a cancellation. CANCEL is a record like any other, behind its START; what
// DONE says is what has happened.
import type { AsyncResource } from "node:async_hooks";
import { captureScope, numberScope } from "../context/async_scopes.ts";
import { type CallContext, currentCallContext } from "../context/call_context.ts";
import { PythonClosedError } from "../interpreter/closed.ts";
import { closeRecord, In, openRecord } from "../interpreter/inbox.ts";
import { interpreter, isClosed, isClosing } from "../interpreter/interpreter.ts";
import { helper } from "../interpreter/invoke.ts";
import type { Reference } from "../interpreter/reference.ts";
import { callHelper } from "../proxy/call.ts";
import { dropLazy, takeLazy } from "../proxy/lazy_coroutine.ts";
import { addressOf } from "../proxy/lifetime.ts";
import { write } from "../values/encode.ts";
import { type Encoding, encoding, rollBack } from "../values/encoding.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { PythonError, takeFrames } from "../values/python_error.ts";
import { Writer } from "../wire/codec.ts";
import { Kind, Tag } from "../wire/numbers.ts";
import { addPending, cancelWith, type Pending } from "./pending.ts";
import { destinationOf, type TaskLocals } from "./task_locals.ts";

/** Options of everything that awaits Python. */
export interface AwaitOptions {
  /** The loop and context to run in. Default: the current ones. */
  locals?: TaskLocals;
  /** Aborting it cancels the Python task. Default: the signal of the await that is being served; `null`: none. */
  signal?: AbortSignal | null;
}

/** As a reaction of the Promise it runs where V8 knows which functions await that. */
function withAwaiters(error: unknown): never {
  if (error instanceof PythonError) takeFrames(error);
  throw error;
}

/** Where something is started from. */
interface Origin {
  readonly locals: TaskLocals | undefined;
  readonly context: CallContext | undefined;
  readonly scope: AsyncResource | undefined;
}

function here(locals: TaskLocals | undefined): Origin {
  return { locals, context: currentCallContext(), scope: captureScope() };
}

/** Sends what `payload` holds as a START or AWAIT record and gives the Promise of its outcome. */
function submit(
  kind: number,
  payload: Uint8Array,
  pins: Reference[],
  state: State | undefined,
  from: Origin,
): { promise: Promise<unknown>; entry: Pending } {
  const { loop, context, waits } = destinationOf(from.locals, from.context);
  const { promise, entry } = addPending(loop, waits, pins, state);
  const writer = openRecord(loop, kind);
  writer.u32(entry.id);
  writer.u32(numberScope(from.scope));
  if (context) {
    context.pins++;
    pins.push(context);
    writer.object(context.address);
  } else writer.u8(Tag.none);
  writer.data(payload);
  closeRecord(loop);
  return { promise: promise.then(undefined, withAwaiters), entry };
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
    throw rollBack(e, error);
  }
}

/** The bytes of a START record that calls one of src/py's `async def`s. */
function encodeHelperCall(name: string, args: readonly unknown[]): { bytes: Uint8Array; pins: Reference[] } {
  const writer = new Writer(1024);
  const e = encoding(writer, interpreter().heapId);
  writer.object(helper(name));
  writer.u32(args.length);
  writePinned(e, args);
  writer.u8(Tag.none);
  return { bytes: writer.bytes.slice(0, writer.at), pins: e.pins! };
}

export function signalOf(options: AwaitOptions): AbortSignal | undefined {
  const { signal } = options;
  if (signal === undefined) return currentCallContext()?.served?.signal;
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
  if (isClosing() && currentCallContext() === undefined) throw new PythonClosedError();
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
  if (signal) cancelWith(entry, signal);
  if (state && state.kinds & Kind.coroutine) state.started = { promise, cancelWith: (other) => cancelWith(entry, other) };
  return promise;
}

function submitLazy(state: State, locals: TaskLocals | undefined): { promise: Promise<unknown>; entry: Pending } {
  const { bytes, pins, context, scope } = takeLazy(state);
  return submit(In.start, bytes, pins as Reference[], state, { locals, context, scope });
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
    if (signal) cancelWith(entry, signal);
    return promise;
  } catch (error) {
    return Promise.reject(error);
  }
}
