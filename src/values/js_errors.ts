// What Python is told of a JavaScript error: what a JsException is made of.
//
// Getters of a thrown object may throw themselves: then the error goes as far as it could be read.
import { types } from "node:util";
import { Kind } from "../wire/numbers.ts";
import { stateOf } from "./proxy_state.ts";
import { framesBeforeOurs } from "./python_error.ts";
import { TupleItems } from "./wrappers.ts";

export const isError = (value: unknown): boolean => types.isNativeError(value) || value instanceof Error;

/** Whether it can be the cause of an exception: an Error, or Python's. */
const isRaisable = (cause: unknown) => isError(cause) || ((stateOf(cause)?.kinds ?? 0) & Kind.exception) !== 0;

/** A member of a group: what is no Error goes by its text. */
const asThrowable = (error: unknown) => isError(error) || stateOf(error) ? error : new Error(textOf(error), { cause: error });

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "an object without a text"; // it has no prototype, or a toString that throws
  }
}

/**
 * Name, message, stack, the frames for its traceback, the errors of a group, its cause.
 *
 * @param writing errors that are being written: what closes a circle is left out
 */
export function aboutError(error: Error, writing: ReadonlySet<Error>): unknown[] {
  let about: unknown[] = ["Error", "", "", ""], errors: unknown, cause: unknown;
  try {
    const stack = String(error.stack ?? "");
    about = [String(error.name), String(error.message), stack, framesBeforeOurs(stack)];
    errors = (error as { errors?: unknown }).errors;
    cause = error.cause;
  } catch {
    // a getter of its own throws: it goes as far as it was read
  }
  const isGroup = error instanceof AggregateError || about[0] === "AggregateError";
  const isNew = (other: unknown) => !writing.has(other as Error);
  const members = isGroup && Array.isArray(errors) ? errors.filter(isNew).map(asThrowable) : [];
  const grouped = members.length > 0 ? new TupleItems(members) : null;
  if (isRaisable(cause) && isNew(cause)) about.push(grouped, cause);
  else if (grouped) about.push(grouped);
  return about;
}

const isSafe = (value: bigint) => BigInt.asIntN(54, value) === value;

/** The same of what was thrown and is no Error, and would not come back from Python as itself; else `undefined`. */
export function aboutThrown(thrown: unknown): unknown[] | undefined {
  const ours = stateOf(thrown) !== undefined;
  if (!ours && typeof thrown === "object" && thrown !== null && !isError(thrown)) {
    return [null, "JavaScript threw an object that is no Error", null, ""];
  }
  if (!ours && typeof thrown === "function") return [null, "JavaScript threw a function", null, ""];
  if (typeof thrown === "symbol" || thrown === undefined || typeof thrown === "bigint" && isSafe(thrown)) {
    const value = typeof thrown === "symbol" ? [] : [null, null, thrown];
    return [null, `JavaScript threw ${String(thrown)}`, null, "", ...value];
  }
  return undefined;
}
