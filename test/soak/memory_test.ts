/**
 * Memory stays flat: ten thousand synchronous operations of each kind leave no memory and no handles behind.
 * leak_test.ts counts references exactly; memory_from_python_test.ts has the operations of Python with JavaScript's
 * objects, memory_async_test.ts the asynchronous ones; memory.mjs does a hundred times as many.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { skip } from "../support/skip.ts";
import { doOften, syncOperations, tooMuch } from "../support/workload.ts";

const noGc = skip(typeof (globalThis as { gc?: unknown }).gc !== "function" && "gc() is not exposed");

for (const [name, operation] of Object.entries(syncOperations)) {
  test(`flat memory: ${name}`, { skip: noGc }, async () => assertEquals(tooMuch(await doOften(operation, 10_000)), []));
}
