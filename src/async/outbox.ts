// What Python sends to this heap: taken from the outbox when it rings, one record after the other.
//
//    DONE      a task has ended                                  ──► promise.ts
//    REQUEST   Python awaits a function or a Promise             ──► runs it, SETTLE goes back
//    ABORT     that await was cancelled                          ──► its signal
//    CALL      a Python thread waits for a function's result     ──► runs it, `answer` goes back
//    RELEASE   Python's last reference to a value has gone       ──► handles.ts
//    ITEM      the next item of a stream                          ──► stream.ts
//    SCOPE_END Python carries an AsyncLocalStorage scope no more  ──► locals.ts
//    LOOP_END  a loop is closed; the background loop: Python is   ──► promise.ts
//    UNPIN     an answer has been read that borrowed references
//    EVENT     output, and errors that nobody awaits
//
// The one thing to know: one record's error never loses the next record, and no code of the user's runs while the
// outbox is held.
import { backend } from "../../ffi/mod.ts";
import { callHelper } from "../proxy/call.ts";
import { read } from "../values/decode.ts";
import { write, writeThrown } from "../values/encode.ts";
import { encoding } from "../values/encoding.ts";
import { PythonError } from "../values/python_error.ts";
import { Source } from "../values/js_functions.ts";
import { giveBack, receive } from "../interpreter/js_handles.ts";
import {
  answerWith,
  begin,
  end,
  helper,
  interpreter,
  isClosed,
  markClosed,
  openInterpreter,
  whenOpened,
} from "../interpreter/interpreter.ts";
import { currentPlace, endScope, enterScope, inPlace, newPlace, Served } from "../context/call_context.ts";
import { callFunction, Op, operate } from "./js_operations.ts";
import { complete, rejectLoop, rejectPending, runHelper } from "./promise.ts";
import type { Reference } from "../interpreter/reference.ts";
import { markAwaited, reportRejectionsWith } from "../context/rejections.ts";
import { BACKGROUND, closeRecord, flush, In, openRecord, whenLoopIsGone } from "../interpreter/inbox.ts";
import { Reader, Tag, Writer } from "../wire/codec.ts";
import { Thrown } from "../values/wrappers.ts";

/** Kinds of records, as `enum out` of ffi/shim/context.h. */
const Out = { done: 1, request: 2, abort: 3, call: 4, release: 5, event: 6, scopeEnd: 7, item: 8, loopEnd: 9, unpin: 10 } as const;

const capacity = 1 << 18;
let buffer: Uint8Array | undefined;
let again: ReturnType<typeof setTimeout> | undefined;

/** Takes what there is; at most so much at once that timers and sockets get their turn. */
function drain(): void {
  const python = openInterpreter();
  if (!python) return;
  buffer ??= backend.allocate(capacity);
  for (let rounds = 0; rounds < 16; rounds++) {
    const length = python.shim.pyawait_take(python.heap, backend.address(buffer), buffer.length);
    if (length === 0) return;
    if (length < 0) buffer = backend.allocate(-length);
    else handle(buffer, length);
  }
  again ??= setTimeout(() => {
    again = undefined;
    drain();
  });
}

function handle(bytes: Uint8Array, length: number): void {
  const r = new Reader(bytes);
  while (r.at < length) {
    const next = r.at + r.u32();
    try {
      handleRecord(r);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
    r.at = next;
  }
}

let ended = false;

function handleRecord(r: Reader): void {
  const kind = r.u8();
  if (ended && kind !== Out.done && kind !== Out.event) return;
  switch (kind) {
    case Out.done:
      return complete(r);
    case Out.request:
      return serve(r);
    case Out.abort:
      return abort(r);
    case Out.call:
      return call(r, false);
    case Out.release:
      return giveBack(r.u32(), r.u32());
    case Out.event:
      return event(r.u8(), read(r));
    case Out.scopeEnd:
      return endScope(r.u32());
    case Out.item:
      return (receive(r.u32()) as { push(item: unknown): void }).push(read(r));
    case Out.loopEnd:
      return endLoop(r.u32());
    case Out.unpin:
      return unpin(r.u32());
  }
}

function endLoop(loop: number): void {
  if (loop !== BACKGROUND) return rejectLoop(loop), unpinLoop(loop);
  markClosed(); // another thread has closed Python
  rejectPending();
  openInterpreter()!.bell.unref();
}

/** What REQUEST and CALL carry: the scope and context that they come from, the operation, the value, the arguments. */
interface Request {
  readonly scope: number;
  readonly context: number;
  readonly op: number;
  readonly value: unknown;
  readonly args: unknown[];
  readonly keywords: Record<string, unknown> | null;
}

function readRequest(r: Reader): Request {
  const scope = r.u32(), context = readAddress(r), op = r.u8(), value = receive(r.u32());
  return { scope, context, op, value, args: read(r) as unknown[], keywords: read(r) as Record<string, unknown> | null };
}

/** An object's address, with the reference to it, or 0 for None. */
function readAddress(r: Reader): number {
  if (r.u8() !== Tag.object) return 0;
  r.u32();
  return r.address();
}

// Awaits of Python's -----------------------------------------------------------------------------------------------

const serving = new Map<string, { served: Served; source: Source | undefined }>();
const key = (loop: number, slot: number) => `${loop}:${slot}`;

/** REQUEST: runs an async function, or waits for a Promise, and settles the future that waits in Python. */
function serve(r: Reader): void {
  const served = new Served(r.u32(), r.u32());
  const { scope, context, op, value, args, keywords } = readRequest(r);
  const place = newPlace(served.loop, context, served);
  const source = value instanceof Source ? value : undefined;
  serving.set(key(served.loop, served.slot), { served, source });
  let promise: PromiseLike<unknown>;
  try {
    markAwaited(value);
    if (op === Op.await) promise = Promise.resolve(source ? begun(source, served) : value);
    else {promise = Promise.resolve(enterScope(scope, place, () =>
        op === Op.call ? callFunction(value, args, keywords) : operate(op, value, args, keywords)));}
  } catch (error) {
    promise = Promise.reject(error);
  }
  promise.then((result) => settle(served, false, result), (error) => settle(served, true, error));
}

/** A Promise that starts when it is first awaited: what it starts itself is cancelled with its last await. */
function begun(source: Source, served: Served): Promise<unknown> {
  if (source.taken) served.take();
  source.whenTaken = takeAll;
  return source.begin((start) => inPlace({ ...(currentPlace() ?? nowhere), served: source }, start));
}

const nowhere = { loop: BACKGROUND, running: false, context: undefined, locals: undefined };

function takeAll(source: Source): void {
  for (const each of serving.values()) if (each.source === source && !each.served.taken) each.served.take();
}

const settling = { writer: undefined as Writer | undefined };

function settle(served: Served, thrown: boolean, value: unknown): void {
  if (served.settled) return;
  served.settled = true;
  serving.delete(key(served.loop, served.slot));
  if (isClosed()) return;
  const payload = settling.writer ?? new Writer(4096);
  settling.writer = undefined; // a getter in `value` may settle something else
  encodeOutcome(payload, thrown, value, served.loop);
  const writer = openRecord(served.loop, In.settle);
  writer.u32(served.slot);
  writer.data(payload.bytes.subarray(0, payload.at));
  closeRecord(served.loop);
  settling.writer = payload;
}

/**
 * The number of what is pinned for it, and a value, or what was thrown; what cannot be converted is thrown instead.
 *
 * @param reader the loop that will read it, or `undefined` for a thread
 */
function encodeOutcome(writer: Writer, thrown: boolean, value: unknown, reader: number | undefined): void {
  const e = encoding(writer, interpreter().heapId);
  if (reader !== BACKGROUND) e.pins = [];
  writer.at = 0;
  writer.u32(0);
  try {
    thrown ? writeThrown(e, value) : write(e, value);
  } catch (error) {
    for (const id of e.handles) giveBack(id, 1);
    for (const reference of e.pins?.splice(0) ?? []) reference.unpin();
    e.handles.length = 0;
    e.containers = undefined;
    writer.at = 4;
    writeThrown(e, error);
  }
  if (e.pins?.length) writer.patch32(0, pin(e.pins, reader));
}

// Answers that borrow references and are read by others than the background loop, whose inbox gets the releases: these
// must not be faster.
const pinned = new Map<number, { references: Reference[]; reader: number | undefined }>();
let lastPinned = 0;

function pin(references: Reference[], reader: number | undefined): number {
  do lastPinned = lastPinned === 0xffff_ffff ? 1 : lastPinned + 1; while (pinned.has(lastPinned));
  pinned.set(lastPinned, { references, reader });
  return lastPinned;
}

function unpin(id: number): void {
  const references = pinned.get(id)?.references ?? [];
  pinned.delete(id);
  for (const reference of references) reference.unpin();
}

function unpinLoop(loop: number): void {
  for (const [id, { reader }] of [...pinned]) if (reader === loop) unpin(id);
}
whenLoopIsGone(unpinLoop);

/** ABORT: Python has cancelled this await. */
function abort(r: Reader): void {
  const loop = r.u32(), slot = r.u32();
  const request = serving.get(key(loop, slot));
  r.u8();
  const error = new PythonError(read(r), String(read(r)), String(read(r)), Number(read(r)));
  const reason = new DOMException("Python cancelled the await", "AbortError");
  Object.defineProperty(reason, "cause", { value: error, configurable: true, writable: true });
  request?.served.abort(reason);
  request?.source?.controller.abort(reason);
  if (request && !request.served.taken) settle(request.served, false, undefined); // Python has given it up: its slot is free
}

// Calls that a thread waits for -------------------------------------------------------------------------------------

function call(r: Reader, direct: boolean): void {
  const id = r.u32(), loop = r.u32();
  const { scope, context, op, value, args, keywords } = readRequest(r);
  const place = newPlace(loop, context, undefined);
  let thrown = false, result: unknown;
  try {
    result = enterScope(scope, place, () => operate(op, value, args, keywords));
  } catch (error) {
    thrown = true;
    result = error;
  }
  answer(id, thrown, result, direct);
}

/** @param direct whether Python reads it on this very thread, before JavaScript goes on */
function answer(id: number, thrown: boolean, result: unknown, direct: boolean): void {
  const level = begin();
  try {
    const { input } = level, { shim, heap } = interpreter();
    encodeOutcome(input, thrown, result, direct ? BACKGROUND : undefined);
    const answered = shim.pyawait_answer(heap, id, input.pointer, input.at);
    if (answered === 0) unpin(input.view.getUint32(0, true));
  } finally {
    end();
  }
}

let tooDeep: Writer;
whenOpened(() => {
  tooDeep = new Writer(16);
  tooDeep.u32(0);
  tooDeep.u8(Tag.throw);
  tooDeep.object(helper("TooDeep"));
});

/** The stack has ended in code of ours: Python is told so, in the one call for which there may still be room. */
function tellTooDeep(id: number): boolean {
  try {
    const { shim, heap } = interpreter();
    shim.pyawait_answer(heap, id, tooDeep.pointer, tooDeep.at);
    return true;
  } catch {
    return false; // Python raises that there was no answer
  }
}

/** Python calls JavaScript on this very thread, inside a synchronous call: the record is fetched, not drained. */
function callDirectly(id: number): void {
  try {
    const { shim, heap } = interpreter();
    const level = begin();
    try {
      let r = level.reader;
      r.at = 0;
      const length = shim.pyawait_call_record(heap, level.output, level.capacity);
      if (length < 0) {
        const large = backend.allocate(-length);
        shim.pyawait_call_record(heap, backend.address(large), large.length);
        r = new Reader(large);
      }
      r.at = 5; // its size and kind
      call(r, true);
    } finally {
      end();
    }
  } catch (error) {
    if (error instanceof RangeError && tellTooDeep(id)) return;
    queueMicrotask(() => { // never through C: it would end the process
      throw error;
    });
  }
}

answerWith(drain, callDirectly);
reportRejectionsWith((error, loop = BACKGROUND) => {
  const to = loop === BACKGROUND || callHelper("is_loop_running", loop) === true ? loop : BACKGROUND;
  const place = { loop: to, running: true, context: undefined, locals: undefined, served: undefined };
  inPlace(place, () => runHelper("report_rejection", [new Thrown(error)], { signal: null })).catch(() => {});
});

// Events ------------------------------------------------------------------------------------------------------------

/** Codes of EVENT records. */
export const Event = { stdout: 1, stderr: 2 } as const;
const listeners = new Map<number, (value: unknown) => void>();

export function listenTo(code: number, fn: (value: unknown) => void): void {
  listeners.set(code, fn);
}

function event(code: number, value: unknown): void {
  listeners.get(code)?.(value);
}

/** Takes what Python has left behind at its end: results and output. Nothing is run for it any more. */
export function drainLast(): void {
  ended = true;
  drain();
}

/** Everything that has been collected for Python is sent, and all that Python has sent is taken: for close. */
export function exchange(): void {
  flush();
  drain();
}
