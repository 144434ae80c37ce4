// Serves Python's calls and awaits of JavaScript: runs what is asked for, and answers.
//
// A future or a thread in Python waits for the answer, so every record gets one: a result, or what was thrown.
import { then, throwUncaught } from "../../ffi/intrinsics.ts";
import { backend } from "../../ffi/mod.ts";
import { enterScope } from "../context/async_scopes.ts";
import { type CallContext, currentCallContext, newCallContext, runInCallContext, Served } from "../context/call_context.ts";
import { markAwaited } from "../context/rejections.ts";
import { nextId } from "../interpreter/ids.ts";
import { BACKGROUND, closeRecord, In, openRecord } from "../interpreter/inbox.ts";
import { interpreter, isClosed } from "../interpreter/interpreter.ts";
import { begin, beginReading, end, endReading, helper, nestedCalls } from "../interpreter/invoke.ts";
import { receive } from "../interpreter/js_handles.ts";
import type { Reference } from "../interpreter/reference.ts";
import { callHelper } from "../proxy/call.ts";
import { read, readError, releaseUnread } from "../values/decode.ts";
import { Deferred } from "../values/deferred.ts";
import { write, writeThrown } from "../values/encode.ts";
import { type Encoding, encoding, rollBack } from "../values/encoding.ts";
import { Thrown } from "../values/wrappers.ts";
import { Reader, Writer } from "../wire/codec.ts";
import { JsOperation, LARGE, Tag } from "../wire/numbers.ts";
import { outsideOfLoops } from "../proxy/current_loop.ts";
import { operate } from "./js_operations.ts";
import { runHelper } from "./promise.ts";

/** What REQUEST and CALL begin with: the scope and context of the caller, the operation, the value. */
interface Request {
  readonly scope: number;
  readonly context: CallContext;
  readonly operation: number;
  readonly value: unknown;
}

function readRequest(r: Reader, loop: number, served: Served | undefined): Request {
  const scope = r.u32(), context = newCallContext(loop, readAddress(r), served);
  return { scope, context, operation: r.u8(), value: receive(r.u32()) };
}

/** Reads the arguments and performs the operation. What cannot be read is thrown, and so becomes the answer. */
function perform({ scope, context, operation, value }: Request, r: Reader): unknown {
  const start = r.at;
  let args: unknown[], keywords: Record<string, unknown> | null;
  try {
    if (nestedCalls() > 8 && !hasRoom()) callHelper("too_deep", nestedCalls(), backend.largerStack ?? null);
    args = read(r) as unknown[];
    keywords = read(r) as Record<string, unknown> | null;
  } catch (error) {
    releaseUnread(r, start, 2);
    throw error;
  }
  return enterScope(scope, context, () => operate(operation, value, args, keywords));
}

const { apply } = Reflect;
const takesRoom = () => {};
const room: undefined[] = new Array(8192).fill(undefined); // as arguments, 64 KiB of stack: V8 compiles a function where 40 are left

/**
 * Whether the stack has room for a function and for another call into Python. Where it ends, an engine's RangeError may
 * come anywhere in pyawait's code or the program's, with no room to say what has happened.
 */
function hasRoom(): boolean {
  try {
    apply(takesRoom, undefined, room);
    return true;
  } catch {
    return false;
  }
}

/** An object's address, with a reference to it; 0 for None. */
function readAddress(r: Reader): number {
  if (r.u8() !== Tag.object) return 0;
  r.u32(), r.u32(); // kinds, type
  return r.address();
}

// Python's awaits ---------------------------------------------------------------------------------------------------

/** What this heap serves; only this file writes it. */
const answers = {
  /** Python awaits that have not ended, by loop and slot. */
  serving: new Map<string, { served: Served; deferred: Deferred | undefined }>(),
  /** Memory for the next SETTLE; absent while one is written, because a getter in its value may settle another. */
  settling: undefined as Writer | undefined,
  /** Answers that borrow references and that Python has not read, by number. */
  pinned: new Map<number, { references: Reference[]; reader: number | undefined }>(),
  lastPinned: 0,
  /** Calls that this thread has served while it waited in C, whose records are still to come. */
  early: new Set<number>(),
  /** The answer to a call for which the stack has no room, written in advance. */
  tooDeep: undefined as Writer | undefined,
};

const key = (loop: number, slot: number) => `${loop}:${slot}`;

/** Handles a REQUEST: runs an async function or waits for a Promise, then settles the Python future that waits. */
export function serve(r: Reader): void {
  const served = new Served(r.u32(), r.u32());
  const request = readRequest(r, served.loop, served), { operation, value } = request;
  const deferred = value instanceof Deferred ? value : undefined;
  answers.serving.set(key(served.loop, served.slot), { served, deferred });
  let result: unknown;
  try {
    markAwaited(value);
    if (operation !== JsOperation.await) result = perform(request, r);
    else result = deferred ? begun(deferred, served) : value;
  } catch (error) {
    return settle(served, true, error);
  }
  void settleWith(served, result);
}

/** `await`, because the object may be a Promise with a `then` of its own that is no function. */
async function settleWith(served: Served, result: unknown): Promise<void> {
  let value: unknown, thrown = false;
  try {
    value = await result;
  } catch (error) {
    thrown = true;
    value = error;
  }
  settle(served, thrown, value);
}

/** The Promise of a Deferred, started if it was not. What it starts itself is cancelled with its last await. */
function begun(deferred: Deferred, served: Served): Promise<unknown> {
  if (deferred.taken) served.take();
  deferred.whenTaken = takeAll;
  return deferred.begin((start) => runInCallContext({ ...(currentCallContext() ?? nowhere), served: deferred }, start));
}

const nowhere = { loop: BACKGROUND, running: false, context: undefined, locals: undefined };

function takeAll(deferred: Deferred): void {
  for (const each of answers.serving.values()) if (each.deferred === deferred && !each.served.taken) each.served.take();
}

function settle(served: Served, thrown: boolean, value: unknown): void {
  if (served.settled) return;
  served.settled = true;
  answers.serving.delete(key(served.loop, served.slot));
  if (isClosed()) return;
  const payload = answers.settling ?? new Writer(4096);
  answers.settling = undefined;
  encodeOutcome(payload, thrown, value, served.loop);
  const writer = openRecord(served.loop, In.settle, 4 + payload.at);
  writer.u32(served.slot);
  writer.data(payload.bytes, 0, payload.at);
  closeRecord(served.loop);
  if (payload.bytes.length <= LARGE) answers.settling = payload; // else it is too large to keep
}

/**
 * Writes an answer: the number of its pins, then a value or what was thrown. A value that cannot be converted becomes
 * the error that says so, and an error that cannot be converted one that says that.
 *
 * @param reader the loop that will read it, `undefined` for a thread; `"here"`: it is read before JavaScript goes on
 */
function encodeOutcome(writer: Writer, thrown: boolean, value: unknown, reader: number | undefined | "here"): void {
  const e = encoding(writer, interpreter().heapId);
  if (reader !== "here") e.pins = [];
  writer.at = 0;
  writer.u32(0);
  try {
    thrown ? writeThrown(e, value) : write(e, value);
  } catch (error) {
    writeProblem(e, rollBack(e, error));
  }
  if (e.pins?.length) writer.patch32(0, pin(e.pins, reader as number | undefined));
}

function writeProblem(e: Encoding, problem: unknown): void {
  const start = e.writer.at = 4;
  try {
    writeThrown(e, problem);
  } catch (error) { // it is a Proxy with a trap that throws, say
    rollBack(e, error);
    e.writer.at = start;
    writeThrown(e, new Error("JavaScript threw a value that cannot be converted to Python"));
  }
}

// Keeps the references that an answer borrows until its reader has read it: a release goes with any synchronous call.
function pin(references: Reference[], reader: number | undefined): number {
  answers.lastPinned = nextId(answers.lastPinned, answers.pinned);
  answers.pinned.set(answers.lastPinned, { references, reader });
  return answers.lastPinned;
}

export function unpin(id: number): void {
  const references = answers.pinned.get(id)?.references ?? [];
  answers.pinned.delete(id);
  for (const reference of references) reference.unpin();
}

/** The loop is closed: it reads no answers, and asks for none. */
export function forgetLoop(loop: number): void {
  for (const [id, { reader }] of [...answers.pinned]) if (reader === loop) unpin(id);
  for (const [key, { served }] of answers.serving) {
    if (served.loop !== loop) continue;
    served.settled = true;
    answers.serving.delete(key);
  }
}

/** How many awaits of Python's are served, and how many answers are pinned; for leak tests. */
export function countServed(): { serving: number; pinned: number } {
  return { serving: answers.serving.size, pinned: answers.pinned.size };
}

/** Handles an ABORT: Python has cancelled this await. */
export function abort(r: Reader): void {
  const loop = r.u32(), slot = r.u32();
  const request = answers.serving.get(key(loop, slot));
  const start = r.at;
  let error: unknown;
  try {
    error = readError(r, r.u8());
  } catch (unreadable) {
    releaseUnread(r, start, 1);
    error = unreadable;
  }
  const reason = new DOMException("Python cancelled the await", "AbortError");
  Object.defineProperty(reason, "cause", { value: error, configurable: true, writable: true });
  request?.served.abort(reason);
  request?.deferred?.controller.abort(reason);
  if (request && !request.served.taken) settle(request.served, false, undefined); // Python has given the await up, and its slot is free
}

// Calls that a thread waits for -------------------------------------------------------------------------------------

/** Handles a CALL: runs a function whose Python thread waits for the answer. */
export function answerCall(r: Reader): void {
  const id = r.u32();
  if (answers.early.delete(id)) return;
  const { shim, heap: address } = interpreter();
  shim.pyawait_begin_call(address, id); // not to be given to us once more while its function waits in C
  serveCall(r, id, false);
}

function serveCall(r: Reader, id: number, direct: boolean): void {
  const loop = r.u32();
  const request = readRequest(r, loop, undefined);
  let thrown = false, result: unknown;
  try {
    result = perform(request, r);
  } catch (error) {
    thrown = true;
    result = error;
  }
  answer(id, thrown, result, direct);
}

/** @param direct whether Python reads it on this very thread, before JavaScript continues */
function answer(id: number, thrown: boolean, result: unknown, direct: boolean): void {
  const level = begin();
  try {
    const { input } = level, { shim, heap: address } = interpreter();
    encodeOutcome(input, thrown, result, direct ? "here" : undefined);
    const answered = shim.pyawait_answer(address, id, input.pointer, input.at);
    if (answered === 0) unpin(input.view.getUint32(0, true));
  } finally {
    end();
  }
}

/** Writes the answer to a stack overflow in advance, while there is stack for it. */
export function prepareTooDeep(): void {
  const answer = answers.tooDeep = new Writer(16);
  answer.u32(0);
  answer.u8(Tag.throw);
  answer.object(helper("TooDeep"));
}

/** The stack has overflowed in pyawait's own code: answers with one call, for which there may still be room. */
function tellTooDeep(id: number): boolean {
  try {
    const { shim, heap: address } = interpreter();
    shim.pyawait_answer(address, id, answers.tooDeep!.pointer, answers.tooDeep!.at);
    return true;
  } catch {
    return false; // Python then raises that there was no answer
  }
}

/**
 * Handles a call that Python makes on this thread during a synchronous call; its record is fetched, not drained.
 *
 * @param number its id; `~id` of another thread's call that is served while this one waits in C
 */
export function callDirectly(number: number): void {
  const direct = number >= 0, id = direct ? number : ~number;
  try {
    const { shim, heap: address } = interpreter();
    const level = beginReading();
    try {
      let r = level.reader;
      r.at = 0;
      const length = shim.pyawait_call_record(address, level.output, level.capacity);
      if (length < 0) {
        const large = backend.allocate(-length);
        shim.pyawait_call_record(address, backend.address(large), large.length);
        r = new Reader(large);
      }
      r.at = 9; // skips the record's size and kind, and the id
      if (!direct) answers.early.add(id);
      outsideOfLoops(() => serveCall(r, id, direct));
    } finally {
      endReading();
    }
  } catch (error) {
    if (error instanceof RangeError && tellTooDeep(id)) return;
    throwUncaught(error); // an exception must not pass through C: it would end the process
  }
}

/**
 * Reports an error that no code awaits to the exception handler of the loop that was current, or of the background
 * loop.
 */
export function reportToLoop(error: unknown, loop: number = BACKGROUND): void {
  const to = loop === BACKGROUND || callHelper("is_loop_running", loop) === true ? loop : BACKGROUND;
  const context = { loop: to, running: true, context: undefined, locals: undefined, served: undefined };
  const reported = runInCallContext(context, () => runHelper("report_rejection", [new Thrown(error)], { signal: null }));
  then(reported, undefined, () => {});
}
