// The Python half of the bridge as text, read from the `.py` files of this folder's parent.
//
// In the bundle, scripts/build.mjs replaces this file by the texts themselves: nothing is read from disk there.
import { readFileSync } from "node:fs";

/** The text of `src/PATH`, as `py/base.py`. */
export function pythonText(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
}
