// The chapters of the Python module `pyawait`, in the order in which they are run.
//
// They share one namespace: a chapter uses what earlier ones define when it is run, and what any of them defines when it is
// called. `base` sets the loader's flags before the first extension module is imported, so it stays first.
import { pythonNumbers } from "../wire/numbers.ts";
import { pythonText } from "./python_text.ts";

const chapters = [
  "base",
  "js_values",
  "errors",
  "promises",
  "wrapping",
  "type_kinds",
  "conversions",
  "signals",
  "loops",
  "running",
  "streams",
  "proxy_helpers",
  "py_class",
  "code",
  "js_modules",
  "testing",
  "stdio",
  "bells",
  "run_script",
  "shutdown",
  "main",
];

/** Each chapter as its name in tracebacks and its text. */
export function pythonSource(): [name: string, text: string][] {
  const texts = chapters.map((name): [string, string] => [`<pyawait/${name}.py>`, pythonText(`py/${name}.py`)]);
  return [["<pyawait/numbers.py>", pythonNumbers()], ...texts];
}
