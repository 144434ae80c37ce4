// JavaScript values that Python holds, by number.
//
// A handle counts how often it was sent. Python gives that count back when its last object for the value goes, so a value
// that is sent again at that very moment is not lost.
import { bridge } from "./bridge.ts";
import { heap } from "./heap.ts";
import { nextId } from "./ids.ts";

/** The handle under which a value is sent, once more. */
export function send(value: unknown): number {
  let handle = heap.handlesByValue.get(value);
  if (!handle) {
    heap.lastHandle = nextId(heap.lastHandle, heap.handlesById);
    handle = { value, id: heap.lastHandle, sent: 0 };
    heap.handlesById.set(handle.id, handle);
    heap.handlesByValue.set(value, handle);
  }
  handle.sent++;
  return handle.id;
}

/** The value of a handle that Python holds. */
export function receive(id: number): unknown {
  return heap.handlesById.get(id)?.value;
}

/** Python (or a message that was never sent) gives a handle back. */
export function giveBack(id: number, count: number): void {
  const handle = heap.handlesById.get(id);
  if (!handle || (handle.sent -= count) > 0) return;
  heap.handlesById.delete(id);
  heap.handlesByValue.delete(handle.value);
  bridge.onGivenBack(handle.value);
}

/** How many JavaScript values Python holds: for tests of leaks. */
export function countHandles(): number {
  return heap.handlesById.size;
}
