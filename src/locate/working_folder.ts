// The working directory, which may be gone.
//
// The one thing to know: Node remembers its path, so that it is gone shows only when something is looked for in it.
import { statSync } from "node:fs";
import process from "node:process";
import { PythonLoadError } from "./errors.ts";

/** Its path; throws {@linkcode PythonLoadError} if there is none. */
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
    return true; // it may not be looked at (Deno without --allow-read)
  }
}
