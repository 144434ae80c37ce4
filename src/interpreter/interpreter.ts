// Opens the process's one interpreter for this heap, and records its end.
//
// Importing pyawait opens nothing; the first call of `interpreter()` does.
import { backend } from "../../ffi/mod.ts";
import { openAddon } from "../../ffi/native/addon.ts";
import { bridge } from "./bridge.ts";
import { PythonClosedError } from "./closed.ts";
import { heap, type Interpreter } from "./heap.ts";
import { type Options, type PythonOptions, resolveOptions } from "./options.ts";
import { PythonLoadError } from "../locate/locate.ts";
import { start } from "./start.ts";

export type { Interpreter } from "./heap.ts";

/**
 * The interpreter, opened now if it was not.
 *
 * @throws {PythonClosedError} after the end
 * @throws {PythonNotFoundError | PythonLoadError} if Python cannot be opened
 */
export function interpreter(): Interpreter {
  if (heap.closed) throw heap.closed;
  return heap.python ?? open();
}

/** The interpreter if it is open, else `undefined`. */
export function openInterpreter(): Interpreter | undefined {
  return heap.python;
}

/** Makes every later use throw. */
export function markClosed(message?: string): void {
  heap.closed ??= new PythonClosedError(message);
}

/** From now on only code that Python's cleanup calls may start anything on a loop. */
export function markClosing(): void {
  heap.closing = true;
}

export function isClosing(): boolean {
  return heap.closing;
}

export function isClosed(): boolean {
  return heap.closed !== undefined;
}

function isSame(a: Options, b: Options): boolean {
  const functions = a.stdout === b.stdout && a.stderr === b.stderr; // JSON.stringify skips functions
  return functions && JSON.stringify(a) === JSON.stringify(b);
}

/** Stores the options for the first use; see `python.configure`. */
export function configure(given: PythonOptions): void {
  const options = resolveOptions(given, heap.python?.options.folder);
  if (heap.python && !isSame(options, heap.python.options)) {
    throw new TypeError("Cannot configure Python: it is open already, with other options; call python.configure before the first use");
  }
  heap.configured = options;
}

function open(): Interpreter {
  const { onOpen } = bridge; // throws before anything is loaded if the parts are not wired
  const started = start(heap.configured);
  const { shim, options } = started;
  heap.configured = options;
  const bell = backend.bell(() => bridge.onRing());
  const onCall = backend.callback((id) => bridge.onCall(id));
  const address = shim.pyawait_heap(bell.ring ?? backend.pointer(0), onCall, backend.stackBytes)!;
  const addon = openAddon(started.path, address);
  const python = { ...started, heap: address, heapId: shim.pyawait_heap_id(address), bell, addon, runtime: backend.runtime };
  heap.python = python;
  heap.entry = Number(shim.pyawait_entry());
  try {
    onOpen(python);
  } catch (error) {
    throw takeBack(error);
  }
  return python;
}

/**
 * This heap has joined Python but cannot be rung, so no Promise would settle: it leaves again, and a later use opens
 * anew.
 *
 * @returns the error to throw
 */
export function takeBack(error: unknown): PythonLoadError {
  const problem = (error as Error).message;
  const { shim, heap: address, bell, location } = heap.python!;
  bell.unref();
  shim.pyawait_heap_end(address);
  heap.python = undefined;
  heap.entry = 0;
  heap.helpers.clear();
  heap.turns.clear();
  heap.background = undefined;
  heap.released = [], heap.releasedOnLoop = [];
  const flag = /(?:Use|with the) (--allow-[\w-]+)/.exec(problem)?.[1]; // Node's permission model, and Deno's
  const hint = flag ? `Start the program with ${flag}` : "Close files, or raise their limit (ulimit -n); then use Python again";
  return new PythonLoadError("Cannot connect this thread to Python", [{ place: location.library, problem }], hint);
}
