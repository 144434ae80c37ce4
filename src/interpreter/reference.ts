// A reference to a Python object that a proxy owns, and how it is given back.
//
// No finalizer attaches to Python: that could wait for the GIL or run a `__del__`. Addresses are collected and go through the
// background loop's inbox (`forget` in inbox.ts).
import { forget } from "./inbox.ts";

/** One owned reference. */
export class Reference {
  /** The object's address; 0 once it has been given back. */
  address: number;
  /** How often the bridge has handed the proxy out, less what was destroyed. */
  holds = 1;
  /** Messages under way that borrow it: as long as there is one, it is not given back. */
  pins = 0;

  constructor(address: number) {
    this.address = address;
  }

  /** Gives it back, at once or when the last message that borrows it has been consumed. */
  release(): void {
    if (this.address === 0) return;
    if (this.pins > 0) {
      this.holds = 0;
      return;
    }
    forget(this.address);
    this.address = 0;
  }

  unpin(): void {
    if (--this.pins === 0 && this.holds <= 0) this.release();
  }
}
