// A Python object as a JavaScript object: attributes, items, calls, iteration, coercions.
//
// This is the project's only use of `Proxy`. Python's attributes are the proxy's properties, and nothing of pyawait's
// hides one: its own members begin with `$`, which no Python name can, or are symbols.
import { promiseMethods } from "../../ffi/intrinsics.ts";
import { bridge } from "../interpreter/bridge.ts";
import { type Half, STATE, type State } from "../values/proxy_state.ts";
import { exceptionOf } from "../values/python_error.ts";
import { TupleItems } from "../values/wrappers.ts";
import { Kind } from "../wire/numbers.ts";
import { lockBuffer } from "./buffer.ts";
import { apply, attribute, fallback, item, symbolMember } from "./attributes.ts";
import { callAndCopy, callCode, callHelper, type CopyOptions, missing } from "./call.ts";
import { constructBase } from "./construct.ts";
import { toJs } from "./copy_out.ts";
import { loopOfCode } from "./current_loop.ts";
import { extendingClass, newPrototype, setStatic, stateOfClass, staticAttribute, staticSymbol } from "./extends.ts";
import { halfOf, memberOfClass, setByClass, symbolOfClass } from "./halves.ts";
import { generatorMethod } from "./iteration.ts";
import type { JsClass } from "./js_classes.ts";
import { addressOf, destroy, isThenable } from "./lifetime.ts";
import { inspectState, inspectSymbol, stateOfTarget } from "./target.ts";

/**
 * An own enumerable property, with a number that no other proxy has: what compares by structure (`deepStrictEqual`,
 * `toEqual`) finds two proxies different, which have no other property to compare.
 */
const SERIAL: unique symbol = Symbol("Python object");

/** pyawait's own members. */
const members: Record<string, (state: State, proxy: object) => unknown> = {
  $get: (_, proxy) => (...keys: unknown[]) => keys.length < 2 ? callCode("getitem", proxy, keys[0]) : getByKeys(proxy, keys),
  $set: (_, proxy) => (...keys: unknown[]) => {
    const value = keys.length < 2 ? undefined : keys.pop();
    callCode("setitem", proxy, keyOf(keys), value);
  },
  $has: (_, proxy) => (...keys: unknown[]) => callCode("contains", proxy, keyOf(keys)),
  $delete: (_, proxy) => (...keys: unknown[]) => void callCode("delitem", proxy, keyOf(keys)),
  $toJs: (_, proxy) => (options?: CopyOptions) => toJs(proxy, options),
  $getBuffer: (state) => () => lockBuffer(addressOf(state)),
  $copy: (state, proxy) => () => (state.reference.holds++, proxy),
  $destroy: (state) => () => destroy(state),
  $type: (_, proxy) => callHelper("type_name", proxy),
};

/** Several keys are a tuple, as in `table[i, j]`. */
const keyOf = (keys: unknown[]) => keys.length < 2 ? keys[0] : new TupleItems(keys);

/** An item by several keys. The KeyError of two may come of a default that was meant, so it says that there is none. */
function getByKeys(proxy: object, keys: unknown[]): unknown {
  try {
    return callCode("getitem", proxy, keyOf(keys));
  } catch (error) {
    if (keys.length === 2 && exceptionOf(error) && (error as Error).name === "KeyError") {
      (error as Error).message += ": two keys are a tuple, and $get has no default; a dict's get(key, default) has one";
    }
    throw error;
  }
}

const isIndex = (key: string) => /^(0|[1-9]\d*)$/.test(key);
const indexIn = (key: string) => Number.isSafeInteger(Number(key)) ? Number(key) : BigInt(key);
const isNegativeIndex = (key: string) => /^-[1-9]\d*$/.test(key);

const deleteSymbol = (half: Half | null, key: symbol) => half !== null && Reflect.deleteProperty(half.symbols, key);

function refuseOwnName(key: string): void {
  if (!key.startsWith("$")) return;
  throw new TypeError(`Cannot set ${key}: names that begin with $ are pyawait's own; $set(key, value) sets an item`);
}

/** What a class that extends this Python class inherits from it. */
function getStatic(state: State, cls: JsClass, key: PropertyKey): unknown {
  if (key === "then") return undefined; // asked by everything that awaits
  if (typeof key === "symbol") return staticSymbol(state, cls, key);
  const own = stateOfClass(cls), name = key as string;
  if (name in members && name.startsWith("$")) return members[name](own, cls);
  const value = staticAttribute(state, cls, name);
  return value === missing ? fallback(own, cls, name) : value;
}

function getString(state: State, proxy: object, key: string): unknown {
  const first = key.charCodeAt(0);
  if (first === 36 /* $ */ && key in members) return members[key](state, proxy);
  if (key === "then" && state.lazy) state.lazy.looked = true;
  if (key === "then" || ((key === "catch" || key === "finally") && isThenable(state))) {
    if (!isThenable(state)) return undefined;
    return (...args: unknown[]) => Reflect.apply(promiseMethods[key], bridge.then(proxy), args);
  }
  if (state.kinds & Kind.sequence && (first >= 48 && first <= 57 && isIndex(key))) {
    return item(state, proxy, indexIn(key));
  }
  if (first === 45 && isNegativeIndex(key)) return undefined;
  if ((key === "next" || key === "throw" || key === "return") && state.kinds & Kind.generator) return generatorMethod(state, proxy, key);
  if (key === "constructor" && state.lazy) return undefined; // inspectors ask for it, which must not make the coroutine
  const half = halfOf(state), member = half ? memberOfClass(half, proxy, key) : missing;
  const value = member === missing ? attribute(state, key) : member;
  if (value !== missing) return value;
  if (key === "prototype" && state.kinds & Kind.class) return newPrototype(state);
  if ((key === "next" || key === "return") && state.kinds & Kind.iterator && !(state.kinds & Kind.coroutine)) {
    return generatorMethod(state, proxy, key);
  }
  return fallback(state, proxy, key);
}

function getSymbol(state: State, proxy: object, key: symbol): unknown {
  if (key === SERIAL) return state.serial;
  const half = halfOf(state);
  if (half) {
    const value = symbolOfClass(half, proxy, key);
    if (value !== missing) return value;
  }
  if (key === Symbol.toStringTag) return "PyProxy";
  if (key === inspectSymbol) return (depth?: unknown, options?: object) => inspectState(state, depth, options);
  return symbolMember(state, proxy, key);
}

/** Keeps its argument from being a tail call, of which JavaScriptCore keeps no frame: `traceOf` looks for the trap's. */
const inFrame = (result: unknown) => result;

const handler: ProxyHandler<object> & Record<symbol, unknown> = {
  [inspectSymbol]: () => "PyProxy",
  get(target, key, receiver) {
    const state = stateOfTarget(target);
    if (receiver !== state.self) {
      const cls = extendingClass(state, receiver);
      if (cls) return getStatic(state, cls, key);
    }
    if (key === STATE) return state;
    return typeof key === "symbol" ? getSymbol(state, receiver, key) : getString(state, receiver, key);
  },
  set(target, key, value, receiver) {
    const state = stateOfTarget(target), proxy = state.self!;
    if (receiver !== proxy) {
      const cls = extendingClass(state, receiver);
      if (cls) return setStatic(state, cls, key, value);
    }
    const half = halfOf(state);
    if (typeof key === "symbol") return half !== null && Reflect.set(half.symbols, key, value);
    refuseOwnName(key);
    if (half && setByClass(half, proxy, key, value)) return true;
    const isItem = (state.kinds & Kind.sequence) !== 0;
    if (isItem && isNegativeIndex(key)) {
      throw new TypeError(`Cannot set [${key}]: it is no item in JavaScript; $set(${key}, value) counts from the end`);
    }
    if (isItem && isIndex(key)) callCode("setitem", proxy, indexIn(key), value);
    else callCode("setattr", proxy, key, value);
    return true;
  },
  has(target, key) {
    const state = stateOfTarget(target);
    const proxy = state.self!;
    if (typeof key === "symbol") return key === STATE || getSymbol(state, proxy, key) !== undefined;
    if (key in members) return true;
    if (key === "then") return isThenable(state);
    if (isIndex(key) && state.kinds & Kind.sequence) return callCode("has_index", proxy, indexIn(key)) === true;
    return callCode("hasattr", proxy, key) === true;
  },
  deleteProperty(target, key) {
    const state = stateOfTarget(target), proxy = state.self!;
    if (typeof key === "symbol") return deleteSymbol(halfOf(state), key);
    if (key.startsWith("$")) return false;
    if (state.kinds & Kind.sequence && isIndex(key)) callCode("delitem", proxy, indexIn(key));
    else callCode("delattr", proxy, key);
    return true;
  },
  ownKeys(target) {
    const state = stateOfTarget(target); // `console.table` asks for the names, and must not fail for one destroyed row
    return state.destroyed ? [SERIAL] : [...callAndCopy("list_names", [state.self], {}, loopOfCode()) as string[], SERIAL];
  },
  getOwnPropertyDescriptor(target, key) {
    if (key === SERIAL) return { value: stateOfTarget(target).serial, writable: true, enumerable: true, configurable: true };
    if (typeof key === "symbol") return undefined;
    const state = stateOfTarget(target);
    const there = key === "toString" || // Deno's util.format looks for nothing else
      state.reference.address !== 0 && callHelper("hasattr_statically", state.self!, key) === true;
    if (!there) return undefined;
    return { value: undefined, writable: true, enumerable: false, configurable: true }; // evaluates no property
  },
  defineProperty(target, key, descriptor) { // a public field of a JavaScript class arrives here
    const state = stateOfTarget(target), half = halfOf(state);
    if (!half || !("value" in descriptor)) throw new TypeError(`Cannot define ${String(key)} on a Python object: assign to it`);
    if (typeof key === "symbol") return Reflect.defineProperty(half.symbols, key, { ...descriptor, configurable: true });
    refuseOwnName(key);
    callCode("setattr", state.self, key, descriptor.value);
    return true;
  },
  getPrototypeOf(target) {
    return stateOfTarget(target).half?.prototype ?? null;
  },
  setPrototypeOf: () => false,
  preventExtensions: () => false, // Object.freeze fails at once, instead of breaking a shared proxy
  apply(target, _this, args) {
    return inFrame(apply(stateOfTarget(target), args));
  },
  construct(target, args, newTarget) {
    const state = stateOfTarget(target), base = state.self!;
    const extended = newTarget !== base && state.kinds & Kind.class ? constructBase(base, args, newTarget, stateOfClass) : undefined;
    const made = extended ?? apply(state, args);
    if (Object(made) === made) return made as object;
    throw new TypeError(`Cannot construct with new: it gives ${made === null ? "None" : `a ${typeof made}`}; call it without new`);
  },
};

/** The handler of every proxy. `%o` shows handlers as well, so its traps are inherited. */
export const traps: ProxyHandler<object> = Object.create(handler);
