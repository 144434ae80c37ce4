/**
 * Variables for a process with a cache folder of its own, in which pyawait finds nothing.
 *
 * Deno's own cache stays where it is: in an empty one it would compile every source anew, for some seconds each time.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

export function emptyCache(folder: string): Record<string, string | undefined> {
  if (process.platform === "win32") return { LOCALAPPDATA: folder, DENO_DIR: denoFolder(process.env.LOCALAPPDATA) };
  return { XDG_CACHE_HOME: folder, DENO_DIR: denoFolder(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache")) };
}

const denoFolder = (cache: string | undefined) => process.env.DENO_DIR ?? (cache && join(cache, "deno"));
