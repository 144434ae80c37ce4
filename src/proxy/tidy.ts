// `tidy`: gives up the holds that were handed out during a function, when it returns.
//
// What leaves the function, by `return` or `throw`, is kept, however deep in a structure it is.
import { partsOfError, PythonError } from "../values/python_error.ts";
import { collectHolds } from "../values/handouts.ts";
import { destroy } from "./lifetime.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { requireDone } from "./synchronous.ts";
import { KeywordArguments, SliceBounds, TupleItems } from "../values/wrappers.ts";

/**
 * Runs `fn` and then destroys the proxies that were handed out in it: for long synchronous loops, in which no finalizer
 * can run. As TensorFlow.js's `tidy` for tensors.
 *
 * Kept are what `fn` returns or throws (itself, or in Arrays, plain objects, Maps, Sets and errors) and what it has
 * `$copy`d. An error that `fn` catches and keeps elsewhere loses its exception unless that was copied:
 * `error.exception.$copy()`.
 *
 * @param fn a synchronous function
 * @returns what `fn` returns
 * @throws {TypeError} if `fn` is not a function, or returns a Promise
 * @example
 * ```ts
 * import { python, tidy } from "pyawait";
 * const rows = python.exec("[{'n': i} for i in range(1000)]");
 * let sum = 0;
 * for (let i = 0; i < 1000; i++) tidy(() => sum += rows[i].$get("n"));
 * ```
 */
export function tidy<T>(fn: () => T): T {
  if (typeof fn !== "function") throw new TypeError(`Cannot tidy up after ${String(fn)}: tidy(fn) takes a synchronous function`);
  let leaving: unknown;
  return collectHolds(() => {
    try {
      const result = fn();
      requireDone(result, "tidy up after", "tidy");
      leaving = result;
      return result;
    } catch (error) {
      leaving = error;
      throw error;
    }
  }, (states, outer) => {
    if (states.length === 0) return;
    for (const state of statesIn(leaving)) { // one hold of each stays with the caller, and is told to an outer tidy
      const at = states.lastIndexOf(state); // searched as they were found, the last one first
      if (at < 0) continue;
      states.splice(at, 1);
      outer?.push(state);
    }
    for (const state of states) if (!state.lazy?.looked) destroy(state); // an `await` has looked, and calls `then` later
  });
}

/** The proxies in a value, each once. */
function statesIn(leaving: unknown): Set<State> {
  const states = new Set<State>(), seen = new Set<unknown>(), values = [leaving];
  while (values.length > 0) {
    const value = values.pop(), state = stateOf(value);
    if (state) {
      states.add(state);
      if (state.lazy) states.add(state.lazy.callee); // a coroutine that is not made yet needs its function
    } else if (typeof value === "object" && value !== null && !seen.has(value)) {
      seen.add(value);
      for (const part of partsOf(value)) values.push(part);
    }
  }
  return states;
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Map) return [...value].flat();
  if (value instanceof TupleItems) return value.items;
  if (value instanceof SliceBounds) return [value.start, value.stop, value.step];
  if (value instanceof KeywordArguments) return Object.values(value.values);
  if (value instanceof PythonError) return partsOfError(value);
  if (value instanceof Error) return ["cause", "errors", "error", "suppressed"].map((key) => ownValue(value, key));
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.keys(value).map((key) => ownValue(value, key)) : [];
}

/** Reads a property without running a getter. */
const ownValue = (value: object, key: string) => Object.getOwnPropertyDescriptor(value, key)?.value;
