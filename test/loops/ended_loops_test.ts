/**
 * What is kept for a loop ends with it.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";

test("10,000 loops that end with work in flight leave nothing: no buffers, values, tasks or memory", async () => {
  // The background loop's buffer is left; no awaits that are served, no pinned answers.
  assertEquals(await prints("ended_loops"), "1 0 0 flat\n");
});
