// The frame of a JavaScript function that Python awaits: whose signal it has, on which loop it is waited for.
//
// The one thing to know: frames live in AsyncLocalStorage, so everything that the function starts is in its frame,
// across `await`, timers and microtasks.
import { AsyncLocalStorage } from "node:async_hooks";
import { closeRecord, In, openRecord } from "./submission.ts";

/** One await of Python's that JavaScript serves. */
export class Frame {
  readonly loop: number;
  readonly slot: number;
  #controller: AbortController | undefined;
  #reason: unknown;
  #aborted = false;
  settled = false;

  constructor(loop: number, slot: number) {
    this.loop = loop;
    this.slot = slot;
  }

  /** Its signal; Python is told that somebody listens, so the await ends when the function has. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
      else if (!this.settled) this.take();
    }
    return this.#controller.signal;
  }

  take(): void {
    const writer = openRecord(this.loop, In.signalTaken);
    writer.u32(this.slot);
    closeRecord(this.loop);
  }

  abort(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

const storage: AsyncLocalStorage<Frame | undefined> = new AsyncLocalStorage();

/** Runs `fn` in a frame. */
export function inFrame<T>(frame: Frame | undefined, fn: () => T): T {
  return storage.run(frame, fn);
}

export function currentFrame(): Frame | undefined {
  return storage.getStore();
}

/**
 * The signal of the Python await that this JavaScript function serves, else `undefined`.
 *
 * It aborts when Python cancels that await. `intoPromise`, `toLoop` and `toThread` take it by themselves when they
 * are given no `signal`; hand it to whatever else should end with the await, as `fetch`.
 *
 * @example
 * ```ts
 * import { getCurrentSignal, python } from "pyawait";
 * const get = async (url: string) => (await fetch(url, { signal: getCurrentSignal() })).text();
 * python.exec("import asyncio\nasync def main(get, url): return await asyncio.wait_for(get(url), 5)");
 * ```
 */
export function getCurrentSignal(): AbortSignal | undefined {
  return storage.getStore()?.signal;
}

