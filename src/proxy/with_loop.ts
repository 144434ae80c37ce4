// `withLoop`: runs many synchronous calls while the current event loop stands still for them.
//
// A call of an asynchronous callee is a callback of that loop anyway (ffi/shim/visits.c). Within `withLoop` it waits in
// one callback for all of the calls (ffi/shim/stays.c), and every callee finds it running.
import { Kind } from "../wire/numbers.ts";
import { beginStay, currentLoopId, endStay } from "./call.ts";
import { requireDone } from "./synchronous.ts";

/** Only this file writes it. */
let depth = 0;

/**
 * The loop on whose thread something of these kinds is called; `undefined`: here. May call Python, and so has to be asked
 * before addresses are.
 */
export function loopOfCallee(kinds: number, asynchronous: number = Kind.asynchronous): number | undefined {
  return (kinds & asynchronous) !== 0 || depth > 0 ? currentLoopId() : undefined;
}

/** Runs `fn`, which Python calls while `withLoop` waits, as code outside of it. */
export function outsideOfLoops(fn: () => void): void {
  const outer = depth;
  depth = 0;
  try {
    fn();
  } finally {
    depth = outer;
  }
}

/**
 * Runs `fn` as a callback of the current event loop would run: every Python callee in it finds the loop running, and no
 * other callback or task runs until it returns.
 *
 * What belongs to asyncio is called so without it. Use it for functions of other libraries that ask for a running loop
 * before they return, and to make several calls between which nothing else may happen. Each call in it waits for the
 * loop's thread; the loop stands still all the while.
 *
 * @param fn a synchronous function
 * @returns what `fn` returns
 * @throws {TypeError} if `fn` is not a function, or returns a Promise: the loop would go on before its work is done
 * @throws {PythonError} if the current loop is closed
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
  depth++;
  try {
    const result = fn();
    requireDone(result, "use", "withLoop");
    return result;
  } finally {
    depth--;
    endStay(stay);
  }
}
