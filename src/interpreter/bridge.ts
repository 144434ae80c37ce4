// What the lower folders need of the higher ones: one record of functions, filled once by `src/wiring.ts`.
//
// Imports go downwards only, but decoding a value makes a proxy, and opening Python starts listening to it. A member that
// is called before the record is filled throws: then an entry of the package does not import the wiring.
import type { Interpreter } from "./heap.ts";

/** What a PythonError asks Python for when its stack, cause or errors are read. */
export interface ErrorDetails {
  /** Innermost first. */
  readonly frames: readonly (readonly [name: string, file: string, line: number])[];
  readonly cause: unknown;
  readonly errors: readonly unknown[] | null;
}

/** Functions of higher folders, by what lower ones use them for. */
export interface Bridge {
  /** The proxy of the object at this address, whose reference becomes the proxy's. */
  makeProxy(address: number, kinds: number): unknown;
  /** What a `Proxy` of ours does. */
  readonly traps: ProxyHandler<object>;
  /** The address of a proxy's object; makes a coroutine that does not exist yet. */
  addressOf(proxy: object): number;
  errorDetails(exception: unknown): ErrorDetails;
  tracebackOf(exception: unknown): string;
  /** The Promise of an awaitable proxy. */
  then(proxy: object): Promise<unknown>;
  asyncIterator(proxy: object): AsyncIterator<unknown>;
  /** Python has been opened by this heap. */
  onOpen(python: Interpreter): void;
  /** Python has rung: something is in the outbox. */
  onRing(): void;
  /** Python calls a JavaScript function on this thread, inside a synchronous call. Must not throw: C is below it. */
  onCall(id: number): void;
  /** A loop is closed: what was sent to it gets no answer. */
  onLoopEnd(loop: number): void;
  /** Python holds this JavaScript value no more. */
  onGivenBack(value: unknown): void;
  /** Tells Python of an error for which no code waits. */
  reportRejection(error: unknown, loop: number | undefined): void;
  /** Where the frames of pyawait's own code lie, as stacks name it. */
  readonly ownFolders: readonly string[];
}

const unwired = new Proxy({} as Bridge, {
  get(_, name): never {
    throw new Error(`pyawait is not wired (${String(name)}): an entry of the package has to import src/wiring.ts`);
  },
});

/** The record. Read its members when they are used, never at load time. */
export let bridge: Bridge = unwired;

/** Fills the record, once. */
export function wire(parts: Bridge): void {
  bridge = parts;
}
