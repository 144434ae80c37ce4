// An argument's memory, and when Python may read it where it lies, instead of in the message.
//
// What Python gets are the bytes at the moment at which the argument is written. Code of the user's (a getter, a rule) may
// change them, or give the memory up, until the message is complete: a rule may use one array for all that it converts.
import { types } from "node:util";
import { rules } from "./rules.ts";
import { KeywordArguments } from "./wrappers.ts";

/** Whether it is memory: an ArrayBuffer, shared or not, or a view of one. */
export function isMemory(value: unknown): value is ArrayBufferView | ArrayBufferLike {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value);
}

/** Whether writing it runs no code of the user's. */
function isInert(value: unknown): boolean {
  if (value instanceof KeywordArguments) return Object.values(value.values).every(isInert);
  return value === null || typeof value !== "object" && typeof value !== "function" || isMemory(value);
}

/** Whether an argument of a call is memory that nothing changes that is written behind it. */
export function mayLend(args: readonly unknown[], index: number): boolean {
  return isMemory(args[index]) && rules.encode.length === 0 && args.slice(index + 1).every(isInert);
}

/** Its memory, with an explicit length: without one the length follows a buffer that another thread lets grow. */
export function bytesOf(value: ArrayBufferView | ArrayBufferLike): Uint8Array {
  const bytes = viewOf(value);
  // Not `length`: V8 15's Maglev compares it as 32 bits, so 2 GiB would be less than the limit.
  if (bytes.byteLength > 0x7fff_ffff) throw new RangeError("Cannot convert a buffer of 2 GiB or more to Python");
  return bytes;
}

function viewOf(value: ArrayBufferView | ArrayBufferLike): Uint8Array {
  try {
    if (!ArrayBuffer.isView(value)) return new Uint8Array(value, 0, new Uint8Array(value).byteLength);
    return new Uint8Array(value.buffer, value.byteOffset, Number(value.byteLength));
  } catch (cause) {
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    throw new TypeError(`Cannot convert this ${kind} to Python: its memory was released, transferred or made smaller`, { cause });
  }
}
