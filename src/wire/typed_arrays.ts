// The one table of typed arrays and the codes of Python's `array` and `struct` for their item types.
//
// Float16Array is missing in some runtimes, and Python's `array` has no float16 on any version.

/** A typed array of any item type. */
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

/** The class of a typed array. */
export type TypedArrayClass = { new (buffer: ArrayBuffer): TypedArray; readonly BYTES_PER_ELEMENT: number; readonly name: string };

/** Classes by code; `e` (float16) only where the runtime has Float16Array. */
export const typedArrays: Record<string, TypedArrayClass> = {
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
const { Float16Array } = globalThis as unknown as { Float16Array?: TypedArrayClass };
if (Float16Array) typedArrays.e = Float16Array;

/** Codes of Python's `array` by class name. Uint8Array is absent, because it becomes `bytes`. */
export const codeByName: ReadonlyMap<string, string> = new Map([
  ...Object.entries(typedArrays).filter(([code]) => code !== "B" && code !== "e").map(([code, type]) => [type.name, code] as const),
  ["Uint8ClampedArray", "B"],
]);

/** The class for a format of Python's `struct`; Uint8Array where no typed array has such items. */
export function classOfFormat(format: string, itemsize: number): TypedArrayClass {
  const code = format.replace(/^[@=<]/, "");
  if (code === "l" || code === "n") return itemsize === 8 ? BigInt64Array : Int32Array;
  if (code === "L" || code === "N") return itemsize === 8 ? BigUint64Array : Uint32Array;
  return typedArrays[code === "?" || code === "c" ? "B" : code] ?? Uint8Array;
}

/** The code of Python's `array` for memory that JavaScript views as this class. */
export function codeOfClass(type: unknown): string | undefined {
  if (type === Uint8ClampedArray) return "B";
  if (typedArrays.e && type === typedArrays.e) return "H"; // `array` has no float16: the same bits as uint16
  return Object.keys(typedArrays).find((code) => typedArrays[code] as unknown === type);
}
