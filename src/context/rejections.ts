// Rejected Promises that were passed to Python and never awaited there.
//
// Passing a Promise to Python marks its rejection as handled, so JavaScript no longer reports it. If Python drops it
// without awaiting it, the error goes to the exception handler of its loop, as for any Python future.
import { then } from "../../ffi/intrinsics.ts";
import { bridge } from "../interpreter/bridge.ts";
import { currentCallContext } from "./call_context.ts";

interface Watched {
  /** The loop that was current when the Promise was passed to Python, if any. */
  readonly loop: number | undefined;
  awaited: boolean;
  givenBack: boolean;
  failure: { error: unknown } | undefined;
}

const watched = new WeakMap<object, Watched>();

/** Reports an error that no code awaits any more. */
export function reportRejection(error: unknown): void {
  bridge.reportRejection(error, currentCallContext()?.loop);
}

function check(entry: Watched): void {
  if (!entry.givenBack || entry.awaited || !entry.failure) return;
  entry.awaited = true; // report once
  bridge.reportRejection(entry.failure.error, entry.loop);
}

/** Watches a Promise that is passed to Python. */
export function watch(promise: Promise<unknown>): void {
  const known = watched.get(promise);
  if (known) {
    known.givenBack = false;
    return;
  }
  const entry: Watched = { loop: currentCallContext()?.loop, awaited: false, givenBack: false, failure: undefined };
  watched.set(promise, entry);
  then(promise, undefined, (error) => {
    entry.failure = { error };
    check(entry);
  });
}

function entryOf(value: unknown): Watched | undefined {
  return typeof value === "object" && value !== null ? watched.get(value) : undefined;
}

/** Python awaits it. */
export function markAwaited(promise: unknown): void {
  const entry = entryOf(promise);
  if (entry) entry.awaited = true;
}

/** Python no longer holds it. */
export function markGivenBack(value: unknown): void {
  const entry = entryOf(value);
  if (!entry) return;
  entry.givenBack = true;
  check(entry);
}
