// Takes the records that Python has sent to this heap when it rings, and dispatches them one by one.
//
//    DONE      a task has ended                                   ──► pending.ts
//    REQUEST   Python awaits a function or a Promise              ──► serve.ts runs it, SETTLE goes back
//    ABORT     that await was cancelled                           ──► serve.ts aborts its signal
//    CALL      a Python thread waits for a function's result      ──► serve.ts runs it, `answer` goes back
//    UNPIN     Python has read an answer that borrows references  ──► serve.ts
//    ITEM      the next item of a stream                          ──► stream.ts
//    LOOP_END  a loop is closed; the background loop: Python is   ──► pending.ts
//    RELEASE   Python's last reference to a value is gone         ──► interpreter/js_handles.ts
//    SCOPE_END Python no longer carries an AsyncLocalStorage scope ─► context/async_scopes.ts
//    EVENT     output                                             ──► output.ts
//              whose a signal is                                  ──► signals.ts
//
// What cannot be read is the answer to its record. Any other error here must not lose the next record, so it is rethrown
// from a microtask.
import { setTimeout, throwUncaught } from "../../ffi/intrinsics.ts";
import { backend } from "../../ffi/mod.ts";
import { endScope } from "../context/async_scopes.ts";
import { bridge } from "../interpreter/bridge.ts";
import { PythonClosedError } from "../interpreter/closed.ts";
import { BACKGROUND, flush } from "../interpreter/inbox.ts";
import { type Interpreter, markClosed, openInterpreter, takeBack } from "../interpreter/interpreter.ts";
import { giveBack, receive } from "../interpreter/js_handles.ts";
import { callHelper } from "../proxy/call.ts";
import { read, releaseUnread } from "../values/decode.ts";
import { Reader } from "../wire/codec.ts";
import { EventCode, Out } from "../wire/numbers.ts";
import { printed } from "./output.ts";
import { complete, rejectPending } from "./pending.ts";
import { abort, answerCall, serve, unpin } from "./serve.ts";
import { setSignalOwner } from "./signals.ts";

const capacity = 1 << 18;

/** How this heap takes its records; only this file writes it. */
export const outbox = {
  buffer: undefined as Uint8Array | undefined,
  /** Set if the rest is taken in a later turn. */
  again: undefined as ReturnType<typeof setTimeout> | undefined,
  /** Python has ended: only results and output are still handled. */
  ended: false,
};

/** Opens the listening end of this heap's bell, for Python to ring. */
export function openBell(python: Interpreter): void {
  const { bell, heapId } = python;
  /** A bell that listens, or fails, in a later turn may find that this heap has left Python: that Python was closing. */
  const joined = () => openInterpreter() === python;
  bell.open(
    () => Number(callHelper("connect_pipe", heapId)),
    (name) => void (joined() && callHelper("connect_socket", heapId, name)),
    (error) => void (joined() && rejectPending(error instanceof PythonClosedError ? error : takeBack(error))),
  );
}

/** Takes and handles the waiting records, at most 16 buffers at once so that timers and sockets get their turn. */
export function drain(): void {
  const python = openInterpreter();
  if (!python) return;
  outbox.buffer ??= backend.allocate(capacity);
  for (let rounds = 0; rounds < 16; rounds++) {
    const length = python.shim.pyawait_take(python.heap, backend.address(outbox.buffer), outbox.buffer.length);
    if (length === 0) return;
    if (length > 0) handle(outbox.buffer, length);
    else if (!enlarge(-length)) return drainLater(100);
    if (length > 0 && outbox.buffer.length > 1 << 22) outbox.buffer = backend.allocate(capacity); // too large to keep
  }
  drainLater(0);
}

/** Makes room for a record of this length. False: there is no memory; the record waits in the shim. */
function enlarge(length: number): boolean {
  try {
    outbox.buffer = backend.allocate(length);
    return true;
  } catch {
    return false;
  }
}

function drainLater(milliseconds: number): void {
  outbox.again ??= setTimeout(() => {
    outbox.again = undefined;
    drain();
  }, milliseconds);
}

function handle(bytes: Uint8Array, length: number): void {
  const r = new Reader(bytes);
  while (r.at < length) {
    const next = r.at + r.u32();
    try {
      handleRecord(r);
    } catch (error) {
      throwUncaught(error);
    }
    r.at = next;
  }
}

function handleRecord(r: Reader): void {
  const kind = r.u8();
  if (outbox.ended && kind !== Out.done && kind !== Out.event) return;
  switch (kind) {
    case Out.done:
      return complete(r);
    case Out.request:
      return serve(r);
    case Out.abort:
      return abort(r);
    case Out.call:
      return answerCall(r);
    case Out.release:
      return giveBack(r.u32(), r.u32());
    case Out.event:
      return handleEvent(r.u8(), read(r));
    case Out.scopeEnd:
      return endScope(r.u32());
    case Out.item:
      return deliverItem(r);
    case Out.loopEnd:
      return endLoop(r.u32());
    case Out.unpin:
      return unpin(r.u32());
  }
}

function handleEvent(code: number, value: unknown): void {
  if (code === EventCode.signal) setSignalOwner((value as number) >> 2, (value as number) & 3);
  else printed(code, value as string);
}

/** An item that cannot be read is the end of its stream, with that error. */
function deliverItem(r: Reader): void {
  const stream = receive(r.u32()) as { push(item: unknown): void; fail(error: unknown): void } | undefined, start = r.at;
  let item: unknown;
  try {
    item = read(r);
  } catch (error) {
    releaseUnread(r, start, 1);
    return stream?.fail(error);
  }
  stream?.push(item);
}

function endLoop(loop: number): void {
  if (loop !== BACKGROUND) return bridge.onLoopEnd(loop);
  markClosed(); // another thread has closed Python
  rejectPending();
  openInterpreter()!.bell.unref();
}

/** Handles the results and output that Python left at its end. No more functions are run for it. */
export function drainLast(): void {
  outbox.ended = true;
  drain();
}

/** Sends all collected records and handles all waiting ones; for close. */
export function exchange(): void {
  flush();
  drain();
}
