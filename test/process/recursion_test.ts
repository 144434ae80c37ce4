/**
 * JavaScript and Python calling each other without an end: a RecursionError that says how deep it was and what to do, and
 * never a crash. Afterwards the program goes on.
 */
import { test } from "node:test";
import { assert, assertEquals, assertMatch } from "#std/assert";
import { child, command, runtime } from "../support/child.ts";
import { spawn } from "node:child_process";
import process from "node:process";

/** What a child printed: two errors, and what works afterwards. */
function check(stdout: string, least: number): void {
  const lines = stdout.split("\n").filter((line) => line && line !== "end");
  assertEquals(lines.length, 3, stdout);
  for (const line of lines.slice(0, 2)) {
    const { deepest, name, message, hint } = JSON.parse(line);
    assertEquals(name, "RecursionError", line);
    assert(deepest >= least, line);
    if (/^maximum recursion depth exceeded/.test(message)) assertMatch(hint, /setrecursionlimit/);
    else {
      const depth = Number(/too deep: (\d+) times, each within the other.*Use a loop/.exec(message)?.[1]);
      assert(Math.abs(depth - deepest) <= 2, line);
    }
  }
  assertEquals(lines[2], "RecursionError 2 3");
}

for (const place of ["main", "worker", "loop", "thread"]) {
  for (const [limit, work] of [["0", "none"], ["1000000", "none"], ["1000000", "repr"]]) {
    test(`${place}, recursion limit ${limit}, ${work}`, async () => {
      const { code, signal, stdout, stderr } = await child("recursion", [place, limit, work]);
      assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" }, stdout);
      check(stdout, 90);
    });
  }
}

const flag = { node: "--stack-size=4000", deno: "--v8-flags=--stack-size=4000", bun: "" }[runtime];
test("with a larger stack it goes deeper", { skip: flag === "" && "Bun has no option for it" }, async () => {
  const flags = runtime === "deno" ? ["run", "-A", "--no-check", flag] : [flag];
  const started = spawn(...command("recursion", ["main", "1000000", "repr"], flags), {
    stdio: ["ignore", "pipe", "inherit"],
    env: process.env,
  });
  let stdout = "";
  started.stdout!.setEncoding("utf8").on("data", (text: string) => stdout += text);
  const code = await new Promise((resolve) => started.on("close", resolve));
  assertEquals(code, 0);
  check(stdout, 150); // Python 3.12 has a fixed limit for calls in C, which ends it at 187
});
if (flag === "") console.log("skip: Bun has no option for a larger stack");
