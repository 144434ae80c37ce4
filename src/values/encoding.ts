// The state of one message while its values are written; `encode.ts` writes them.
//
// All values of a message share it, so that references to the same container stay references to the same container.
import { giveBack } from "../interpreter/js_handles.ts";
import type { Reference } from "../interpreter/reference.ts";
import type { Writer } from "../wire/codec.ts";

/** One message's values: containers by their number, proxies that it borrows, how deep it copies. */
export interface Encoding {
  readonly writer: Writer;
  heap: number;
  containers: Map<object, number> | undefined;
  /** References that the message borrows, where it outlives the call that made it. */
  pins: Reference[] | undefined;
  /** Handles that it takes, to give back if it is never sent. */
  handles: number[];
  /** How many levels of containers are still copied; the others go by reference. */
  depth: number;
  /** What is asked for values that would go by reference. */
  fallback: ((value: unknown) => unknown) | undefined;
  /** The Errors whose members and causes are being written. */
  errors: Set<Error> | undefined;
  /** What rules of the user's have made of values. */
  converted: Map<object, unknown> | undefined;
  /** What `fallback` has made of values. */
  defaults: Map<object, unknown> | undefined;
}

/** Begins to write the values of one message. */
export function encoding(writer: Writer, heap: number): Encoding {
  return {
    writer,
    heap,
    containers: undefined,
    pins: undefined,
    handles: [],
    depth: Infinity,
    fallback: undefined,
    converted: undefined,
    defaults: undefined,
    errors: undefined,
  };
}

/** Gives back what a message has taken that will not be sent; the error is handed through, to be thrown. */
export function rollBack(e: Encoding, error: unknown): unknown {
  for (const id of e.handles.splice(0)) giveBack(id, 1);
  for (const reference of e.pins?.splice(0) ?? []) reference.unpin();
  e.containers =
    e.errors =
    e.converted =
    e.defaults =
      undefined;
  return error;
}
