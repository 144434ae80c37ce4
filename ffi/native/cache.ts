// The user's cache folder: the shim's binary, and what pythons said of themselves.
//
// What is read from it is executed, or names what is loaded. So it is used only where no other user could have put it
// there (`trust.ts`).
import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import process from "../process.ts";
import { checkPath, currentUser, makeFolder } from "./trust.ts";

const windows = process.platform === "win32";

/** An environment variable; `undefined` if it is empty or may not be read (Deno without --allow-env). */
export function variable(name: string): string | undefined {
  try {
    return process.env[name] || undefined;
  } catch {
    return undefined;
  }
}

/** Where the cache is, if it may be used. */
export function cacheFolder(): string {
  const cache = variable(windows ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
  if (cache !== undefined && isAbsolute(cache)) return join(cache, "pyawait");
  const home = variable("HOME") ?? homedir();
  if (windows) return join(home, "AppData", "Local", "pyawait");
  return process.platform === "darwin" ? join(home, "Library", "Caches", "pyawait") : join(home, ".cache", "pyawait");
}

/**
 * Makes the folder if it is not there, and returns its real path.
 *
 * @throws {Error} if it cannot be made, or another user could replace it
 */
export function openCache(): string {
  return makeFolder(cacheFolder(), currentUser());
}

/** The content of a regular file that no other user can change; `undefined`: there is none. */
export function readTrusted(path: string, user: number = currentUser()): Buffer | undefined {
  try {
    checkPath(path, user);
    return lstatSync(path).isFile() ? readFileSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a file as a whole: no process sees a part of it. */
export function writeWhole(folder: string, file: string, content: Uint8Array | string): void {
  const path = join(folder, file);
  const unfinished = join(folder, `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`);
  try {
    writeFileSync(unfinished, content, { mode: 0o700, flag: "wx" });
    try {
      renameSync(unfinished, path);
    } catch (error) { // Windows: another process has it loaded, so the content is the same
      if (!existsSync(path)) throw error;
    }
  } finally {
    rmSync(unfinished, { force: true }); // it is there if something failed: the disk may be full
  }
}
