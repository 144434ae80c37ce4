// What JavaScript's operators make of a proxy: a number where Python has one, else text.
import { stateOf } from "../values/proxy_state.ts";
import { exceptionOf } from "../values/python_error.ts";
import { callHelper } from "./call.ts";

/** Implements `+x`, `x < y` and `` `${x}` ``. */
export function toPrimitive(proxy: object, hint: string): unknown {
  if (hint === "string") return String(callHelper("str", proxy));
  const number = callHelper("number_of", proxy, hint === "number");
  if (typeof number === "number") return number;
  if (typeof number === "bigint") return hint === "number" ? Number(number) : number;
  if (hint === "default") return String(callHelper("str", proxy));
  throw new TypeError(`Cannot convert ${callHelper("type_name", proxy)} to a number; compare and calculate with python.import("operator")`);
}

/** Python's `isinstance(value, cls)`; of a PythonError, its exception is tested. */
export function isInstanceOf(proxy: object, value: unknown): boolean {
  value = exceptionOf(value) ?? value;
  const isObject = typeof value === "object" || typeof value === "function";
  return (!isObject || stateOf(value) !== undefined) && callHelper("isinstance", value, proxy) === true;
}
