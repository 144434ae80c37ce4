/**
 * What is kept for a loop ends with it.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";
import { onWindows } from "../support/skip.ts";

const loops = onWindows ? 1000 : 10_000; // there a pair of sockets, of which a loop has two, is a TCP connection

test(`${loops} loops that end with work in flight leave nothing: no buffers, values, tasks or memory`, async () => {
  // The background loop's buffer is left; no awaits that are served, no pinned answers.
  assertEquals(await prints("ended_loops", [String(loops)]), "1 0 0 flat\n");
});
