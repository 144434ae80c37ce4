// AbortSignals that many awaits listen to.
//
// Node warns of a leak at the eleventh listener of a signal, so each signal gets one listener, however many awaits
// wait.

interface Listened {
  readonly waiting: Set<() => void>;
  readonly listener: () => void;
}

const listened = new WeakMap<AbortSignal, Listened>();

function listenTo(signal: AbortSignal): Listened {
  const waiting = new Set<() => void>();
  const listener = () => {
    listened.delete(signal);
    for (const fn of waiting) fn();
  };
  const entry = { waiting, listener };
  listened.set(signal, entry);
  signal.addEventListener("abort", listener, { once: true });
  return entry;
}

/**
 * Calls `fn` when the signal aborts.
 *
 * @returns a function that ends the wait
 */
export function whenAborted(signal: AbortSignal, fn: () => void): () => void {
  const { waiting, listener } = listened.get(signal) ?? listenTo(signal);
  waiting.add(fn);
  return () => {
    if (!waiting.delete(fn) || waiting.size > 0) return;
    signal.removeEventListener("abort", listener);
    listened.delete(signal);
  };
}
