// What a Python object is for JavaScript's types: the declared members of a proxy, and `instanceof PyProxy`.
//
// `proxy.ts` implements them. A new `$` member is declared and documented here.
import { stateOf } from "../values/proxy_state.ts";
import type { PyBuffer } from "./buffer.ts";
import type { CopyOptions } from "./call.ts";

/**
 * The members that every Python object has, and no others but those whose names begin with an underscore. Generated types
 * build on this where all members are known, so that TypeScript refuses a misspelt one.
 *
 * Besides the errors listed below, every access to the Python object throws a `TypeError` after `$destroy()` and a
 * `PythonClosedError` after `python.close()`, and passing a value to Python throws a `TypeError` or `RangeError` where
 * Python has nothing for it.
 */
export interface PyObject {
  // Python decides:
  // deno-lint-ignore no-explicit-any
  [name: `_${string}`]: any;
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
 * The members of {@linkcode PyObject} and whatever else a Python object has; a {@linkcode PyProxy} is callable as well.
 * Generated types build on this where not all members are known.
 */
export interface PyMembers extends PyObject {
  // Python decides:
  // deno-lint-ignore no-explicit-any
  [name: string]: any;
}

/**
 * A Python object.
 *
 * Its members are Python's attributes, and nothing of pyawait's hides one: pyawait's own begin with `$`, which no
 * Python name can. JavaScript's own names (`length`, `name`, `call`, `apply`, `bind`, `toString`, `toJSON`, `valueOf`,
 * `hasOwnProperty`, `constructor`) answer only where Python has no such attribute. Coroutines, Tasks and Futures can be
 * awaited. The same Python object is the same proxy while one is alive. As Pyodide's `PyProxy`.
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
