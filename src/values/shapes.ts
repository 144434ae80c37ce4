// Shapes: objects of one message that have the same keys in the same order send them once.
//
// An object whose keys no object before it had is a dict with its keys. The second one with them defines a shape, which has a
// number from then on.
import type { Writer } from "../wire/codec.ts";
import { Tag } from "../wire/numbers.ts";

/** Keys that an object had; their number, if they are a shape. */
export interface Shape {
  readonly keys: readonly string[];
  index: number;
}

/** The part of an encoding's state that is needed here. */
interface Message {
  readonly writer: Writer;
  shapes: Shape[] | undefined;
}

const undefinedYet = -1;

/** So many lists of keys are compared with an object's, and lists of so many keys. */
const limit = { shapes: 16, keys: 64 };

function hasKeys(shape: Shape, keys: readonly string[]): boolean {
  if (shape.keys.length !== keys.length) return false;
  for (let i = 0; i < keys.length; i++) if (shape.keys[i] !== keys[i]) return false;
  return true;
}

function find(shapes: Shape[], keys: readonly string[]): Shape | undefined {
  for (let i = 0; i < shapes.length; i++) if (hasKeys(shapes[i], keys)) return shapes[i];
  if (shapes.length < limit.shapes) shapes.push({ keys, index: undefinedYet });
  return undefined;
}

/** Writes the head of an object with these keys, for its values to follow. False: it has to be a dict with its keys. */
export function beginRecord(e: Message, keys: readonly string[]): boolean {
  if (keys.length === 0 || keys.length > limit.keys) return false;
  const shape = find(e.shapes ??= [], keys);
  if (shape === undefined) return false;
  if (shape.index === undefinedYet) define(e, shape);
  e.writer.tagged32(Tag.record, shape.index);
  e.writer.u32(keys.length);
  return true;
}

function define({ writer, shapes }: Message, shape: Shape): void {
  shape.index = shapes!.reduce((next, { index }) => Math.max(next, index + 1), 0);
  writer.u8(Tag.shape);
  writer.tagged32(Tag.tuple, shape.keys.length);
  for (const key of shape.keys) writer.string(key);
}
