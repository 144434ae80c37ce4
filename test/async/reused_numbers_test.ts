/**
 * Numbers of Promises and slots of futures are used again, and the queues of two loops have no common order: a late record
 * must not be taken for another one's.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";

test("a late cancellation does not cancel the Promise that has its number now", async () => {
  assertEquals(await prints("hostile", ["late_cancel"]), "first second\n");
});

test("a result that a closed loop has sent arrives, and at its own Promise", async () => {
  assertEquals(await prints("hostile", ["result_before_end"]), "first second\n");
});

test("a cancelled await does not give up the request that has its slot now", async () => {
  assertEquals(await prints("hostile", ["late_abort"]), "new\n");
});
