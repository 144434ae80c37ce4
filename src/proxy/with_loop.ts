// `withLoop`: runs many synchronous calls while the current event loop stands still for them.
//
// A call of an asynchronous callee is a callback of that loop anyway (ffi/shim/visits.c). Within `withLoop` it waits in
// one callback for all of the calls (ffi/shim/stays.c), and all code of the program's finds it running: callees, properties, items, `python.exec`.
import { beginStay, endStay } from "./call.ts";
import { withinLoop } from "./current_loop.ts";
import { requireDone } from "./synchronous.ts";

/**
 * Runs `fn` as a callback of the current event loop would run: all Python code that it runs (callees, properties, `enter`,
 * `python.exec`) finds the loop running, and no other callback or task runs until it returns.
 *
 * What belongs to asyncio is called so without it. Use it for functions of other libraries that ask for a running loop
 * before they return, and to make several calls between which nothing else may happen. Each call in it waits for the
 * loop's thread; the loop stands still all the while.
 *
 * @param fn a synchronous function
 * @returns what `fn` returns
 * @throws {TypeError} if `fn` is not a function, or returns a Promise: the loop would go on before its work is done
 * @throws {PythonError} if the current loop is closed, or does not run
 * @throws {PythonClosedError} after `python.close()`
 * @example
 * ```ts
 * import { python, withLoop } from "pyawait";
 * python.exec("import asyncio\ndef start(n): return [asyncio.ensure_future(asyncio.sleep(0, i)) for i in range(n)]");
 * const { start } = python.import("__main__");
 * const tasks = withLoop(() => start(3)); // start finds a running loop
 * console.log(await python.import("asyncio").gather(...tasks));
 * ```
 */
export function withLoop<T>(fn: () => T): T {
  if (typeof fn !== "function") throw new TypeError(`Cannot use ${String(fn)} withLoop: withLoop(fn) takes a synchronous function`);
  const stay = beginStay();
  try {
    const result = withinLoop(fn);
    requireDone(result, "use", "withLoop");
    return result;
  } finally {
    endStay(stay);
  }
}
