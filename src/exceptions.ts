// How a PythonError looks into its exception: traceback, frames, cause, the errors of a group.
//
// The one thing to know: it asks Python when somebody reads them, not when the error is made: most errors are caught
// and never looked at.
import { callAndCopy } from "./call.ts";
import { describeErrorsWith, type ErrorDetails, pythonError } from "./errors.ts";
import { Kind } from "./kinds.ts";
import { stateOf } from "./state.ts";

/** An exception's PythonError; what JavaScript threw is itself again. */
export function asError(exception: unknown): unknown {
  const state = stateOf(exception);
  if (!state || !(state.kinds & Kind.exception)) return exception;
  const about = callAndCopy("describe_error", [exception], { depth: 1 }) as [unknown] | [string, string, number];
  return about.length === 1 ? about[0] : pythonError(exception, ...about);
}

describeErrorsWith((exception): ErrorDetails => {
  const [traceback, frames, cause, errors] = callAndCopy("error_parts", [exception], { depth: 3 }) as [
    string,
    [string, string, number][],
    unknown,
    unknown[] | null,
  ];
  return { traceback, frames, cause: asError(cause), errors: errors && errors.map(asError) };
});
