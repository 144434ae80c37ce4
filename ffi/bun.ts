// The Bun backend, on `bun:ffi`.
//
// A call that arrives after a JSCallback was closed crashes Bun, so the bell is one thread-safe JSCallback that is
// never closed; it queues and returns at once. A Worker can be terminated without notice, so a Worker's bell is a
// socket.
import process from "./process.ts";
import { clearInterval, setInterval } from "./intrinsics.ts";
import { Buffer } from "node:buffer";
import { inWorker } from "./in_worker.ts";
import { socketBell } from "./pipe_bell.ts";
import type { Backend, Bell, Calls, CType, Pointer, SymbolTable } from "./types.ts";

/** The part of `bun:ffi` that this backend uses. */
export interface BunFfi {
  // deno-lint-ignore no-explicit-any
  dlopen(path: string, symbols: any): { symbols: any };
  ptr(buffer: Uint8Array): number;
  CString: new (pointer: number) => { toString(): string };
  JSCallback: new (
    // deno-lint-ignore no-explicit-any
    fn: (...args: any[]) => void,
    // deno-lint-ignore no-explicit-any
    definition: any,
  ) => { readonly ptr: number | null };
}

const types: Record<CType | "void", string> = { i32: "i32", pointer: "ptr", buffer: "ptr", void: "void" };

let loaded: BunFfi | undefined;
function ffi(): BunFfi {
  return loaded ??= (process as unknown as { getBuiltinModule(name: string): BunFfi }).getBuiltinModule("bun:ffi");
}

const callbacks: unknown[] = []; // never freed: C may call them as long as the process lives

function callbackBell(ring: () => void): Bell {
  const callback = new (ffi().JSCallback)(ring, { args: [], returns: "void", threadsafe: true });
  callbacks.push(callback);
  let timer: ReturnType<typeof setInterval> | undefined; // a JSCallback does not keep the process alive; a timer does
  return {
    ring: callback.ptr as number & Pointer,
    open() {},
    ref() {
      timer ??= setInterval(() => {}, 2 ** 30);
    },
    unref() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

export const bun: Backend = {
  name: "bun",
  get runtime() {
    return `bun ${process.versions.bun}`;
  },
  ffi: "bun:ffi",
  missingFlags: () => [],
  ownsSigchld: false,
  keepsSignalHandlers: false,
  stackBytes: 0,
  largerStack: undefined,
  printsProperties: true,
  framesInAsyncOnly: true,
  largestView: 2 ** 32, // Bun 1.4.0 to 1.4.3 abort
  open<const T extends SymbolTable>(path: string, symbols: T): Calls<T> {
    const definitions: Record<string, unknown> = {};
    for (const [name, { parameters, result }] of Object.entries(symbols)) {
      definitions[name] = { args: parameters.map((type) => types[type]), returns: types[result] };
    }
    return ffi().dlopen(path, definitions).symbols as Calls<T>;
  },
  pointer: (address) => Number(address) as number & Pointer,
  address: (buffer) => ffi().ptr(buffer) as number & Pointer,
  allocate: (bytes) => new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer),
  text: (pointer) => new (ffi().CString)(Number(pointer)).toString(),
  callback(fn) {
    const callback = new (ffi().JSCallback)(fn, { args: ["i32"], returns: "void" });
    callbacks.push(callback);
    return callback.ptr as number & Pointer;
  },
  bell: process.platform === "win32" || inWorker ? socketBell : callbackBell,
  onExit() {},
};
