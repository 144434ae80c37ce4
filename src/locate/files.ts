/**
 * Looking at files that may be out of bounds.
 *
 * To know: Deno throws where it has no permission to look, even from `existsSync`, and a folder on the path may be
 * closed to this user. For a search both only mean: not here.
 *
 * @module
 */
import { existsSync, lstatSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";

/** Whether there is a file or a folder. */
export function exists(path: string): boolean {
  return orElse(false, () => existsSync(path));
}

/** The same, but true also for a broken link, and for a link of a kind that only Windows can follow. */
export function linkExists(path: string): boolean {
  return orElse(false, () => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
}

/** Whether there is a folder. */
export function isFolder(path: string): boolean {
  return orElse(false, () => statSync(path).isDirectory());
}

/** The absolute path without links; with them where they cannot be followed. */
export function realpath(path: string): string {
  return orElse(resolve(path), () => realpathSync(path));
}

function orElse<T>(otherwise: T, look: () => T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
