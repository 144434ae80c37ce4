/**
 * File checks that never throw.
 *
 * Deno throws from `existsSync` where it has no permission, and a folder on PATH may be unreadable for this user. A
 * search treats both as "not there".
 *
 * @module
 */
import { closeSync, existsSync, lstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import process from "../../ffi/process.ts";

/** Whether a file or folder exists. */
export function exists(path: string): boolean {
  return orElse(false, () => existsSync(path));
}

/** Whether a file, folder or link exists; also true for a broken link and for links that only Windows can follow. */
export function linkExists(path: string): boolean {
  return orElse(false, () => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
}

/** Whether it is a folder. */
export function isFolder(path: string): boolean {
  return orElse(false, () => statSync(path).isDirectory());
}

/**
 * Windows: whether a file is a link of the Microsoft Store. Before anything is installed from there, `python.exe` is a
 * placeholder; afterwards it is a Python. Both look alike, so it has to be run.
 */
export function isStoreAlias(path: string): boolean {
  return /[\\/]WindowsApps[\\/][^\\/]*$/i.test(path);
}

/** The absolute path with links resolved, or unresolved where they cannot be followed. */
export function realpath(path: string): string {
  return orElse(resolve(path), () => realpathSync(path));
}

/** The owners of a file or folder: of the link, if it is one, and of what it links to. */
export function ownersOf(path: string): number[] {
  return orElse([], () => [lstatSync(path).uid, statSync(path).uid]);
}

/** This process's user; `undefined` on Windows, and where Deno does not tell it. */
export function currentUser(): number | undefined {
  return orElse(undefined, () => process.geteuid?.());
}

function orElse<T>(otherwise: T, look: () => T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

/** The first bytes of a file, one a character; empty if it cannot be read, or is not regular: to open a FIFO would wait for its other end. */
export function startOf(path: string): string {
  try {
    if (!statSync(path).isFile()) return "";
    const start = Buffer.alloc(1024), descriptor = openSync(path, "r");
    try {
      return start.toString("latin1", 0, readSync(descriptor, start));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return "";
  }
}
