// What JavaScript's operators make of a proxy: a number where Python has one, else text; and `instanceof`.
import { stateOf } from "../values/proxy_state.ts";
import { exceptionOf } from "../values/python_error.ts";
import { callCode, callHelper } from "./call.ts";

/** Implements `+x`, `x < y` and `` `${x}` ``. */
export function toPrimitive(proxy: object, hint: string): unknown {
  if (hint === "string") return String(callCode("str", proxy));
  const number = callCode("number_of", proxy, hint === "number");
  if (typeof number === "number") return number;
  if (typeof number === "bigint") return hint === "number" ? Number(number) : number;
  if (hint === "default") return String(callCode("str", proxy));
  throw new TypeError(`Cannot convert ${callHelper("type_name", proxy)} to a number; compare and calculate with python.import("operator")`);
}

/** Python's `isinstance(value, cls)`; of a PythonError, its exception is tested. */
export function isInstanceOf(proxy: object, value: unknown): boolean {
  value = exceptionOf(value) ?? value;
  const isObject = typeof value === "object" || typeof value === "function";
  return (!isObject || stateOf(value) !== undefined) && callCode("isinstance", value, proxy) === true;
}
