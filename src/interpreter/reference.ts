// An owned reference to a Python object.
//
// A finalizer must not attach: it could wait for the GIL or run a `__del__`. Addresses are collected and released
// through the background loop's inbox (`forget` in inbox.ts).
import { forget } from "./inbox.ts";

/** One owned reference. */
export class Reference {
  /** The object's address; 0 after release. */
  address: number;
  /** How often the bridge has handed the proxy out, minus the `$destroy`s. */
  holds = 1;
  /** The object belongs to an event loop: it is not to be touched on this thread, so the loop's thread releases it. */
  onLoop = false;
  /** How many unread messages borrow this reference; it is not released before they are read. */
  pins = 0;

  constructor(address: number) {
    this.address = address;
  }

  /** Releases the reference now, or when the last message that borrows it has been read. */
  release(): void {
    if (this.address === 0) return;
    if (this.pins > 0) {
      this.holds = 0;
      return;
    }
    forget(this.address, this.onLoop);
    this.address = 0;
  }

  unpin(): void {
    if (--this.pins === 0 && this.holds <= 0) this.release();
  }
}
