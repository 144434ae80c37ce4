// The other FFI of Node: `node:ffi`, which is part of Node from 26.1 on. It is used where koffi is not installed, because
// its calls are slower (docs/platforms.md).
//
// Node checks each argument in JavaScript, in a loop where there are more than three, which is most of what a call
// costs. It prints an ExperimentalWarning when the module is loaded.
import module from "node:module";
import process from "./process.ts";
import { FfiError, type NodeFfi } from "./node_port.ts";
import type { Calls, CType, Pointer, SymbolTable } from "./types.ts";

interface Signature {
  arguments: string[];
  return: string;
}

/** The part of `node:ffi` that is used. */
interface NodeFfiModule {
  dlopen(path: string, definitions: Record<string, Signature>): { functions: object };
  DynamicLibrary: new (path: string | null) => {
    registerCallback(signature: Signature, fn: (argument: number) => void): bigint;
  };
  getRawPointer(source: Uint8Array): bigint;
  toString(pointer: bigint): string | null;
}

const types: Record<CType | "void", string> = { i32: "int32", pointer: "uint64", buffer: "buffer", void: "void" };
const warnedKey = "pyawait: node:ffi";

/** Loads the module. Node warns of it in each thread; a Worker of a thread that has been warned is not warned again. */
function load(): NodeFfiModule {
  const { getEnvironmentData, setEnvironmentData } = process.getBuiltinModule("node:worker_threads");
  const { emitWarning } = process;
  if (getEnvironmentData(warnedKey)) process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:ffi") as unknown as NodeFfiModule;
  } finally {
    process.emitWarning = emitWarning;
    setEnvironmentData(warnedKey, true);
  }
}

/** How this Node can be made to have `node:ffi`. */
export function howToHave(): string {
  return process.allowedNodeEnvironmentFlags.has("--experimental-ffi")
    ? "start node with --experimental-ffi, without --no-experimental-ffi"
    : "use Node 26.10 or newer, which has an FFI of its own";
}

let opened: { ffi: NodeFfi; library: unknown } | undefined; // the library owns the callbacks

/**
 * Loads `node:ffi`; `undefined` where this Node has none.
 *
 * @throws {FfiError} if this process may not use it
 */
export function openNodeFfi(): NodeFfi | undefined {
  if (opened) return opened.ffi;
  if (!module.isBuiltin("node:ffi")) return undefined;
  const node = load();
  let library: InstanceType<NodeFfiModule["DynamicLibrary"]>;
  try {
    library = new node.DynamicLibrary(process.platform === "win32" ? "kernel32.dll" : null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_ACCESS_DENIED") throw error;
    throw new FfiError("Cannot use node:ffi, which pyawait needs where koffi is not installed", "start node with --allow-ffi", error);
  }
  const ffi: NodeFfi = {
    ffi: "node:ffi",
    stackBytes: 0,
    open<const T extends SymbolTable>(path: string, symbols: T): Calls<T> {
      const definitions: Record<string, Signature> = {};
      for (const [name, { parameters, result }] of Object.entries(symbols)) {
        definitions[name] = { arguments: parameters.map((type) => types[type]), return: types[result] };
      }
      return { ...node.dlopen(path, definitions).functions } as Calls<T>;
    },
    address: (buffer) => node.getRawPointer(buffer) as bigint & Pointer,
    text: (pointer) => node.toString(BigInt(pointer))!,
    callback: (fn) => library.registerCallback({ arguments: ["int32"], return: "void" }, fn) as bigint & Pointer,
  };
  opened = { ffi, library };
  return ffi;
}
