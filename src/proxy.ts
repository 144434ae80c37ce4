// A Python object as a JavaScript object: attributes, items, calls, iteration, coercions.
//
// The one thing to know: this is the project's one use of Proxy. Python's attributes are the proxy's properties and
// nothing of ours hides one: our own members begin with `$`, which no Python name can, or are symbols.
import { attributeAt, callAndCopy, callAt, callEncoded, callHelper, copyAt, type CopyOptions, dropLazy, encodeCall, missing, takeLazy } from "./call.ts";
import { proxyWith } from "./decode.ts";
import { addressWith } from "./encode.ts";
import { PythonError } from "./errors.ts";
import { isClosed, openInterpreter } from "./interpreter.ts";
import { Kind } from "./kinds.ts";
import { forgetProxy, livingProxy, rememberProxy } from "./proxies.ts";
import { forget, Reference } from "./reference.ts";
import { type State, STATE, stateOf } from "./state.ts";

/** What proxies do that later files know: awaiting and asynchronous iteration. */
export interface ProxyHooks {
  then(state: State, proxy: object): Promise<unknown>;
  asyncIterator(proxy: object): AsyncIterator<unknown>;
  lockBuffer(proxy: object, address: number): unknown;
}
let hooks: ProxyHooks;

export function hookProxies(given: ProxyHooks): void {
  hooks = given;
}

const inspectSymbol = Symbol.for("nodejs.util.inspect.custom");

interface Target {
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

function newState(reference: Reference, kinds: number): State {
  return { reference, kinds, lazy: undefined, started: undefined, settledToItself: false, self: undefined, epitaph: undefined };
}

/** The proxy of an object whose reference is ours now. */
function proxyFor(address: number, kinds: number): unknown {
  const living = livingProxy(address);
  if (living) {
    const { reference } = stateOf(living)!;
    reference.holds++;
    forget(address);
    handedOut?.push(stateOf(living)!);
    return living;
  }
  const state = newState(new Reference(address), kinds);
  const proxy = new Proxy(targetOf(state, (kinds & Kind.callable) !== 0), handler);
  rememberProxy(proxy, state);
  handedOut?.push(state);
  return proxy;
}

let handedOut: State[] | undefined;

/**
 * Runs `fn` and gives up the proxies that were handed out in it, but for what it returns (itself, or in an Array or
 * plain object) and what it has `$copy`d: for long synchronous loops, in which no finalizer can run.
 *
 * @param fn a synchronous function
 * @returns what `fn` returns
 * @throws {TypeError} if `fn` returns a Promise
 * @example
 * ```ts
 * import { python, tidy } from "pyawait";
 * const rows = python.exec("[{'n': i} for i in range(1000)]");
 * let sum = 0;
 * for (let i = 0; i < 1000; i++) tidy(() => sum += rows[i].$get("n"));
 * ```
 */
export function tidy<T>(fn: () => T): T {
  const outer = handedOut;
  const mine: State[] = handedOut = [];
  try {
    const result = fn();
    if (result instanceof Promise) throw new TypeError("Cannot tidy up after an asynchronous function: tidy(fn) takes one that has done its work when it returns");
    const kept = keptBy(result);
    for (const state of kept) { // one hold stays with the caller, and with an outer tidy
      const at = mine.indexOf(state);
      if (at >= 0) mine.splice(at, 1);
      if (at >= 0) outer?.push(state);
    }
    return result;
  } finally {
    handedOut = outer;
    for (const state of mine) destroy(state);
  }
}

function keptBy(result: unknown): State[] {
  const state = stateOf(result);
  if (state) return [state];
  if (typeof result !== "object" || result === null) return [];
  const values = Array.isArray(result) ? result : Object.getPrototypeOf(result) === Object.prototype ? Object.values(result) : [];
  return values.map(stateOf).filter((each) => each !== undefined);
}

/** A coroutine that is not made before somebody asks more of it than to be awaited. */
function lazyCoroutine(callee: State, args: readonly unknown[]): object {
  const state = newState(new Reference(0), Kind.awaitable | Kind.coroutine);
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
  if (state.started) throw new TypeError("Cannot use this coroutine: it has been started by awaiting it; keep a task instead (asyncio.create_task)");
  makeLazy(state);
  return state.reference.address;
}

proxyWith(proxyFor);
addressWith(addressOf);

function reprOf(state: State): string {
  try {
    if (state.epitaph !== undefined) return `[destroyed ${state.epitaph}]`;
    if (state.lazy) return "<coroutine, not started>";
    if (state.reference.address === 0) return "<coroutine, started>";
    return String(callHelper("repr", proxyOf(state)));
  } catch (error) {
    return `[Python object whose repr failed: ${(error as Error).message}]`;
  }
}

function proxyOf(state: State): object {
  return state.self!;
}

/** Whether awaiting this proxy awaits its object. */
export function isThenable(state: State): boolean {
  const { kinds } = state;
  if (kinds & (Kind.coroutine | Kind.future)) return state.epitaph === undefined;
  return (kinds & Kind.awaitable) !== 0 && !state.settledToItself && state.epitaph === undefined;
}

function destroy(state: State): void {
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

/** Our own members: `$…`. */
const members: Record<string, (state: State, proxy: object) => unknown> = {
  $get: (_, proxy) => (key: unknown) => callHelper("getitem", proxy, key),
  $set: (_, proxy) => (key: unknown, value: unknown) => void callHelper("setitem", proxy, key, value),
  $has: (_, proxy) => (key: unknown) => callHelper("contains", proxy, key),
  $delete: (_, proxy) => (key: unknown) => void callHelper("delitem", proxy, key),
  $toJs: (state) => (options: CopyOptions = {}) => copyAt(addressOf(state), options),
  $getBuffer: (state, proxy) => () => hooks.lockBuffer(proxy, addressOf(state)),
  $copy: (state, proxy) => () => (state.reference.holds++, proxy),
  $destroy: (state) => () => destroy(state),
  $type: (_, proxy) => callHelper("type_name", proxy),
};

/** JavaScript's own names, where Python has no such attribute. */
function fallback(state: State, proxy: object, key: string): unknown {
  const callable = (state.kinds & Kind.callable) !== 0;
  switch (key) {
    case "toString":
      return () => String(callHelper("str", proxy));
    case "toJSON":
      return () => copyAt(addressOf(state), {});
    case "length":
      return state.kinds & (Kind.sequence | Kind.mapping) || attribute(state, "__len__") !== missing ? callHelper("len", proxy) : undefined;
    case "name":
      return callable ? ifThere(attribute(state, "__name__")) : undefined;
    case "call":
      return callable ? (_this: unknown, ...args: unknown[]) => apply(state, args) : undefined;
    case "apply":
      return callable ? (_this: unknown, args: unknown[] = []) => apply(state, args) : undefined;
    case "bind":
      return callable ? (_this: unknown, ...first: unknown[]) => (...args: unknown[]) => apply(state, [...first, ...args]) : undefined;
  }
  return undefined;
}

const ifThere = (value: unknown) => value === missing ? undefined : value;

function attribute(state: State, name: string): unknown {
  return attributeAt(addressOf(state), name);
}

function apply(state: State, args: readonly unknown[]): unknown {
  const address = addressOf(state);
  return state.kinds & Kind.asyncFunction ? lazyCoroutine(state, args) : callAt(address, args);
}

const isIndex = (key: string) => /^(0|[1-9]\d*)$/.test(key);
const isNegativeIndex = (key: string) => /^-[1-9]\d*$/.test(key);

function getString(state: State, proxy: object, key: string): unknown {
  const first = key.charCodeAt(0);
  if (first === 36 /* $ */ && key in members) return members[key](state, proxy);
  if (key === "then" || ((key === "catch" || key === "finally") && isThenable(state))) {
    if (!isThenable(state)) return undefined;
    // deno-lint-ignore no-explicit-any
    return (...args: any[]) => ((hooks.then(state, proxy) as any)[key] as any)(...args);
  }
  if (state.kinds & Kind.sequence && (first >= 48 && first <= 57 && isIndex(key))) {
    return (callAndCopy("item_at", [proxy, Number(key)], { depth: 1 }) as unknown[])[0];
  }
  if (first === 45 && isNegativeIndex(key)) return undefined;
  if ((key === "next" || key === "throw" || key === "return") && state.kinds & Kind.generator) return generatorMethod(state, proxy, key);
  const value = attribute(state, key);
  return value === missing ? fallback(state, proxy, key) : value;
}

type Step = [item: boolean, value: unknown];
const result = ([item, value]: Step) => ({ done: !item, value });

function generatorMethod(state: State, proxy: object, key: "next" | "throw" | "return"): unknown {
  if (key === "throw") return (error: unknown) => result(callAndCopy("throw_step", [proxy, error], { depth: 1 }) as Step);
  if (key === "return") return (value?: unknown) => (callHelper("close_iterator", proxy), { done: true, value });
  if (!(state.kinds & Kind.generator)) return () => result(callAndCopy("next_step", [proxy], { depth: 1 }) as Step);
  return (value?: unknown) => result(callAndCopy("send_step", [proxy, value], { depth: 1 }) as Step);
}

/** Python's iteration: leaving the loop early closes a generator. */
function iterate(proxy: object): Iterator<unknown> & Iterable<unknown> {
  const iterator = callHelper("iter", proxy);
  return {
    next: () => result(callAndCopy("next_step", [iterator], { depth: 1 }) as Step),
    return: (value?: unknown) => (callHelper("close_iterator", iterator), { done: true, value }),
    [Symbol.iterator]() {
      return this;
    },
  };
}

/** `+x`, `x < y`, `` `${x}` ``. */
function toPrimitive(proxy: object, hint: string): unknown {
  if (hint === "string") return String(callHelper("str", proxy));
  const number = callHelper("number_of", proxy);
  if (typeof number === "number" || typeof number === "bigint") return number;
  if (hint === "default") return String(callHelper("str", proxy));
  throw new TypeError(`Cannot convert ${callHelper("type_name", proxy)} to a number; compare and calculate with python.import("operator")`);
}

/** Python's `isinstance(value, cls)`; for a PythonError, of its exception. */
export function isInstanceOf(proxy: object, value: unknown): boolean {
  if (value instanceof PythonError) value = value.exception;
  return stateOf(value) !== undefined && callHelper("isinstance", value, proxy) === true;
}


function getSymbol(target: Target, proxy: object, key: symbol): unknown {
  const state = target[STATE];
  switch (key) {
    case STATE:
      return state;
    case Symbol.iterator:
      return state.kinds & Kind.iterable && !(state.kinds & Kind.coroutine) ? () => iterate(proxy) : undefined;
    case Symbol.asyncIterator:
      return state.kinds & Kind.asyncIterable ? () => hooks.asyncIterator(proxy) : undefined;
    case Symbol.toPrimitive:
      return (hint: string) => toPrimitive(proxy, hint);
    case Symbol.hasInstance:
      return (value: unknown) => isInstanceOf(proxy, value);
    case Symbol.toStringTag:
      return "PyProxy";
    case inspectSymbol:
      return () => reprOf(state);
  }
  if (key === (Symbol as { dispose?: symbol }).dispose) return () => destroy(state);
  if (key === (Symbol as { asyncDispose?: symbol }).asyncDispose) return () => Promise.resolve(destroy(state));
  return undefined;
}

const handler: ProxyHandler<object> = {
  get(target, key, proxy) {
    return typeof key === "symbol" ? getSymbol(target as Target, proxy, key) : getString((target as Target)[STATE], proxy, key);
  },
  set(_target, key, value, proxy) {
    if (typeof key === "symbol") return false;
    if (key.startsWith("$")) throw new TypeError(`Cannot set ${key}: names that begin with $ are pyawait's own; $set(key, value) sets an item`);
    if (isIndex(key) || isNegativeIndex(key)) callHelper("setitem", proxy, Number(key), value);
    else callHelper("setattr", proxy, key, value);
    return true;
  },
  has(target, key) {
    const state = (target as Target)[STATE];
    const proxy = proxyOf(state);
    if (typeof key === "symbol") return key === STATE || getSymbol(target as Target, proxy, key) !== undefined;
    if (key in members) return true;
    if (key === "then") return isThenable(state);
    if (isIndex(key) && state.kinds & Kind.sequence) return Number(key) < Number(callHelper("len", proxy));
    return callHelper("hasattr", proxy, key) === true;
  },
  deleteProperty(target, key) {
    if (typeof key === "symbol" || key.startsWith("$")) return false;
    const proxy = proxyOf((target as Target)[STATE]);
    if (isIndex(key)) callHelper("delitem", proxy, Number(key));
    else callHelper("delattr", proxy, key);
    return true;
  },
  ownKeys(target) {
    return callAndCopy("list_names", [proxyOf((target as Target)[STATE])]) as string[];
  },
  getOwnPropertyDescriptor(target, key) {
    if (typeof key === "symbol") return undefined;
    const state = (target as Target)[STATE];
    if (state.reference.address === 0 || callHelper("hasattr_statically", proxyOf(state), key) !== true) return undefined;
    return { value: undefined, writable: true, enumerable: false, configurable: true }; // no property is evaluated here
  },
  defineProperty(_target, key) {
    throw new TypeError(`Cannot define ${String(key)} on a Python object: assign to it`);
  },
  getPrototypeOf() {
    return null;
  },
  setPrototypeOf: () => false,
  apply(target, _this, args) {
    return apply((target as unknown as Target)[STATE], args);
  },
  construct(target, args) {
    return apply((target as unknown as Target)[STATE], args) as object;
  },
};

/**
 * A Python object. Its members are Python's attributes; `$get`, `$set`, `$has`, `$delete` reach items, `$toJs`,
 * `$copy`, `$destroy` and `$type` are pyawait's own.
 */
export interface PyProxy {
  // What Python decides:
  // deno-lint-ignore no-explicit-any
  (...args: any[]): any;
  // deno-lint-ignore no-explicit-any
  new (...args: any[]): any;
  // deno-lint-ignore no-explicit-any
  [name: string]: any;
  [Symbol.iterator](): Iterator<PyProxy>;
  [Symbol.asyncIterator](): AsyncIterator<PyProxy>;
}

/**
 * `x instanceof PyProxy` tells a proxy from every other value.
 *
 * @example
 * ```ts
 * import { PyProxy, python } from "pyawait";
 * python.import("math") instanceof PyProxy; // true
 * ```
 */
export const PyProxy: { [Symbol.hasInstance](value: unknown): boolean } = {
  [Symbol.hasInstance]: (value) => stateOf(value) !== undefined,
};

/**
 * A copy of a Python object in JavaScript: Arrays of lists and tuples, objects or Maps of dicts, Sets of sets, typed
 * arrays of buffers, Dates of aware datetimes; what has no counterpart stays a proxy.
 *
 * @param value a proxy; every other value is given back as it is
 * @param options `depth`: levels to copy (default: all); `dict`: what a dict becomes
 * @example
 * ```ts
 * import { python, toJs } from "pyawait";
 * toJs(python.exec("{'a': [1, 2, (3,)]}")); // { a: [1, 2, [3]] }
 * ```
 */
export function toJs(value: unknown, options: CopyOptions = {}): unknown {
  const state = stateOf(value);
  return state ? copyAt(addressOf(state), options) : value;
}

