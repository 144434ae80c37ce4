// Finds the shim's binary (embedded in prebuilt.ts, or compiled by `cc`) and writes it to disk.
//
// The binary is written once, to the user's cache, under the name of its SHA-256, and compared byte by byte at every
// load, so a file that another user planted is never loaded (`trust.ts`). Where the cache cannot be used, it goes into a
// temporary folder of this process, which is removed after loading.
import { existsSync, lstatSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateRawSync } from "node:zlib";
import process from "../process.ts";
import { ownUrl } from "../own_file.ts";
import { cacheFolder, openCache, readTrusted, variable, writeWhole } from "./cache.ts";
import { checkPath, makeFolder } from "./trust.ts";
import { prebuilt } from "./prebuilt.ts";

/** The shim cannot be found or loaded. Lists what was tried and what to do. */
export class ShimError extends Error {
  readonly tried: readonly PassedOver[];
  readonly hint: string;

  constructor(tried: readonly PassedOver[], hint: string, options?: ErrorOptions) {
    super(tried.map(({ place, problem }) => `${place}: ${problem}`).join("; "), options);
    this.tried = tried;
    this.hint = hint;
  }
}

export interface Binary {
  readonly content: Uint8Array;
  /** File name; contains the hash, so no two binaries share it. */
  readonly file: string;
  readonly origin: "prebuilt" | "cc";
}

const windows = process.platform === "win32";
const platform = `${process.platform}-${process.arch}`;
const extension = windows ? "dll" : process.platform === "darwin" ? "dylib" : "so";

function binaryOf(content: Uint8Array, sha256: string, origin: Binary["origin"]): Binary {
  return { content, file: `shim-${sha256.slice(0, 32)}.${extension}`, origin };
}

/** The shim for this platform: prebuilt, else compiled. */
export function findBinary(): Binary {
  const embedded = (prebuilt.binaries as Record<string, { sha256: string; deflated: string }>)[platform];
  if (!embedded) return compile();
  return binaryOf(inflateRawSync(Buffer.from(embedded.deflated, "base64")), embedded.sha256, "prebuilt");
}

/**
 * Compiles the shim with the C compiler of this machine.
 *
 * @throws {ShimError} if the sources or the compiler are missing, or compilation fails
 */
export function compile(): Binary {
  const { execFileSync } = process.getBuiltinModule("node:child_process"), { createHash } = process.getBuiltinModule("node:crypto");
  const compiler = variable("CC") ?? "cc";
  let folder: string | undefined;
  try {
    const source = ownUrl?.startsWith("file:") && fileURLToPath(new URL("shim/shim.c", ownUrl)); // beside dist/mod.js as well
    if (!source || !existsSync(source)) throw new Error("the shim's source is not beside this module");
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

/** A folder, and why the shim could not be written to it or loaded from it. */
export interface PassedOver {
  readonly place: string;
  readonly problem: string;
}

/**
 * Writes the binary to the cache, else to a temporary folder, and opens it there.
 *
 * @throws {ShimError} if neither can be written to or loaded from
 */
export function unpack<T>(binary: Binary, open: (path: string, tried: readonly PassedOver[]) => T): T {
  const tried: PassedOver[] = [];
  for (const place of [inCache, inTemporary]) {
    const folder: string[] = [];
    try {
      return place(binary, folder, (path) => open(path, tried));
    } catch (error) {
      tried.push({ place: folder[0] ?? "a folder for the native part", problem: (error as Error).message });
    }
  }
  const names = windows ? "LOCALAPPDATA or TEMP" : "XDG_CACHE_HOME or TMPDIR";
  throw new ShimError(tried, `Set ${names} to a folder that you may write to and that is not mounted with "noexec"`);
}

function inCache<T>({ content, file }: Binary, place: string[], open: (path: string) => T): T {
  place[0] = cacheFolder();
  const folder = openCache(), path = join(folder, file);
  if (!isSame(path, content)) writeWhole(folder, file, content);
  if (!isSame(path, content)) throw new Error(`${file} is not what was written to it`);
  return open(path);
}

function inTemporary<T>({ content, file }: Binary, place: string[], open: (path: string) => T): T {
  place[0] = tmpdir();
  if (windows) { // a loaded file cannot be removed there
    const folder = makeFolder(join(tmpdir(), "pyawait"), 0);
    if (!isSame(join(folder, file), content, 0)) writeWhole(folder, file, content);
    return open(join(folder, file));
  }
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "pyawait-"));
  try {
    checkPath(folder, lstatSync(folder).uid); // the user who has made it is this one
    writeFileSync(join(folder, file), content, { mode: 0o700, flag: "wx" });
    return open(join(folder, file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether it is a regular file with this content, and no other user can change it. */
const isSame = (path: string, content: Uint8Array, user?: number) => readTrusted(path, user)?.equals(content) === true;
