// How Python ends: with `python.close()`, with the process, or, for a Worker's heap, not at all.
//
// JavaScript can still run in `close()` only. At the process's own end Python cleans up by itself, for two seconds at most.
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

/** How long Python may clean up where no JavaScript can run, in milliseconds. */
const patience = 2000;

/** `python.close()`: tasks have so many milliseconds to clean up. */
export async function closePython(timeout: number): Promise<void> {
  const python = openInterpreter();
  if (python) {
    const ended = runHelper("end_tasks", [timeout / 1000], { signal: null }).catch(() => {});
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

/** Whether a Promise has not settled after so many milliseconds. */
async function isLate(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<boolean>((resolve) => timer = setTimeout(resolve, milliseconds, true));
  return await Promise.race([late, promise.then(() => false)]).finally(() => clearTimeout(timer));
}

/** The shutdown without JavaScript: at the end of the process, or the last step of close. */
function endNow(): void {
  const python = openInterpreter();
  if (!python || isClosed()) return;
  python.shim.pyawait_exit(python.heap, patience);
  drainLast();
  deliver();
}

/** Python is open: hears of the end of the process or Worker, and of errors that end it. */
export function watchEnds({ shim, heap, runtime }: Interpreter): void {
  if (runtime.startsWith("node") && process.platform !== "win32" && !inWorker) {
    process.on("SIGCHLD", () => {}); // from here on Node's own action is there, and is put back behind uvloop's
    callHelper("keep_child_action");
  }
  const end = () => {
    if (!inWorker) endNow();
    else shim.pyawait_heap_end(heap); // Python goes on: other threads use it
    markClosed(`Cannot use Python: ${inWorker ? "the Worker" : "it has ended, because the process"} is ending`);
  };
  process.on("exit", end);
  process.on("beforeExit", keepAliveForRunningLoops);
  backend.onExit(end);
  // Node shows an error after that; what it asks Python for is fetched before.
  process.on("uncaughtExceptionMonitor", (error) => error instanceof PythonError && error.stack);
}
