// `toJs`: copies of Python objects in JavaScript.
import { stateOf } from "../values/proxy_state.ts";
import { copyAt, type CopyOptions } from "./call.ts";
import { addressOf } from "./lifetime.ts";

/**
 * Copies a Python object to JavaScript: lists and tuples become Arrays, dicts objects or Maps, sets Sets, buffers typed
 * arrays, aware datetimes Dates; an object without a counterpart stays a proxy. As Pyodide's `toJs`.
 *
 * @param value a proxy; any other value is returned as it is
 * @param options `depth`, `dict` and `default`, see {@linkcode CopyOptions}
 * @returns the copy
 * @throws {TypeError} for a wrong option, or for keys or items that are equal in JavaScript
 * @throws {PythonError} a `TypeError` for a dict that does not fit `dict: "object"`; what an object's own code raises
 * @example
 * ```ts
 * import { python, toJs } from "pyawait";
 * toJs(python.exec("{'a': [1, 2, (3,)]}")); // { a: [1, 2, [3]] }
 * ```
 */
// deno-lint-ignore no-explicit-any
export function toJs<T = any>(value: unknown, options?: CopyOptions): T {
  const state = stateOf(value);
  return (state ? copyAt(addressOf(state), options ?? {}) : value) as T;
}
