// Wrappers for what JavaScript has no value for: an integral float, a tuple, keyword arguments.
//
// They only hold the value; `encode.ts` decides what is written.
import { stateOf } from "./proxy_state.ts";

/** An object that crosses by reference, whatever it is. */
export class ByReference {
  readonly value: object;
  constructor(value: object) {
    this.value = value;
  }
}

/** A value that JavaScript threw, on its way into Python's `throw`. */
export class Thrown {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

/** Made by {@linkcode float}. This class and the next two are private; their public names are types only. */
export class FloatValue {
  readonly value: number;
  protected readonly kind = "float";
  constructor(value: number) {
    this.value = value;
  }
}

/** Made by {@linkcode tuple}. */
export class TupleItems {
  readonly items: readonly unknown[];
  protected readonly kind = "tuple";
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** Made by {@linkcode kw}. */
export class KeywordArguments {
  readonly values: Record<string, unknown>;
  protected readonly kind = "keywords";
  constructor(values: Record<string, unknown>) {
    this.values = values;
  }
}

/** What {@linkcode float} returns. */
export type Float = FloatValue;
/** What {@linkcode tuple} returns. */
export type Tuple = TupleItems;
/** What {@linkcode kw} returns. */
export type Keywords = KeywordArguments;

/**
 * A number that becomes a Python `float` even if it is integral: `1` is an `int`, `float(1)` is `1.0`.
 *
 * @param value any number
 * @returns a value to pass to Python in place of the number
 * @throws {TypeError} if `value` is not a number
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
 * @returns a value to pass to Python
 * @throws {TypeError} if `iterable` is not iterable
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
 * Keyword arguments, as the last argument of a call. Properties that are `undefined` are left out.
 *
 * @param values the arguments by name
 * @returns the last argument of a call
 * @throws {TypeError} if `values` is not an object, or is a proxy or an iterable
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

/** Marks an object that crosses as the `memoryview` of its memory. */
export function brandBuffer(value: object, memoryview: () => unknown): void {
  buffers.set(value, memoryview);
}

/** The memoryview of a PyBuffer; `undefined` for every other object. */
export function memoryviewOf(value: object): unknown {
  return buffers.get(value)?.();
}
