/**
 * The Python half of the bridge as text. Beside the sources it is a file of its own, so that it can be read,
 * checked and traced as Python; in the bundle scripts/build.mjs puts the text here in its place.
 */
import { readFileSync } from "node:fs";

/** The text of `src/pyawait.py`. */
export function pythonSource(): string {
  return readFileSync(new URL("./pyawait.py", import.meta.url), "utf8");
}
