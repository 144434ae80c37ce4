// Functions that have to be synchronous: `attach`, `tidy` and `enter` end something when theirs returns.
//
// The one thing to know: whoever is told that a function must not be asynchronous never gets its Promise, so a rejection of
// that is nobody's, and would end the process.
import { types } from "node:util";

/** Whether work goes on of what a function has returned: a Promise, a thenable or a coroutine. Nobody else must get it. */
export function isAsynchronous(result: unknown): boolean {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") return false;
  if (types.isPromise(result)) Promise.prototype.then.call(result, undefined, () => {});
  return true;
}
