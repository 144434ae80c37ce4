// Python's memory as an ArrayBuffer: the shim once more, as an addon, by Node-API, which all three runtimes have.
//
// The one thing to know: the FFIs can make such an ArrayBuffer as well, but cannot tell when nobody sees its memory any
// more: JavaScript may have moved it to another ArrayBuffer meanwhile. The shim's finalizer is told (buffer.h).
import process from "node:process";

/** What the shim exports to JavaScript itself. */
export interface Memory {
  /**
   * Memory of Python's, live and not copied; `undefined` where the runtime forbids foreign memory.
   *
   * @param reference the address of a Python object, whose reference is given up when nobody can see the memory any more
   */
  view(start: number, bytes: number, reference: number): ArrayBuffer | undefined;
  /** Detaches it, where the runtime can. */
  detach(memory: ArrayBuffer): void;
}

/** Loads the shim as an addon of this JavaScript heap. */
export function openMemory(path: string): Memory {
  const module = { exports: {} };
  process.dlopen(module, path);
  const memory = module.exports as Partial<Memory>;
  if (!memory.view || !memory.detach) throw new Error("this program has no Node-API");
  return memory as Memory;
}
