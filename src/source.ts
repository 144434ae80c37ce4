/**
 * The Python half of the bridge as text: the chapters in src/py/, in the order in which they are run. Beside the
 * sources they are files of their own, so that they can be read, checked and traced as Python; in the bundle
 * scripts/build.mjs puts their text here in its place.
 */
import { readFileSync } from "node:fs";

/** The chapters of the Python module `pyawait`, each as its name and its text. */
export function pythonSource(): [name: string, text: string][] {
  return ["base", "values", "promises", "kinds", "loops", "streams", "objects", "code", "modules", "testing", "main"].map((name) => [
    `<pyawait/${name}.py>`,
    readFileSync(new URL(`./py/${name}.py`, import.meta.url), "utf8"),
  ]);
}
