// What a `Proxy` of ours stands before: an object that holds the state, and shows itself to `console.log`.
import { STATE, type State, stateOf } from "../values/proxy_state.ts";
import { callHelper } from "./call.ts";

export const inspectSymbol: symbol = Symbol.for("nodejs.util.inspect.custom");

/** What a Proxy of ours stands before. */
export interface Target {
  [STATE]: State;
}

/** Shown by `console.log`: Node and Bun look on the target, Deno on the proxy. */
function inspect(this: unknown): string {
  const state = stateOf(this);
  return state ? reprOf(state) : "[PyProxy]";
}

class PlainTarget {
  [STATE]: State;
  constructor(state: State) {
    this[STATE] = state;
  }
}
Object.defineProperty(PlainTarget.prototype, inspectSymbol, { value: inspect });

// A bound function can be called and constructed and has no `prototype` that would have to be among its keys.
const callable = function () {};

export function targetOf(state: State, callableToo: boolean): object {
  if (!callableToo) return new PlainTarget(state);
  const target = callable.bind(null) as unknown as Target & Record<PropertyKey, unknown>;
  target[STATE] = state;
  target[inspectSymbol] = inspect;
  return target;
}

/** What inspecting shows: Python's `repr`. */
export function reprOf(state: State): string {
  try {
    if (state.destroyed !== undefined) return `[destroyed ${state.destroyed}]`;
    if (state.lazy) return "<coroutine, not started>";
    if (state.reference.address === 0) return "<coroutine, started>";
    return String(callHelper("repr", state.self));
  } catch (error) {
    return `[Python object whose repr failed: ${(error as Error).message}]`;
  }
}
