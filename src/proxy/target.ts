// The target of a proxy's `Proxy`: holds the state and implements inspection.
//
// Node and Bun inspect the target, Deno the proxy itself.
import { isClosed } from "../interpreter/interpreter.ts";
import { STATE, type State, stateOf } from "../values/proxy_state.ts";
import { Kind } from "../wire/numbers.ts";
import { callHelper } from "./call.ts";

export const inspectSymbol: symbol = Symbol.for("nodejs.util.inspect.custom");

/** The target of a proxy. */
export interface Target {
  [STATE]: State;
}

/** What `console.log` shows. */
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

// A bound function can be called and constructed, and has no `prototype`, which `ownKeys` would have to list.
const callable = function () {};

export function targetOf(state: State, callableToo: boolean): object {
  if (!callableToo) return new PlainTarget(state);
  const target = callable.bind(null) as unknown as Target & Record<PropertyKey, unknown>;
  target[STATE] = state;
  target[inspectSymbol] = inspect;
  return target;
}

/** Python's `repr`, for inspection. Never throws. */
export function reprOf(state: State): string {
  try {
    if (state.destroyed) return `[destroyed: it was ${whatItWas(state)}]`;
    if (state.lazy) return "<coroutine, not started>";
    if (state.reference.address === 0) return "<coroutine, started>";
    return String(callHelper("repr", state.self));
  } catch (error) {
    return `[Python object whose repr failed: ${(error as Error).message}]`;
  }
}

/** "a list": what a destroyed object was. */
export function whatItWas({ type, kinds }: State): string {
  const number = type & 0xffff;
  if (number === 0 || isClosed()) return kinds & Kind.coroutine ? "a coroutine" : "an object";
  const name = callHelper("type_name_of", number) as string;
  return `${/^[aeiouAEIOU]/.test(name) ? "an" : "a"} ${name}`;
}
