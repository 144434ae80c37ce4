/**
 * `pyawait top` and `pyawait profile`, and Python's own tools that look into a process: they need Python 3.14 and 3.15,
 * see support/pythons.ts.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { command, runtime } from "../support/child.ts";
import { plainLines } from "../support/printed.ts";
import { findPython } from "../support/pythons.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-processes-")));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const options = { env: { ...process.env, NO_COLOR: "1", ...env }, timeout: 60_000 };
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout: plainLines(stdout), stderr: plainLines(stderr) });
    });
  });
}

const cli = fileURLToPath(new URL(`../../cli.${runtime === "node" ? "js" : "ts"}`, import.meta.url));
const before = { node: [cli], deno: ["run", "-A", "--no-check", cli], bun: [cli] }[runtime];
const pyawait = (args: string[], env: Record<string, string> = {}) => run(process.execPath, [...before, ...args], env);

/** Runs children/tasks.ts with this Python, while `look` looks at it; it has to end well afterwards. */
async function whileTasksWait(python: string, look: (pid: string) => Promise<void>): Promise<string> {
  const [program, args] = command("tasks", []);
  const child: ChildProcess = spawn(program, args, { env: { ...process.env, PYAWAIT_PYTHON: python }, stdio: "pipe" });
  let printed = "", told = "";
  const ended = new Promise((resolve) => child.on("close", resolve));
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on("data", (text) => (printed += text).includes("ready\n") && resolve());
    child.stderr!.on("data", (text) => told += text);
    child.on("close", () => reject(new Error(`It ended: ${printed}${told}`)));
  });
  const timer = setTimeout(() => process.kill(child.pid!, "SIGKILL"), 60_000);
  try {
    await look(`${child.pid}`);
  } finally {
    child.stdin!.end();
  }
  const code = await ended;
  clearTimeout(timer);
  assertEquals({ code, told }, { code: 0, told: "" });
  return printed;
}

const posix = process.platform !== "win32";
const pythons = new Map(["3.14", "3.15"].map((version) => [version, posix ? findPython(version) : undefined]));

for (const [version, python] of pythons) {
  const reason = !posix ? "Windows asks for rights to read a process" : `there is no Python ${version} with a shared library`;
  const skip = python === undefined && reason;
  if (skip) console.log(`skip: ${reason}`); // Deno and Bun do not report the reason

  test(`pyawait top shows what awaits what through both languages: Python ${version}`, { skip }, async () => {
    await whileTasksWait(python!, async (pid) => {
      const { code, stdout, stderr } = await pyawait(
        ["top", pid, "--once"],
        process.platform === "linux" ? {} : { PYAWAIT_PYTHON: python! },
      );
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assertMatch(stdout, /task through JavaScript\n[│ ]+└── JavaScript\n[│ ]+└── task \S+\n[│ ]+└── leaf <exec>:3\n/);
      assertMatch(stdout, /task direct\n[│ ]+└── leaf <exec>:3\n/);
      if (process.platform === "linux") {
        assertMatch((await pyawait(["top"])).stdout, new RegExp(`^ *${pid}  Python ${version.replace(".", "\\.")}  `, "m"));
      }
    });
  });

  test(`a script runs in the process by sys.remote_exec: Python ${version}`, { skip }, async () => {
    const script = join(folder, "script.py");
    writeFileSync(script, "import threading; print(threading.current_thread() is threading.main_thread(), flush=True)");
    const printed = await whileTasksWait(python!, async (pid) => {
      const { code, stderr } = await run(python!, ["-c", `import sys; sys.remote_exec(${pid}, ${JSON.stringify(script)})`]);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    assertEquals(printed, "ready\nTrue\nended\n");
  });

  if (version === "3.14") continue; // it has no sampling profiler
  test("pyawait profile samples a process", { skip }, async () => {
    await whileTasksWait(python!, async (pid) => {
      const { code, stdout, stderr } = await pyawait(["profile", pid, "-d", "1"]);
      assertEquals({ code, stderr }, { code: 0, stderr: "" });
      assertStringIncludes(stdout, "BaseEventLoop.run_forever");
    });
  });
}

test(
  "pyawait top and profile say what an older Python lacks",
  { skip: !posix && "Windows asks for rights to read a process" },
  async () => {
    const older = ["3.13", "3.12", "3.11", "3.10", "3.9", "3.8"].map(findPython).find((python) => python !== undefined);
    if (older === undefined) return console.log("skip: there is no Python before 3.14");
    await whileTasksWait(older, async (pid) => {
      const env = { PYAWAIT_PYTHON: older };
      const [seen, sampled] = [await pyawait(["top", pid], env), await pyawait(["profile", pid], env)];
      assertEquals([seen.code, seen.stdout, sampled.code, sampled.stdout], [1, "", 1, ""]);
      assertMatch(
        seen.stderr,
        /^pyawait: Process \d+ runs Python 3\.\S+, whose tasks cannot be seen from outside: that came with 3\.14\n$/,
      );
      assertMatch(sampled.stderr, /^pyawait: Process \d+ runs Python 3\.\S+, which has no sampling profiler: that came with 3\.15\n$/);
    });
  },
);

test("pyawait top and profile say what is wrong with their arguments", async () => {
  const said = async (args: string[]) => {
    const { code, stdout, stderr } = await pyawait(args);
    return [code, stdout, stderr];
  };
  assertEquals(await said(["top", "x"]), [2, "", "pyawait: top takes the PID of a process, and --once\n"]);
  assertEquals(await said(["profile"]), [2, "", "pyawait: profile takes the PID of a process, and then options\n"]);
  assertEquals(await said(["top", "999999999"]), [1, "", "pyawait: There is no process 999999999\n"]);
  if (process.platform !== "linux") return;
  const without = spawn("sleep", ["100"]);
  try {
    assertEquals(await said(["top", `${without.pid}`]), [1, "", `pyawait: Process ${without.pid} has no Python in it\n`]);
  } finally {
    process.kill(without.pid!, "SIGKILL");
  }
});
