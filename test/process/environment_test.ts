/**
 * Python in a process that it shares with a JavaScript runtime: output, signals, interrupts, subprocesses,
 * environments. Each case is a process of its own: see children/works.ts.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals, assertMatch } from "#std/assert";
import { child, type ChildOptions } from "../support/child.ts";

const posix = process.platform !== "win32";
const signals = { skip: !posix && "Windows has no signals" };

async function works(name: string, args: string[] = [], options: ChildOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await child("works", [name, ...args], options);
  assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" }, stdout + stderr);
  return stdout;
}

test("output of Python and JavaScript is in order", async () => {
  const { code, stdout, stderr } = await child("works", ["output"]);
  const rounds = [0, 1, 2];
  assertEquals(code, 0);
  assertEquals(stdout, rounds.map((i) => `JavaScript ${i}\nPython ${i}\nloop ${i}\n`).join("") + "ünïcödé ✓");
  assertEquals(stderr, rounds.map((i) => `error ${i}\nJavaScript error ${i}\n`).join(""));
});

test("stdout and stderr functions get all text, in batches", async () => {
  assertEquals(await works("functions"), "true true true\ntrue true\ntrue\n");
  assertEquals(await works("functions", ["close"]), "true true true\ntrue true\ntrue\n");
});

test("a stdout function that throws loses nothing", async () => {
  assertMatch(await works("throwing"), /^(uncaught in stdout\n){2,}"1 2 "\n$/);
});

test("a SIGINT listener in JavaScript is called", signals, async () => {
  const stdout = await works("listener", [], { signals: { ready: "SIGINT", again: "SIGINT" } });
  assertEquals(stdout, "ready\nSIGINT 1\nagain\nSIGINT 2\nslept\n");
});

test("python.interrupt() stops a busy loop, and the loop goes on", async () => {
  assertEquals(await works("interrupt"), "KeyboardInterrupt other goes on\n");
});

test("python.interrupt() of an idle loop", async () => {
  assertEquals(await works("interrupt_idle"), "slept goes on\n");
});

test("many interrupts", async () => {
  assertEquals(await works("interrupts"), "goes on\n");
});

test("SystemExit rejects, and the loop goes on", async () => {
  assertEquals(await works("system_exit"), "SystemExit goes on\n");
});

test("subprocesses of asyncio and of node:child_process at once", signals, async () => {
  assertEquals(await works("subprocesses"), "true\ntrue\nnull SIGTERM\n");
});

test("add_signal_handler works", signals, async () => {
  assertEquals(await works("signal_handler"), "SIGUSR2\n");
});

test("UTF-8 in the C locale", async () => {
  const env = {
    LC_ALL: "C",
    LANG: undefined,
    LC_CTYPE: undefined,
    PYTHONUTF8: undefined,
    PYTHONIOENCODING: undefined,
  };
  const [line, mark] = (await works("environment", [], { env })).split("\n");
  const [, , encoding, files, hasEnvironment] = JSON.parse(line);
  assertEquals([encoding, files, hasEnvironment, mark], ["utf-8", "utf-8", true, "✓"]);
});

test("extension modules of the standard library work", async () => {
  const modules = ["ssl", "ctypes", "sqlite3", "_asyncio", "socket", "zlib", "decimal", "multiprocessing"];
  assertEquals(await works("modules", modules), `${modules.join("\n")}\n42\n42\n`);
});

/** A virtual environment of the Python that is used anyway. */
function makeEnvironment(folder: string): string {
  const python = process.env.PYAWAIT_PYTHON ?? "python3";
  const base = execFileSync(python, ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim();
  execFileSync(base, ["-m", "venv", "--without-pip", join(folder, "venv")], { encoding: "utf8" });
  return join(folder, "venv");
}

function cannotMake(): string | false {
  const folder = mkdtempSync(join(tmpdir(), "pyawait-venv-"));
  try {
    makeEnvironment(folder);
    return false;
  } catch (error) {
    return `no virtual environment can be made: ${String(error).split("\n")[0]}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const noEnvironment = cannotMake();
if (noEnvironment) console.log(`skip: ${noEnvironment}`);

function sitePackages(environment: string): string {
  if (!posix) return join(environment, "Lib", "site-packages");
  const [python] = readdirSync(join(environment, "lib"));
  return join(environment, "lib", python, "site-packages");
}

test(
  "a virtual environment is active: by PYAWAIT_PYTHON, VIRTUAL_ENV and .venv",
  { skip: noEnvironment },
  async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-venv-")));
    try {
      const environment = makeEnvironment(folder);
      const site = sitePackages(environment);
      mkdirSync(join(site, "only_in_venv"));
      writeFileSync(join(site, "only_in_venv", "__init__.py"), "");
      const executable = join(environment, posix ? "bin" : "Scripts", posix ? "python" : "python.exe");
      for (
        const env of [
          { PYAWAIT_PYTHON: environment, VIRTUAL_ENV: undefined },
          { PYAWAIT_PYTHON: executable, VIRTUAL_ENV: undefined },
          { PYAWAIT_PYTHON: undefined, VIRTUAL_ENV: environment },
        ]
      ) {
        const [seen, prefix, , , , sites] = JSON.parse(
          (await works("environment", [], { env })).split("\n")[0],
        );
        assert(seen.startsWith(join(environment, posix ? "bin" : "Scripts", "python")), seen);
        assertEquals([prefix, sites], [environment, [site]]);
        assertEquals(await works("modules", ["only_in_venv"], { env }), "only_in_venv\n");
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** Where numpy is: in the Python that is used, or in an environment that pip can fill. */
function findNumpy(): { environment: string; folder: string } | string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-numpy-")));
  try {
    const python = process.env.PYAWAIT_PYTHON ?? "python3";
    execFileSync(python, ["-m", "venv", join(folder, "venv")], { stdio: "pipe" });
    const pip = join(folder, "venv", posix ? "bin" : "Scripts", posix ? "pip" : "pip.exe");
    assert(existsSync(pip));
    execFileSync(pip, [
      "install",
      "--quiet",
      "--disable-pip-version-check",
      "--only-binary",
      ":all:",
      "numpy",
    ], {
      stdio: "pipe",
      timeout: 90_000,
    });
    return { environment: join(folder, "venv"), folder };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    return `NUMPY HAS NOT BEEN TESTED: it cannot be installed: ${String(error).split("\n")[0]}`;
  }
}
const numpy = process.env.PYAWAIT_TEST_NUMPY === "0" ? "NUMPY HAS NOT BEEN TESTED: PYAWAIT_TEST_NUMPY=0" : findNumpy();
if (typeof numpy === "string") console.log(`skip: ${numpy}`);

test("numpy works", { skip: typeof numpy === "string" && numpy }, async () => {
  const { environment, folder } = numpy as Exclude<typeof numpy, string>;
  try {
    const env = { PYAWAIT_PYTHON: environment };
    assertEquals(await works("modules", ["numpy"], { env }), "numpy\n10000\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
