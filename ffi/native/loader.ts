// Opens shared libraries through the system's own loader, with global symbols and for good.
//
// libpython must be RTLD_GLOBAL, or extension modules do not find its symbols, and RTLD_NODELETE, or the runtime
// unloads it at exit while Python's threads still run in it. No FFI offers both flags, so libc's `dlopen` is called
// directly.
import process from "../process.ts";
import { TextEncoder } from "../intrinsics.ts";
import { basename } from "node:path";
import { backend } from "../mod.ts";
import type { Pointer } from "../types.ts";

/** The system's loader. The shim finds functions by name through it. */
export interface Loader {
  /** `dlsym`, or `GetProcAddress`. */
  readonly find: Pointer;
  /** The handle in which to look system functions up. */
  readonly system: Pointer;
  /**
   * Loads a library for good and makes its symbols visible to libraries that are loaded later.
   *
   * @throws {Error} with the system's reason
   */
  load(path: string): Pointer;
  /** The path from which a shim with this file name was loaded, by any code in this process. */
  loaded(file: string): string | undefined;
}

const encoder = new TextEncoder();
const cstring = (text: string) => encoder.encode(text + "\0");

function posix(): Loader {
  const mac = process.platform === "darwin";
  const names = mac
    ? ["/usr/lib/libSystem.B.dylib"]
    : ["libc.so.6", "libdl.so.2", "libc.so", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];
  const symbols = {
    dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
    dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
    dlerror: { parameters: [], result: "pointer" },
    dladdr: { parameters: ["pointer", "buffer"], result: "i32" },
  } as const;
  const libc = firstThatOpens(names, (name) => backend.open(name, symbols));
  const system = backend.pointer(mac ? 0xffff_ffff_ffff_fffen : 0); // RTLD_DEFAULT
  const flags = mac ? 0x2 | 0x8 | 0x80 : 0x2 | 0x100 | 0x1000; // RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE
  return {
    find: libc.dlsym(system, cstring("dlsym"))!,
    system,
    load(path) {
      const handle = libc.dlopen(cstring(path), flags);
      if (handle) return handle;
      const reason = libc.dlerror();
      throw new Error(reason ? backend.text(reason) : `dlopen failed for ${path}`);
    },
    loaded(file) {
      const info = new Uint8Array(32); // Dl_info, whose first field is the path of the library
      const found = libc.dlsym(system, cstring("pyawait_open"));
      if (!found || !libc.dladdr(found, info)) return undefined;
      const path = backend.text(backend.pointer(new DataView(info.buffer).getBigUint64(0, true)));
      return basename(path) === file ? path : undefined;
    },
  };
}

function windows(): Loader {
  const kernel = backend.open("kernel32.dll", {
    LoadLibraryExW: { parameters: ["buffer", "pointer", "i32"], result: "pointer" },
    GetModuleHandleExW: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    GetModuleHandleW: { parameters: ["buffer"], result: "pointer" },
    GetModuleFileNameW: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
    GetProcAddress: { parameters: ["pointer", "buffer"], result: "pointer" },
    GetLastError: { parameters: [], result: "i32" },
  });
  const wide = (text: string) => {
    const units = Uint16Array.from(text + "\0", (unit) => unit.charCodeAt(0));
    return new Uint8Array(units.buffer);
  };
  const system = kernel.GetModuleHandleW(wide("kernel32.dll"))!;
  const handle = new Uint8Array(8);
  return {
    find: kernel.GetProcAddress(system, cstring("GetProcAddress"))!,
    system,
    load(path) {
      const library = kernel.LoadLibraryExW(wide(path), backend.pointer(0), 0x8); // LOAD_WITH_ALTERED_SEARCH_PATH
      if (!library) throw new Error(`LoadLibraryExW failed for ${path}: system error ${kernel.GetLastError()}`);
      kernel.GetModuleHandleExW(0x1, wide(path), handle); // GET_MODULE_HANDLE_EX_FLAG_PIN
      return library;
    },
    loaded(file) {
      const module = kernel.GetModuleHandleW(wide(file));
      if (!module) return undefined;
      const path = new Uint16Array(32768);
      const length = kernel.GetModuleFileNameW(module, new Uint8Array(path.buffer), path.length);
      return String.fromCharCode(...path.subarray(0, length));
    },
  };
}

function firstThatOpens<T>(names: string[], open: (name: string) => T): T {
  let first: unknown;
  for (const name of names) {
    try {
      return open(name);
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** Opens the loader of this platform. */
export function openLoader(): Loader {
  return process.platform === "win32" ? windows() : posix();
}
