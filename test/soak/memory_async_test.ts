/**
 * Memory stays flat: a thousand asynchronous operations of each kind leave no memory, handles or Promises behind.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { skip } from "../support/skip.ts";
import { asyncOperations, doOften, tooMuch } from "../support/workload.ts";

const noGc = skip(typeof (globalThis as { gc?: unknown }).gc !== "function" && "gc() is not exposed");

for (const [name, operation] of Object.entries(asyncOperations)) {
  test(`flat memory: ${name}`, { skip: noGc }, async () => assertEquals(tooMuch(await doOften(operation, 1_000)), []));
}
