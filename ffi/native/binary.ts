// Where the shim's binary comes from, and where it is put: the one embedded in prebuilt.ts, or what `cc` makes.
//
// The one thing to know: the binary is written once to a cache of the user's own, under the name of its SHA-256, and is
// compared byte by byte at every load, so nobody else's file is ever loaded in its place. Where the cache cannot be
// used, a folder of this process's own does as well; it is removed when the binary is loaded.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { inflateRawSync } from "node:zlib";
import { prebuilt } from "./prebuilt.ts";

/** The shim cannot be had, or cannot be loaded: what was tried, and what helps. */
export class ShimError extends Error {
  readonly tried: readonly { place: string; problem: string }[];
  readonly hint: string;

  constructor(tried: readonly { place: string; problem: string }[], hint: string, options?: ErrorOptions) {
    super(tried.map(({ place, problem }) => `${place}: ${problem}`).join("; "), options);
    this.tried = tried;
    this.hint = hint;
  }
}

export interface Binary {
  readonly content: Uint8Array;
  /** Its file's name: no other binary has the same. */
  readonly file: string;
  readonly origin: "prebuilt" | "cc";
}

const windows = process.platform === "win32";
const platform = `${process.platform}-${process.arch}`;
const extension = windows ? "dll" : process.platform === "darwin" ? "dylib" : "so";

function binaryOf(content: Uint8Array, sha256: string, origin: Binary["origin"]): Binary {
  return { content, file: `shim-${sha256.slice(0, 32)}.${extension}`, origin };
}

/** The shim for this platform. */
export function findBinary(): Binary {
  const embedded = (prebuilt.binaries as Record<string, { sha256: string; deflated: string }>)[platform];
  if (!embedded) return compile();
  return binaryOf(inflateRawSync(Buffer.from(embedded.deflated, "base64")), embedded.sha256, "prebuilt");
}

/** The shim, made by the C compiler of this machine. */
export function compile(): Binary {
  const compiler = variable("CC") ?? "cc";
  let folder: string | undefined;
  try {
    const here = dirname(fileURLToPath(import.meta.url));
    // Beside the bundle in dist/, beside ffi/native in the sources.
    const source = [join(here, "shim", "shim.c"), join(here, "..", "shim", "shim.c")].find(existsSync);
    if (!source) throw new Error("the shim's source is not beside this module");
    folder = mkdtempSync(join(tmpdir(), "pyawait-"));
    const path = join(folder, `shim.${extension}`);
    const flags = [
      "-std=c11",
      "-O2",
      "-shared",
      "-fPIC",
      "-ffreestanding",
      "-fno-builtin",
      "-nostdlib",
      "-Wl,-Bsymbolic",
      "-fvisibility=hidden",
      "-fno-stack-protector",
    ];
    execFileSync(compiler, [...flags, "-o", path, source], { stdio: ["ignore", "ignore", "pipe"] });
    const content = readFileSync(path);
    return binaryOf(content, createHash("sha256").update(content).digest("hex"), "cc");
  } catch (error) {
    const problem = `none is prebuilt for ${platform}, and it cannot be compiled: ${(error as Error).message.split("\n")[0]}`;
    const hint = "Install a C compiler (CC names one), or set PYAWAIT_SHIM to a shim that was built from ffi/shim/shim.c";
    throw new ShimError([{ place: compiler, problem }], hint, { cause: error });
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes the binary to one place after the other until `open` takes one of them. */
export function unpack<T>(binary: Binary, open: (path: string) => T): T {
  const tried: { place: string; problem: string }[] = [];
  for (const place of [inCache, inTemporary]) {
    const folder: string[] = [];
    try {
      return place(binary, folder, open);
    } catch (error) {
      tried.push({ place: folder[0] ?? "a folder for the native part", problem: (error as Error).message });
    }
  }
  const names = windows ? "LOCALAPPDATA or TEMP" : "XDG_CACHE_HOME or TMPDIR";
  throw new ShimError(tried, `Set ${names} to a folder that you may write to and that is not mounted with "noexec"`);
}

function inCache<T>({ content, file }: Binary, place: string[], open: (path: string) => T): T {
  const folder = place[0] = cacheFolder();
  const path = join(folder, file);
  makeFolder(folder);
  checkOwner(folder);
  if (!isSame(path, content)) write(folder, file, content);
  if (!isSame(path, content)) throw new Error(`${file} is not what was written to it`);
  return open(path);
}

function inTemporary<T>({ content, file }: Binary, place: string[], open: (path: string) => T): T {
  place[0] = tmpdir();
  if (windows) { // it is the user's own there, and what is loaded cannot be removed
    const folder = join(tmpdir(), "pyawait");
    makeFolder(folder);
    if (!isSame(join(folder, file), content)) write(folder, file, content);
    return open(join(folder, file));
  }
  const folder = mkdtempSync(join(tmpdir(), "pyawait-"));
  try {
    writeFileSync(join(folder, file), content, { mode: 0o700, flag: "wx" });
    return open(join(folder, file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function cacheFolder(): string {
  const cache = variable(windows ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
  if (cache !== undefined && isAbsolute(cache)) return join(cache, "pyawait");
  const home = variable("HOME") ?? homedir();
  if (windows) return join(home, "AppData", "Local", "pyawait");
  return process.platform === "darwin" ? join(home, "Library", "Caches", "pyawait") : join(home, ".cache", "pyawait");
}

/** Throws if somebody else could put another file in between its comparison and its load. */
function checkOwner(folder: string): void {
  if (windows) return;
  const { uid, mode } = statSync(folder);
  if (uid !== process.getuid!()) throw new Error("belongs to another user");
  if (mode & 0o022) throw new Error(`may be written to by other users (run "chmod 700 ${folder}")`);
}

/** With those that it lies in. Node's own way of doing that never ends below a folder like /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // else another process was faster
  }
}

function write(folder: string, file: string, content: Uint8Array): void {
  const path = join(folder, file);
  const unfinished = join(folder, `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`);
  writeFileSync(unfinished, content, { mode: 0o700, flag: "wx" });
  try {
    renameSync(unfinished, path);
  } catch (error) { // Windows: another process has it loaded, so it is the same
    rmSync(unfinished, { force: true });
    if (!existsSync(path)) throw error;
  }
}

function isSame(path: string, content: Uint8Array): boolean {
  try {
    return readFileSync(path).equals(content);
  } catch {
    return false;
  }
}

/** A variable that is not empty; undefined also where it may not be read (Deno without --allow-env). */
export function variable(name: string): string | undefined {
  try {
    return process.env[name] || undefined;
  } catch {
    return undefined;
  }
}
