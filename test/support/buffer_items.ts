/** For the tests of buffers: what shape, strides and offset say of a PyBuffer. */
import type { PyBuffer } from "../../mod.ts";

/** The items in C order, as shape, strides and offset say. */
export function items({ data, shape, strides, offset, itemsize }: PyBuffer): unknown[] {
  const found: unknown[] = [];
  const visit = (dimension: number, at: number) => {
    if (dimension === shape.length) return void found.push(data[at]);
    for (let i = 0; i < shape[dimension]; i++) visit(dimension + 1, at + i * strides[dimension] / itemsize);
  };
  visit(0, offset);
  return found;
}
