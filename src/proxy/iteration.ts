// Python's iteration protocol as JavaScript's: `for … of`, and a generator's `next`, `throw` and `return`.
//
// One step is one crossing. The end comes back as a value, which is cheaper than turning StopIteration into an error.
import { callAndCopy, callCode } from "./call.ts";
import { loopOfCallee } from "./current_loop.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { Thrown } from "../values/wrappers.ts";
import { Kind } from "../wire/numbers.ts";

type Step = [item: boolean, value: unknown];
const result = ([item, value]: Step) => ({ done: !item, value });

/** One step of an iterator; of asyncio's own (`as_completed`) on the loop's thread. */
function step(name: string, kinds: number, ...args: unknown[]) {
  const loop = loopOfCallee(kinds, Kind.loopBound | Kind.asynchronous);
  return result(callAndCopy(name, args, { depth: 1 }, loop) as Step);
}

/** `next`, `throw` and `return` of a generator, or `next` and `return` of another iterator. */
export function generatorMethod({ kinds }: State, proxy: object, key: "next" | "throw" | "return"): unknown {
  if (key === "throw") return (error: unknown) => step("throw_step", kinds, proxy, new Thrown(error));
  if (key === "return") return (value?: unknown) => (callCode("close_iterator", proxy), { done: true, value });
  if (!(kinds & Kind.generator)) return () => step("next_step", kinds, proxy);
  return (value?: unknown) => step("send_step", kinds, proxy, value);
}

/** Python's iteration; leaving the loop early closes a generator. */
export function iterate(proxy: object): Iterator<unknown> & Iterable<unknown> {
  const iterator = callCode("iter", proxy), kinds = stateOf(iterator)?.kinds ?? 0;
  return {
    next: () => step("next_step", kinds, iterator),
    return: (value?: unknown) => (callCode("close_iterator", iterator), { done: true, value }),
    [Symbol.iterator]() {
      return this;
    },
  };
}
