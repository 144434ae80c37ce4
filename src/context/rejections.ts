// Rejected Promises that were given to Python and that no code there awaited.
//
// Giving a Promise to Python marks its rejection as handled for JavaScript, so Python is told where no code awaits it: the
// exception handler of its loop, as for every future of Python's own.
import { bridge } from "../interpreter/bridge.ts";
import { currentCallContext } from "./call_context.ts";

interface Watched {
  /** The loop that was current where it was given to Python, if one was. */
  readonly loop: number | undefined;
  awaited: boolean;
  givenBack: boolean;
  failure: { error: unknown } | undefined;
}

const watched = new WeakMap<object, Watched>();

/** Something has failed for which no code waits any more. */
export function reportRejection(error: unknown): void {
  bridge.reportRejection(error, currentCallContext()?.loop);
}

function check(entry: Watched): void {
  if (!entry.givenBack || entry.awaited || !entry.failure) return;
  entry.awaited = true; // told once
  bridge.reportRejection(entry.failure.error, entry.loop);
}

/** A Promise goes to Python. */
export function watch(promise: Promise<unknown>): void {
  const known = watched.get(promise);
  if (known) {
    known.givenBack = false;
    return;
  }
  const entry: Watched = { loop: currentCallContext()?.loop, awaited: false, givenBack: false, failure: undefined };
  watched.set(promise, entry);
  Promise.prototype.then.call(promise, undefined, (error) => {
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

/** Python holds it no more. */
export function markGivenBack(value: unknown): void {
  const entry = entryOf(value);
  if (!entry) return;
  entry.givenBack = true;
  check(entry);
}
