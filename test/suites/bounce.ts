/** What `py/suite_bounce.py` imports as `suite_bounce_js`: a coroutine as a Promise, as an awaitable. */
import { intoPromise, promiseIntoPy, type PyProxy } from "../../mod.ts";

export function through(coroutine: PyProxy): unknown {
  return promiseIntoPy((signal) => intoPromise(coroutine, { signal }));
}
