/**
 * Memory stays flat: ten thousand synchronous operations of each kind leave no memory and no handles behind.
 * leak_test.ts counts references exactly; memory_from_python_test.ts has the operations of Python with JavaScript's
 * objects, memory_async_test.ts the asynchronous ones; memory.mjs does a hundred times as many.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { doOften, syncOperations, tooMuch } from "../support/workload.ts";

const exposed = typeof (globalThis as { gc?: unknown }).gc === "function";
if (!exposed) console.log("skip: gc() is not exposed");
const skip = !exposed && "gc() is not exposed";

for (const [name, operation] of Object.entries(syncOperations)) {
  test(`flat memory: ${name}`, { skip }, async () => assertEquals(tooMuch(await doOften(operation, 10_000)), []));
}
