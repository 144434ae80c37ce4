// The target of a proxy's `Proxy`: holds the state and implements inspection.
//
// Node and Bun inspect the target, Deno the proxy itself. What ignores `inspect.custom` (`console.dir`, `%o`, the diffs of
// assertions) shows the target's class, its tag and its properties. So the state is a private field, and the tag is the `repr`.
import { isClosed } from "../interpreter/interpreter.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { Kind } from "../wire/numbers.ts";
import { callHelper, missing } from "./call.ts";
import { symbolOfClass } from "./halves.ts";

export const inspectSymbol: symbol = Symbol.for("nodejs.util.inspect.custom");

const { bind } = Function.prototype, { apply: applyTo } = Reflect;
const itself = function (object: object) {
  return object;
} as unknown as new (object: object) => object;

/** Adds a private field to the object that it is given. */
class Stamp extends itself {
  #state: State;
  constructor(object: object, state: State) {
    super(object);
    this.#state = state;
  }
  static of(target: object): State {
    return (target as Stamp).#state;
  }
  static has(target: object): boolean {
    return #state in target;
  }
}

/** The state of a target. */
export const stateOfTarget: (target: object) => State = Stamp.of;

/** What inspectors pass: the levels left, and their options. */
interface Options {
  depth?: unknown;
  maxStringLength?: unknown;
  breakLength?: unknown;
}

/** What `console.log` shows. */
export function inspectState(state: State, depth?: unknown, options?: Options | null): string {
  const { depth: whole, maxStringLength: limit } = options ?? {};
  const text = reprOf(state, typeof limit === "number" || limit === null ? limit : longest);
  const level = typeof depth === "number" && typeof whole === "number" ? whole - depth : 0;
  if (!(level > 0) || !text.includes("\n")) return text;
  // In another value, a text of several lines begins on its own line, so that its columns stay in line. Node and Deno
  // indent what they are given; Bun, which has no `breakLength`, does not.
  const margin = "breakLength" in options! ? "\n  " : `\n${"  ".repeat(level + 1)}`;
  return margin + text.split("\n").join(margin);
}

function inspect(this: object, depth?: unknown, options?: Options | null, show?: unknown): unknown {
  const state = stateOf(this) ?? (Stamp.has(this) ? Stamp.of(this) : undefined);
  if (!state) return "[PyProxy]";
  const own = state.half && !state.destroyed ? symbolOfClass(state.half, state.self!, inspectSymbol) : missing;
  return typeof own === "function" ? own.call(state.self, depth, options, show) : inspectState(state, depth, options);
}

function repr(this: object): string {
  return Stamp.has(this) ? reprOf(Stamp.of(this)) : "PyProxy";
}

const PlainTarget = class PyProxy {};
const shown = { [Symbol.toStringTag]: { get: repr }, [inspectSymbol]: { value: inspect } };
Object.defineProperties(PlainTarget.prototype, shown);

// A bound function can be called and constructed, and has no `prototype`, which `ownKeys` would have to list. It inherits
// from what its function inherits from. A name of its own would take ten times as long to make.
const callable = function PyProxy() {};
Object.setPrototypeOf(callable, Object.create(Function.prototype, shown));

export function targetOf(state: State, callableToo: boolean): object {
  return new Stamp(callableToo ? applyTo(bind, callable, [null]) : new PlainTarget(), state);
}

/** How many characters of a `repr` are shown: as many as Node shows of a string. */
const longest = 10_000;

/** Python's `repr`, for inspection; cut behind `limit` characters. Never throws. */
export function reprOf(state: State, limit: number | null = longest): string {
  try {
    if (state.destroyed) return `[destroyed: it was ${whatItWas(state)}]`;
    if (state.lazy) return "<coroutine, not started>";
    if (isClosed()) return "[Python object; Python has ended]";
    if (state.reference.address === 0) return "<coroutine, started>";
    return String(callHelper("shown", state.self, limit !== null && Number.isSafeInteger(limit) && limit >= 0 ? limit : null));
  } catch (error) {
    return `[Python object whose repr failed: ${(error as Error).name}: ${(error as Error).message}]`;
  }
}

/** "a list": what a destroyed object was. */
export function whatItWas({ type, kinds }: State): string {
  const number = type & 0xffff;
  if (number === 0 || isClosed()) return kinds & Kind.coroutine ? "a coroutine" : "an object";
  const name = callHelper("type_name_of", number) as string;
  return `${/^[aeiouAEIOU]/.test(name) ? "an" : "a"} ${name}`;
}
