import { readFileSync } from "node:fs";
import { loadPyodide } from "pyodide";
import { functions, report } from "./measure.mjs";

const pyodide = await loadPyodide();
pyodide.runPython(readFileSync(functions, "utf8"));
const get = (name) => pyodide.globals.get(name);
const identity = get("identity"), noop = get("noop"), add = get("add"), size = get("size");

await report({ python: pyodide.runPython("import platform; platform.python_version()") }, {
  identity,
  noop,
  add,
  give(value) {
    const proxy = pyodide.toPy(value);
    try {
      return size(proxy);
    } finally {
      proxy.destroy();
    }
  },
  take(value) {
    const proxy = pyodide.toPy(value);
    return () => proxy.toJs({ dict_converter: Object.fromEntries });
  },
});
