// deno-lint-ignore-file no-explicit-any -- what Python gives is what Python decides
// Python awaitables as Promises.
//
//    intoPromise(coroutine)            ──► START record, one wake per turn ──►    the loop makes a task
//    the Promise settles  ◄── DONE record, one ring per drain ◄──                its done callback (C)
//
// The loop thread decides between a result and a cancellation: CANCEL is an ordinary record after its START, and DONE
// reports what has happened.
import { rejected, then } from "../../ffi/intrinsics.ts";
import { backend } from "../../ffi/mod.ts";
import type { AsyncResource } from "node:async_hooks";
import { captureScope, numberScope } from "../context/async_scopes.ts";
import { type CallContext, currentCallContext, Served } from "../context/call_context.ts";
import type { NeverAwaited } from "../interpreter/bridge.ts";
import { PythonClosedError } from "../interpreter/closed.ts";
import { closeRecord, In, openRecord } from "../interpreter/inbox.ts";
import { interpreter, isClosed, isClosing } from "../interpreter/interpreter.ts";
import { helper } from "../interpreter/invoke.ts";
import type { Reference } from "../interpreter/reference.ts";
import { callHelper } from "../proxy/call.ts";
import { dropLazy, takeLazy } from "../proxy/lazy_coroutine.ts";
import { addressOf } from "../proxy/lifetime.ts";
import { write } from "../values/encode.ts";
import { type Encoding, encoding, rollBack, takeBack } from "../values/encoding.ts";
import { type Started, type State, stateOf } from "../values/proxy_state.ts";
import { PythonError, takeFrames } from "../values/python_error.ts";
import { Writer } from "../wire/codec.ts";
import { keep, type KeptBytes, keptIn } from "../wire/kept_bytes.ts";
import { Kind, Tag } from "../wire/numbers.ts";
import { addPending, cancelWith, type Pending } from "./pending.ts";
import { destinationOf, type TaskLocals } from "./task_locals.ts";

/** Options of every function that awaits Python. */
export interface AwaitOptions {
  /** The loop and context to run in. Default: the current ones, see {@linkcode getCurrentLocals}. */
  locals?: TaskLocals;
  /**
   * Aborting it cancels the Python task. Default: the signal of the Python await that the calling function serves, see
   * {@linkcode getCurrentSignal}; `null`: none.
   */
  signal?: AbortSignal | null;
}

/** Adds the awaiting functions to the error's stack. V8 knows them only while it runs a reaction of the Promise. */
function withAwaiters(error: unknown): never {
  if (error instanceof PythonError) takeFrames(error);
  throw error;
}

/** The same for an engine that knows them only while it runs an async function. */
async function awaited(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return withAwaiters(error);
  }
}

/** Where an await was started. */
interface Origin {
  readonly locals: TaskLocals | undefined;
  readonly context: CallContext | undefined;
  readonly scope: AsyncResource | undefined;
}

function here(locals: TaskLocals | undefined): Origin {
  return { locals, context: currentCallContext(), scope: captureScope() };
}

/** What is to be sent, as bytes, and what it lends. */
interface Payload extends KeptBytes {
  readonly pins: readonly Reference[];
  readonly handles: readonly number[];
}

/** The bytes of a START or AWAIT record before the payload: id, serial, scope, context. */
const originBytes = 21;

/** Whether Python keeps what awaits a task, for tools outside of the process; known once it is open. */
const tools = { keepsAwaiters: undefined as boolean | undefined };

/** Tells Python for which of its awaits this Promise's task runs. */
function showAwaiter(loop: number, entry: Pending, served: Served): void {
  tools.keepsAwaiters ??= interpreter().location.version.localeCompare("3.14", undefined, { numeric: true }) >= 0;
  if (!tools.keepsAwaiters || served.loop !== loop || served.settled) return;
  const writer = openRecord(loop, In.serves, 12);
  writer.u32(entry.id);
  writer.u32(entry.serial);
  writer.u32(served.slot);
  closeRecord(loop);
}

/** Sends `payload` as a START or AWAIT record and returns the Promise of its outcome. */
function submit(kind: number, payload: Payload, state: State | undefined, from: Origin): Submitted {
  const { bytes, start, end } = payload;
  let to, writer;
  try {
    to = destinationOf(from.locals, from.context);
    writer = openRecord(to.loop, kind, originBytes + end - start);
  } catch (error) {
    takeBack(payload);
    throw error;
  }
  const { loop, context, waits } = to;
  if (context) context.pins++;
  const { promise, entry } = addPending(loop, waits, context ? [...payload.pins, context] : payload.pins, state);
  writer.u32(entry.id);
  writer.u32(entry.serial);
  writer.u32(numberScope(from.scope));
  if (context) writer.object(context.address);
  else writer.u8(Tag.none);
  writer.data(bytes, start, end);
  closeRecord(loop);
  if (from.context?.served instanceof Served) showAwaiter(loop, entry, from.context.served);
  return new Submitted(backend.framesInAsyncOnly ? awaited(promise) : then(promise, undefined, withAwaiters), entry);
}

/** A Promise that waits for Python, and its entry. */
class Submitted implements Started {
  readonly promise: Promise<unknown>;
  readonly entry: Pending;
  constructor(promise: Promise<unknown>, entry: Pending) {
    this.promise = promise;
    this.entry = entry;
  }
  cancelWith(signal: AbortSignal): void {
    cancelWith(this.entry, signal);
  }
}

const scratch = { writer: undefined as Writer | undefined };

/** The payload of an AWAIT record. */
function encodeAwaitable(value: unknown): Payload {
  const writer = scratch.writer ?? new Writer(4096);
  scratch.writer = undefined; // a getter in `value` may start another await
  const e = encoding(writer, interpreter().heapId);
  writer.at = 0;
  writePinned(e, [value]);
  const length = writer.at, start = keep(writer);
  scratch.writer = writer;
  return { bytes: keptIn(), start, end: start + length, pins: e.pins!, handles: e.handles };
}

/** Writes values of a message that is sent later. If one cannot be converted, what the message took is returned. */
function writePinned(e: Encoding, values: readonly unknown[]): void {
  e.pins = [];
  try {
    for (const value of values) write(e, value);
  } catch (error) {
    throw rollBack(e, error);
  }
}

const nowhere: Origin = { locals: undefined, context: undefined, scope: undefined };

/** Tells Python of calls that are never awaited. On the background loop: a finalizer does so, which must not attach. */
export function warnNeverAwaited(calls: readonly NeverAwaited[]): void {
  try {
    const { promise } = submit(In.start, encodeHelperCall("warn_never_awaited", [calls]), undefined, nowhere);
    then(promise, undefined, () => {});
  } catch {
    // There is no memory for it, which must not keep Python from its end.
  }
}

/** The payload of a START record that calls an `async def` of src/py. */
function encodeHelperCall(name: string, args: readonly unknown[]): Payload {
  const writer = new Writer(1024);
  const e = encoding(writer, interpreter().heapId);
  writer.object(helper(name));
  writer.u32(args.length);
  writePinned(e, args);
  writer.u8(Tag.none);
  return { bytes: writer.bytes, start: 0, end: writer.at, pins: e.pins!, handles: e.handles };
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

/** Gives up an awaitable whose signal was aborted before it started. */
function discard(state: State | undefined, awaitable: unknown, reason: unknown): Promise<never> {
  if (state?.lazy) dropLazy(state);
  else if (state && state.kinds & Kind.coroutine && !state.started) callHelper("close_coroutine", awaitable);
  const promise = rejected(reason);
  if (state && state.kinds & Kind.coroutine) state.started = { promise, cancelWith() {} };
  return promise;
}

/**
 * Makes a Promise of any Python awaitable: a coroutine, a Task, a Future, an object with `__await__`. As PyO3 Asyncio's
 * `into_future` and `into_future_with_locals`.
 *
 * It starts at once, on the loop of `locals`; a Task or Future is awaited on its own loop. Aborting `signal` cancels
 * the Python task. The Promise settles when the task has ended, so its cleanup has run: it rejects with `signal.reason`
 * if the task ended cancelled, else settles as the task ended. With a signal that is aborted already, a coroutine is
 * closed and never started.
 *
 * @param awaitable what to await
 * @param options `signal` and `locals`, see {@linkcode AwaitOptions}
 * @returns the result, converted. Rejects with a {@linkcode PythonError} for what the awaitable raises; with a `TypeError`
 *   if it is not awaitable, and for a wrong option; with a {@linkcode PythonClosedError} after `python.close()`
 * @example
 * ```ts
 * import { intoPromise, python } from "pyawait";
 * const asyncio = python.import("asyncio");
 * await intoPromise(asyncio.sleep(0.01, "done"), { signal: AbortSignal.timeout(500) }); // "done"
 * ```
 */
// Python decides the type of the result:
export function intoPromise(awaitable: unknown, options: AwaitOptions = {}): Promise<any> {
  try {
    return start(awaitable, signalOf(options), options.locals);
  } catch (error) {
    return rejected(error);
  }
}

function checkOpen(): void {
  if (isClosed()) interpreter(); // throws
  if (isClosing() && currentCallContext() === undefined) throw new PythonClosedError();
}

function start(awaitable: unknown, signal: AbortSignal | undefined, locals: TaskLocals | undefined): Promise<unknown> {
  const state = stateOf(awaitable);
  if (state?.lazy) state.lazy.awaited = true;
  checkOpen();
  if (state?.started) {
    if (signal) state.started.cancelWith(signal);
    return state.started.promise;
  }
  const runs = state !== undefined && (state.kinds & Kind.future) !== 0; // a Task or Future is cancelled, and awaited until it has ended
  if (signal?.aborted && !runs) return discard(state, awaitable, signal.reason);
  const submitted = state?.lazy ? submitLazy(state, locals) : submitValue(awaitable, state, locals);
  if (signal) submitted.cancelWith(signal);
  if (state && state.kinds & Kind.coroutine) state.started = submitted;
  return submitted.promise;
}

/** False: surely not. Python decides of a generator, which may be a coroutine of the old kind. */
function mayBeAwaited(value: unknown, state: State | undefined): boolean {
  if (state) return (state.kinds & (Kind.awaitable | Kind.coroutine | Kind.future | Kind.generator)) !== 0;
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}

/** What it is, for a message, without running the user's code. */
function describe(value: unknown, state: State | undefined): string {
  if (state) return `a Python ${callHelper("type_name", state.self)}`;
  return value === null || value === undefined ? String(value) : `a JavaScript ${typeof value}`;
}

function submitLazy(state: State, locals: TaskLocals | undefined): Submitted {
  const lazy = takeLazy(state);
  return submit(In.start, lazy, state, { locals, context: lazy.context, scope: lazy.scope });
}

function submitValue(awaitable: unknown, state: State | undefined, locals: TaskLocals | undefined): Submitted {
  if (state) addressOf(state); // throws if it was destroyed
  if (!mayBeAwaited(awaitable, state)) throw new TypeError(`Cannot await ${describe(awaitable, state)}: it is not awaitable`);
  return submit(In.await, encodeAwaitable(awaitable), state, here(locals));
}

/** Runs an `async def` of src/py as a task. */
export function runHelper(name: string, args: readonly unknown[], options: AwaitOptions): Promise<unknown> {
  try {
    const signal = signalOf(options);
    checkOpen();
    if (signal?.aborted) return rejected(signal.reason);
    const submitted = submit(In.start, encodeHelperCall(name, args), undefined, here(options.locals));
    if (signal) submitted.cancelWith(signal);
    return submitted.promise;
  } catch (error) {
    return rejected(error);
  }
}
