// Whether another user could put a file of theirs in the place of ours: then the place is neither written to nor loaded
// from.
//
// Where every folder of the real path belongs to this user or root, and nobody else may rename what is in it, the file
// that was compared is the one that is loaded. Only the real path is used, so a link that another user changes later
// does not matter.
import { lstatSync, mkdirSync, realpathSync, type Stats } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "../process.ts";

const windows = process.platform === "win32"; // the cache and TEMP are in the user's profile there, which others cannot write to

/**
 * Makes a folder and those above it, and gives its real path. Node's `recursive: true` never returns for a path below
 * /proc.
 *
 * @throws {Error} if another user could replace it; then nothing was made
 */
export function makeFolder(path: string, user: number): string {
  if (lstatSync(path, { throwIfNoEntry: false })) {
    const real = realpathSync(path);
    checkPath(real, user);
    return real;
  }
  const folder = join(makeFolder(dirname(path), user), basename(path));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; // EEXIST: another process made it first
  }
  checkPath(folder, user);
  return folder;
}

/** Throws if a user other than this one and root could replace what is at this real path. */
export function checkPath(path: string, user: number): void {
  if (windows) return;
  for (let at = path;; at = dirname(at)) {
    const stat = lstat(at);
    if (stat && stat.uid !== user && !isRoot(stat.uid)) throw new Error(`${at} belongs to another user`);
    // In a folder with the sticky bit others may make files, but not rename or remove ours.
    if (stat && stat.mode & 0o022 && !(stat.isDirectory() && stat.mode & 0o1000)) {
      throw new Error(`${at} may be written to by other users (run "chmod go-w ${at}")`);
    }
    if (dirname(at) === at) return;
  }
}

/** This process's user. Throws on Deno without --allow-sys. */
export function currentUser(): number {
  return windows ? 0 : process.geteuid!();
}

/** Containers may show root as another number; whoever owns "/" is root. */
const isRoot = (uid: number) => uid === 0 || uid === lstat("/")?.uid;

/** `undefined` where Deno may not look: a parent of the folders that it may read. */
function lstat(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as Error).name === "NotCapable") return undefined;
    throw error;
  }
}
