// How a PythonError reads its exception: traceback, frames, cause, and the members of a group.
//
// An exception that came from JavaScript is returned as the value that was thrown.
import type { ErrorDetails } from "../interpreter/bridge.ts";
import { withdraw } from "../values/handouts.ts";
import { stateOf } from "../values/proxy_state.ts";
import { pythonError } from "../values/python_error.ts";
import { Kind } from "../wire/numbers.ts";
import { callAndCopy, callHelper } from "./call.ts";

/** The PythonError of an exception, or the value that JavaScript threw. */
export function asError(exception: unknown): unknown {
  const state = stateOf(exception);
  if (!state || !(state.kinds & Kind.exception)) return exception;
  const about = callAndCopy("describe_error", [exception], { depth: 1 }) as [unknown] | [string, string, number];
  if (about.length === 3) return pythonError(exception, ...about);
  withdraw(state);
  return about[0];
}

/** The frames, the cause and the members of an exception. */
export function errorDetails(exception: unknown): ErrorDetails {
  const [frames, cause, errors, hint, notes] = callAndCopy("error_parts", [exception], { depth: 3 }) as [
    [string, string, number][],
    unknown,
    unknown[] | null,
    string | null,
    string[],
  ];
  return { frames, cause: asError(cause), errors: errors && errors.map(asError), hint, notes };
}

/** Python's text of an exception. */
export function tracebackOf(exception: unknown): string {
  return callHelper("traceback_text", exception) as string;
}
