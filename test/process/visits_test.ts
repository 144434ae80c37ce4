/**
 * Synchronous calls that wait for an event loop's thread, when the process, a Worker, Python or the loop ends meanwhile.
 * Each case is a process of its own: children/visits.ts.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { child } from "../support/child.ts";

const cases: [title: string, name: string, stdout: string, code: number][] = [
  ["process.exit in a function that is served in the wait", "exit", "served\n", 3],
  ["process.exit while the loop stands still", "exit_in_stay", "", 4],
  ["a Worker is ended in the wait", "terminate", "false slept\n", 0],
  [
    "a Worker is ended in a function that it serves in the wait",
    "terminate_in_call",
    "true slept\n",
    0,
  ],
  ["a Worker is ended while the loop stands still for it", "terminate_stay", "slept false\n", 0],
  ["Python is closed while a Worker waits", "close", "closed ended\n", 0],
  ["the loop stops before it comes to the call", "stop", "false false\nfalse\n", 0],
  ["a circle through a Worker throws in the loop's callback", "circle", "false\nCannot call JavaScript here: its thread \n", 0],
  ["a function that waits for the loop runs once", "once", "10\n", 0],
  ["a Worker is ended in a function that Python calls", "terminate_in_function", "false slept\n", 0],
  ["a function that is served before a stay begins may visit the loop", "stay_and_call", "false\nfalse\n", 0],
  ["the loop calls a function that visits while this thread visits", "both_ways", "100\n", 0],
  ["a loop that comes late to a visit makes it where it stands", "slowly", "5\n", 0],
  ["the loop stands still also if its thread waited in a call before", "stands", "0\n0\n", 0],
  ["other threads' calls are served in the wait", "others", "false\nfrom a thread\n", 0],
];

for (const [title, name, stdout, code] of cases) {
  test(title, async () => {
    const ended = await child("visits", [name]);
    assertEquals({ stdout: ended.stdout, code: ended.code, signal: ended.signal }, { stdout, code, signal: null }, ended.stderr);
  });
}
