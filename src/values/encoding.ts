// The state of one message while its values are encoded (`encode.ts`).
//
// All values of a message share it, so that several references to one container stay references to one container.
import { giveBack } from "../interpreter/js_handles.ts";
import type { Reference } from "../interpreter/reference.ts";
import type { Shape } from "./shapes.ts";
import type { Writer } from "../wire/codec.ts";

/** The state of one message: its containers by number, the references that it borrows, how deep it copies. */
export interface Encoding {
  readonly writer: Writer;
  heap: number;
  containers: Map<object, number> | undefined;
  /** What keys its objects have. */
  shapes: Shape[] | undefined;
  /** References that the message borrows, if it outlives the call that makes it. */
  pins: Reference[] | undefined;
  /** Handles that it takes, to return if it is never sent. */
  handles: number[];
  /** Takes large memory in place of the message, while that may lend it. */
  lent: Uint8Array[] | undefined;
  /** How many more levels of containers are copied; deeper ones cross by reference. */
  depth: number;
  /** Asked for values that would cross by reference. */
  fallback: ((value: unknown) => unknown) | undefined;
  /** The Errors whose members and causes are being written, to detect cycles. */
  errors: Set<Error> | undefined;
  /** What the user's rules have made of values. */
  converted: Map<object, unknown> | undefined;
  /** What `fallback` has made of values. */
  defaults: Map<object, unknown> | undefined;
}

/** Begins a message. */
export function encoding(writer: Writer, heap: number): Encoding {
  return {
    writer,
    heap,
    containers: undefined,
    shapes: undefined,
    pins: undefined,
    handles: [],
    lent: undefined,
    depth: Infinity,
    fallback: undefined,
    converted: undefined,
    defaults: undefined,
    errors: undefined,
  };
}

/** What a message lends to Python until it is read. */
export interface Loans {
  /** Handles that it takes. */
  readonly handles: readonly number[];
  /** References that it borrows. */
  readonly pins: readonly Reference[] | undefined;
}

/** Takes back what a message lends that will not be sent. */
export function takeBack({ handles, pins }: Loans): void {
  for (const id of handles) giveBack(id, 1);
  for (const reference of pins ?? []) reference.unpin();
}

/** Takes back what a half-written message lends. Returns `error`, for the caller to throw. */
export function rollBack(e: Encoding, error: unknown): unknown {
  takeBack({ handles: e.handles.splice(0), pins: e.pins?.splice(0) });
  e.containers =
    e.shapes =
    e.errors =
    e.converted =
    e.defaults =
      undefined;
  return error;
}
