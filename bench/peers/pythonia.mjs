// Python is another process: every call is awaited.
import { fileURLToPath } from "node:url";
import { python } from "pythonia";
import { functions, report } from "./measure.mjs";

const called = await python(fileURLToPath(functions));
const json = await python("json");

await report({ python: String(await (await python("platform")).python_version()) }, {
  noop: () => called.noop(),
  add: (a, b) => called.add(a, b),
  give: (value) => called.size(value),
  async take(value) {
    const proxy = await json.loads(JSON.stringify(value));
    return () => proxy.valueOf();
  },
});
python.exit();
