// What `JSON.stringify` writes for a proxy: what `toJs` gives.
//
// The one thing to know: JSON writes `{}` for whatever it does not know, so nobody would see that something is lost. Here
// it is written as Python's `json` does, or refused.
import { callHelper } from "./call.ts";

/** The copy of a proxy, for JSON. */
export function jsonOf(copy: unknown, proxy: object, callable: boolean): unknown {
  if (copy === proxy && !callable) { // functions are left out, as JavaScript's own are
    throw new TypeError(
      `Cannot write ${callHelper("type_name", proxy)} as JSON: it has no counterpart in JavaScript; ` +
        "convert it before, as toJs(value, { default: String }) does",
    );
  }
  return copy instanceof Date ? copy.toJSON() : writable(copy, new Set()); // JSON asks once only
}

/** The copy is ours, so it is changed in place. */
function writable(value: unknown, seen: Set<unknown>): unknown {
  if (typeof value !== "object" || value === null || seen.has(value)) return value;
  if (value instanceof Set) throw new TypeError("Cannot write a set as JSON: sort it into a list before, as sorted(value) does");
  if (value instanceof Map) return objectOf(value, seen);
  const container = value as Record<PropertyKey, unknown>;
  if (Array.isArray(value)) {
    seen.add(value);
    for (let i = 0; i < value.length; i++) container[i] = writable(value[i], seen);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    seen.add(value);
    for (const key of Object.keys(value)) if (key !== "__proto__") container[key] = writable(container[key], seen);
  }
  return value;
}

function objectOf(map: Map<unknown, unknown>, seen: Set<unknown>): object {
  const entries = new Map<string, unknown>();
  seen.add(map);
  for (const [key, value] of map) {
    const text = String(key);
    if (typeof key === "object" && key !== null || typeof key === "function") {
      throw new TypeError(`Cannot write a dict as JSON: its key ${text} is no text, number, bool or None`);
    }
    if (entries.has(text)) throw new TypeError(`Cannot write a dict as JSON: two of its keys would be "${text}"`);
    entries.set(text, writable(value, seen));
  }
  return Object.fromEntries(entries);
}
