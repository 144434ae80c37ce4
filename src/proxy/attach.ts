// `attach`: runs many synchronous calls while this thread holds the GIL once for all of them.
//
// The shim counts how often this thread has attached, so the calls inside find it attached.
import { interpreter } from "../interpreter/interpreter.ts";
import { requireDone } from "./synchronous.ts";

/**
 * Runs `fn` with this thread attached to Python (holding the GIL) once for all the calls in it.
 *
 * Every other Python thread, the loop thread included, stands still until `fn` returns, so waiting in it for another
 * thread deadlocks. A call of what belongs to an event loop is made on that loop's thread, for which this one gives up the
 * GIL; the loop then stands still for the rest of `fn`, as in {@linkcode withLoop}. As PyO3's `Python::attach`, which earlier versions called `with_gil`.
 *
 * @param fn a synchronous function
 * @returns what `fn` returns
 * @throws {TypeError} if `fn` is not a function, or returns a Promise: the GIL would be given up before its work is
 *   done
 * @throws {PythonClosedError} after `python.close()`
 * @example
 * ```ts
 * import { attach, python } from "pyawait";
 * const { add } = python.import("operator");
 * const sum = attach(() => [1, 2, 3].reduce((a, b) => add(a, b)));
 * ```
 */
export function attach<T>(fn: () => T): T {
  if (typeof fn !== "function") throw new TypeError(`Cannot attach for ${String(fn)}: attach(fn) takes a synchronous function`);
  const { shim, heap } = interpreter();
  shim.pyawait_attach(heap);
  try {
    const result = fn();
    requireDone(result, "attach for", "attach");
    return result;
  } finally {
    shim.pyawait_detach(heap);
  }
}
