// What a proxy knows of its Python object: kept on the proxy's target, reached from the proxy by a private symbol.
//
// The one thing to know: a coroutine that was made by calling an `async def` proxy may not exist in Python yet. Its
// call is kept as bytes; awaiting sends them to the loop, and only another use makes the coroutine object.
import type { AsyncResource } from "node:async_hooks";
import type { CallContext } from "../context/call_context.ts";
import type { Reference } from "../interpreter/reference.ts";

/** A call of an `async def` that has not happened yet. */
export interface LazyCall {
  /** The call on the wire, as Operation.call takes it. */
  readonly bytes: Uint8Array;
  readonly pins: Reference[];
  /** What is called: it lives as long as this does, unless somebody destroys it. */
  readonly callee: State;
  /** Handles that it takes. */
  readonly handles: readonly number[];
  /** It has been sent, made or given up. */
  used: boolean;
  /** Where it was called: the call context and the scope of AsyncLocalStorage in which it will run. */
  readonly context: CallContext | undefined;
  readonly scope: AsyncResource | undefined;
}

/** The state of one proxy. */
export class State {
  reference: Reference;
  kinds: number;
  lazy: LazyCall | undefined = undefined;
  /** The Promise of a coroutine that has been started: later awaits join it. */
  started: { promise: Promise<unknown>; cancelWith(signal: AbortSignal): void } | undefined = undefined;
  /** A coroutine's, Task's or Future's result, where that is one of these as well, and so is awaited too. */
  next: State | undefined = undefined;
  /** Its await has returned the object itself: it is a thenable no more. */
  settledToItself = false;
  /** The proxy itself: the two live and die together. */
  self: object | undefined = undefined;
  /** What it was, once it is destroyed. */
  destroyed: string | undefined = undefined;
  readonly #brand = true;

  constructor(reference: Reference, kinds: number) {
    this.reference = reference;
    this.kinds = kinds;
  }

  /** Some objects answer with something to every name. */
  static is(value: unknown): value is State {
    return typeof value === "object" && value !== null && #brand in value;
  }
}

/** Reads the state from a proxy. */
export const STATE: unique symbol = Symbol("pyawait state");

/** The state of a proxy, or `undefined` for every other value. */
export function stateOf(value: unknown): State | undefined {
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) return undefined;
  const state = (value as { [STATE]?: unknown })[STATE];
  return state !== undefined && State.is(state) ? state : undefined;
}
