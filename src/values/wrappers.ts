// What JavaScript has no value for: a float that is integral, a tuple, keyword arguments.
//
// They are plain holders; `encode.ts` knows what to write for each.
import { stateOf } from "./proxy_state.ts";

/** An object that is not copied, whatever it is. */
export class ByReference {
  readonly value: object;
  constructor(value: object) {
    this.value = value;
  }
}

/** What JavaScript threw, on its way to Python's `throw`. */
export class Thrown {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

/** What {@linkcode float} makes. The class stays private, as the next two do: its public name is a type only. */
export class FloatValue {
  readonly value: number;
  protected readonly kind = "float";
  constructor(value: number) {
    this.value = value;
  }
}

/** What {@linkcode tuple} makes. */
export class TupleItems {
  readonly items: readonly unknown[];
  protected readonly kind = "tuple";
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** What {@linkcode kw} makes. */
export class KeywordArguments {
  readonly values: Record<string, unknown>;
  protected readonly kind = "keywords";
  constructor(values: Record<string, unknown>) {
    this.values = values;
  }
}

/** A Python `float`, see {@linkcode float}. */
export type Float = FloatValue;
/** A Python `tuple`, see {@linkcode tuple}. */
export type Tuple = TupleItems;
/** Keyword arguments, see {@linkcode kw}. */
export type Keywords = KeywordArguments;

/**
 * A number that becomes a Python `float` though it is integral: `1` is an `int`, `float(1)` is `1.0`.
 *
 * @param value any number
 * @returns what is passed to Python in its place
 * @throws {TypeError} if it is no number
 * @example
 * ```ts
 * import { float, python } from "pyawait";
 * python.builtins.repr(float(1)); // "1.0"
 * ```
 */
export function float(value: number): Float {
  if (typeof value !== "number") throw new TypeError(`Cannot make a float of ${typeof value}: float(x) takes a number`);
  return new FloatValue(value);
}

/**
 * A Python `tuple` of these items, where an Array would become a `list`.
 *
 * @param iterable the items
 * @returns what is passed to Python
 * @throws {TypeError} if it is not iterable
 * @example
 * ```ts
 * import { python, tuple } from "pyawait";
 * python.builtins.isinstance(1, tuple([python.builtins.int, python.builtins.str])); // true
 * ```
 */
export function tuple(iterable: Iterable<unknown>): Tuple {
  if (typeof (iterable as { [Symbol.iterator]?: unknown } | null)?.[Symbol.iterator] !== "function") {
    throw new TypeError(`Cannot make a tuple of ${String(iterable)}: tuple(iterable) takes an Array or another iterable`);
  }
  return new TupleItems([...iterable]);
}

/**
 * Keyword arguments, as the last argument of a call; properties that are `undefined` are left out.
 *
 * @param values the arguments by name
 * @returns what is passed to a call, last
 * @throws {TypeError} if it is no object
 * @example
 * ```ts
 * import { kw, python } from "pyawait";
 * python.builtins.sorted([3, 1, 2], kw({ reverse: true }));
 * ```
 */
export function kw(values: Record<string, unknown>): Keywords {
  if (typeof values !== "object" || values === null || stateOf(values) || Symbol.iterator in values) {
    throw new TypeError(`Cannot make keyword arguments of ${String(values)}: kw({...}) takes an object with the arguments by name`);
  }
  return new KeywordArguments(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)));
}

const buffers = new WeakMap<object, () => unknown>();

/** An object that crosses as the `memoryview` of its memory. */
export function brandBuffer(value: object, memoryview: () => unknown): void {
  buffers.set(value, memoryview);
}

/** The memoryview of a PyBuffer, else `undefined`. */
export function memoryviewOf(value: object): unknown {
  return buffers.get(value)?.();
}
