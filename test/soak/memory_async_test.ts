/**
 * Memory stays flat: a thousand asynchronous operations of each kind leave no memory, handles or Promises behind.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { asyncOperations, doOften, tooMuch } from "../support/workload.ts";

const exposed = typeof (globalThis as { gc?: unknown }).gc === "function";
if (!exposed) console.log("skip: gc() is not exposed");
const skip = !exposed && "gc() is not exposed";

for (const [name, operation] of Object.entries(asyncOperations)) {
  test(`flat memory: ${name}`, { skip }, async () => assertEquals(tooMuch(await doOften(operation, 1_000)), []));
}
