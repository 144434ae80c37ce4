/**
 * Python packages for a test: those that the Python in use has, else installed into a temporary folder.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { python, PythonError } from "../../mod.ts";

/** Packages that can be imported now. */
export interface Packages {
  /** In words why there are none; `false`: they are there. */
  readonly missing: string | false;
  /** Deletes what was installed. */
  remove(): void;
}

/** Whether a module can be imported. */
function has(name: string): boolean {
  try {
    python.import(name);
    return true;
  } catch (error) {
    if (!(error instanceof PythonError) || error.name !== "ModuleNotFoundError") throw error;
    return false;
  }
}

/** Makes sure that these packages can be imported. PYAWAIT_TEST_PACKAGES=0: installs none. */
export function providePackages(...names: string[]): Packages {
  const wanted = names.filter((name) => !has(name));
  if (wanted.length === 0) return { missing: false, remove: () => {} };
  if (process.env.PYAWAIT_TEST_PACKAGES === "0") return { missing: "PYAWAIT_TEST_PACKAGES=0", remove: () => {} };
  const folder = mkdtempSync(join(tmpdir(), "pyawait-packages-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--target", folder];
  const { status, stderr, error } = spawnSync(python.info.executable!, [...args, ...wanted], {
    encoding: "utf8",
    timeout: 240_000,
    env: { ...process.env, PYTHONHOME: undefined },
  });
  if (status !== 0) return { missing: error?.message ?? stderr.trim().split("\n").pop()!, remove };
  python.import("sys").path.append(folder);
  python.import("importlib").invalidate_caches();
  return { missing: false, remove };
}
