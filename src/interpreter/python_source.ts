// The chapters of the Python module `pyawait`, in the order in which they are run.
//
// The one thing to know: they share one namespace, so a chapter uses what earlier ones define when it is run, and what
// any of them defines when it is called.
import { pythonText } from "./python_text.ts";

const chapters = ["base", "values", "promises", "kinds", "loops", "streams", "objects", "code", "modules", "testing", "stdio", "main"];

/** Each chapter as its name in tracebacks and its text. */
export function pythonSource(): [name: string, text: string][] {
  return chapters.map((name) => [`<pyawait/${name}.py>`, pythonText(`py/${name}.py`)]);
}
