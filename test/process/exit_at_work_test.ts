/**
 * How a process ends while Python is busy: threads that compute, threads that call JavaScript, a thousand tasks, large
 * values on their way. Each case
 * is a process of its own: see children/exits.ts.
 */
import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "#std/assert";
import { assertEnd, child, ends, runtime, soon } from "../support/child.ts";

const posix = process.platform !== "win32";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  for (const load of ["idle", "tidy", "busy", "calling", "flying", "large"]) {
    test(`${signal} without a listener: ${load}`, { skip: !posix && "Windows has no signals" }, async () => {
      const ended = await child("exits", [load, "signal"], { signals: { ready: signal } });
      assertEnd(ended, null, signal, soon);
      assertEquals(ended.stdout, "ready\n");
    });
  }
}

for (const load of ["busy", "calling", "flying", "large"]) {
  for (
    const [end, code] of [["natural", 0], ["exit", 3], ["exit_in_loop", 3], ["exit_in_attach", 3], [
      "throw",
      1,
    ]] as const
  ) {
    test(`${end} with Python at work: ${load}`, async () => {
      const { stdout } = await ends(load, end, code, 3000);
      if (end !== "throw" || runtime !== "deno") assertStringIncludes(stdout, "atexit");
    });
  }
}
