/**
 * pyawait: Python's asyncio inside Node, Deno and Bun. Any Python awaitable is a Promise, any Promise is a Python
 * awaitable.
 *
 * ```ts
 * import { intoPromise, python, toThread } from "pyawait";
 *
 * const asyncio = python.import("asyncio");
 * await asyncio.sleep(1);
 * ```
 *
 * This file lists the public names; the code is in `src/`.
 *
 * @module
 */
import "./src/wiring.ts";
export { python } from "./src/python.ts";
export type { ExecOptions, Python, PythonInfo, PythonModules } from "./src/python.ts";
export type { Output, PythonOptions } from "./src/interpreter/options.ts";
export { py } from "./src/expression.ts";
export { attach } from "./src/proxy/attach.ts";
export { withLoop } from "./src/proxy/with_loop.ts";
export { intoPromise } from "./src/async/promise.ts";
export { toLoop, toThread } from "./src/async/to_loop.ts";
export type { AwaitOptions } from "./src/async/promise.ts";
export { promiseIntoPy } from "./src/async/awaitable.ts";
export { asyncIterableIntoPy, intoAsyncIterable } from "./src/async/stream.ts";
export type { PyAsyncIterator, StreamOptions } from "./src/async/stream.ts";
export { run, runUntilComplete } from "./src/async/run.ts";
export type { Main } from "./src/async/run.ts";
export { registerJsModule, unregisterJsModule } from "./src/js_modules.ts";
export { enter, enterAsync } from "./src/async/enter.ts";
export { buffer, PyBuffer } from "./src/proxy/buffer.ts";
export type { TypedArray } from "./src/wire/typed_arrays.ts";
export { asyncDef } from "./src/values/js_functions.ts";
export { getCurrentSignal } from "./src/context/call_context.ts";
export { getCurrentLocals, getCurrentLoop, getRunningLoop, scope, TaskLocals } from "./src/async/task_locals.ts";
export { array, float, kw, slice, tuple } from "./src/values/wrappers.ts";
export type { Float, Keywords, PyArray, Slice, Tuple } from "./src/values/wrappers.ts";
export { PyProxy } from "./src/proxy/py_proxy.ts";
export { toJs } from "./src/proxy/copy_out.ts";
export { toJson } from "./src/proxy/to_json.ts";
export type { Json, JsonOptions } from "./src/proxy/to_json.ts";
export type { PyMembers, PyObject } from "./src/proxy/py_proxy.ts";
export { tidy } from "./src/proxy/tidy.ts";
export { registerConverter, toPy } from "./src/proxy/converters.ts";
export type { Converter, ToPyOptions } from "./src/proxy/converters.ts";
export { pyClass } from "./src/proxy/py_class.ts";
export type { CopyOptions } from "./src/proxy/call.ts";
export { PythonClosedError } from "./src/interpreter/closed.ts";
export { PythonError } from "./src/values/python_error.ts";
export { PythonLoadError, PythonNotFoundError } from "./src/locate/locate.ts";
