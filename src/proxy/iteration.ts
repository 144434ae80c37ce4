// Python's iteration protocol as JavaScript's: `for … of`, and a generator's `next`, `throw` and `return`.
//
// One step is one crossing. The end comes back as a value, which is cheaper than turning StopIteration into an error.
import { callAndCopy, callHelper } from "./call.ts";
import type { State } from "../values/proxy_state.ts";
import { Thrown } from "../values/wrappers.ts";
import { Kind } from "../wire/numbers.ts";

type Step = [item: boolean, value: unknown];
const result = ([item, value]: Step) => ({ done: !item, value });

/** `next`, `throw` and `return` of a generator, or `next` and `return` of another iterator. */
export function generatorMethod(state: State, proxy: object, key: "next" | "throw" | "return"): unknown {
  if (key === "throw") return (error: unknown) => result(callAndCopy("throw_step", [proxy, new Thrown(error)], { depth: 1 }) as Step);
  if (key === "return") return (value?: unknown) => (callHelper("close_iterator", proxy), { done: true, value });
  if (!(state.kinds & Kind.generator)) return () => result(callAndCopy("next_step", [proxy], { depth: 1 }) as Step);
  return (value?: unknown) => result(callAndCopy("send_step", [proxy, value], { depth: 1 }) as Step);
}

/** Python's iteration; leaving the loop early closes a generator. */
export function iterate(proxy: object): Iterator<unknown> & Iterable<unknown> {
  const iterator = callHelper("iter", proxy);
  return {
    next: () => result(callAndCopy("next_step", [iterator], { depth: 1 }) as Step),
    return: (value?: unknown) => (callHelper("close_iterator", iterator), { done: true, value }),
    [Symbol.iterator]() {
      return this;
    },
  };
}
