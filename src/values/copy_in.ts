// `JsProxy.to_py()`: copies of JavaScript objects that crossed by reference.
//
// Arrays, plain objects, Maps and Sets are copied whenever they cross. This copies the ones that were passed by
// reference, other mappings and objects of classes, and ends at `depth` by itself.
import { types } from "node:util";
import { isMapping } from "./js_functions.ts";
import { stateOf } from "./proxy_state.ts";
import { ByReference } from "./wrappers.ts";

/** Whether the conversion table converts it as a value and not as a container. */
const isValue = (value: object) =>
  stateOf(value) !== undefined || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isDate(value) ||
  types.isPromise(value) ||
  types.isNativeError(value);

/**
 * A plain object, Array, Map or Set with the contents of `value`, copied `depth` levels deep (negative: all of them).
 */
export function copyIn(value: unknown, depth: number, copies: Map<object, unknown> = new Map()): unknown {
  if (typeof value !== "object" || value === null || isValue(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (depth === 0) return new ByReference(value);
  const inner = (item: unknown) => copyIn(item, depth - 1, copies);
  const remember = <T extends object>(copy: T): T => (copies.set(value, copy), copy);
  if (isMapping(value)) {
    const copy = remember(new Map<unknown, unknown>()), seen = new Set<unknown>();
    for (const [key, item] of value) if (!seen.has(key)) seen.add(key), copy.set(inner(key), inner(item)); // the first of each
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
