// What lower folders need of higher ones: one record of functions, filled once by `src/wiring.ts`.
//
// Imports go downwards only, yet decoding a value makes a proxy and opening Python starts listening to it. Calling a
// member of the unfilled record throws: then an entry of the package does not import the wiring.
import type { Interpreter } from "./heap.ts";

/** What a PythonError asks Python for when its stack, cause or errors are first read. */
export interface ErrorDetails {
  /** Innermost frame first. */
  readonly frames: readonly (readonly [name: string, file: string, line: number])[];
  readonly cause: unknown;
  readonly errors: readonly unknown[] | null;
  /** What to do in JavaScript about it. */
  readonly hint: string | null;
  /** What `add_note` has added. */
  readonly notes: readonly string[];
}

/** A call that is never awaited: the function, `null` if it was destroyed, and the place of the call, if it is known. */
export type NeverAwaited = readonly [callee: unknown, file: string | null, line: number];

/** Functions of higher folders, named by what lower folders use them for. */
export interface Bridge {
  /** The proxy of the object at this address; takes over the reference. */
  makeProxy(address: number, kinds: number, type: number): unknown;
  /** The handler of every proxy's `Proxy`. */
  readonly traps: ProxyHandler<object>;
  /** The address of a proxy's object; creates the coroutine object of a lazy coroutine. */
  addressOf(proxy: object): number;
  errorDetails(exception: unknown): ErrorDetails;
  tracebackOf(exception: unknown): string;
  /** The Promise of an awaitable proxy. */
  then(proxy: object): Promise<unknown>;
  asyncIterator(proxy: object): AsyncIterator<unknown>;
  /** This heap has opened Python. */
  onOpen(python: Interpreter): void;
  /** Python has rung: the outbox has records. */
  onRing(): void;
  /**
   * Python calls a JavaScript function on this thread, during a synchronous call. Must not throw: an exception would
   * unwind through C frames and end the process.
   */
  onCall(id: number): void;
  /** The id of the loop of a scope's locals. */
  loopOf(locals: unknown): number;
  /** A loop is closed: what was sent to it gets no answer. */
  onLoopEnd(loop: number): void;
  /** Tells Python of calls of `async def`s that are never awaited. Does not attach. */
  warnNeverAwaited(calls: readonly NeverAwaited[]): void;
  /** Python no longer holds this JavaScript value. */
  onGivenBack(value: unknown): void;
  /** Reports to Python an error that no code awaits. */
  reportRejection(error: unknown, loop: number | undefined): void;
  /** The folders of pyawait's own code, as stack traces name them. */
  readonly ownFolders: readonly string[];
}

const unwired = new Proxy({} as Bridge, {
  get(_, name): never {
    throw new Error(`pyawait is not wired (${String(name)}): an entry of the package has to import src/wiring.ts`);
  },
});

/** The record. Read its members when they are needed, never at load time. */
export let bridge: Bridge = unwired;

/** Fills the record. Called once, by `src/wiring.ts`. */
export function wire(parts: Bridge): void {
  bridge = parts;
}
