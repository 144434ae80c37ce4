// Wrappers for what JavaScript has no value for: an integral float, a tuple, an array, a slice, keyword arguments.
//
// They only hold the value; `encode.ts` decides what is written.
import type { TypedArray } from "../wire/typed_arrays.ts";
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

/** Made by {@linkcode float}. This class and the next four are private; their public names are types only. */
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

/** Made by {@linkcode array}. */
export class ArrayItems {
  readonly items: TypedArray;
  protected readonly kind = "array";
  constructor(items: TypedArray) {
    this.items = items;
  }
}

/** Made by {@linkcode slice}. */
export class SliceBounds {
  readonly start: unknown;
  readonly stop: unknown;
  readonly step: unknown;
  protected readonly kind = "slice";
  constructor(start: unknown, stop: unknown, step: unknown) {
    this.start = start;
    this.stop = stop;
    this.step = step;
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
/** What {@linkcode array} returns. */
export type PyArray = ArrayItems;
/** What {@linkcode slice} returns. */
export type Slice = SliceBounds;
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
 * A Python `array.array` of these items, a copy: also of a `Uint8Array`, which would become `bytes`.
 *
 * @param typedArray a typed array of any item type that Python's `array` has (all but `Float16Array`)
 * @returns a value to pass to Python
 * @throws {TypeError} if `typedArray` is no typed array
 * @example
 * ```ts
 * import { array, python } from "pyawait";
 * const numbers = python.builtins.list([array(new Uint8Array([1, 2]))])[0];
 * numbers.append(3);
 * console.log(String(numbers)); // array('B', [1, 2, 3])
 * ```
 */
export function array(typedArray: TypedArray): PyArray {
  if (!ArrayBuffer.isView(typedArray) || (typedArray as unknown) instanceof DataView) {
    throw new TypeError(`Cannot make an array of ${String(typedArray)}: array(typedArray) takes a Uint8Array or another typed array`);
  }
  return new ArrayItems(typedArray);
}

/**
 * A Python `slice`, for `$get` and its like: `list[1:3]` is `list.$get(slice(1, 3))`.
 *
 * @param start the first index; `null` or `undefined`: the beginning
 * @param stop the index behind the last one; `null` or `undefined`: the end
 * @param step every how manieth item
 * @returns a value to pass to Python
 * @example
 * ```ts
 * import { python, slice } from "pyawait";
 * const list = python.builtins.list([0, 1, 2, 3, 4]);
 * console.log(String(list.$get(slice(1, 4))), String(list.$get(slice(null, null, 2)))); // [1, 2, 3] [0, 2, 4]
 * ```
 */
export function slice(start?: unknown, stop?: unknown, step?: unknown): Slice {
  return new SliceBounds(start, stop, step);
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
