// How a PythonError looks into its exception: traceback, frames, cause, the errors of a group.
import type { ErrorDetails } from "../interpreter/bridge.ts";
import { withdraw } from "../values/handouts.ts";
import { stateOf } from "../values/proxy_state.ts";
import { pythonError } from "../values/python_error.ts";
import { Kind } from "../wire/numbers.ts";
import { callAndCopy, callHelper } from "./call.ts";

/** An exception's PythonError; what JavaScript threw is itself again. */
export function asError(exception: unknown): unknown {
  const state = stateOf(exception);
  if (!state || !(state.kinds & Kind.exception)) return exception;
  const about = callAndCopy("describe_error", [exception], { depth: 1 }) as [unknown] | [string, string, number];
  if (about.length === 3) return pythonError(exception, ...about);
  withdraw(state);
  return about[0];
}

/** Frames, cause and members of an exception. */
export function errorDetails(exception: unknown): ErrorDetails {
  const [frames, cause, errors] = callAndCopy("error_parts", [exception], { depth: 3 }) as [
    [string, string, number][],
    unknown,
    unknown[] | null,
  ];
  return { frames, cause: asError(cause), errors: errors && errors.map(asError) };
}

/** Python's text of an exception. */
export function tracebackOf(exception: unknown): string {
  return callHelper("traceback_text", exception) as string;
}
