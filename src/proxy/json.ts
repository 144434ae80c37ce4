// What `JSON.stringify` writes for a proxy: the result of `toJs`.
//
// JSON.stringify writes `{}` for what it does not know, which would lose data silently. Such values are written as
// Python's `json` writes them, or refused.
import { callHelper } from "./call.ts";

/**
 * A proxy's copy in a form for JSON.
 *
 * @throws {TypeError} if JSON has nothing for it
 */
export function jsonOf(copy: unknown, proxy: object, callable: boolean): unknown {
  if (copy === proxy && !callable) { // functions are left out, like JavaScript's own
    throw new TypeError(
      `Cannot write ${callHelper("type_name", proxy)} as JSON: it has no counterpart in JavaScript; ` +
        "convert it before, as toJs(value, { default: String }) does",
    );
  }
  return copy instanceof Date ? copy.toJSON() : writable(copy, new Map()); // JSON calls toJSON only once
}

/**
 * Replaces Maps by objects. What contains none stays the same object, because a copy may hold the user's own objects.
 */
function writable(value: unknown, made: Map<object, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const isMap = value instanceof Map;
  if (value instanceof Set) throw new TypeError("Cannot write a set as JSON: sort it into a list before, as sorted(value) does");
  if (!isMap && !Array.isArray(value) && (Object.getPrototypeOf(value) !== Object.prototype || "toJSON" in value)) return value;
  if (made.has(value)) {
    const known = made.get(value);
    if (known === undefined) throw new TypeError("Cannot write this as JSON: it holds itself");
    return known;
  }
  made.set(value, undefined);
  const entries = isMap ? [...value] : Object.keys(value).map((key) => [key, (value as Record<string, unknown>)[key]] as const);
  const changed = entries.map(([key, item]) => [isMap ? keyOf(key) : key, writable(item, made)] as [string, unknown]);
  const same = !isMap && changed.every(([, item], at) => Object.is(item, entries[at][1]));
  const result = same ? value : Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed);
  if (isMap && Object.keys(result).length < changed.length) {
    throw new TypeError("Cannot write a dict as JSON: two of its keys would be the same");
  }
  made.set(value, result);
  return result;
}

function keyOf(key: unknown): string {
  if (typeof key !== "object" && typeof key !== "function" || key === null) return String(key);
  throw new TypeError(`Cannot write a dict as JSON: its key ${String(key)} is no text, number, bool or None`);
}
