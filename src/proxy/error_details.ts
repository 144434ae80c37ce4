// How a PythonError looks into its exception: traceback, frames, cause, the errors of a group.
//
// The one thing to know: it asks Python when somebody reads them, not when the error is made: most errors are caught
// and never looked at.
import { callAndCopy, callHelper } from "./call.ts";
import { lookIntoErrorsWith, pythonError } from "../values/python_error.ts";
import { takeBack } from "../values/handouts.ts";
import { Kind } from "../wire/kinds.ts";
import { stateOf } from "../values/proxy_state.ts";

/** An exception's PythonError; what JavaScript threw is itself again. */
export function asError(exception: unknown): unknown {
  const state = stateOf(exception);
  if (!state || !(state.kinds & Kind.exception)) return exception;
  const about = callAndCopy("describe_error", [exception], { depth: 1 }) as [unknown] | [string, string, number];
  if (about.length === 3) return pythonError(exception, ...about);
  takeBack(state);
  return about[0];
}

lookIntoErrorsWith({
  details(exception) {
    const [frames, cause, errors] = callAndCopy("error_parts", [exception], { depth: 3 }) as [
      [string, string, number][],
      unknown,
      unknown[] | null,
    ];
    return { frames, cause: asError(cause), errors: errors && errors.map(asError) };
  },
  traceback: (exception) => callHelper("traceback_text", exception) as string,
});
