// `run` and `runUntilComplete`: JavaScript with an event loop of its own.
//
// The loop runs on a thread of its own, and `main` on the JavaScript thread with that loop as the current one.
import { loopName } from "../interpreter/options.ts";
import { runHelper } from "./promise.ts";
import type { PyProxy } from "../proxy/py_proxy.ts";
import { stateOf } from "../values/proxy_state.ts";

/** What to run: a JavaScript function, or a Python awaitable. */
export type Main<T> = (() => T | PromiseLike<T>) | PyProxy;

async function runMain<T>(helper: string, loop: unknown, main: Main<T>): Promise<T> {
  if (stateOf(main)) return await runHelper(helper, [loop, main], { signal: null }) as T;
  if (typeof main !== "function") throw new TypeError(`Cannot run ${String(main)}: main has to be a function or a Python awaitable`);
  let result: { value: T } | undefined; // stays in JavaScript, so it need not survive two conversions
  const body = async () => {
    result = { value: await (main as () => T | PromiseLike<T>)() };
  };
  await runHelper(helper, [loop, body], { signal: null });
  return result!.value;
}

/**
 * Runs `main` on a new event loop, which is current for everything that it starts. As PyO3 Asyncio's `run`.
 *
 * Afterwards the tasks that are left on the loop are cancelled, its async generators and its executor are shut down and
 * it is closed, as `asyncio.run` does. Several calls may run at the same time.
 *
 * @param main a function, asynchronous or not, or a Python awaitable
 * @param options `loop`: `"asyncio"` (default), `"uvloop"`, or `"module:factory"` for a callable that returns a new
 *   loop
 * @returns what `main` returns. Rejects with what it throws, and with a `TypeError` if it is neither
 * @throws {TypeError} if `loop` is not of that form
 * @example
 * ```ts
 * import { python, run } from "pyawait";
 * const asyncio = python.import("asyncio");
 * await run(async () => await asyncio.sleep(0.01, "done")); // "done"
 * ```
 */
export function run<T>(main: Main<T>, { loop = "asyncio" }: { loop?: string } = {}): Promise<T> {
  return runMain("run_main", loopName(loop), main);
}

/**
 * Runs the caller's own event loop, on a thread of its own, until `main` has settled. As PyO3 Asyncio's
 * `run_until_complete`.
 *
 * @param eventLoop an asyncio event loop that is not running; it is neither closed nor cleaned up
 * @param main a function, asynchronous or not, or a Python awaitable
 * @returns what `main` returns. Rejects with what it throws, with a `TypeError` if it is neither, and with a
 *   {@linkcode PythonError} if `eventLoop` is not an event loop or runs already
 * @example
 * ```ts
 * import { python, runUntilComplete } from "pyawait";
 * const asyncio = python.import("asyncio");
 * const loop = asyncio.new_event_loop();
 * await runUntilComplete(loop, async () => await asyncio.sleep(0.01));
 * loop.close();
 * ```
 */
export function runUntilComplete<T>(eventLoop: PyProxy, main: Main<T>): Promise<T> {
  return runMain("run_until_complete", eventLoop, main);
}
