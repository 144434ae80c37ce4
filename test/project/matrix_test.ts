/**
 * `npm run matrix`: one command runs the tests on several Pythons and runtimes, and says by its exit code whether all is
 * well. It is run here for one file and the Python in use, and reads `.build/`: `node scripts/build.mjs node` first.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { assert, assertEquals, assertMatch } from "#std/assert";
import { python } from "../../mod.ts";
import { windows } from "../support/skip.ts";

const folder = mkdtempSync(join(tmpdir(), "pyawait-matrix-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const programs = mkdtempSync(join(tmpdir(), "pyawait-programs-"));
after(() => rmSync(programs, { recursive: true, force: true }));

const inUse = python.info.executable!;
const version = python.info.version;
const noScripts = windows("needs a program that is a script");
/** Has tests that take no time. */
const file = "native/numbers_test";

function matrix(...args: string[]) {
  const { stdout, stderr, status } = spawnSync("node", ["scripts/matrix.mjs", "--logs", folder, ...args], {
    encoding: "utf8",
    env: { ...process.env, PYAWAIT_TEST_TITLES: undefined },
  });
  return { stdout, stderr, status, lines: stdout.trimEnd().split("\n") };
}

test("a row for the Python, a column for the runtime, and the sums in the last line", () => {
  const { lines, status, stdout } = matrix("--python", inUse, "--runtime", "node", file);
  const [head, , row, , last] = lines.slice(-5);
  assertMatch(head, /^\| CPython \| node \d+\.\d+\.\d+ \|$/, stdout);
  const [, python, passed] = /^\| (\S+)[^|]* \| (\d+)\/0\/0 \|$/.exec(row) ?? [];
  assertEquals(python, version);
  assert(Number(passed) > 0);
  assertEquals(last, `${passed} passed, 0 failed`);
  assertEquals(status, 0);
});

test("a version names each build of it that is found", () => {
  const { stdout, status } = matrix("--python", version, "--runtime", "node", file);
  assert(stdout.includes(`CPython ${version}`), stdout);
  assertEquals(status, 0);
});

test("what each cell printed is kept", () => {
  matrix("--python", inUse, "--runtime", "node", file);
  const [log, ...others] = readdirSync(folder);
  assertEquals(others, []);
  assertMatch(readFileSync(join(folder, log), "utf8"), /^node \S+: \d+ passed, 0 failed, 0 skipped$/m);
});

test("a runtime that crashes is a failure, and the others run", { skip: noScripts }, () => {
  const crashing = join(programs, "node");
  writeFileSync(crashing, "#!/bin/sh\nkill -SEGV $$\n");
  chmodSync(crashing, 0o755);
  const { stdout, lines, status } = matrix("--python", inUse, "--runtime", `${crashing},node`, file);
  assert(stdout.includes("killed by SIGSEGV"), stdout);
  assertMatch(lines.at(-3)!, /\| 0\/1\/0 \| \d+\/0\/0 \|$/);
  assertMatch(lines.at(-1)!, /^\d+ passed, 1 failed$/);
  assertEquals(status, 1);
});

test("a cell in which no test is run is a failure", () => {
  const { lines, status } = matrix("--python", inUse, "--runtime", "node", "no_such_file");
  assertEquals(lines.at(-1), "0 passed, 1 failed");
  assertEquals(status, 1);
});

test("a Python that is not there is an error", () => {
  const old = matrix("--python", "2.1", "--runtime", "node", file);
  assertEquals(old.stderr.trim(), "There is no Python 2.1 here that can be loaded");
  assertEquals(old.status, 2);
  const missing = matrix("--python", join(folder, "python3"), "--runtime", "node", file);
  assert(missing.stderr.includes("does not exist"), missing.stderr);
  assertEquals(missing.status, 2);
});
