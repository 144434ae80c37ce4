// A Python object as a JavaScript object: attributes, items, calls, iteration, coercions.
//
// This is the project's only use of `Proxy`. Python's attributes are the proxy's properties, and nothing of pyawait's
// hides one: its own members begin with `$`, which no Python name can, or are symbols.
import { promiseMethods, resolved } from "../../ffi/intrinsics.ts";
import { bridge } from "../interpreter/bridge.ts";
import { STATE, type State, stateOf } from "../values/proxy_state.ts";
import { exceptionOf } from "../values/python_error.ts";
import { TupleItems } from "../values/wrappers.ts";
import { Kind } from "../wire/numbers.ts";
import { lockBuffer } from "./buffer.ts";
import { attributeAt, callAndCopy, callAt, callHelper, callOnLoop, type CopyOptions, currentLoopId, missing } from "./call.ts";
import { toJs } from "./copy_out.ts";
import { isInstanceOf, toPrimitive } from "./coercion.ts";
import { generatorMethod, iterate } from "./iteration.ts";
import { lazyCoroutine } from "./lazy_coroutine.ts";
import type { PyMembers } from "./py_object.ts";
import { livingProxy } from "./registry.ts";
import { everyCallee } from "./with_loop.ts";
import { addressOf, destroy, isThenable } from "./lifetime.ts";
import { inspectSymbol, reprOf, type Target } from "./target.ts";
import { toJson } from "./to_json.ts";

/**
 * An own enumerable property, with a number that no other proxy has: what compares by structure (`deepStrictEqual`,
 * `toEqual`) finds two proxies different, which have no other property to compare.
 */
const SERIAL: unique symbol = Symbol("Python object");

/** pyawait's own members. */
const members: Record<string, (state: State, proxy: object) => unknown> = {
  $get: (_, proxy) => (...keys: unknown[]) => keys.length < 2 ? callHelper("getitem", proxy, keys[0]) : getByKeys(proxy, keys),
  $set: (_, proxy) => (...keys: unknown[]) => {
    const value = keys.length < 2 ? undefined : keys.pop();
    callHelper("setitem", proxy, keyOf(keys), value);
  },
  $has: (_, proxy) => (...keys: unknown[]) => callHelper("contains", proxy, keyOf(keys)),
  $delete: (_, proxy) => (...keys: unknown[]) => void callHelper("delitem", proxy, keyOf(keys)),
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
    return callHelper("getitem", proxy, keyOf(keys));
  } catch (error) {
    if (keys.length === 2 && exceptionOf(error) && (error as Error).name === "KeyError") {
      (error as Error).message += ": two keys are a tuple, and $get has no default; a dict's get(key, default) has one";
    }
    throw error;
  }
}

/** JavaScript's own names, where Python has no such attribute. */
function fallback(state: State, proxy: object, key: string): unknown {
  const callable = (state.kinds & Kind.callable) !== 0;
  switch (key) {
    case "toString":
      return () => String(callHelper("str", proxy));
    case "toJSON":
      return () => toJson(proxy);
    case "length":
      return attribute(state, "__len__") === missing ? undefined : callHelper("len", proxy);
    case "name":
      return callable ? ifThere(attribute(state, "__name__")) : undefined;
    case "call":
      return callable ? (_this: unknown, ...args: unknown[]) => callProxy(proxy, args) : undefined;
    case "apply":
      return callable ? (_this: unknown, args: unknown[] = []) => callProxy(proxy, args) : undefined;
    case "bind":
      return callable ? (_this: unknown, ...first: unknown[]) => (...args: unknown[]) => callProxy(proxy, [...first, ...args]) : undefined;
  }
  return undefined;
}

/** As the user would, through the trap. */
const callProxy = (proxy: object, args: unknown[]) => Reflect.apply(proxy as () => unknown, undefined, args);

const ifThere = (value: unknown) => value === missing ? undefined : value;

function attribute(state: State, name: string): unknown {
  const address = addressOf(state), known = state.methods?.get(name);
  const method = known === undefined ? undefined : livingProxy(known); // kept here while its address is on its way
  const value = attributeAt(address, name, method === undefined ? 0 : known);
  if (typeof value === "function" && value !== method) rememberMethod(state, name, value);
  return value;
}

/** The same method is the same proxy as long as that is alive. */
function rememberMethod(state: State, name: string, value: object): void {
  const method = stateOf(value);
  if (method) (state.methods ??= new Map()).set(name, method.reference.address);
}

function apply(state: State, args: readonly unknown[]): unknown {
  if (state.kinds & Kind.asyncFunction) {
    addressOf(state); // throws if it was destroyed
    return lazyCoroutine(state, args, traps.apply!);
  }
  const onLoop = (state.kinds & Kind.asynchronous) !== 0 || everyCallee();
  return onLoop ? callOnLoop(currentLoopId(), addressOf(state), args) : callAt(addressOf(state), args);
}

const isIndex = (key: string) => /^(0|[1-9]\d*)$/.test(key);
const indexIn = (key: string) => Number.isSafeInteger(Number(key)) ? Number(key) : BigInt(key);
const isNegativeIndex = (key: string) => /^-[1-9]\d*$/.test(key);

function getString(state: State, proxy: object, key: string): unknown {
  const first = key.charCodeAt(0);
  if (first === 36 /* $ */ && key in members) return members[key](state, proxy);
  if (key === "then" && state.lazy) state.lazy.looked = true;
  if (key === "then" || ((key === "catch" || key === "finally") && isThenable(state))) {
    if (!isThenable(state)) return undefined;
    return (...args: unknown[]) => Reflect.apply(promiseMethods[key], bridge.then(proxy), args);
  }
  if (state.kinds & Kind.sequence && (first >= 48 && first <= 57 && isIndex(key))) {
    return (callAndCopy("item_at", [proxy, indexIn(key)], { depth: 1 }) as unknown[])[0];
  }
  if (first === 45 && isNegativeIndex(key)) return undefined;
  if ((key === "next" || key === "throw" || key === "return") && state.kinds & Kind.generator) return generatorMethod(state, proxy, key);
  const value = attribute(state, key);
  if (value !== missing) return value;
  if ((key === "next" || key === "return") && state.kinds & Kind.iterator && !(state.kinds & Kind.coroutine)) {
    return generatorMethod(state, proxy, key);
  }
  return fallback(state, proxy, key);
}

function getSymbol(target: Target, proxy: object, key: symbol): unknown {
  const state = target[STATE];
  switch (key) {
    case STATE:
      return state;
    case SERIAL:
      return state.serial;
    case Symbol.iterator:
      if (state.kinds & Kind.generator) return () => proxy; // it has next, throw and return itself
      return state.kinds & Kind.iterable && !(state.kinds & Kind.coroutine) ? () => iterate(proxy) : undefined;
    case Symbol.asyncIterator:
      return state.kinds & Kind.asyncIterable ? () => bridge.asyncIterator(proxy) : undefined;
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
  if (key === (Symbol as { asyncDispose?: symbol }).asyncDispose) return () => resolved(destroy(state));
  return undefined;
}

/** The handler of every proxy. */
export const traps: ProxyHandler<object> = {
  get(target, key, proxy) {
    return typeof key === "symbol" ? getSymbol(target as Target, proxy, key) : getString((target as Target)[STATE], proxy, key);
  },
  set(target, key, value) {
    if (typeof key === "symbol") return false;
    const state = (target as Target)[STATE], proxy = state.self!;
    if (key.startsWith("$")) {
      throw new TypeError(`Cannot set ${key}: names that begin with $ are pyawait's own; $set(key, value) sets an item`);
    }
    const isItem = (state.kinds & Kind.sequence) !== 0;
    if (isItem && isNegativeIndex(key)) {
      throw new TypeError(`Cannot set [${key}]: it is no item in JavaScript; $set(${key}, value) counts from the end`);
    }
    if (isItem && isIndex(key)) callHelper("setitem", proxy, indexIn(key), value);
    else callHelper("setattr", proxy, key, value);
    return true;
  },
  has(target, key) {
    const state = (target as Target)[STATE];
    const proxy = state.self!;
    if (typeof key === "symbol") return key === STATE || getSymbol(target as Target, proxy, key) !== undefined;
    if (key in members) return true;
    if (key === "then") return isThenable(state);
    if (isIndex(key) && state.kinds & Kind.sequence) return callHelper("has_index", proxy, indexIn(key)) === true;
    return callHelper("hasattr", proxy, key) === true;
  },
  deleteProperty(target, key) {
    if (typeof key === "symbol" || key.startsWith("$")) return false;
    const state = (target as Target)[STATE], proxy = state.self!;
    if (state.kinds & Kind.sequence && isIndex(key)) callHelper("delitem", proxy, indexIn(key));
    else callHelper("delattr", proxy, key);
    return true;
  },
  ownKeys(target) {
    return [...callAndCopy("list_names", [(target as Target)[STATE].self]) as string[], SERIAL];
  },
  getOwnPropertyDescriptor(target, key) {
    if (key === SERIAL) return { value: (target as Target)[STATE].serial, writable: true, enumerable: true, configurable: true };
    if (typeof key === "symbol") return undefined;
    const state = (target as Target)[STATE];
    const there = key === "toString" || // Deno's util.format looks for nothing else
      state.reference.address !== 0 && callHelper("hasattr_statically", state.self!, key) === true;
    if (!there) return undefined;
    return { value: undefined, writable: true, enumerable: false, configurable: true }; // evaluates no property
  },
  defineProperty(_target, key) {
    throw new TypeError(`Cannot define ${String(key)} on a Python object: assign to it`);
  },
  getPrototypeOf() {
    return null;
  },
  setPrototypeOf: () => false,
  preventExtensions: () => false, // Object.freeze fails at once, instead of breaking a shared proxy
  apply(target, _this, args) {
    try { // so that it is no tail call, of which JavaScriptCore keeps no frame: `traceOf` looks for this one
      return apply((target as unknown as Target)[STATE], args);
    } catch (error) {
      throw error;
    }
  },
  construct(target, args) {
    const made = apply((target as unknown as Target)[STATE], args);
    if (Object(made) === made) return made as object;
    throw new TypeError(`Cannot construct with new: it gives ${made === null ? "None" : `a ${typeof made}`}; call it without new`);
  },
};

/**
 * A Python object.
 *
 * Its members are Python's attributes, and nothing of pyawait's hides one: pyawait's own begin with `$`, which no
 * Python name can. JavaScript's own names (`length`, `name`, `call`, `apply`, `bind`, `toString`, `toJSON`) answer only
 * where Python has no such attribute. Coroutines, Tasks and Futures can be awaited. The same Python object is the same
 * proxy while one is alive. As Pyodide's `PyProxy`.
 *
 * @example
 * ```ts
 * import { python } from "pyawait";
 * const scores = python.exec("{'ada': 3}");
 * scores.$set("grace", 5);
 * console.log(scores.$get("grace"), String(scores)); // 5 {'ada': 3, 'grace': 5}
 * ```
 */
export interface PyProxy extends PyMembers {
  // Python decides:
  // deno-lint-ignore no-explicit-any
  (...args: any[]): any;
  // deno-lint-ignore no-explicit-any
  new (...args: any[]): any;
}

/**
 * Tests for a proxy: `x instanceof PyProxy`.
 *
 * @example
 * ```ts
 * import { PyProxy, python } from "pyawait";
 * python.import("math") instanceof PyProxy; // true
 * ```
 */
export const PyProxy: { [Symbol.hasInstance](value: unknown): value is PyProxy } = {
  [Symbol.hasInstance]: (value): value is PyProxy => stateOf(value) !== undefined,
};
