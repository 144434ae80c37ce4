// `attach`: many synchronous calls, for which this thread takes the GIL once.
//
// The shim counts how often this thread has attached, so calls inside find it attached already.
import { interpreter } from "../interpreter/interpreter.ts";
import { stateOf } from "../values/proxy_state.ts";
import { isAsynchronous } from "./synchronous.ts";

/**
 * Runs `fn` with this thread attached (holding the GIL) once for all the calls in it.
 *
 * Every other Python thread, the loop included, stands still until it returns: never wait in it for another thread.
 *
 * @param fn a synchronous function
 * @returns what `fn` returns
 * @throws {TypeError} if `fn` returns a Promise: it would let go of the GIL before its work is done
 *
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
    if (isAsynchronous(result) && !stateOf(result)) {
      throw new TypeError("Cannot attach for an asynchronous function: attach(fn) takes one that has done its work when it returns");
    }
    return result;
  } finally {
    shim.pyawait_detach(heap);
  }
}
