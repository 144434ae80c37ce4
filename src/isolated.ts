// Tests on an event loop of their own.
//
// The one thing to know: the test's own failure comes first; what it left behind is only told when it passed.
import { loopName } from "./interpreter/options.ts";
import { runHelper } from "./async/promise.ts";
import { toJs } from "./proxy/proxy.ts";

/** Options of {@linkcode isolated}. */
export interface IsolatedOptions {
  /** `"asyncio"` (default), `"uvloop"` or `"module:factory"`. */
  loop?: string;
}

/** A test left tasks running, or exceptions that nobody retrieved. */
export class LeftoverError extends Error {
  override name = "LeftoverError";
  /** Each of them, in words. */
  readonly leftovers: readonly string[];

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
 * Makes a test function that runs on an event loop of its own, for `node:test`, `Deno.test` and `bun:test`. It fails
 * with a {@linkcode LeftoverError} that names each task still running and each exception that nobody retrieved.
 *
 * @param fn the test; it gets what the test runner gives
 * @param options which loop
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
  // Runners look at the length: a parameter more would be taken for a callback.
  return Object.defineProperty(test, "length", { value: 0 });
}
