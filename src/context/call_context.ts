// Where JavaScript is, seen from Python: on which loop, in which context, serving which await.
//
// The one thing to know: it is one store of AsyncLocalStorage, so it holds for everything that a function starts,
// across `await`, timers and microtasks. Scopes of the user's own stores travel through Python by number.
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { countHandles } from "../interpreter/js_handles.ts";
import { Reference } from "../interpreter/reference.ts";
import { BACKGROUND, closeRecord, In, openRecord } from "../interpreter/inbox.ts";

/** One await of Python's that JavaScript serves. */
export class Served {
  readonly loop: number;
  readonly slot: number;
  #controller: AbortController | undefined;
  #reason: unknown;
  #aborted = false;
  settled = false;
  /** Python waits for the end of what it has cancelled. */
  taken = false;

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
    this.taken = true;
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

/** What is current for a piece of JavaScript. */
export interface Place {
  /** The id of the inbox of the loop that is used here. */
  readonly loop: number;
  /** Whether it runs where Python called this: otherwise it is the background loop. */
  readonly running: boolean;
  /** The context, where anything is set in it. */
  readonly context: Reference | undefined;
  /** What the user put in scope, as they gave it. */
  readonly locals: unknown;
  /** What has the signal of the Python await that is being served. */
  readonly served: { readonly signal: AbortSignal } | undefined;
}

/** What a CALL says where no loop runs. */
const NO_LOOP = 0xffff_ffff;

const storage: AsyncLocalStorage<Place> = new AsyncLocalStorage();

const contexts = new FinalizationRegistry<Reference>((reference) => reference.release());

/** The place of a function that Python calls; the reference to the context is the place's own. */
export function newPlace(loop: number, contextAddress: number, served: Served | undefined): Place {
  const running = loop !== NO_LOOP;
  if (!running) loop = BACKGROUND;
  if (contextAddress === 0) return { loop, running, context: undefined, locals: undefined, served };
  const context = new Reference(contextAddress);
  const place = { loop, running, context, locals: undefined, served };
  contexts.register(place, context);
  return place;
}

/** Runs `fn` in a place. */
export function inPlace<T>(place: Place, fn: () => T): T {
  return storage.run(place, fn);
}

export function currentPlace(): Place | undefined {
  return storage.getStore();
}

/**
 * The signal of the Python await that this JavaScript function serves, else `undefined`.
 *
 * It aborts when Python cancels that await. `intoPromise`, `toLoop`, `toThread` and `intoAsyncIterable` take it by
 * themselves when they are given no `signal`; hand it to whatever else should end with the await, as `fetch`.
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

// Scopes of AsyncLocalStorage, through Python ---------------------------------------------------------------------

const scopes = new Map<number, AsyncResource>();
let lastScope = 0;

/** This scope, to be carried through Python; `undefined` while Python holds no function that could be called in it. */
export function captureScope(): AsyncResource | undefined {
  return countHandles() === 0 ? undefined : new AsyncResource("pyawait");
}

function newScope(): number {
  do lastScope = lastScope >= 0xffff_ffff ? 1 : lastScope + 1; while (scopes.has(lastScope));
  return lastScope;
}

/** The number under which Python carries a scope to the functions that it calls; 0 for none. */
export function numberScope(resource: AsyncResource | undefined): number {
  if (resource === undefined) return 0;
  const scope = newScope();
  scopes.set(scope, resource);
  return scope;
}

const offered: number[] = []; // numbers of calls that have ended and were not kept

/** The number of a synchronous call's scope: captured only if Python keeps it, after the call, where it is the same. */
export function offerScope(): number {
  return offered.pop() ?? newScope();
}

export function endOffer(scope: number, kept: boolean): void {
  if (kept) scopes.set(scope, new AsyncResource("pyawait"));
  else offered.push(scope);
}

/** Runs `fn` in the scope that Python has carried here, and in `place`. */
export function enterScope<T>(scope: number, place: Place, fn: () => T): T {
  const resource = scopes.get(scope);
  return resource ? resource.runInAsyncScope(() => storage.run(place, fn)) : storage.run(place, fn);
}

/** Python carries this scope no more. */
export function endScope(scope: number): void {
  scopes.delete(scope);
}

/** How many scopes Python carries: for tests of leaks. */
export function countScopes(): number {
  return scopes.size;
}
