// Rejected Promises that were given to Python and that nobody there awaited.
//
// The one thing to know: giving a Promise to Python handles its rejection for JavaScript, so Python has to be told
// where nobody awaits it: its loop's exception handler, as for every future of Python's own.
import { whenGivenBack } from "../interpreter/js_handles.ts";
import { currentPlace } from "./call_context.ts";

interface Watched {
  /** The loop that was current where it was given to Python, if one was. */
  readonly loop: number | undefined;
  awaited: boolean;
  givenBack: boolean;
  failure: { error: unknown } | undefined;
}

const watched = new WeakMap<object, Watched>();
let report: (error: unknown, loop: number | undefined) => void;

/** Says how Python is told. */
export function reportRejectionsWith(fn: (error: unknown, loop: number | undefined) => void): void {
  report = fn;
}

/** Something has failed for which nobody waits any more. */
export function reportRejection(error: unknown): void {
  report(error, currentPlace()?.loop);
}

function check(entry: Watched): void {
  if (!entry.givenBack || entry.awaited || !entry.failure) return;
  entry.awaited = true; // told once
  report(entry.failure.error, entry.loop);
}

/** A Promise goes to Python. */
export function watch(promise: Promise<unknown>): void {
  const known = watched.get(promise);
  if (known) {
    known.givenBack = false;
    return;
  }
  const entry: Watched = { loop: currentPlace()?.loop, awaited: false, givenBack: false, failure: undefined };
  watched.set(promise, entry);
  Promise.prototype.then.call(promise, undefined, (error) => {
    entry.failure = { error };
    check(entry);
  });
}

/** Python awaits it. */
export function markAwaited(promise: unknown): void {
  const entry = typeof promise === "object" && promise !== null ? watched.get(promise) : undefined;
  if (entry) entry.awaited = true;
}

whenGivenBack((value) => {
  const entry = typeof value === "object" && value !== null ? watched.get(value) : undefined;
  if (!entry) return;
  entry.givenBack = true;
  check(entry);
});
