// Loads the shim a second time, as a Node-API addon, which Node, Deno and Bun support alike.
//
// Only Node-API reports two events, which no FFI does: that foreign memory is no longer reachable, and that this heap
// has ended (`ffi/shim/napi.c`).
import process from "../process.ts";
import { backend } from "../mod.ts";
import type { Pointer } from "../types.ts";

/** The functions that the shim exports to JavaScript. */
export interface Addon {
  /**
   * A live view of Python's memory, not a copy; `undefined` where the runtime forbids foreign memory.
   *
   * @param reference address of a Python object; its reference is released once no ArrayBuffer can reach the memory
   */
  view(heap: number, start: number, bytes: number, reference: number): ArrayBuffer | undefined;
  /**
   * The string that this memory holds; `undefined` if the runtime cannot make it.
   *
   * @param width bytes of a character: 1 (Latin-1) or 2 (UTF-16)
   */
  text(data: number, bytes: number, width: number): string | undefined;
  /** Writes so many units of UTF-16 to memory at an even address, and a NUL behind them. `undefined`: it did not. */
  units(text: string, address: number, count: number): string | undefined;
  /** Detaches the ArrayBuffer, where the runtime can. */
  detach(memory: ArrayBuffer): void;
}

/** What {@linkcode openAddon} has opened in this heap. */
export let openedAddon: Addon | undefined;

interface Exports extends Addon {
  watch(heap: number, memoryEnd: number): void;
}

/** Loads the shim as an addon and registers for the end of this JavaScript heap; `undefined` without Node-API. */
export function openAddon(path: string, heap: Pointer): Addon | undefined {
  const module = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch {
    return undefined;
  }
  const exports = module.exports as Partial<Exports>;
  if (!exports.view || !exports.detach || !exports.text || !exports.units || !exports.watch) return undefined;
  exports.watch(Number(heap), { deno: 0, node: 1, bun: 2 }[backend.name]); // enum memory_end of ffi/shim/numbers.h
  return openedAddon = exports as Addon;
}
