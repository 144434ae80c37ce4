// Describes a JavaScript error to Python, which makes a JsException of it.
//
// A getter of a thrown object may throw; the error then crosses with what could be read before.
import { types } from "node:util";
import { Kind } from "../wire/numbers.ts";
import { stateOf } from "./proxy_state.ts";
import { framesBeforeOurs } from "./python_error.ts";
import { TupleItems } from "./wrappers.ts";

export const isError = (value: unknown): boolean => types.isNativeError(value) || value instanceof Error;

/** Whether Python accepts it as the cause of an exception: an Error, or a Python exception. */
const isRaisable = (cause: unknown) => isError(cause) || ((stateOf(cause)?.kinds ?? 0) & Kind.exception) !== 0;

/** A member of an exception group; a value that is no Error is wrapped in one. */
const asThrowable = (error: unknown) => isError(error) || stateOf(error) ? error : new Error(textOf(error), { cause: error });

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return "an object without a text"; // no prototype, or a toString that throws
  }
}

/**
 * Name, message, stack, the frames for its traceback, the members of a group, the cause.
 *
 * @param writing errors that are being written: a reference back to one of them is left out
 */
export function aboutError(error: Error, writing: ReadonlySet<Error>): unknown[] {
  let about: unknown[] = ["Error", "", "", ""], errors: unknown, cause: unknown;
  try {
    const stack = String(error.stack ?? "");
    about = [String(error.name), String(error.message), stack, framesBeforeOurs(stack)];
    errors = (error as { errors?: unknown }).errors;
    cause = error.cause;
  } catch {
    // A getter throws: what was read before it is sent.
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

/** The same for a thrown value that is no Error and would not come back from Python as itself; else `undefined`. */
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
