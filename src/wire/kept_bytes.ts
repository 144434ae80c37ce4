// Bytes of messages that are sent later: those of many lie in one buffer.
//
// A typed array of its own takes 250 bytes of V8's heap, more than most messages, and the collector moves all of them when
// thousands are in flight. A buffer is small, because one message that is kept keeps all of it.
import type { Writer } from "./codec.ts";

/** Where the bytes of one message are. */
export interface KeptBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const capacity = 8192, most = 512;

const empty = new Uint8Array(0);

/** Where the next message goes, and the buffer of the latest. */
const current: { bytes: Uint8Array; at: number; latest: Uint8Array } = { bytes: empty, at: 0, latest: empty };

/** Keeps what was written. Returns where it begins in {@linkcode keptIn}, which holds until the next call. */
export function keep(writer: Writer): number {
  const { bytes, at: length } = writer;
  if (length > most) {
    current.latest = writer.take(); // has the buffer to itself
    return 0;
  }
  if (current.at + length > current.bytes.length) current.bytes = new Uint8Array(capacity), current.at = 0;
  const to = current.latest = current.bytes, { at } = current;
  for (let i = 0; i < length; i++) to[at + i] = bytes[i]; // `set` needs a view of them
  current.at = at + length;
  return at;
}

/** The buffer of the latest {@linkcode keep}. */
export function keptIn(): Uint8Array {
  const { latest } = current;
  current.latest = empty; // a large one is not to live as long as this file
  return latest;
}
