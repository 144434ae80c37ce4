// A Promise that starts when Python first awaits it: what `promiseIntoPy` makes of a function.
import { AsyncResource } from "node:async_hooks";

/** A Promise that starts when Python first awaits it. It serves all its awaits: they have one signal, its own. */
export class Deferred {
  readonly start: (signal: AbortSignal) => PromiseLike<unknown>;
  readonly controller: AbortController = new AbortController();
  promise: Promise<unknown> | undefined;
  /** The signal was asked for, so a cancelled await ends when the Promise has. */
  taken: boolean;
  whenTaken: (deferred: Deferred) => void = () => {};

  /** The scope of AsyncLocalStorage in which it was made, and in which it runs. */
  readonly #scope = new AsyncResource("pyawait");

  /** @param taken `start` takes the signal as its argument */
  constructor(start: (signal: AbortSignal) => PromiseLike<unknown>, taken: boolean) {
    this.start = start;
    this.taken = taken;
  }

  get signal(): AbortSignal {
    if (!this.taken) {
      this.taken = true;
      this.whenTaken(this);
    }
    return this.controller.signal;
  }

  /** Its Promise, started now if it was not, within what `run` makes current. */
  begin(run: <T>(fn: () => T) => T = (fn) => fn()): Promise<unknown> {
    const start = () => this.start(this.controller.signal);
    return this.promise ??= new Promise((resolve) => resolve(this.#scope.runInAsyncScope(() => run(start))));
  }

  /** JavaScript may await it too. */
  then<A = unknown, B = never>(
    fulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.begin().then(fulfilled, rejected);
  }
}
