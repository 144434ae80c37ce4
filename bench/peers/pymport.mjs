// Its asynchronous calls are of a thread pool, and await no coroutine.
import { proxify, pymport, PyObject } from "pymport";
import { fileURLToPath } from "node:url";
import { functions, report } from "./measure.mjs";

pymport("sys").get("path").get("insert").call(0, fileURLToPath(new URL(".", functions)));
const { noop, add, size, same } = proxify(pymport("called"));

await report({ python: pymport("platform").get("python_version").call().toJS() }, {
  noop: () => noop().toJS(),
  add: (a, b) => add(a, b).toJS(),
  give: (value) => size(PyObject.fromJS(value)).toJS(), // a plain object as it is would be keyword arguments,
  take(value) {
    const proxy = same(PyObject.fromJS(value));
    return () => proxy.toJS();
  },
});
