// What a proxy knows of its Python object. It is a private field of the proxy's target, for which a proxy answers to a
// private symbol.
//
// The coroutine of a called `async def` proxy may not exist in Python yet: the call is kept as bytes. Awaiting sends
// the bytes to the loop; any other use makes the coroutine object.
import type { AsyncResource } from "node:async_hooks";
import type { CallContext } from "../context/call_context.ts";
import type { Reference } from "../interpreter/reference.ts";
import type { KeptBytes } from "../wire/kept_bytes.ts";

/** A call of an `async def` that has not been made yet: its bytes on the wire, as `Operation.call` reads them. */
export interface LazyCall extends KeptBytes {
  /** From `takeLazy` on also the function's. */
  pins: readonly Reference[];
  /** The function. It lives as long as this call, unless it is destroyed. */
  readonly callee: State;
  /** Handles that the message takes. */
  readonly handles: readonly number[];
  /** It was sent, made or given up. */
  used: boolean;
  /** Its `then` was read: an `await` may be on its way. */
  looked: boolean;
  /** An await has asked for it; if that has failed, its Promise says so. */
  awaited: boolean;
  /** It waits in the list of unused calls (never_awaited.ts). */
  watched: boolean;
  /** Where it was called, as a stack, and what that says once it was asked; see `placeOf`. */
  trace: { stack?: unknown } | undefined;
  place: readonly [file: string, line: number] | undefined;
  /** The call context and AsyncLocalStorage scope of the caller, in which it will run. */
  readonly context: CallContext | undefined;
  readonly scope: AsyncResource | undefined;
}

/** The JavaScript half of a Python object whose class is a JavaScript class, or extends one. */
export interface Half {
  /** That class's `prototype`. */
  readonly prototype: object;
  /** The object is of that class itself, so what JavaScript finds in it no Python class overrides. */
  readonly exact: boolean;
  /** Its properties that are named by symbols. */
  readonly symbols: Record<symbol, unknown>;
  /** Of an exception: where it was made. */
  readonly frames: string | undefined;
}

/** An awaited coroutine. */
export interface Started {
  readonly promise: Promise<unknown>;
  cancelWith(signal: AbortSignal): void;
}

let lastSerial = 0;

/** The state of one proxy. */
export class State {
  /** Tells it from every other. */
  readonly serial: number = ++lastSerial;
  reference: Reference;
  kinds: number;
  /** The number of its type's name; of an `async def` also that of its code, in the upper half. */
  type: number;
  lazy: LazyCall | undefined = undefined;
  /** Of a started coroutine: its Promise, which later awaits join. */
  started: Started | undefined = undefined;
  /** The coroutine, Task or Future that this one has resulted in, which is awaited in turn. */
  next: State | undefined = undefined;
  /** An await has returned the object itself, so it is no longer a thenable. */
  settledToItself = false;
  /** Addresses of the methods that were read last, by name. */
  methods: Map<string, number> | undefined = undefined;
  /** The proxy. The two have the same lifetime. */
  self: object | undefined = undefined;
  /** Looked up when it is first needed: `halfOf`. `null`: its class is that of another thread's JavaScript. */
  half: Half | null | undefined = undefined;
  /** The half is kept alive for Python (kept_halves.ts); `undefined`: no constructor of JavaScript's has run on it. */
  kept: boolean | undefined = undefined;
  /** Set by `$destroy`. */
  destroyed = false;
  readonly #brand = true;

  constructor(reference: Reference, kinds: number, type: number) {
    this.reference = reference;
    this.kinds = kinds;
    this.type = type;
  }

  /** Checks the brand: some objects (Proxies) return something for every property. */
  static is(value: unknown): value is State {
    return typeof value === "object" && value !== null && #brand in value;
  }
}

/** The symbol under which a proxy gives its state. */
export const STATE: unique symbol = Symbol("pyawait state");

/** The state of a proxy; `undefined` for every other value. */
export function stateOf(value: unknown): State | undefined {
  if (typeof value !== "function" && (typeof value !== "object" || value === null)) return undefined;
  const state = (value as { [STATE]?: unknown })[STATE];
  return state !== undefined && State.is(state) ? state : undefined;
}
