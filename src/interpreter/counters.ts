// The shim's counters. Tests use them to show that a turn shares one wake and a drain one ring.
//
// They count for the whole process, so a test compares two readings.
import { backend } from "../../ffi/mod.ts";
import { interpreter } from "./interpreter.ts";

/** Counts since Python was opened. */
export interface Counters {
  /** How often a loop was woken. */
  readonly wakes: number;
  /** How often JavaScript was rung. */
  readonly rings: number;
  /** How often a JavaScript thread attached (took the GIL). */
  readonly attaches: number;
  /** Chunks that JavaScript submitted. */
  readonly submissions: number;
  /** How often JavaScript took the contents of its outbox. */
  readonly takes: number;
  /** Answers that arrived after their await had ended. */
  readonly late: number;
  /** Calls of JavaScript functions for which a Python thread waited. */
  readonly calls: number;
}

const names = ["wakes", "rings", "attaches", "submissions", "takes", "late", "calls"] as const;

/** Reads the counters. */
export function readCounters(): Counters {
  const { shim } = interpreter();
  const buffer = backend.allocate(4 * names.length);
  shim.pyawait_counters(backend.address(buffer), buffer.length);
  const view = new DataView(buffer.buffer);
  return Object.fromEntries(names.map((name, index) => [name, view.getUint32(4 * index, true)])) as unknown as Counters;
}
