/**
 * What Python finds around it: encodings, the standard library's extension modules, virtual environments. Each case is a
 * process of its own: see children/works.ts.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";
import { makeEnvironment, pythonOf } from "../support/virtual_environment.ts";

const posix = process.platform !== "win32";

test("UTF-8 in the C locale", async () => {
  const env = {
    LC_ALL: "C",
    LANG: undefined,
    LC_CTYPE: undefined,
    PYTHONUTF8: undefined,
    PYTHONIOENCODING: undefined,
  };
  const [line, mark] = (await prints("works", ["environment"], { env })).split("\n");
  const [, , encoding, files, hasEnvironment] = JSON.parse(line);
  assertEquals([encoding, files, hasEnvironment, mark], ["utf-8", "utf-8", true, "✓"]);
});

test("extension modules of the standard library work", async () => {
  const modules = ["ssl", "ctypes", "sqlite3", "_asyncio", "socket", "zlib", "decimal", "multiprocessing"];
  assertEquals(await prints("works", ["modules", ...modules]), `${modules.join("\n")}\n42\n42\n`);
});

/** A virtual environment of the Python that is used anyway. */
function environmentIn(folder: string): string {
  const python = process.env.PYAWAIT_PYTHON ?? "python3";
  const base = execFileSync(python, ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).trim();
  makeEnvironment(base, join(folder, "venv"));
  return join(folder, "venv");
}

function cannotMake(): string | false {
  const folder = mkdtempSync(join(tmpdir(), "pyawait-venv-"));
  try {
    environmentIn(folder);
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
      const environment = environmentIn(folder);
      const site = sitePackages(environment);
      mkdirSync(join(site, "only_in_venv"));
      writeFileSync(join(site, "only_in_venv", "__init__.py"), "");
      const executable = pythonOf(environment);
      for (
        const env of [
          { PYAWAIT_PYTHON: environment, VIRTUAL_ENV: undefined },
          { PYAWAIT_PYTHON: executable, VIRTUAL_ENV: undefined },
          { PYAWAIT_PYTHON: undefined, VIRTUAL_ENV: environment },
        ]
      ) {
        const [seen, prefix, , , , sites] = JSON.parse(
          (await prints("works", ["environment"], { env })).split("\n")[0],
        );
        assert(seen.startsWith(join(environment, posix ? "bin" : "Scripts", "python")), seen);
        assertEquals([prefix, sites], [environment, [site]]);
        assertEquals(await prints("works", ["modules", "only_in_venv"], { env }), "only_in_venv\n");
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
