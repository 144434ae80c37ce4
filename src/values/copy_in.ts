// `JsProxy.to_py()`: JavaScript objects that went by reference, copied.
//
// The one thing to know: arrays, plain objects, Maps and Sets are copied whenever they cross; this is for those that went
// by reference and for objects of classes, and it says itself where the copy ends.
import { types } from "node:util";
import { stateOf } from "./proxy_state.ts";
import { ByReference } from "./wrappers.ts";

/** Kinds that the table of conversions has something for, besides containers. */
const isValue = (value: object) =>
  stateOf(value) !== undefined || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isDate(value) ||
  types.isPromise(value) ||
  types.isNativeError(value);

/** A plain object, Array, Map or Set of what `value` holds, as deep as `depth` says (below 0: all of it). */
export function copyIn(value: unknown, depth: number, copies: Map<object, unknown> = new Map()): unknown {
  if (typeof value !== "object" || value === null || isValue(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (depth === 0) return new ByReference(value);
  const inner = (item: unknown) => copyIn(item, depth - 1, copies);
  const remember = <T extends object>(copy: T): T => (copies.set(value, copy), copy);
  if (types.isMap(value)) {
    const copy = remember(new Map<unknown, unknown>());
    for (const [key, item] of value) copy.set(inner(key), inner(item));
    return copy;
  }
  if (types.isSet(value)) {
    const copy = remember(new Set<unknown>());
    for (const item of value) copy.add(inner(item));
    return copy;
  }
  if (Array.isArray(value) || typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === "function") {
    const copy = remember<unknown[]>([]);
    for (const item of value as Iterable<unknown>) copy.push(inner(item));
    return copy;
  }
  const copy = remember<Record<string, unknown>>(Object.create(null));
  for (const [key, item] of Object.entries(value)) copy[key] = inner(item);
  return copy;
}
