// The working directory, which may have been removed.
//
// Node caches its path, so `process.cwd()` succeeds for a folder that is gone; only looking for the folder shows it.
import { statSync } from "node:fs";
import process from "../../ffi/process.ts";
import { PythonLoadError } from "./errors.ts";

/**
 * The path of the working directory.
 *
 * @throws {PythonLoadError} if it does not exist
 */
export function workingFolder(): string {
  let place = "the working directory", problem = "does not exist any more";
  try {
    const path = place = process.cwd();
    if (isThere(path)) return path;
  } catch (error) {
    problem = (error as Error).message;
  }
  const hint = "Change into a folder that exists: cd, or process.chdir before the first use of Python";
  throw new PythonLoadError("Cannot start Python here", [{ place, problem }], hint);
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // may not be examined (Deno without --allow-read)
  }
}
