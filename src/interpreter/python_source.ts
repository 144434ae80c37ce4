// The chapters of the Python module `pyawait`, in the order in which they run.
//
// They share one namespace: while a chapter runs it can use what earlier chapters define, and when its functions are
// called, what any chapter defines. `loader` is compiled each time and runs the others.
import { pythonNumbers } from "../wire/numbers.ts";
import { pythonText } from "./python_text.ts";

const chapters = [
  "loader",
  "base",
  "frames",
  "js_values",
  "errors",
  "promises",
  "waits",
  "wrapping",
  "type_kinds",
  "conversions",
  "json_forms",
  "signals",
  "loops",
  "callees",
  "running",
  "streams",
  "proxy_helpers",
  "never_awaited",
  "py_class",
  "js_classes",
  "imports",
  "code",
  "expressions",
  "js_modules",
  "testing",
  "stdio",
  "children",
  "faults",
  "bells",
  "run_script",
  "shutdown",
  "restart",
  "main",
];

/** The name of each chapter, as tracebacks show it, and its text. */
export function pythonSource(): [name: string, text: string][] {
  const texts = chapters.map((name): [string, string] => [`<pyawait/${name}.py>`, pythonText(`py/${name}.py`)]);
  return [texts[0], ["<pyawait/numbers.py>", pythonNumbers()], ...texts.slice(1)];
}
