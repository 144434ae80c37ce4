// Converts every argument and result; its asynchronous calls are of a thread pool, and await no coroutine.
import { interpreter as py } from "node-calls-python";
import { fileURLToPath } from "node:url";
import { functions, report } from "./measure.mjs";

const called = py.importSync(fileURLToPath(functions));

await report({ python: py.callSync(py.importSync("platform"), "python_version") }, {
  noop: () => py.callSync(called, "noop"),
  add: (a, b) => py.callSync(called, "add", a, b),
  give: (value) => py.callSync(called, "size", value),
  take(value) {
    py.callSync(called, "keep", value);
    return () => py.callSync(called, "kept_value");
  },
});
