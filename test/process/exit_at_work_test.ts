/**
 * How a process ends while Python is busy: threads that compute, threads that call JavaScript, a thousand tasks, large
 * values on their way; while it opens or closes, or does not give the GIL back. Each case is a process of its own: see
 * children/exits.ts. test/soak/exits.mjs runs all of them very often.
 */
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "#std/assert";
import { assertEnd, child, ends, runtime, soon } from "../support/child.ts";
import { windows } from "../support/skip.ts";

const noSignals = windows("Windows has no signals"), noFork = windows("Windows has no fork");
const what: Record<string, string> = {
  opening: "a Worker opens Python",
  closing: "Python closes",
  held: "a C call holds the GIL for a minute",
  lost: "Workers are in Python code that does not come back",
};

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  for (const load of ["idle", "tidy", "busy", "calling", "flying", "large", "held", "lost"]) {
    if (signal === "SIGHUP" && load !== "idle" && load !== "held") continue;
    test(`${signal} without a listener: ${load}`, { skip: noSignals }, async () => {
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

for (const [end, code] of [["natural", 0], ["exit", 3], ["throw", 1]] as const) {
  for (const load of ["opening", "closing", "held", "lost"]) {
    if (load === "lost" && end === "natural") continue; // such a Worker keeps the process alive
    test(`${end} while ${what[load]}`, async () => {
      await ends(load, end, code, 6000);
    });
  }
}

for (const load of ["idle", "flying", "busy", "holding", "opening", "closing"]) {
  test(`a Worker ends, or is terminated while it is in Python: ${load}`, async () => {
    await Promise.all([ends(load, "worker_end", 0, 6000), ends(load, "worker_terminate", 0, 6000)]);
  });

  test(`whoever started the process has gone: ${load}`, async () => {
    assertEnd(await child("exits", [load, "parent_gone"], { leaves: "ready" }), 3, null, 6000);
  });

  test(`os._exit, and sys.exit in a thread: ${load}`, async () => {
    await Promise.all([ends(load, "os_exit", 3, 60_000), ends(load, "sys_exit", 0, 6000)]);
  });

  test(`fork without exec: ${load}`, { skip: noFork }, async () => {
    await ends(load, "fork", 0, 6000);
  });
}
