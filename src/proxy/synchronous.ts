// Recognises asynchronous functions where only a synchronous one works: `attach`, `tidy` and `enter` end something when
// the function returns.
//
// Callers throw instead of returning the function's Promise, so its rejection is marked handled; otherwise it becomes
// an unhandledRejection, which ends the process.
import { then } from "../../ffi/intrinsics.ts";
import { types } from "node:util";
import { stateOf } from "../values/proxy_state.ts";

/**
 * Whether work goes on after the function has returned this: a Promise, a thenable or a coroutine. The caller must not
 * return it.
 */
export function isAsynchronous(result: unknown): boolean {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") return false;
  if (types.isPromise(result)) then(result, undefined, () => {});
  return true;
}

/**
 * Throws if a function that has returned this has not done its work. A coroutine is no work yet, and may be returned.
 *
 * @param cannot what the caller cannot do for such a function, and the caller's name: for the message
 */
export function requireDone(result: unknown, cannot: string, name: string): void {
  if (!isAsynchronous(result) || stateOf(result)) return;
  throw new TypeError(`Cannot ${cannot} an asynchronous function: ${name}(fn) takes one that has done its work when it returns`);
}
