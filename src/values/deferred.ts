// A Promise that starts when Python first awaits it; `promiseIntoPy` makes one of a function.
//
// All its awaits share one signal, which aborts when the last of them is cancelled.
import { then } from "../../ffi/intrinsics.ts";
import { AsyncResource } from "node:async_hooks";

/** A Promise that starts when Python first awaits it. */
export class Deferred {
  readonly start: (signal: AbortSignal) => PromiseLike<unknown>;
  readonly controller: AbortController = new AbortController();
  promise: Promise<unknown> | undefined;
  /** The signal was taken, so a cancelled await ends when the Promise has settled. */
  taken: boolean;
  whenTaken: (deferred: Deferred) => void = () => {};

  /** The AsyncLocalStorage scope in which it was made, and in which it runs. */
  readonly #scope = new AsyncResource("pyawait");

  /** @param taken whether `start` takes the signal as its argument */
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

  /** Its Promise, started now if it was not. `run` makes a call context current for it. */
  begin(run: <T>(fn: () => T) => T = (fn) => fn()): Promise<unknown> {
    const start = () => this.start(this.controller.signal);
    return this.promise ??= (async () => await this.#scope.runInAsyncScope(() => run(start)))();
  }

  /** JavaScript may await it as well. */
  then<A = unknown, B = never>(
    fulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return then(this.begin(), fulfilled, rejected);
  }
}
