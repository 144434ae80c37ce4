// Recognises asynchronous functions where only a synchronous one works: `attach`, `tidy` and `enter` end something when
// the function returns.
//
// Callers throw instead of returning the function's Promise, so its rejection is marked handled; otherwise it becomes
// an unhandledRejection, which ends the process.
import { then } from "../../ffi/intrinsics.ts";
import { types } from "node:util";

/**
 * Whether work goes on after the function has returned this: a Promise, a thenable or a coroutine. The caller must not
 * return it.
 */
export function isAsynchronous(result: unknown): boolean {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") return false;
  if (types.isPromise(result)) then(result, undefined, () => {});
  return true;
}
