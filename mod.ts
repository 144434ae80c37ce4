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
export { python } from "./src/python.ts";
export type { ExecOptions, Python, PythonInfo, PythonModules } from "./src/python.ts";
export type { Output, PythonOptions } from "./src/options.ts";
export { attach } from "./src/attach.ts";
export { intoPromise } from "./src/promise.ts";
export { toLoop, toThread } from "./src/to_loop.ts";
export type { AwaitOptions } from "./src/promise.ts";
export { promiseIntoPy } from "./src/awaitable.ts";
export { asyncIterableIntoPy, intoAsyncIterable } from "./src/stream.ts";
export type { PyAsyncIterator, StreamOptions } from "./src/stream.ts";
export { run, runUntilComplete } from "./src/run.ts";
export type { Main } from "./src/run.ts";
export { registerJsModule, unregisterJsModule } from "./src/module.ts";
export { enter, enterAsync } from "./src/enter.ts";
export { buffer, PyBuffer } from "./src/buffer.ts";
export type { TypedArray } from "./src/typed_arrays.ts";
export { asyncDef } from "./src/functions.ts";
export { getCurrentSignal } from "./src/locals.ts";
export { getCurrentLocals, getCurrentLoop, getRunningLoop, scope, TaskLocals } from "./src/task_locals.ts";
export { float, kw, tuple } from "./src/wrappers.ts";
export type { Float, Keywords, Tuple } from "./src/wrappers.ts";
export { PyProxy, toJs } from "./src/proxy.ts";
export { tidy } from "./src/tidy.ts";
export { registerConverter, toPy } from "./src/converters.ts";
export type { Converter, ToPyOptions } from "./src/converters.ts";
export { pyClass } from "./src/classes.ts";
export type { CopyOptions } from "./src/call.ts";
export { PythonClosedError } from "./src/closed.ts";
export { PythonError } from "./src/errors.ts";
export { PythonLoadError, PythonNotFoundError } from "./src/locate.ts";
