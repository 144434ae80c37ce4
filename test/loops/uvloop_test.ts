/**
 * uvloop, in a virtual environment that is made for it: as the background loop and for `run`, with child processes of both
 * languages, and the tests of awaiting, cancelling and streaming once more.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { assert, assertEquals, assertMatch } from "#std/assert";
import { command, prints, runtime } from "../support/child.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-uvloop-")));
after(() => rmSync(folder, { recursive: true, force: true }));

function findUvloop(): string | false {
  if (process.platform === "win32") return "uvloop does not exist for Windows";
  if (process.env.PYAWAIT_TEST_UVLOOP === "0") return "UVLOOP HAS NOT BEEN TESTED: PYAWAIT_TEST_UVLOOP=0";
  try {
    execFileSync(process.env.PYAWAIT_PYTHON ?? "python3", ["-m", "venv", join(folder, "venv")], { stdio: "pipe" });
    const install = ["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "uvloop"];
    execFileSync(join(folder, "venv", "bin", "pip"), install, { stdio: "pipe", timeout: 90_000 });
    return false;
  } catch (error) {
    return `UVLOOP HAS NOT BEEN TESTED: it cannot be installed: ${String(error).split("\n")[0]}`;
  }
}
const skip = findUvloop();
if (skip) console.log(`skip: ${skip}`);
const env = { PYAWAIT_PYTHON: join(folder, "venv"), VIRTUAL_ENV: undefined };

const uvloops = async (name: string) => (await prints("uvloops", [name], { env })).trimEnd().split("\n");

test('run({ loop: "uvloop" }), twice, while the background loop is asyncio\'s', { skip }, async () => { // T17
  const round = ["uvloop uvloop", "TimeoutError TimeoutError true 01234", "true asyncio"];
  assertEquals(await uvloops("run"), ["asyncio", ...round, ...round, "asyncio"]);
});

test("a child on uvloop gets the environment that it was given", { skip }, async () => {
  assertEquals(await uvloops("environment"), ["given:", "bytes:", ":"]);
});

const children = "true true 3 -9 null SIGTERM";

test("uvloop in the background: child processes of both sides at once, three times", { skip }, async () => {
  assertEquals(await uvloops("background"), [children, children, children, "7 null SIGTERM"]);
});

test("uvloop in run: child processes of both sides at once, and of JavaScript's afterwards, twice", { skip }, async () => {
  const round = [children, "9 null SIGTERM"];
  assertEquals(await uvloops("subprocesses_in_run"), [...round, ...round, children]);
});

test("uvloop in the background: signal handlers and interrupt()", { skip }, async () => {
  const [handlers, interrupted] = await uvloops("signals");
  assertEquals(handlers.match(/SIGUSR2/g)?.length, 2);
  assertEquals(interrupted, "KeyboardInterrupt goes on");
});

test("uvloop in the background: all output of a child arrives", { skip }, () => {
  const [program, args] = command("uvloops", ["streams"]);
  const script = 'exec 3>&1; { "$0" "$@" 2>&3; } | { sleep 1; wc -c >&3; }';
  const printed = execFileSync("sh", ["-c", script, program, ...args], {
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, PYAWAIT_PYTHON: env.PYAWAIT_PYTHON },
  });
  assertEquals(printed, "0\n2000000\n");
});

test("uvloop in the background: close()", { skip }, async () => {
  assertEquals(await uvloops("close"), ["CancelledError"]);
});

/** Runs test files in one process whose background loop is uvloop. */
function again(files: string[]): Promise<{ code: number | null; output: string }> {
  const extension = runtime === "node" ? "js" : "ts";
  const wrapper = new URL(`../children/on_uvloop.${extension}`, import.meta.url).pathname;
  const args = {
    node: ["--expose-gc", "--enable-source-maps", "--test-reporter=tap", wrapper],
    deno: ["test", "--allow-all", "--no-check", "--v8-flags=--expose-gc", "--preload=./test/support/preload.mjs", wrapper],
    bun: ["test", "--preload=./test/support/preload.mjs", "--timeout=100000", wrapper],
  }[runtime];
  const paths = files.map((file) => new URL(`../${file}.${extension}`, import.meta.url).href);
  const variables = { ...process.env, NO_COLOR: "1", PYAWAIT_PYTHON: env.PYAWAIT_PYTHON, PYAWAIT_TEST_FILES: paths.join(" ") };
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, args, { env: variables, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [started.stdout, started.stderr]) stream.setEncoding("utf8").on("data", (text: string) => output += text);
    const timer = setTimeout(() => started.kill("SIGKILL"), 100_000);
    started.on("error", reject);
    started.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output });
    });
  });
}

for (
  const files of [
    ["async/await_python_test", "async/await_javascript_test", "proxy/calls_test", "async/where_calls_run_test"],
    ["async/cancel_from_javascript_test", "async/cancel_from_python_test", "async/cancel_through_hops_test", "async/cancel_races_test"],
    ["async/streams_test"],
    ["async/contexts_test", "loops/task_locals_test"],
    ["loops/own_loops_test", "loops/closed_and_idle_loops_test"],
  ]
) {
  test(`again on uvloop: ${files.join(", ")}`, { skip }, async () => {
    const { code, output } = await again(files);
    assertEquals(code, 0, output);
    assertMatch(output, /the background loop is uvloop's/);
    const passed = Number(
      { node: /^# pass (\d+)$/m, deno: /^ok \| (\d+) passed/m, bun: /^ *(\d+) pass$/m }[runtime].exec(output)?.[1],
    );
    assert(passed > files.length * 5, output);
  });
}
