// Tests on an event loop of their own.
//
// If the test itself fails, that is the failure; leftovers are reported only for a test that passed.
import { loopName } from "./interpreter/options.ts";
import { runHelper } from "./async/promise.ts";
import { toJs } from "./proxy/copy_out.ts";

/** Options of {@linkcode isolated}. */
export interface IsolatedOptions {
  /** `"asyncio"` (default), `"uvloop"`, or `"module:factory"` for a callable that returns a new loop. */
  loop?: string;
}

/**
 * A test has left tasks running, or exceptions that no code retrieved.
 *
 * @example
 * ```ts
 * import { intoPromise, python } from "pyawait";
 * import { isolated, LeftoverError } from "pyawait/testing";
 * const { sleep } = python.import("asyncio");
 * const careless = isolated(() => void intoPromise(sleep(60)).catch(() => {}));
 * await careless().catch((error) => console.log(error instanceof LeftoverError)); // true
 * ```
 */
export class LeftoverError extends Error {
  override name = "LeftoverError";
  /** A description of each task and exception. */
  readonly leftovers: readonly string[];

  /** @param leftovers a description of each task and exception */
  constructor(leftovers: readonly string[]) {
    super(
      `The test left ${leftovers.length === 1 ? "something" : `${leftovers.length} things`} behind on its event loop:\n${
        leftovers.map((each) => `  - ${each}`).join("\n")
      }`,
    );
    this.leftovers = leftovers;
  }
}

/**
 * Makes a test function that runs on an event loop of its own, for `node:test`, `Deno.test` and `bun:test`. As PyO3
 * Asyncio's `#[tokio::test]`.
 *
 * The function rejects with a {@linkcode LeftoverError} if the test passed and left a task running or an exception that
 * no code retrieved.
 *
 * @param fn the test; receives what the test runner passes
 * @param options `loop`: which event loop
 * @returns the test function
 * @throws {TypeError} if `fn` is not a function, or `loop` not of the form that the options describe
 * @example
 * ```ts
 * import { python } from "pyawait";
 * import { isolated } from "pyawait/testing";
 * import { test } from "node:test";
 * test("sleeps", isolated(async () => {
 *   await python.import("asyncio").sleep(0);
 * }));
 * ```
 */
export function isolated<A extends unknown[]>(
  fn: (...args: A) => unknown,
  { loop = "asyncio" }: IsolatedOptions = {},
): (...args: A) => Promise<void> {
  if (typeof fn !== "function") throw new TypeError(`Cannot isolate ${String(fn)}: isolated(fn) takes a test function`);
  const name = loopName(loop);
  const test = async (...args: A): Promise<void> => {
    const main = async () => void await fn(...args);
    const leftovers = toJs(await runHelper("run_isolated", [name, main], { signal: null })) as string[];
    if (leftovers.length > 0) throw new LeftoverError(leftovers);
  };
  // Test runners look at the length: one more parameter would be taken for a callback.
  return Object.defineProperty(test, "length", { value: 0 });
}
