// When Python may read an argument's memory where it lies, instead of in the message.
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
