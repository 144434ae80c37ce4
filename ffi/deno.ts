// The Deno backend, on `Deno.dlopen`.
//
// A 64-bit argument that is passed as a number takes Deno's slow path, 15 times slower than a bigint
// (denoland/deno#23983), so an address is a bigint as soon as it is known.
import { Buffer } from "node:buffer";
import { inWorker } from "./in_worker.ts";
import { pipeBell, socketBell } from "./pipe_bell.ts";
import process from "./process.ts";
import type { Backend, Calls, CType, Pointer, SymbolTable } from "./types.ts";

type PointerObject = { readonly __deno: unique symbol };

/** The part of the `Deno` namespace that this backend uses. */
export interface DenoFfi {
  version: { deno: string };
  permissions: { querySync(permission: { name: string }): { state: string } };
  args: readonly string[];
  // deno-lint-ignore no-explicit-any
  dlopen(path: string, symbols: any): { symbols: any };
  UnsafePointer: {
    of(buffer: Uint8Array): PointerObject | null;
    value(pointer: PointerObject | null): bigint;
    create(address: bigint): PointerObject | null;
  };
  UnsafePointerView: {
    getCString(pointer: PointerObject): string;
  };
  UnsafeCallback: new (
    definition: { parameters: readonly ["i32"]; result: "void" },
    fn: (argument: number) => void,
  ) => { pointer: PointerObject };
}

const types: Record<CType | "void", string> = { i32: "i32", pointer: "u64", buffer: "buffer", void: "void" };
const runtime = () => (globalThis as unknown as { Deno: DenoFfi }).Deno;

const callbacks: unknown[] = []; // never freed: C may call them as long as the process lives

/**
 * Whether `Deno.exit()` is on the stack. `deno test` also fires "unload", at the end of each file, and its process goes
 * on.
 */
function isExit(): boolean {
  const limit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit");
  Reflect.set(Error, "stackTraceLimit", 20); // fails without an exception where Error is frozen
  const { stack } = new Error();
  if (limit) Reflect.set(Error, "stackTraceLimit", limit.value);
  return /\bexit \(ext:/.test(String(stack));
}

export const deno: Backend = {
  name: "deno",
  get runtime() {
    return `deno ${runtime().version.deno}`;
  },
  ffi: "Deno.dlopen",
  missingFlags() {
    const { permissions } = runtime();
    const isGranted = (name: string) => permissions.querySync({ name }).state === "granted";
    const needed = ["ffi", "read", "env", "run", "write", "sys"];
    const missing = needed.filter((name) => !isGranted(name)).map((name) => `--allow-${name}`);
    // Windows: a named pipe needs all permissions.
    const hasAll = process.platform !== "win32" || [...needed, "net", "import"].every(isGranted);
    return hasAll ? missing : [...missing, "--allow-all"];
  },
  ownsSigchld: false,
  keepsSignalHandlers: true,
  stackBytes: 0,
  largerStack: "start deno with --v8-flags=--stack-size=4000 (kilobytes, well below `ulimit -s`)",
  printsProperties: false,
  framesInAsyncOnly: false,
  largestView: Infinity,
  open<const T extends SymbolTable>(path: string, symbols: T): Calls<T> {
    const definitions: Record<string, unknown> = {};
    for (const [name, { parameters, result }] of Object.entries(symbols)) {
      definitions[name] = { parameters: parameters.map((type) => types[type]), result: types[result] };
    }
    return runtime().dlopen(path, definitions).symbols as Calls<T>;
  },
  pointer: (address) => BigInt(address) as bigint & Pointer,
  address: (buffer) => BigInt(runtime().UnsafePointer.value(runtime().UnsafePointer.of(buffer))) as bigint & Pointer,
  allocate: (bytes) => new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer),
  text: (pointer) => runtime().UnsafePointerView.getCString(runtime().UnsafePointer.create(BigInt(pointer))!),
  callback(fn) {
    const callback = new (runtime().UnsafeCallback)({ parameters: ["i32"], result: "void" }, fn);
    callbacks.push(callback);
    return BigInt(runtime().UnsafePointer.value(callback.pointer)) as bigint & Pointer;
  },
  bell: inWorker ? socketBell : pipeBell, // before 2.8 net.Socket does not read from a pipe (denoland/deno#33150)
  runsAgain: (commandLine) =>
    commandLine.slice(0, commandLine.length - runtime().args.length).some((flag) => /^--watch(-hmr)?(=|$)/.test(flag)),
  onExit(fn) {
    (globalThis as unknown as EventTarget).addEventListener("unload", () => isExit() && fn());
  },
};
