// Which typed array has the items of which code of Python's `array` and `struct`.
//
// The one thing to know: a runtime may have no Float16Array, and Python's `array` never has such items.

/** A typed array of whatever item type. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** The class of one. */
export type Maker = { new (buffer: ArrayBuffer): TypedArray; readonly BYTES_PER_ELEMENT: number; readonly name: string };

/** By code; `e` only where the runtime has it. */
export const typedArrays: Record<string, Maker> = {
  b: Int8Array,
  B: Uint8Array,
  h: Int16Array,
  H: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  q: BigInt64Array,
  Q: BigUint64Array,
  f: Float32Array,
  d: Float64Array,
};
const { Float16Array } = globalThis as unknown as { Float16Array?: Maker };
if (Float16Array) typedArrays.e = Float16Array;
