// JavaScript Promises as Python awaitables.
//
// A Promise that is passed to Python becomes an awaitable by itself. `promiseIntoPy` makes one explicitly, and accepts
// a function, whose Promise starts when Python first awaits it.
import { types } from "node:util";
import { resolved } from "../../ffi/intrinsics.ts";
import { throughPython } from "../proxy/call.ts";
import { Deferred } from "../values/deferred.ts";
import type { PyProxy } from "../proxy/py_proxy.ts";
import { scope, type TaskLocals } from "./task_locals.ts";

/**
 * Makes a Python awaitable of a Promise. As PyO3 Asyncio's `future_into_py`.
 *
 * It can be awaited any number of times, on any loop; `await`, `asyncio.create_task`, `gather`, `wait_for`,
 * `ensure_future`, `run` and `timeout` all accept it. When its last await is cancelled, `signal` aborts with an
 * `AbortError` whose `cause` is the `CancelledError`. The await then ends when the Promise has settled if `source` has
 * taken a signal (its argument, or {@linkcode getCurrentSignal}'s), else at once.
 *
 * @param source a Promise, which runs already, or `(signal) => Promise`, which starts when it is first awaited
 * @param options `locals`: current for what `source` starts. Default: the current ones
 * @returns a Python object
 * @throws {TypeError} if `source` is neither
 * @example
 * ```ts
 * import { promiseIntoPy, python } from "pyawait";
 * const answer = promiseIntoPy(async () => 42);
 * await python.execAsync("await answer", { globals: { answer } }); // 42
 * ```
 */
export function promiseIntoPy(
  source: PromiseLike<unknown> | ((signal: AbortSignal) => PromiseLike<unknown>),
  { locals }: { locals?: TaskLocals } = {},
): PyProxy {
  if (typeof source === "function") {
    const start = locals ? (signal: AbortSignal) => scope(locals, () => source(signal)) : source;
    return throughPython(new Deferred(start, source.length > 0)) as PyProxy;
  }
  if (!types.isPromise(source) && typeof (source as PromiseLike<unknown> | null | undefined)?.then !== "function") {
    throw new TypeError(`Cannot make an awaitable of ${String(source)}: promiseIntoPy takes a Promise, or a function that returns one`);
  }
  return throughPython(resolved(source)) as PyProxy;
}
