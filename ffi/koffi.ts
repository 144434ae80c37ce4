// One of the two FFIs of Node: koffi, an npm package, which is loaded when Python is opened and not earlier.
//
// koffi runs C on a stack of its own. Python has to know the size of that stack, so it is set here and reported to
// Python.
import module from "node:module";
import { isAbsolute } from "node:path";
import process from "./process.ts";
import { ownUrl } from "./own_file.ts";
import { FfiError, type NodeFfi } from "./node_port.ts";
import type { Calls, CType, Pointer, SymbolTable } from "./types.ts";

/** The part of koffi that is used. */
export interface Koffi {
  readonly version: string;
  config(options?: { sync_stack_size: number }): { sync_stack_size?: number };
  load(path: string, options: object): { func(name: string, result: string, parameters: string[]): unknown };
  address(buffer: Uint8Array): bigint;
  proto(result: string, parameters: string[]): unknown;
  pointer(type: unknown): unknown;
  register(fn: (argument: number) => void, type: unknown): unknown;
  decode: { string(pointer: bigint, length?: number): string };
}

const types: Record<CType | "void", string> = { i32: "int32_t", pointer: "uintptr_t", buffer: "void *", void: "void" };
const wantedStack = 16 << 20;
const binaryPackage = `@koromix/koffi-${process.platform}-${process.arch}`;

/** koffi, or its binary for this platform, is not installed. */
export class KoffiMissing extends FfiError {}

/**
 * Finds koffi from this file, else from the program or executable into which a bundler has put this code: koffi's own
 * binary cannot be bundled.
 */
function requireKoffi(): Koffi {
  let first: unknown;
  for (const from of [ownUrl, process.argv[1], process.execPath]) {
    if (from === undefined || !(from.startsWith("file:") || isAbsolute(from))) continue;
    try {
      return module.createRequire(from)("koffi") as Koffi;
    } catch (error) {
      if (!/^Cannot find module 'koffi'/.test((error as Error).message)) throw explain(error);
      first ??= error;
    }
  }
  const hint = `run "npm install koffi", and keep node_modules/koffi and node_modules/${binaryPackage} beside a bundled program`;
  throw new KoffiMissing("Cannot find koffi, which pyawait needs on Node", hint, first);
}

/** koffi is there, but does not load: npm has left its binary out, or has installed that of another platform. */
function explain(error: unknown): Error {
  const problem = "Cannot load koffi, which pyawait needs on Node", said = (error as Error).message.split("\n")[0];
  if ((error as NodeJS.ErrnoException).code === "ERR_DLOPEN_DISABLED") {
    return new FfiError(`${problem}: addons are disabled`, "start node with --allow-addons, and without --no-addons", error);
  }
  if (!/native Koffi module/.test(said) && !said.includes(binaryPackage)) return new Error(`${problem}: ${said}`, { cause: error });
  const hint = `run "npm install --include=optional", or add "${binaryPackage}" to what you ship`;
  return new KoffiMissing(`${problem}: its binary for this platform is missing`, hint, error);
}

/**
 * Loads koffi.
 *
 * @throws {KoffiMissing} if it is not installed
 */
export function openKoffi(): NodeFfi {
  const koffi = requireKoffi();
  try {
    koffi.config({ sync_stack_size: wantedStack });
  } catch {
    // Other code has loaded a library with koffi before; the stack keeps the size that it had then.
  }
  const callbackType = koffi.pointer(koffi.proto("void", ["int32_t"]));
  return {
    ffi: `koffi ${koffi.version}`,
    get stackBytes() {
      return koffi.config().sync_stack_size ?? 0;
    },
    open<const T extends SymbolTable>(path: string, symbols: T): Calls<T> {
      const library = koffi.load(path, {});
      const calls: Record<string, unknown> = {};
      for (const [name, { parameters, result }] of Object.entries(symbols)) {
        calls[name] = library.func(name, types[result], parameters.map((type) => types[type]));
      }
      return calls as Calls<T>;
    },
    address: (buffer) => koffi.address(buffer) as bigint & Pointer,
    text: (pointer) => koffi.decode.string(BigInt(pointer)),
    callback: (fn) => koffi.register(fn, callbackType) as bigint & Pointer,
  };
}
