/**
 * The Python half of the bridge as text. Beside the sources it is in files of its own in src/py/, so that it can be
 * read, checked and traced as Python; in the bundle scripts/build.mjs puts their texts here in its place.
 */
import { readFileSync } from "node:fs";

/** The text of `src/py/NAME.py`. */
export function pythonText(name: string): string {
  return readFileSync(new URL(`./py/${name}.py`, import.meta.url), "utf8");
}
