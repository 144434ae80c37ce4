// A reference to a Python object that a proxy owns, and how it is given back.
//
// The one thing to know: no finalizer attaches to Python, which could wait for the GIL or run a `__del__`. References
// are collected and go through the background loop's inbox, in one record with whatever else this turn submits.
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

let flushReleases: () => void = () => {};
let released: number[] = [];

/** Says how collected references are scheduled to be sent. */
export function releaseWith(schedule: () => void): void {
  flushReleases = schedule;
}

/** Gives up one reference to the object at this address. */
export function forget(address: number): void {
  released.push(address);
  if (released.length === 1 || released.length >= 4096) flushReleases();
}

/** The references to give back, taken. */
export function takeReleased(): number[] {
  const taken = released;
  released = [];
  return taken;
}
