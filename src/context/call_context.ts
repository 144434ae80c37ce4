// The call context: on which loop, in which Python context and for which Python await a piece of JavaScript runs.
//
// It is one AsyncLocalStorage store, so it holds for everything that a function starts, across `await`, timers and
// microtasks.
import { AsyncLocalStorage } from "node:async_hooks";
import { Reference } from "../interpreter/reference.ts";
import { BACKGROUND, closeRecord, In, openRecord } from "../interpreter/inbox.ts";
import { NO_LOOP } from "../wire/numbers.ts";

/** A Python await that JavaScript serves. */
export class Served {
  readonly loop: number;
  readonly slot: number;
  #controller: AbortController | undefined;
  #reason: unknown;
  #aborted = false;
  settled = false;
  /** Python waits for the function's end after it has cancelled the await. */
  taken = false;

  constructor(loop: number, slot: number) {
    this.loop = loop;
    this.slot = slot;
  }

  /** Its signal. Taking it tells Python, so that a cancelled await ends when the function has ended. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
      else if (!this.settled) this.take();
    }
    return this.#controller.signal;
  }

  take(): void {
    this.taken = true;
    const writer = openRecord(this.loop, In.signalTaken, 4);
    writer.u32(this.slot);
    closeRecord(this.loop);
  }

  abort(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/** What is current for a piece of JavaScript. */
export interface CallContext {
  /** Id of the current loop's inbox. */
  readonly loop: number;
  /** Whether Python called from a running loop; otherwise `loop` is the background loop. */
  readonly running: boolean;
  /** The caller's context, if any variable is set in it. */
  readonly context: Reference | undefined;
  /** The locals of the enclosing `scope`, as the user gave them. */
  readonly locals: unknown;
  /** Has the signal of the Python await that is being served. */
  readonly served: { readonly signal: AbortSignal } | undefined;
}

const storage: AsyncLocalStorage<CallContext> = new AsyncLocalStorage();

const contexts = new FinalizationRegistry<Reference>((reference) => reference.release());

/** The call context of a function that Python calls. Takes over the reference to the context at this address. */
export function newCallContext(loop: number, contextAddress: number, served: Served | undefined): CallContext {
  const running = loop !== NO_LOOP;
  if (!running) loop = BACKGROUND;
  if (contextAddress === 0) return { loop, running, context: undefined, locals: undefined, served };
  const context = new Reference(contextAddress);
  const made = { loop, running, context, locals: undefined, served };
  contexts.register(made, context);
  return made;
}

/** Runs `fn`, and everything that it starts, in a call context. */
export function runInCallContext<T>(context: CallContext, fn: () => T): T {
  return storage.run(context, fn);
}

export function currentCallContext(): CallContext | undefined {
  return storage.getStore();
}

/**
 * The signal of the Python await that this JavaScript function serves, else `undefined`.
 *
 * It aborts when Python cancels that await. `intoPromise`, `toLoop`, `toThread` and `intoAsyncIterable` use it by
 * default; pass it to other work that should end with the await, such as `fetch`. Taking the signal also makes the
 * cancelled await wait for this function to end. (PyO3 Asyncio drops the future instead.)
 *
 * @returns the signal, or `undefined` outside of a function that Python awaits
 * @example
 * ```ts
 * import { getCurrentSignal, python } from "pyawait";
 * const get = async (url: string) => (await fetch(url, { signal: getCurrentSignal() })).text();
 * python.exec("import asyncio\nasync def main(get, url): return await asyncio.wait_for(get(url), 5)");
 * ```
 */
export function getCurrentSignal(): AbortSignal | undefined {
  return storage.getStore()?.served?.signal;
}
