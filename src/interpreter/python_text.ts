// The Python sources as text, read from the `.py` files below `src/`.
//
// In the bundle scripts/build.mjs replaces this file by one that contains the texts, so nothing is read from disk
// there.
import { readFileSync } from "node:fs";

/** The text of `src/PATH`, such as `py/base.py`. */
export function pythonText(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
}
