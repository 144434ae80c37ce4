/**
 * Other Pythons than the one in use, for tests of what only some versions have: those that PYAWAIT_TEST_PYTHONS lists
 * (paths, separated as in PATH), those on PATH and pyenv's.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";

/** A Python of this version ("3.14") with a shared library; `undefined`: there is none here. */
export function findPython(version: string): string | undefined {
  const pyenv = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const script = "import sys, sysconfig; " +
    "print('%d.%d' % sys.version_info[:2], sysconfig.get_config_var('Py_ENABLE_SHARED'), hasattr(sys, 'gettotalrefcount'))";
  return [
    ...(process.env.PYAWAIT_TEST_PYTHONS ?? "").split(delimiter).filter(Boolean),
    process.env.PYAWAIT_PYTHON ?? "python3",
    `python${version}`,
    ...(existsSync(pyenv) ? readdirSync(pyenv) : []).map((name) => join(pyenv, name, "bin", "python3")),
  ].find((python) => spawnSync(python, ["-c", script], { encoding: "utf8" }).stdout?.trim() === `${version} 1 False`);
}
