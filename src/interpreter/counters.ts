// The shim's counters: how tests prove that a turn shares one wake and a drain one ring.
//
// The one thing to know: they count for the whole process; take them before and after.
import { backend } from "../../ffi/mod.ts";
import { interpreter } from "./interpreter.ts";

/** What has been counted since Python was opened. */
export interface Counters {
  /** Times that a loop was woken. */
  readonly wakes: number;
  /** Times that JavaScript was rung. */
  readonly rings: number;
  /** Times that a JavaScript thread attached (took the GIL). */
  readonly attaches: number;
  /** Chunks that JavaScript submitted. */
  readonly submissions: number;
  /** Times that JavaScript took what was there. */
  readonly takes: number;
  /** Answers that came after nobody waited for them. */
  readonly late: number;
  /** Calls of JavaScript functions that a Python thread waited for. */
  readonly calls: number;
}

const names = ["wakes", "rings", "attaches", "submissions", "takes", "late", "calls"] as const;

/** The counters now. */
export function readCounters(): Counters {
  const { shim } = interpreter();
  const buffer = backend.allocate(4 * names.length);
  shim.pyawait_counters(backend.address(buffer), buffer.length);
  const view = new DataView(buffer.buffer);
  return Object.fromEntries(names.map((name, index) => [name, view.getUint32(4 * index, true)])) as unknown as Counters;
}
