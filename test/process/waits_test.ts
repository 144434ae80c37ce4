/**
 * Threads that wait for each other for ever: what the bridge can see throws, and what it cannot see is told on stderr.
 */
import { test } from "node:test";
import { assertEquals, assertMatch } from "#std/assert";
import { child } from "../support/child.ts";

test("the main thread and a Worker that call each other's functions: the call that closes the circle throws", async () => {
  const { stdout, stderr, code } = await child("waits", ["circle"]);
  const [circle, ...rest] = stdout.trimEnd().split("\n");
  assertMatch(circle, /^RuntimeError: Cannot call JavaScript here: its thread waits, .*toThread, or await it$/);
  assertEquals([rest, code, stderr], [["worker's", "main's", "end"], 0, ""]);
});

test("JavaScript that waits for a thread that waits for JavaScript: a line on stderr names both places", async () => {
  const { stdout, stderr, code } = await child("waits", ["join"]);
  assertEquals([stdout.split("\n").sort(), code], [["", "called", "joined"], 0], stderr);
  assertMatch(
    stderr,
    /^pyawait: thread 'caller' has waited 3 seconds for a JavaScript function \(<exec(?: \d+)?>:\d+, in work\), while .* \(.*threading.*:\d+, in \w+\)\. If .*\n$/,
  );
});
