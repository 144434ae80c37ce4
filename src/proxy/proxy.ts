// A Python object as a JavaScript object: attributes, items, calls, iteration, coercions.
//
// This is the project's only use of `Proxy`. Python's attributes are the proxy's properties, and nothing of pyawait's
// hides one: its own members begin with `$`, which no Python name can, or are symbols.
import { promiseMethods, resolved } from "../../ffi/intrinsics.ts";
import { bridge } from "../interpreter/bridge.ts";
import { isClosed } from "../interpreter/interpreter.ts";
import { STATE, type State, stateOf } from "../values/proxy_state.ts";
import { exceptionOf } from "../values/python_error.ts";
import { TupleItems } from "../values/wrappers.ts";
import { Kind } from "../wire/numbers.ts";
import { lockBuffer, type PyBuffer } from "./buffer.ts";
import { attributeAt, callAndCopy, callAt, callHelper, callOnLoop, type CopyOptions, currentLoopId, missing } from "./call.ts";
import { toJs } from "./copy_out.ts";
import { isInstanceOf, toPrimitive } from "./coercion.ts";
import { generatorMethod, iterate } from "./iteration.ts";
import { lazyCoroutine } from "./lazy_coroutine.ts";
import { livingProxy } from "./registry.ts";
import { everyCallee } from "./with_loop.ts";
import { addressOf, destroy, isThenable } from "./lifetime.ts";
import { inspectState, inspectSymbol, stateOfTarget } from "./target.ts";
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
    return lazyCoroutine(state, args);
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
  if (key === "then" || ((key === "catch" || key === "finally") && isThenable(state))) {
    if (!isThenable(state)) return undefined;
    return (...args: unknown[]) => Reflect.apply(promiseMethods[key], bridge.then(proxy), args);
  }
  if (state.kinds & Kind.sequence && (first >= 48 && first <= 57 && isIndex(key))) {
    return (callAndCopy("item_at", [proxy, indexIn(key)], { depth: 1 }) as unknown[])[0];
  }
  if (first === 45 && isNegativeIndex(key)) return undefined;
  if ((key === "next" || key === "throw" || key === "return") && state.kinds & Kind.generator) return generatorMethod(state, proxy, key);
  if (key === "constructor" && state.lazy) return undefined; // inspectors ask for it, which must not make the coroutine
  const value = attribute(state, key);
  if (value !== missing) return value;
  if ((key === "next" || key === "return") && state.kinds & Kind.iterator && !(state.kinds & Kind.coroutine)) {
    return generatorMethod(state, proxy, key);
  }
  return fallback(state, proxy, key);
}

function getSymbol(state: State, proxy: object, key: symbol): unknown {
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
      return (depth?: unknown, options?: object) => inspectState(state, depth, options);
  }
  if (key === (Symbol as { dispose?: symbol }).dispose) return () => destroy(state);
  if (key === (Symbol as { asyncDispose?: symbol }).asyncDispose) return () => resolved(destroy(state));
  return undefined;
}

const handler: ProxyHandler<object> & Record<symbol, unknown> = {
  [inspectSymbol]: () => "PyProxy",
  get(target, key, proxy) {
    const state = stateOfTarget(target);
    return typeof key === "symbol" ? getSymbol(state, proxy, key) : getString(state, proxy, key);
  },
  set(target, key, value) {
    if (typeof key === "symbol") return false;
    const state = stateOfTarget(target), proxy = state.self!;
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
    const state = stateOfTarget(target);
    const proxy = state.self!;
    if (typeof key === "symbol") return key === STATE || getSymbol(state, proxy, key) !== undefined;
    if (key in members) return true;
    if (key === "then") return isThenable(state);
    if (isIndex(key) && state.kinds & Kind.sequence) return callHelper("has_index", proxy, indexIn(key)) === true;
    return callHelper("hasattr", proxy, key) === true;
  },
  deleteProperty(target, key) {
    if (typeof key === "symbol" || key.startsWith("$")) return false;
    const state = stateOfTarget(target), proxy = state.self!;
    if (state.kinds & Kind.sequence && isIndex(key)) callHelper("delitem", proxy, indexIn(key));
    else callHelper("delattr", proxy, key);
    return true;
  },
  ownKeys(target) {
    const state = stateOfTarget(target); // inspectors ask for the names, and have to go on where there are none
    return state.destroyed || isClosed() ? [SERIAL] : [...callAndCopy("list_names", [state.self]) as string[], SERIAL];
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
  defineProperty(_target, key) {
    throw new TypeError(`Cannot define ${String(key)} on a Python object: assign to it`);
  },
  getPrototypeOf() {
    return null;
  },
  setPrototypeOf: () => false,
  preventExtensions: () => false, // Object.freeze fails at once, instead of breaking a shared proxy
  apply(target, _this, args) {
    return apply(stateOfTarget(target), args);
  },
  construct(target, args) {
    const made = apply(stateOfTarget(target), args);
    if (Object(made) === made) return made as object;
    throw new TypeError(`Cannot construct with new: it gives ${made === null ? "None" : `a ${typeof made}`}; call it without new`);
  },
};

/** The handler of every proxy. `%o` shows handlers as well, so its traps are inherited. */
export const traps: ProxyHandler<object> = Object.create(handler);

/**
 * The members that every Python object has; a {@linkcode PyProxy} is callable as well. Generated types build on this.
 *
 * Besides the errors listed below, every access to the Python object throws a `TypeError` after `$destroy()` and a
 * `PythonClosedError` after `python.close()`, and passing a value to Python throws a `TypeError` or `RangeError` where
 * Python has nothing for it.
 */
export interface PyMembers {
  // Python decides:
  // deno-lint-ignore no-explicit-any
  [name: string]: any;
  // deno-lint-ignore no-explicit-any
  [Symbol.iterator](): Iterator<any>;
  // deno-lint-ignore no-explicit-any
  [Symbol.asyncIterator](): AsyncIterator<any>;
  /**
   * `object[key]`; with several keys `object[key, …]`, whose key is a tuple. There is no default: a dict's
   * `get(key, default)` has one.
   *
   * @param key any value; a safe integer, a string and `null` cross as `int`, `str` and `None`, `slice(…)` as a slice
   * @param more the tuple's other items
   * @returns the item, converted
   * @throws {PythonError} what Python raises, such as a `KeyError` or an `IndexError`
   * @example
   * ```ts
   * import { python, slice } from "pyawait";
   * const list = python.builtins.list([1, 2, 3]);
   * console.log(list.$get(-1), String(list.$get(slice(1, 3)))); // 3 [2, 3]
   * console.log(python.exec("{(0, 1): 'x'}").$get(0, 1)); // x
   * ```
   */
  // deno-lint-ignore no-explicit-any
  $get(key: unknown, ...more: unknown[]): any;
  /**
   * `object[key] = value`; with several keys before the value `object[key, …] = value`.
   *
   * @throws {PythonError} what Python raises
   * @example
   * ```ts
   * import { python } from "pyawait";
   * const ages = python.builtins.dict();
   * ages.$set("Ada", 36);
   * console.log(String(ages)); // {'Ada': 36}
   * ```
   */
  $set(key: unknown, ...moreAndValue: [...more: unknown[], value: unknown]): void;
  /**
   * `key in object`; several keys are a tuple.
   *
   * @throws {PythonError} what Python raises
   * @example
   * ```ts
   * import { python } from "pyawait";
   * console.log(python.builtins.range(3).$has(2)); // true
   * ```
   */
  $has(key: unknown, ...more: unknown[]): boolean;
  /**
   * `del object[key]`; with several keys `del object[key, …]`.
   *
   * @throws {PythonError} what Python raises
   * @example
   * ```ts
   * import { python } from "pyawait";
   * const list = python.builtins.list([1, 2, 3]);
   * list.$delete(0);
   * console.log(String(list)); // [2, 3]
   * ```
   */
  $delete(key: unknown, ...more: unknown[]): void;
  /**
   * A copy in JavaScript; the same as {@linkcode toJs}, with the same options and errors.
   *
   * @example
   * ```ts
   * import { python } from "pyawait";
   * console.log(python.builtins.range(3).$type, python.builtins.list("ab").$toJs().length); // range 2
   * ```
   */
  // deno-lint-ignore no-explicit-any
  $toJs<T = any>(options?: CopyOptions): T;
  /**
   * The object's memory, live and without a copy. As Pyodide's `getBuffer`.
   *
   * @returns the buffer, which the caller releases
   * @throws {PythonError} a `TypeError` if the object has no buffer, a `BufferError` if it refuses
   * @throws {TypeError} if its items are references to Python objects
   * @throws {RangeError} if it is larger than an ArrayBuffer can be
   * @throws {Error} if this runtime forbids foreign memory (Electron)
   * @example
   * ```ts
   * import { python } from "pyawait";
   * const view = python.import("array").array("d", [1, 2]).$getBuffer();
   * console.log(view.data.length, view.format); // 2 d
   * view.release();
   * ```
   */
  $getBuffer(): PyBuffer;
  /**
   * Returns the same proxy with one more hold, so that it takes one more `$destroy()` to release the object.
   *
   * @example
   * ```ts
   * import { python } from "pyawait";
   * const list = python.builtins.list();
   * const copy = list.$copy();
   * list.$destroy();
   * console.log(copy.$type); // list
   * ```
   */
  $copy(): this;
  /**
   * Gives up one hold; `using` and `[Symbol.dispose]` do the same.
   *
   * Each time the bridge hands the proxy out is one hold, and so is each `$copy()`. At the last one the object is
   * released, a coroutine is closed, and using the proxy throws. Without it the object is released when the proxy is
   * collected.
   *
   * @example
   * ```ts
   * import { python } from "pyawait";
   * const list = python.builtins.list([1]);
   * list.$destroy();
   * try {
   *   list.append(2);
   * } catch (error) {
   *   console.log((error as Error).message); // it was destroyed: it was a list
   * }
   * ```
   */
  $destroy(): void;
  /** The name of the object's Python class. */
  readonly $type: string;
}

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
