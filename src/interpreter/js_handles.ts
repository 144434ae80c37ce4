// JavaScript values that Python holds, by number.
//
// A value may be sent again at the moment when Python drops its last object for it. So a handle counts how often it was
// sent, Python returns that count, and the value is forgotten only at zero.
import { bridge } from "./bridge.ts";
import { heap } from "./heap.ts";
import { nextId } from "./ids.ts";

/** The handle under which to send a value; counts one more sending. */
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

/** The value of a handle. */
export function receive(id: number): unknown {
  return heap.handlesById.get(id)?.value;
}

/** Subtracts `count` from a handle's sendings: Python has dropped its object, or a message was never sent. */
export function giveBack(id: number, count: number): void {
  const handle = heap.handlesById.get(id);
  if (!handle || (handle.sent -= count) > 0) return;
  heap.handlesById.delete(id);
  heap.handlesByValue.delete(handle.value);
  bridge.onGivenBack(handle.value);
}

/** The number of JavaScript values that Python holds; for leak tests. */
export function countHandles(): number {
  return heap.handlesById.size;
}
