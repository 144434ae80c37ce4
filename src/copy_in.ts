// `JsProxy.to_py()`: JavaScript objects that went by reference, copied.
//
// The one thing to know: arrays, plain objects, Maps and Sets are copied whenever they cross; this is for the others.

/** A plain object or Array of what `value` holds, as deep as `depth` says (below 0: all of it). */
export function copyIn(value: unknown, depth: unknown): unknown {
  if (depth === 0 || typeof value !== "object" || value === null) return value;
  const iterate = (value as { [Symbol.iterator]?: unknown })[Symbol.iterator];
  if (typeof iterate === "function") return [...value as Iterable<unknown>];
  return Object.fromEntries(Object.entries(value));
}
