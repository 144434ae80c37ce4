// Python's asynchronous iteration as JavaScript's.
//
// The one thing to know: in lock-step, one Python task per step; leaving the loop early closes the generator.
import { callHelper } from "./call.ts";
import { runHelper } from "./promise.ts";

/** The iterator behind `for await (const item of proxy)`. */
export function asyncIterator(proxy: object): AsyncIterator<unknown> & AsyncIterable<unknown> {
  let iterator: unknown;
  const step = async (name: string, value?: unknown): Promise<IteratorResult<unknown>> => {
    iterator ??= callHelper("start_async_iteration", proxy);
    const [item, result] = [...await runHelper(name, [iterator, value], {}) as Iterable<unknown>];
    return { done: !item, value: result };
  };
  return {
    next: (value) => step("async_next", value),
    throw: (error) => step("async_throw", error),
    return: async (value) => {
      if (iterator !== undefined) await runHelper("async_close", [iterator, null], {});
      return { done: true, value: await value };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
