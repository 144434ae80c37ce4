// deno-lint-ignore-file no-explicit-any -- what Python gives is what Python decides
// Python's `with` and `async with`.
//
// `enterAsync` is one Python task from `__aenter__` to `__aexit__`, so timeouts, cancel scopes and task groups work,
// and their cancellation aborts the signal of the function inside.
import { callCode } from "../proxy/call.ts";
import { withinTheSame } from "../proxy/current_loop.ts";
import { type AwaitOptions, runHelper } from "./promise.ts";
import { isAsynchronous } from "../proxy/synchronous.ts";

/**
 * Python's `with`: enters the context manager, calls `fn` with the value of `__enter__`, and leaves it.
 *
 * An error of `fn` goes to `__exit__`, which may suppress it; the result is then `undefined`.
 *
 * @param manager a proxy with `__enter__` and `__exit__`
 * @param fn a synchronous function
 * @returns what `fn` returns
 * @throws {TypeError} if `fn` is not a function, or returns a Promise
 * @throws {PythonError} what entering or leaving raises, such as a `TypeError` for an object that is no context manager
 * @throws what `fn` throws, unless `__exit__` suppresses it
 * @example
 * ```ts
 * import { enter, python } from "pyawait";
 * const lock = python.import("threading").Lock();
 * enter(lock, () => lock.locked()); // true
 * ```
 */
// Python decides what it gives:
export function enter<T>(manager: unknown, fn: (value: any) => T): T | undefined {
  check("enter", fn);
  let result: { value: T } | undefined;
  const withinLoop = withinTheSame();
  callCode("enter_sync", manager, (value: unknown) => {
    const returned = withinLoop(() => fn(value));
    if (isAsynchronous(returned)) {
      throw new TypeError("Cannot enter with an asynchronous function: enter(manager, fn) leaves when fn returns; use enterAsync");
    }
    result = { value: returned };
  });
  return result?.value;
}

/**
 * Python's `async with`: enters the context manager, awaits `fn` with the value of `__aenter__`, and leaves it, all in
 * one Python task. When that task is cancelled, for example by `asyncio.timeout`, `getCurrentSignal()` in `fn` aborts.
 *
 * A Python callable in place of the context manager is called first, on that task: `enterAsync(asyncio.TaskGroup, fn)`. Some
 * context managers have to be made where they are entered, as by `anyio.create_task_group`.
 *
 * @param manager a proxy with `__aenter__` and `__aexit__`, or a callable that returns one, also one defined by `async def`
 * @param fn a function, asynchronous or not
 * @param options `signal` and `locals`, see {@linkcode AwaitOptions}
 * @returns what `fn` returns, or `undefined` if `__aexit__` suppressed its error. Rejects with a `TypeError` if `fn` is
 *   not a function, else as {@linkcode enter} throws
 * @example
 * ```ts
 * import { enterAsync, python } from "pyawait";
 * const manager = python.exec(`
 *   import contextlib
 *
 *   @contextlib.asynccontextmanager
 *   async def opened(name):
 *       yield name + " is open"
 *
 *   opened("it")
 * `);
 * await enterAsync(manager, (text) => text); // "it is open"
 *
 * const lock = python.import("asyncio").Lock; // called on the task, then entered
 * await enterAsync(lock, () => "locked"); // "locked"
 * ```
 */
export async function enterAsync<T>(
  manager: unknown,
  fn: (value: any) => T | PromiseLike<T>,
  options: AwaitOptions = {},
): Promise<T | undefined> {
  check("enterAsync", fn);
  let result: { value: T } | undefined;
  const body = async (value: unknown) => {
    result = { value: await fn(value) };
  };
  await runHelper("enter_async", [manager, body], options);
  return result?.value;
}

function check(name: string, fn: unknown): void {
  if (typeof fn !== "function") throw new TypeError(`Cannot call ${String(fn)}: ${name}(manager, fn) takes a function`);
}
