/**
 * How a process with Python ends, and what keeps it alive. Each case is a process of its own: see children/exits.ts.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "#std/assert";
import { child, ends, runtime } from "../support/child.ts";

test("an idle interpreter does not keep the process alive", async () => {
  const { stdout } = await ends("idle", "natural", 0);
  assertEquals(stdout, "end\natexit\n");
});

test("a pending Promise keeps the process alive until it settles", async () => {
  const ended = await child("exits", ["idle", "pending"]);
  assertEquals([ended.code, ended.stdout], [0, "settled\natexit\n"], ended.stderr);
});

test("Python that waits for JavaScript does not keep the process alive", async () => {
  await ends("flying", "natural", 0, 2500);
});

test("python.ref() keeps the process alive until the last unref()", async () => {
  const ended = await child("exits", ["idle", "ref"]);
  assertEquals([ended.code, ended.stdout], [0, "unref\natexit\n"], ended.stderr);
});

for (
  const end of [
    "exit_mid_await",
    "exit_in_sync",
    "exit_in_loop",
    "exit_in_async",
    "exit_in_thread",
    "exit_in_attach",
    "exit_in_nested",
  ]
) {
  test(`process.exit: ${end}`, async () => {
    const { stdout } = await ends("tidy", end, 3);
    assertEquals(stdout, "end\nfinally\nno newlineatexit\n");
  });
}

const onDeno = { skip: runtime !== "deno" && "only Deno has Deno.exit and isolates" };
if (onDeno.skip) console.log(`skip: ${onDeno.skip}`);

for (const end of ["deno_exit", "deno_exit_in_sync"]) {
  test(`Deno.exit: ${end}`, onDeno, async () => {
    const { stdout } = await ends("tidy", end, 3);
    assertEquals(stdout, "end\nfinally\nno newlineatexit\n");
  });
}

test("Python outlives the files of one `deno test`", onDeno, () => {
  const folder = mkdtempSync(join(tmpdir(), "pyawait-isolates-"));
  try {
    const source = `
      import { python } from "${new URL("../../mod.ts", import.meta.url)}";
      Deno.test("uses Python", async () => {
        python.exec("import sys; sys.count = getattr(sys, 'count', 0) + 1");
        console.log(await python.execAsync("import asyncio; await asyncio.sleep(0, f'file {sys.count}')"));
      });`;
    for (const name of ["a", "b", "c"]) writeFileSync(join(folder, `${name}_test.ts`), source);
    const { stdout, status } = spawnSync(process.execPath, ["test", "-A", "--no-check", folder], {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
      timeout: 30_000,
    });
    assertEquals([status, stdout.match(/file \d/g)], [0, ["file 1", "file 2", "file 3"]], stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the natural end runs `finally`, atexit, and flushes", async () => {
  const { stdout } = await ends("tidy", "natural", 0);
  assertEquals(stdout, "end\nfinally\nno newlineatexit\n");
});

for (const end of ["natural", "exit"]) {
  test(`JavaScript in atexit is refused at the end of the process, and the error says why: ${end}`, async () => {
    const { code, stdout, stderr } = await child("exits", ["atexit", end]);
    assertEquals(code, end === "exit" ? 3 : 0);
    assertStringIncludes(stdout, "atexit\n");
    assertStringIncludes(stderr, "runs only in `await python.close()`");
    assertEquals(stderr.includes("repr() failed"), false, stderr);
  });
}

for (const end of ["throw", "reject", "reject_of_python"]) {
  test(`an error that nobody catches: ${end}`, async () => {
    const { stdout, stderr } = await ends("tidy", end, 1);
    assertStringIncludes(stderr, "nobody catches this");
    assertEquals(stdout, runtime === "deno" ? "end\n" : "end\nfinally\nno newlineatexit\n");
  });
}

test("the process ends while JavaScript sees Python's memory", async () => {
  await Promise.all([ends("buffers", "natural", 0), ends("buffers", "exit", 3), ends("buffers", "throw", 1)]);
});

test("a thread that is being started does not disturb the end", async () => {
  const { stdout, stderr } = await ends("limbo", "natural", 0);
  assertEquals([stdout, stderr], ["end\natexit\n", ""]);
});

for (const load of ["stuck", "stubborn", "executor"]) {
  test(`a cleanup that does not end holds up the exit for two seconds at most: ${load}`, async () => {
    await Promise.all([ends(load, "exit", 3, 3500), ends(load, "natural", 0, 3500)]);
  });
}

test("what uses Python after its end, in an `exit` listener, gets a PythonClosedError", async () => {
  const ended = await child("exits", ["idle", "use_at_exit"]);
  assertEquals([ended.code, ended.stdout], [0, "atexit\n" + "PythonClosedError\n".repeat(5)], ended.stderr);
});
