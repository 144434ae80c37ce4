// The shim's functions, and where its binary comes from: `PYAWAIT_SHIM`, the one embedded in prebuilt.ts, or `cc`.
//
// The one thing to know: the embedded binary is written once to a cache of the user's own, under the name of its
// SHA-256, and is compared byte by byte at every load, so nobody else's file is ever loaded in its place.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { inflateRawSync } from "node:zlib";
import { backend } from "../mod.ts";
import type { Calls } from "../types.ts";
import type { Loader } from "./library.ts";
import { prebuilt } from "./prebuilt.ts";

const symbols = {
  /**
   * int pyawait_open(void *find, void *library, void *system, const char *texts, const u8 *configuration, int length,
   * u8 *problem, int capacity)
   */
  pyawait_open: { parameters: ["pointer", "pointer", "pointer", "pointer", "pointer", "i32", "pointer", "i32"], result: "i32" },
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
  /** void pyawait_invoke(struct heap *heap, int operation, const u8 *in, int length, u8 *out, int capacity) */
  pyawait_invoke: { parameters: ["pointer", "i32", "pointer", "i32", "pointer", "i32"], result: "void" },
  /** int pyawait_overflow(struct heap *heap, u8 *out, int capacity) */
  pyawait_overflow: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
  /** int pyawait_submit(struct heap *heap, int loop_id, const u8 *data, int length) */
  pyawait_submit: { parameters: ["pointer", "i32", "pointer", "i32"], result: "i32" },
  /** int pyawait_take(struct heap *heap, u8 *out, int capacity) */
  pyawait_take: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
  /** int pyawait_call_record(struct heap *heap, u8 *out, int capacity) */
  pyawait_call_record: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
  /** void pyawait_answer(struct heap *heap, int id, const u8 *data, int length) */
  pyawait_answer: { parameters: ["pointer", "i32", "pointer", "i32"], result: "void" },
  /** void pyawait_interrupt(struct heap *heap) */
  pyawait_interrupt: { parameters: ["pointer"], result: "void" },
  /** int pyawait_exit(struct heap *heap, int milliseconds) */
  pyawait_exit: { parameters: ["pointer", "i32"], result: "i32" },
  /** void pyawait_tell_closed(struct heap *heap) */
  pyawait_tell_closed: { parameters: ["pointer"], result: "void" },
  /** void pyawait_heap_end(struct heap *heap) */
  pyawait_heap_end: { parameters: ["pointer"], result: "void" },
  /** int pyawait_counters(u8 *out, int capacity) */
  pyawait_counters: { parameters: ["pointer", "i32"], result: "i32" },
} as const;

/** The shim's functions, typed by the table above. */
export type Shim = Calls<typeof symbols>;

/** What `pyawait_open` answers. `failed` is for good; after `refused` another attempt may follow. */
export const Opened = { now: 0, before: 1, closed: 2, failed: -1, refused: -2 } as const;

/** What `pyawait_invoke` does: enum operation of shim.c. */
export const Operation = {
  call: 0,
  get: 1,
  copy: 2,
  callAndCopy: 3,
  lockBuffer: 4,
  unlockBuffer: 5,
  refer: 6,
  inContext: 8,
  inScope: 16,
} as const;

const platform = `${process.platform}-${process.arch}`;
const extension = process.platform === "win32" ? "dll" : process.platform === "darwin" ? "dylib" : "so";

function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const base = process.platform === "win32"
    ? LOCALAPPDATA
    : XDG_CACHE_HOME || (process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache"));
  return join(base || tmpdir(), "pyawait");
}

/** Writes `content` where no other user can have put something else, and gives the file's path. */
function writeCached(folder: string, file: string, content: Uint8Array): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const owner = process.getuid?.();
  if (owner !== undefined && statSync(folder).uid !== owner) throw new Error(`${folder} belongs to another user`);
  const path = join(folder, file);
  const unfinished = join(folder, `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`);
  writeFileSync(unfinished, content, { mode: 0o700, flag: "wx" });
  try {
    renameSync(unfinished, path);
  } catch (error) { // Windows: another process has it loaded, so it is the same
    rmSync(unfinished, { force: true });
    if (!existsSync(path)) throw error;
  }
  return path;
}

function isSame(path: string, content: Uint8Array): boolean {
  try {
    return readFileSync(path).equals(content);
  } catch {
    return false;
  }
}

function unpack(binary: { sha256: string; deflated: string }): string {
  const content = inflateRawSync(Buffer.from(binary.deflated, "base64"));
  const file = `shim-${binary.sha256.slice(0, 32)}.${extension}`;
  const folder = cacheFolder();
  if (isSame(join(folder, file), content)) return join(folder, file);
  try {
    const path = writeCached(folder, file, content);
    if (isSame(path, content)) return path;
  } catch {
    // a home that cannot be written to: a folder of this process's own does as well
  }
  return writeCached(mkdtempSync(join(tmpdir(), "pyawait-")), file, content);
}

function compile(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const source = [join(here, "shim.c"), join(here, "..", "ffi", "shim", "shim.c")].find(existsSync);
  if (!source) throw new Error("its source is not beside this module");
  const path = join(mkdtempSync(join(tmpdir(), "pyawait-")), `shim.${extension}`);
  const flags = [
    "-std=c11",
    "-O2",
    "-shared",
    "-fPIC",
    "-ffreestanding",
    "-fno-builtin",
    "-nostdlib",
    "-fvisibility=hidden",
    "-fno-stack-protector",
  ];
  execFileSync(process.env.CC || "cc", [...flags, "-o", path, source], { stdio: ["ignore", "ignore", "pipe"] });
  return path;
}

/** The path of the shim's binary for this platform. */
export function shimPath(): { path: string; origin: string } {
  const chosen = process.env.PYAWAIT_SHIM;
  if (chosen) return { path: chosen, origin: "PYAWAIT_SHIM" };
  const binary = (prebuilt.binaries as Record<string, { sha256: string; deflated: string }>)[platform];
  if (binary) return { path: unpack(binary), origin: "prebuilt" };
  try {
    return { path: compile(), origin: "cc" };
  } catch (error) {
    const message = `Cannot find the native part of pyawait for ${platform}: none is prebuilt, and it cannot be compiled ` +
      `(${(error as Error).message.split("\n")[0]}). Install a C compiler, or set PYAWAIT_SHIM to a shim built from ffi/shim/shim.c`;
    throw new Error(message, { cause: error });
  }
}

/** Loads the shim, for good. */
export function openShim(loader: Loader): { shim: Shim; origin: string } {
  const { path, origin } = shimPath();
  loader.load(path);
  return { shim: backend.open(path, symbols), origin };
}
