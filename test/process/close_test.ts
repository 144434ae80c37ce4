/**
 * `python.close()`. Each case is a process of its own: see children/closes.ts.
 */
import { test } from "node:test";
import { assertEquals, assertMatch } from "#std/assert";
import { assertEnd, child, soon } from "../support/child.ts";

async function closes(name: string, code = 0): Promise<string> {
  const ended = await child("closes", [name]);
  assertEnd(ended, code, null, code === 0 ? soon : 10_000);
  assertEquals(ended.stderr, "");
  return ended.stdout;
}

test("python.close(): tasks are cancelled and clean up with JavaScript, atexit runs, Promises settle", async () => {
  const [first, second, ...rest] = (await closes("cleanup")).split("\n");
  assertEquals([first, second].sort(), ["a a cleaned up", "b b cleaned up"]);
  assertEquals(rest, ["atexit", "closed", "CancelledError CancelledError CancelledError", "end", ""]);
});

test("python.close(): a loop that is stuck is interrupted", async () => {
  assertEquals(await closes("spinning"), "KeyboardInterrupt closed\nend\n");
});

test("python.close(): memory that JavaScript sees stays, and can be released", async () => {
  assertEquals(await closes("buffers"), "0 2\nend\n");
});

test("python.close(): every later use throws a PythonClosedError", async () => {
  assertEquals(await closes("later"), "all closed\nstring string\nend\n");
});

test("python.close(): what does not end is given up after the timeout", async () => {
  assertEquals(await closes("stuck"), "in time\nPythonClosedError CancelledError\nend\n");
});

test("python.close(): before Python was opened", async () => {
  assertEquals(await closes("unopened"), "PythonClosedError\nend\n");
});

test("python.close(): while threads call JavaScript", async () => {
  assertEquals(await closes("threads"), "closed\nend\n");
});

test("python.close(): twice at once", async () => {
  assertEquals(await closes("twice"), "atexit\nclosed\nend\n");
});

test("python.close(): process.exit in a cleanup", async () => {
  assertEquals(await closes("exit_meanwhile", 3), "atexit\n");
});

test("python.close(): new work is refused, cleanup is served", async () => {
  assertEquals(await closes("refuses"), "PythonClosedError\nsync async\nCancelledError\nend\n");
});

test("python.close(): atexit may call and await JavaScript", async () => {
  const { stdout, stderr, code } = await child("closes", ["atexit"]);
  assertEquals([stdout.replace(/^.*fail.*$/m, "fail"), code], ["fail\n4\nslept\nclosed\nend\n", 0], stderr);
  assertMatch(stderr, /RangeError: from JavaScript/);
  assertEquals(/object repr\(\) failed/.test(stderr), false, stderr);
});
