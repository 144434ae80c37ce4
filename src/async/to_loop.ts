// deno-lint-ignore-file no-explicit-any -- what Python gives is what Python decides
// Calls on another thread: on the loop's, or on one of its executor's.
//
// Both functions run an `async def` of src/py, started like any other coroutine.
import { type AwaitOptions, runHelper } from "./promise.ts";
import { KeywordArguments, type Tuple, TupleItems } from "../values/wrappers.ts";

function splitKeywords(args: readonly unknown[]): [Tuple, Record<string, unknown>] {
  if (!Array.isArray(args)) throw new TypeError(`Cannot call this with ${String(args)}: the arguments have to be an Array`);
  const last = args.at(-1);
  return last instanceof KeywordArguments ? [new TupleItems(args.slice(0, -1)), last.values] : [new TupleItems(args), {}];
}

/**
 * Calls a Python callable on the loop thread, in a task, and awaits its result if that is awaitable.
 *
 * Use it for objects that have to be made where their loop runs: `await toLoop(aiohttp.ClientSession)`.
 *
 * @param fn a Python callable
 * @param args its arguments; the last one may be `kw({...})`
 * @param options `signal` and `locals`, see {@linkcode AwaitOptions}
 * @returns the result, converted; rejects with a {@linkcode PythonError} for what the callable raises
 * @throws {TypeError} if `args` is not an Array
 * @example
 * ```ts
 * import { python, toLoop } from "pyawait";
 * const asyncio = python.import("asyncio");
 * const queue = await toLoop(asyncio.Queue, [1]);
 * await toLoop(queue.put, ["item"]);
 * await queue.get(); // "item"
 * ```
 */
export function toLoop(fn: unknown, args: readonly unknown[] = [], options: AwaitOptions = {}): Promise<any> {
  return runHelper("call_on_loop", [fn, ...splitKeywords(args)], options);
}

/**
 * Calls a Python callable in a thread of the loop's executor: for code that blocks or computes. As `asyncio.to_thread`,
 * on every supported Python version.
 *
 * @param fn a Python callable
 * @param args its arguments; the last one may be `kw({...})`
 * @param options `locals`, and `signal`, which ends the await; the thread itself cannot be cancelled
 * @returns the result, converted; rejects with a {@linkcode PythonError} for what the callable raises
 * @throws {TypeError} if `args` is not an Array
 * @example
 * ```ts
 * import { python, toThread } from "pyawait";
 * await toThread(python.import("time").sleep, [0.01]);
 * await toThread(python.builtins.sum, [[1, 2, 3]]); // 6
 * ```
 */
export function toThread(fn: unknown, args: readonly unknown[] = [], options: AwaitOptions = {}): Promise<any> {
  return runHelper("call_in_thread", [fn, ...splitKeywords(args)], options);
}
