// The end of Python: by `python.close()` or with the process; a Worker's end does not end it.
//
// JavaScript can run only during `close()`. At the end of the process Python cleans up without it, for at most two
// seconds.
import process from "../ffi/process.ts";
import { clearTimeout, Promise, setTimeout, then } from "../ffi/intrinsics.ts";
import { backend } from "../ffi/mod.ts";
import { inWorker } from "../ffi/in_worker.ts";
import { drainLast, exchange } from "./async/outbox.ts";
import { deliver } from "./async/output.ts";
import { keepAliveForRunningLoops, rejectPending } from "./async/pending.ts";
import { runHelper } from "./async/promise.ts";
import { type Interpreter, isClosed, markClosed, markClosing, openInterpreter } from "./interpreter/interpreter.ts";
import { flush } from "./interpreter/inbox.ts";
import { callHelper } from "./proxy/call.ts";
import { reportRemaining } from "./proxy/never_awaited.ts";
import { toJs } from "./proxy/copy_out.ts";
import { PythonError, readStacks } from "./values/python_error.ts";

const { error: printError } = console;

/** Milliseconds for which Python may clean up where no JavaScript can run. */
const patience = 2000;

/** Implements `python.close()`; `timeout` is in milliseconds. */
export async function closePython(timeout: number): Promise<void> {
  const python = openInterpreter();
  if (python) {
    const ended = then(runHelper("close_down", [timeout / 1000], { signal: null }), undefined, () => {});
    markClosing();
    if (await isLate(ended, timeout + 500)) { // the loop is stuck in code that does not return
      python.shim.pyawait_interrupt(python.heap);
      await isLate(ended, 500);
    }
    exchange();
    endNow();
    python.shim.pyawait_tell_closed(python.heap);
  }
  markClosed();
  rejectPending();
  if (python) python.bell.unref();
}

/** Whether a Promise has not settled after this many milliseconds. */
function isLate(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, true);
    then(promise, () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}

/** Shuts Python down without JavaScript: at the end of the process, and as the last step of close. */
function endNow(): void {
  const python = openInterpreter();
  if (!python || isClosed()) return;
  sendWarnings();
  python.shim.pyawait_exit(python.heap, patience);
  drainLast();
  deliver();
}

/** Ends what this heap has started. Python stays open for the next one, which a watch mode makes in this process. */
function endProgram({ shim, heap }: Interpreter): void {
  sendWarnings();
  callHelper("end_program", patience / 2000);
  drainLast();
  deliver();
  shim.pyawait_heap_end(heap);
}

/** Python goes on for other threads. */
function endWorker({ shim, heap }: Interpreter): void {
  if (!isClosed()) sendWarnings();
  shim.pyawait_heap_end(heap);
}

/** Python warns of coroutines that were never awaited: no finalizer will run. */
function sendWarnings(): void {
  reportRemaining();
  flush();
}

/** Listens for the end of the process or Worker, and for errors that end it. */
export function watchEnds(python: Interpreter): void {
  if (backend.ownsSigchld && !inWorker) {
    process.on("SIGCHLD", () => {}); // installs the runtime's action now, so that it can be put back after uvloop's
    callHelper("keep_child_action");
  }
  // It is asked now, since at the end somebody may hold the GIL and not give it back.
  const runsAgain = !inWorker && backend.runsAgain?.(toJs(callHelper("command_line")) as string[]);
  const end = (code?: number) => {
    if (inWorker) endWorker(python);
    else if (runsAgain && !isClosed()) endProgram(python);
    else {
      endNow();
      if (code !== undefined) python.shim.pyawait_exit_in_any_case(code, patience);
    }
    markClosed(`Cannot use Python: ${inWorker ? "the Worker" : "it has ended, because the process"} is ending`);
  };
  process.on("exit", end);
  process.on("beforeExit", keepAliveForRunningLoops);
  backend.onExit(end);
  // Node prints the error after this event, when Python can no longer be asked for the stack, so it is read now.
  process.on("uncaughtExceptionMonitor", (error, origin) => {
    readStacks(error);
    if (backend.printsProperties && origin === "uncaughtException" && error instanceof PythonError) printError(error);
  });
}
