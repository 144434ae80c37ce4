/**
 * Memory stays flat: ten thousand of each kind of operation of Python with JavaScript's objects, errors among them,
 * leave no memory and no handles behind.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { backOperations, doOften, tooMuch } from "../support/workload.ts";

const exposed = typeof (globalThis as { gc?: unknown }).gc === "function";
if (!exposed) console.log("skip: gc() is not exposed");
const skip = !exposed && "gc() is not exposed";

for (const [name, operation] of Object.entries(backOperations)) {
  test(`flat memory: ${name}`, { skip }, async () => assertEquals(tooMuch(await doOften(operation, 10_000)), []));
}
