// What JavaScript's functions and objects can do, as far as Python asks a type for it.
//
// An `async function` is recognised by its brand; a function that only returns a Promise has to be marked with
// `asyncDef`.
import { types } from "node:util";

// deno-lint-ignore ban-types
const marked = new WeakSet<Function>();

/**
 * Marks a function that returns a Promise, so that Python sees an `async def`: it can be awaited and passed to
 * `asyncio.create_task` or `asyncio.run`, and `inspect.iscoroutinefunction` is true for it.
 *
 * An `async function` needs no mark.
 *
 * @param fn a function that returns a Promise
 * @returns `fn` itself
 * @throws {TypeError} if `fn` is not a function
 * @example
 * ```ts
 * import { asyncDef, python } from "pyawait";
 * const sleep = asyncDef((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
 * await python.execAsync("await sleep(10)", { globals: { sleep } });
 * ```
 */
// deno-lint-ignore no-explicit-any
export function asyncDef<F extends (...args: any[]) => PromiseLike<unknown>>(fn: F): F {
  if (typeof fn !== "function") throw new TypeError(`Cannot mark ${typeof fn} as asynchronous: asyncDef(fn) takes a function`);
  marked.add(fn);
  return fn;
}

// deno-lint-ignore ban-types
export function isAsync(fn: Function): boolean {
  return types.isAsyncFunction(fn) && !types.isGeneratorFunction(fn) || marked.has(fn);
}

const classes = new WeakMap<object, boolean>();

/**
 * Whether a function is a class. A class, built-in ones included, has a `prototype` that cannot be replaced. A frozen
 * function has one too; its source text distinguishes them.
 */
export function isClass(value: unknown): boolean {
  if (typeof value !== "function" || Object.getOwnPropertyDescriptor(value, "prototype")?.writable !== false) return false;
  let known = classes.get(value);
  if (known === undefined) {
    known = /^class\b|^function [\w$]*\(\) \{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(value));
    known &&= value !== Symbol as unknown && value !== BigInt as unknown; // they cannot be constructed
    classes.set(value, known);
  }
  return known;
}

const { dispose, asyncDispose } = Symbol as { dispose?: symbol; asyncDispose?: symbol };

/** The bit of {@linkcode traitsOf} for a mapping. `_class_of` in src/py/wrapping.py knows it. */
const MAPPING = 128;

/** What a value can do that Python asks a type for: the bits of `_traits` in src/py/js_values.py, except for calls. */
export function traitsOf(value: object): number {
  try {
    return askTraits(value);
  } catch {
    return 0; // a Proxy whose trap throws
  }
}

function askTraits(value: object): number {
  const iterable = Symbol.iterator in value, disposable = dispose !== undefined && dispose in value;
  const mapping = iterable && isMapping(value); // Python iterates over its keys and counts them
  return (iterable && !mapping ? 2 : 0) |
    (iterable && !mapping || Symbol.asyncIterator in value ? 4 : 0) |
    (typeof value !== "function" && !mapping && ("length" in value || "size" in value) ? 8 : 0) |
    (disposable ? 16 : 0) |
    (disposable || asyncDispose !== undefined && asyncDispose in value ? 32 : 0) |
    (iterable && typeof (value as { next?: unknown }).next === "function" ? 64 : 0) |
    (mapping ? MAPPING : 0);
}

/** A value with JavaScript's mapping methods. */
export interface JsMapping extends Iterable<readonly [unknown, unknown]> {
  get(key: unknown): unknown;
  has(key: unknown): unknown;
  keys(): Iterable<unknown>;
  set?(key: unknown, value: unknown): unknown;
  delete?(key: unknown): unknown;
  /** Only Headers: `get` joins what was set several times. */
  getSetCookie?(): string[];
}

const mappings = new WeakMap<object, boolean>();

/** Whether it has JavaScript's mapping methods: `get`, `has`, `keys` and iteration by pairs. */
export function isMapping(value: unknown): value is JsMapping {
  try {
    return typeof value === "object" && value !== null && !Array.isArray(value) && askMapping(value);
  } catch {
    return false; // a getter or an iterator that throws
  }
}

function askMapping(value: object): boolean {
  const { get, has, keys } = value as Record<string, unknown>;
  if (typeof get !== "function" || typeof has !== "function" || typeof keys !== "function") return false;
  const known = mappings.get(value);
  if (known !== undefined) return known;
  const pairs = givesPairs(value as JsMapping);
  if (pairs !== undefined) mappings.set(value, pairs);
  return pairs ?? true;
}

/** Whether iteration gives pairs; `undefined`: it is empty. */
function givesPairs(value: JsMapping & { entries?: unknown; values?: unknown }): boolean | undefined {
  const iterate = value[Symbol.iterator] as unknown;
  if (typeof iterate !== "function" || iterate === value.values || iterate === value.keys) return false;
  if (iterate === value.entries) return true;
  for (const item of value) return Array.isArray(item) && item.length === 2; // leaves the iteration again
  return undefined;
}
