// The end of Python: by `python.close()` or with the process; a Worker's end does not end it.
//
// JavaScript can run only during `close()`. At the end of the process Python cleans up without it, for at most two
// seconds.
import process from "node:process";
import { backend } from "../ffi/mod.ts";
import { inWorker } from "../ffi/in_worker.ts";
import { drainLast, exchange } from "./async/outbox.ts";
import { deliver } from "./async/output.ts";
import { keepAliveForRunningLoops, rejectPending } from "./async/pending.ts";
import { runHelper } from "./async/promise.ts";
import { type Interpreter, isClosed, markClosed, markClosing, openInterpreter } from "./interpreter/interpreter.ts";
import { callHelper } from "./proxy/call.ts";
import { PythonError } from "./values/python_error.ts";

/** Milliseconds for which Python may clean up where no JavaScript can run. */
const patience = 2000;

/** Implements `python.close()`; `timeout` is in milliseconds. */
export async function closePython(timeout: number): Promise<void> {
  const python = openInterpreter();
  if (python) {
    const ended = runHelper("close_down", [timeout / 1000], { signal: null }).catch(() => {});
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
async function isLate(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(resolve, milliseconds, true));
  return await Promise.race([late, promise.then(() => false)]).finally(() => clearTimeout(timer));
}

/** Shuts Python down without JavaScript: at the end of the process, and as the last step of close. */
function endNow(): void {
  const python = openInterpreter();
  if (!python || isClosed()) return;
  python.shim.pyawait_exit(python.heap, patience);
  drainLast();
  deliver();
}

/** Listens for the end of the process or Worker, and for errors that end it. */
export function watchEnds({ shim, heap }: Interpreter): void {
  if (backend.ownsSigchld && !inWorker) {
    process.on("SIGCHLD", () => {}); // installs the runtime's action now, so that it can be put back after uvloop's
    callHelper("keep_child_action");
  }
  const end = () => {
    if (!inWorker) endNow();
    else shim.pyawait_heap_end(heap); // Python goes on for other threads
    markClosed(`Cannot use Python: ${inWorker ? "the Worker" : "it has ended, because the process"} is ending`);
  };
  process.on("exit", end);
  process.on("beforeExit", keepAliveForRunningLoops);
  backend.onExit(end);
  // Node prints the error after this event, when Python can no longer be asked for the stack, so it is read now.
  process.on("uncaughtExceptionMonitor", (error) => error instanceof PythonError && error.stack);
}
