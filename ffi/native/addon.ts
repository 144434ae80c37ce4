// The shim once more, as an addon, by Node-API, which all three runtimes have: what no FFI can do.
//
// The one thing to know: two things are told to nobody else, when memory is given up and when this heap has ended
// (`napi.c`).
import process from "node:process";
import { backend } from "../mod.ts";
import type { Pointer } from "../types.ts";

/** What the shim exports to JavaScript itself. */
export interface Addon {
  /**
   * Memory of Python's, live and not copied; `undefined` where the runtime forbids foreign memory.
   *
   * @param reference the address of a Python object, whose reference is given up when nobody can see the memory any more
   */
  view(heap: number, start: number, bytes: number, reference: number): ArrayBuffer | undefined;
  /** Detaches it, where the runtime can. */
  detach(memory: ArrayBuffer): void;
}

interface Exports extends Addon {
  watch(heap: number, memoryEnd: number): void;
}

/** Loads the shim as an addon of this JavaScript heap, whose end it hears of; `undefined` without Node-API. */
export function openAddon(path: string, heap: Pointer): Addon | undefined {
  const module = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch {
    return undefined;
  }
  const exports = module.exports as Partial<Exports>;
  if (!exports.view || !exports.detach || !exports.watch) return undefined;
  exports.watch(Number(heap), { deno: 0, node: 1, bun: 2 }[backend.name]); // enum memory_end of numbers.h
  return exports as Addon;
}
