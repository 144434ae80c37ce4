// JavaScript values that Python holds, by number.
//
// The one thing to know: a handle counts how often it has been sent. Python gives that count back when its last
// object for it has gone, so a value that is sent again at that very moment is not lost.

interface Handle {
  readonly value: unknown;
  readonly id: number;
  sent: number;
}

/** Kinds of JavaScript values, in the order of src/py. */
export const JsKind = {
  object: 0,
  function: 1,
  promise: 2,
  asyncFunction: 3,
  error: 4,
  source: 5,
  generator: 6,
  asyncGenerator: 7,
} as const;

const byId = new Map<number, Handle>();
const byValue = new Map<unknown, Handle>();
let last = 0;

/** The handle under which a value is sent, once more. */
export function send(value: unknown): number {
  let handle = byValue.get(value);
  if (!handle) {
    do last = last === 0xffff_ffff ? 1 : last + 1; while (byId.has(last));
    handle = { value, id: last, sent: 0 };
    byId.set(handle.id, handle);
    byValue.set(value, handle);
  }
  handle.sent++;
  return handle.id;
}

/** The value of a handle that Python holds. */
export function receive(id: number): unknown {
  return byId.get(id)?.value;
}

/** Python (or a message that was never sent) gives a handle back. */
export function giveBack(id: number, count: number): void {
  const handle = byId.get(id);
  if (!handle || (handle.sent -= count) > 0) return;
  byId.delete(id);
  byValue.delete(handle.value);
  for (const fn of listeners) fn(handle.value);
}

const listeners: ((value: unknown) => void)[] = [];

/** Runs when Python holds a value no more. */
export function whenGivenBack(fn: (value: unknown) => void): void {
  listeners.push(fn);
}

/** How many JavaScript values Python holds: for tests of leaks. */
export function countHandles(): number {
  return byId.size;
}
