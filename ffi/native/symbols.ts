// The shim's functions and their types, and how it is loaded: from `PYAWAIT_SHIM`, else from binary.ts.
//
// The shim's memory holds what is open, so a process must load it once. A Worker, or another copy of this package, uses
// the shim that is already loaded, whatever its path.
import { resolve } from "node:path";
import { backend } from "../mod.ts";
import type { Calls } from "../types.ts";
import { findBinary, type PassedOver, ShimError, unpack } from "./binary.ts";
import { variable } from "./cache.ts";
import type { Loader } from "./loader.ts";

const symbols = {
  /**
   * int pyawait_open(void *find, void *library, void *system, const char *texts, const u8 *configuration, int length,
   * u8 *problem, int capacity)
   */
  pyawait_open: { parameters: ["pointer", "pointer", "pointer", "pointer", "pointer", "i32", "pointer", "i32"], result: "i32" },
  /** int pyawait_opener(u8 *out, int capacity) */
  pyawait_opener: { parameters: ["pointer", "i32"], result: "i32" },
  /** struct heap *pyawait_heap(void *ring, void *on_call, int stack_bytes) */
  pyawait_heap: { parameters: ["pointer", "pointer", "i32"], result: "pointer" },
  /** int pyawait_heap_id(struct heap *heap) */
  pyawait_heap_id: { parameters: ["pointer"], result: "i32" },
  /** PyObject *pyawait_entry(void) */
  pyawait_entry: { parameters: [], result: "pointer" },
  /** void pyawait_attach(struct heap *heap) */
  pyawait_attach: { parameters: ["pointer"], result: "void" },
  /** void pyawait_detach(struct heap *heap) */
  pyawait_detach: { parameters: ["pointer"], result: "void" },
  /** void pyawait_end_stay(struct heap *heap, int id) */
  pyawait_end_stay: { parameters: ["pointer", "i32"], result: "void" },
  /** void pyawait_invoke(struct heap *heap, int operation, const u8 *in, int length, u8 *out, int capacity) */
  pyawait_invoke: { parameters: ["pointer", "i32", "pointer", "i32", "pointer", "i32"], result: "void" },
  /** int pyawait_overflow(struct heap *heap, u8 *out, int capacity) */
  pyawait_overflow: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
  /** void pyawait_copy(u8 *to, const u8 *from, int length) */
  pyawait_copy: { parameters: ["pointer", "pointer", "i32"], result: "void" },
  /** int pyawait_submit(struct heap *heap, int loop_id, const u8 *data, int length) */
  pyawait_submit: { parameters: ["pointer", "i32", "pointer", "i32"], result: "i32" },
  /** int pyawait_take(struct heap *heap, u8 *out, int capacity) */
  pyawait_take: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
  /** int pyawait_call_record(struct heap *heap, u8 *out, int capacity) */
  pyawait_call_record: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
  /** void pyawait_begin_call(struct heap *heap, int id) */
  pyawait_begin_call: { parameters: ["pointer", "i32"], result: "void" },
  /** int pyawait_answer(struct heap *heap, int id, const u8 *data, int length) */
  pyawait_answer: { parameters: ["pointer", "i32", "pointer", "i32"], result: "i32" },
  /** void pyawait_set_spin(int microseconds) */
  pyawait_set_spin: { parameters: ["i32"], result: "void" },
  /** void pyawait_interrupt(struct heap *heap) */
  pyawait_interrupt: { parameters: ["pointer"], result: "void" },
  /** int pyawait_listen(int number) */
  pyawait_listen: { parameters: ["i32"], result: "i32" },
  /** int pyawait_exit(struct heap *heap, int milliseconds) */
  pyawait_exit: { parameters: ["pointer", "i32"], result: "i32" },
  /** void pyawait_exit_in_any_case(int code, int milliseconds) */
  pyawait_exit_in_any_case: { parameters: ["i32", "i32"], result: "void" },
  /** void pyawait_tell_closed(struct heap *heap) */
  pyawait_tell_closed: { parameters: ["pointer"], result: "void" },
  /** void pyawait_heap_end(struct heap *heap) */
  pyawait_heap_end: { parameters: ["pointer"], result: "void" },
  /** void pyawait_limit_messages(int bytes) */
  pyawait_limit_messages: { parameters: ["i32"], result: "void" },
  /** int pyawait_counters(u8 *out, int capacity) */
  pyawait_counters: { parameters: ["pointer", "i32"], result: "i32" },
} as const;

/** The shim's functions, typed by the table above. */
export type Shim = Calls<typeof symbols>;

/** A shim that is loaded. */
export interface LoadedShim {
  readonly shim: Shim;
  /** The file that it was loaded from, which may have been removed since. */
  readonly path: string;
  /** Where the file came from: `prebuilt`, `cc` or `PYAWAIT_SHIM`. */
  readonly origin: string;
  /** The folders that were tried before the one that it was loaded from. */
  readonly passedOver: readonly PassedOver[];
}

/**
 * Loads the shim, for good.
 *
 * @throws {ShimError} if it cannot be found or loaded
 */
export function openShim(loader: Loader): LoadedShim {
  const chosen = variable("PYAWAIT_SHIM");
  if (chosen !== undefined) return openChosen(resolve(chosen), loader);
  const binary = findBinary();
  const { file, origin } = binary;
  const open = (path: string, passedOver: readonly PassedOver[] = []): LoadedShim => {
    loader.load(path);
    const loaded = loader.loaded(file) ?? path; // differs where another thread loaded it first
    return { shim: backend.open(loaded, symbols), path: loaded, origin, passedOver };
  };
  const loaded = loader.loaded(file);
  if (loaded !== undefined) {
    try {
      return open(loaded);
    } catch {
      // Its file was removed, and this system's loader needs to see it.
    }
  }
  return unpack(binary, open);
}

function openChosen(path: string, loader: Loader): LoadedShim {
  try {
    loader.load(path);
    return { shim: backend.open(path, symbols), path, origin: "PYAWAIT_SHIM", passedOver: [] };
  } catch (error) {
    const hint = "Unset PYAWAIT_SHIM: it is only for a shim that was built from ffi/shim/shim.c of this very version";
    throw new ShimError([{ place: `PYAWAIT_SHIM "${path}"`, problem: (error as Error).message }], hint, { cause: error });
  }
}
