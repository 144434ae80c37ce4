/**
 * Opening with few file descriptors left, or without a folder for temporary files: it works or says why, and a later use
 * works.
 */
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { assert, assertEquals } from "#std/assert";
import { command, prints } from "../support/child.ts";
import { windows } from "../support/skip.ts";

const posix = windows("Windows has neither such a limit nor TMPDIR");

test("with few descriptors left a use of Python works, or throws the system's reason and a later one works", { skip: posix }, () => {
  const [program, args] = command("scarce", ["descriptors"]);
  const options = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] as ("ignore" | "pipe")[], timeout: 120_000 } as const;
  const lines = execFileSync("sh", ["-c", 'ulimit -n 80; exec "$@"', "sh", program, ...args], options).trimEnd().split("\n");
  const seen = JSON.parse(lines.at(-1)!) as string[];
  assert(seen.some((result) => /^\w*Error: true$/.test(result)), String(seen)); // there were too few
  assertEquals(seen.filter((result) => !/^\w*Error: true$/.test(result)), ["awaited", "at last"]);
});

for (const folder of ["that does not exist", "that nothing can be made in", "with a long path"]) {
  test(`a Worker with a TMPDIR ${folder}`, { skip: posix }, async () => {
    const long = join(tmpdir(), "x".repeat(150));
    const env = { TMPDIR: { "that does not exist": "/nonexistent", "that nothing can be made in": "/proc/1" }[folder] ?? long };
    assertEquals(await prints("scarce", ["folders"], { env }), "awaited by a Worker\n");
  });
}
