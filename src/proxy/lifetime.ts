// The life of a proxy: made for an object, handed out, asked for its address, given up.
//
// The one thing to know: a proxy owns one reference to its object, and counts how often it was handed out; a coroutine's
// proxy may have no object yet.
import { callEncoded, callHelper, dropLazy, encodeCall, takeLazy } from "./call.ts";
import { proxyWith } from "../values/decode.ts";
import { addressWith } from "../values/encode.ts";
import { handOut, handOutNew, keep } from "../values/handouts.ts";
import { isClosed, openInterpreter } from "../interpreter/interpreter.ts";
import { Kind } from "../wire/kinds.ts";
import { forgetProxy, livingProxy, rememberProxy } from "./registry.ts";
import { forget, Reference } from "../interpreter/reference.ts";
import { STATE, State, stateOf } from "../values/proxy_state.ts";

let handler: ProxyHandler<object>;

/** Says what proxies do. */
export function trapWith(traps: ProxyHandler<object>): void {
  handler = traps;
}

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

function targetOf(state: State, callableToo: boolean): object {
  if (!callableToo) return new PlainTarget(state);
  const target = callable.bind(null) as unknown as Target & Record<PropertyKey, unknown>;
  target[STATE] = state;
  target[inspectSymbol] = inspect;
  return target;
}

/** The proxy of an object whose reference is ours now. */
function proxyFor(address: number, kinds: number): unknown {
  const living = livingProxy(address);
  if (living) {
    forget(address);
    handOut(stateOf(living)!);
    return living;
  }
  const state = new State(new Reference(address), kinds);
  const proxy = new Proxy(targetOf(state, (kinds & Kind.callable) !== 0), handler);
  rememberProxy(proxy, state);
  handOutNew(state);
  return proxy;
}

/** A coroutine that is not made before somebody asks more of it than to be awaited. */
export function lazyCoroutine(callee: State, args: readonly unknown[]): object {
  const state = new State(new Reference(0), Kind.awaitable | Kind.coroutine);
  const lazy = state.lazy = encodeCall(callee, args);
  const proxy = state.self = new Proxy(targetOf(state, false), handler);
  if (lazy.pins.length > 0 || lazy.handles.length > 0) neverAwaited.register(proxy, lazy); // it is not free
  return proxy;
}

const neverAwaited = new FinalizationRegistry(dropLazy);

function makeLazy(state: State): void {
  const { bytes, pins } = takeLazy(state);
  let made: unknown;
  try {
    made = callEncoded(bytes);
  } finally {
    for (const reference of pins) reference.unpin();
  }
  const other = stateOf(made);
  if (!other) throw new TypeError("Cannot use this coroutine: its function did not return one");
  forgetProxy(other); // the proxy that is there already is the object's
  keep(other);
  state.reference = other.reference;
  state.kinds = other.kinds;
  rememberProxy(proxyOf(state), state);
}

/** The address of a proxy's object; a lazy coroutine is made now. */
export function addressOf(state: State): number {
  const { address } = state.reference;
  if (address !== 0) return address;
  if (isClosed()) return openInterpreter()!.heapId; // begin() throws PythonClosedError
  if (state.epitaph !== undefined) throw new TypeError(`Cannot use this Python object, it was destroyed: ${state.epitaph}`);
  if (state.started) {
    throw new TypeError("Cannot use this coroutine: it has been started by awaiting it; keep a task instead (asyncio.create_task)");
  }
  makeLazy(state);
  return state.reference.address;
}

proxyWith(proxyFor);
addressWith(addressOf);

export function reprOf(state: State): string {
  try {
    if (state.epitaph !== undefined) return `[destroyed ${state.epitaph}]`;
    if (state.lazy) return "<coroutine, not started>";
    if (state.reference.address === 0) return "<coroutine, started>";
    return String(callHelper("repr", proxyOf(state)));
  } catch (error) {
    return `[Python object whose repr failed: ${(error as Error).message}]`;
  }
}

export function proxyOf(state: State): object {
  return state.self!;
}

/** Whether awaiting this proxy awaits its object. */
export function isThenable(state: State): boolean {
  const { kinds } = state;
  if (kinds & (Kind.coroutine | Kind.future)) return true; // also when it was destroyed: awaiting it says so
  return (kinds & Kind.awaitable) !== 0 && !state.settledToItself && state.epitaph === undefined;
}

export function destroy(state: State): void {
  const { reference } = state;
  if (state.epitaph !== undefined || --reference.holds > 0) return;
  if (reference.address === 0) {
    dropLazy(state.lazy);
    state.lazy = undefined;
    state.epitaph = "a coroutine";
    return;
  }
  state.epitaph = isClosed() ? "Python is closed" : `it was ${callHelper("epitaph", proxyOf(state))}`;
  forgetProxy(state);
  reference.release();
}
