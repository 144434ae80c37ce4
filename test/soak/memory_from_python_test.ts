/**
 * Memory stays flat: ten thousand of each kind of operation of Python with JavaScript's objects, errors among them,
 * leave no memory and no handles behind.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { skip } from "../support/skip.ts";
import { backOperations, doOften, tooMuch } from "../support/workload.ts";

const noGc = skip(typeof (globalThis as { gc?: unknown }).gc !== "function" && "gc() is not exposed");

for (const [name, operation] of Object.entries(backOperations)) {
  test(`flat memory: ${name}`, { skip: noGc }, async () => assertEquals(tooMuch(await doOften(operation, 10_000)), []));
}
