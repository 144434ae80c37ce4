// `run` and `runUntilComplete`: JavaScript on an event loop of its own.
//
// The one thing to know: the loop runs on a thread of its own; `main` runs in JavaScript, in a place where that loop
// is current.
import { loopName } from "../interpreter/options.ts";
import { runHelper } from "./promise.ts";
import type { PyProxy } from "../proxy/proxy.ts";
import { stateOf } from "../values/proxy_state.ts";

/** What runs: a function of JavaScript's, or any Python awaitable. */
export type Main<T> = (() => T | PromiseLike<T>) | PyProxy;

async function runMain<T>(helper: string, loop: unknown, main: Main<T>): Promise<T> {
  if (stateOf(main)) return await runHelper(helper, [loop, main], { signal: null }) as T;
  if (typeof main !== "function") throw new TypeError(`Cannot run ${String(main)}: main has to be a function or a Python awaitable`);
  let result: { value: T } | undefined; // kept here: it need not survive two conversions
  const body = async () => {
    result = { value: await (main as () => T | PromiseLike<T>)() };
  };
  await runHelper(helper, [loop, body], { signal: null });
  return result!.value;
}

/**
 * Runs `main` on a new event loop, which is current for everything that it starts. Afterwards, what is left on the
 * loop is cancelled, its async generators and its executor are shut down and it is closed, as `asyncio.run` does.
 *
 * @param main a function, asynchronous or not, or a Python awaitable
 * @param options `loop`: `"asyncio"` (default), `"uvloop"` or `"module:factory"`
 * @returns what `main` returns
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
 * Drives a loop of the caller's own, which does not run, on a thread of its own until `main` has settled.
 *
 * @param eventLoop an asyncio event loop; it is neither closed nor cleaned up
 * @param main a function, asynchronous or not, or a Python awaitable
 * @returns what `main` returns
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
