/** What `py/suite_bounce.py` imports as `suite_bounce_js`. */
import { setImmediate } from "node:timers";
import { intoPromise, promiseIntoPy, type PyProxy } from "../../mod.ts";

/** A coroutine as a Promise, as an awaitable. */
export function through(coroutine: PyProxy): unknown {
  return promiseIntoPy((signal) => intoPromise(coroutine, { signal }));
}

/** Ends when what Python has sent until now has been read, and what that sends has been sent. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
