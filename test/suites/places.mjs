/**
 * Makes what a suite needs: a virtual environment with its requirements, and its sources with the tests.
 *
 * Both are kept in a folder under the system's temporary one, by Python and version, and made once. The tests come from
 * the project's source distribution and the project from a wheel where there is one: its folder is removed from the
 * sources, or the tests would import it without what has to be compiled.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

const run = promisify(execFile);
const windows = process.platform === "win32";

/** Where everything is kept. Remove it to start anew. */
export const cache = process.env.PYAWAIT_SUITES_CACHE ?? join(tmpdir(), `pyawait-suites-${userInfo().username}`);

/** What Python says to an expression. */
export async function ask(python, expression) {
  const { stdout } = await run(python, ["-c", `import sys; print(${expression})`]);
  return stdout.trim();
}

/** Makes a folder by a function, which gets a temporary one, so that a half-made folder is never used. */
async function made(folder, make) {
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  rmSync(`${folder}.part`, { recursive: true, force: true });
  await make(`${folder}.part`);
  if (existsSync(`${folder}.part`)) renameSync(`${folder}.part`, folder);
  return folder;
}

/** Runs pip, which gives up soon where there is no index. */
async function pip(executable, ...args) {
  const options = ["--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"];
  await run(executable, ["-m", "pip", ...args, ...options], { maxBuffer: 1 << 26 });
}

/** The interpreter and the sources of a suite. Throws if something cannot be installed. */
export async function prepare(suite, python) {
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  // The tests of CPython need nothing; they write files into the working folder.
  if (suite.version === undefined) return { python, folder: mkdtempSync(join(cache, "asyncio-")) };

  const name = `${suite.name}-${suite.version}`;
  const wanted = [`${suite.name}==${suite.version}`, ...suite.requires];
  const key = createHash("sha256").update(JSON.stringify([await ask(python, "sys.version, sys.executable"), wanted])).digest("hex");
  // A virtual environment contains its path, so it is made in place, and its last file says that it is complete.
  const venv = join(cache, `${name}-${key.slice(0, 8)}`);
  const executable = join(venv, windows ? "Scripts/python.exe" : "bin/python");
  await made(join(venv, "complete"), async (mark) => {
    rmSync(venv, { recursive: true, force: true });
    await run(python, ["-m", "venv", venv]);
    await pip(executable, "install", "--prefer-binary", ...wanted);
    mkdirSync(mark);
  });
  const folder = await made(join(cache, `${name}-sources`), async (part) => {
    await pip(executable, "download", "--no-deps", "--no-binary", ":all:", "--dest", part, wanted[0]);
    const archive = readdirSync(part).find((file) => file.endsWith(".tar.gz"));
    await run("tar", ["xzf", archive, "--strip-components=1"], { cwd: part });
    rmSync(join(part, suite.own), { recursive: true, force: true });
  });
  return { python: executable, folder };
}
