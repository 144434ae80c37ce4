// What JavaScript's operators make of a proxy: a number where Python has one, else text.
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
