/**
 * Where a Python may be: the active virtual environment, the nearest `.venv`, the path, on Windows the registry; and
 * the file that such a place stands for.
 *
 * To know: a place only says where to look. Whether what is there can be used is for the probe to say.
 *
 * @module
 */
import { accessSync, constants, lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import process from "node:process";
import { exists, isFolder, linkExists, realpath } from "./files.ts";
import { hintNamed, PythonNotFoundError } from "./errors.ts";
import { type Environment, runProgram, withoutPython } from "./probe.ts";

/** A file or folder to look at. `required`: it is used or is an error. */
export interface Candidate {
  source: string;
  /** The setting that the user would change. */
  setting: string;
  path: string;
  required: boolean;
}

export interface Search {
  env: Environment;
  cwd: string;
}

const windows = process.platform === "win32";

/** Everything to look at when nothing is named, best first. */
export function* candidates(search: Search): Generator<Candidate> {
  yield* environments(search);
  yield* onPath(search);
  if (windows) yield* registered(search);
  yield* conda(search, true);
}

/** The active virtual environments and the near ones. */
export function* environments(search: Search): Generator<Candidate> {
  const active = lookup(search.env, "VIRTUAL_ENV");
  if (active !== undefined) {
    yield { source: "VIRTUAL_ENV", setting: "VIRTUAL_ENV", path: active, required: true };
  }
  yield* conda(search, false);
  for (let folder = resolve(search.cwd);; folder = dirname(folder)) {
    const path = join(folder, ".venv");
    if (isFolder(path)) {
      // With its packages goes what the program needs: another Python instead would only fail later, and darkly.
      const required = exists(join(path, "pyvenv.cfg"));
      yield { source: `.venv in ${folder}`, setting: "PYAWAIT_PYTHON", path, required };
    }
    if (dirname(folder) === folder) return;
  }
}

/** Conda's "base" is active in every shell of its users, so it is the last choice; an environment may have no Python. */
function* conda({ env }: Search, base: boolean): Generator<Candidate> {
  const path = lookup(env, "CONDA_PREFIX");
  if (path === undefined || (lookup(env, "CONDA_DEFAULT_ENV") === "base") !== base) return;
  const required = pythonIn(path) !== null && !base;
  yield { source: "CONDA_PREFIX", setting: "CONDA_PREFIX", path, required };
}

/** The programs of these names in the folders of PATH. */
export function* onPath({ env, cwd }: Search, names: string[] = ["python3", "python"]): Generator<Candidate> {
  const seen = new Set<string>();
  for (const name of names) {
    for (const part of (lookup(env, "PATH") ?? "").split(delimiter)) {
      if (part === "") continue;
      const path = resolve(
        cwd,
        part.replace(/^"(.*)"$/, "$1"),
        windows && !/\.exe$/i.test(name) ? `${name}.exe` : name,
      );
      const key = join(realpath(dirname(path)), basename(path)); // /bin is /usr/bin; a venv's link stays its own
      if (seen.has(key) || !linkExists(path)) continue;
      seen.add(key);
      yield { source: `${name} on the path`, setting: "PYAWAIT_PYTHON", path, required: false };
    }
  }
}

/** Windows: the pythons that the launcher knows, or else those in the registry (PEP 514). */
function* registered(search: Search): Generator<Candidate> {
  const ask = function* (source: string, command: string, args: string[]): Generator<Candidate> {
    const { stdout } = runProgram(command, args, withoutPython(search.env), search.cwd, 10_000);
    for (const path of stdout.match(/[A-Za-z]:\\[^\r\n]*\.exe(?=\s*$)/gim) ?? []) {
      yield { source, setting: "PYAWAIT_PYTHON", path, required: false };
    }
  };
  // Both by absolute path: a bare name would be looked for in the working directory first.
  const [launcher] = onPath(search, ["py"]);
  const known = launcher === undefined ? [] : [...ask("the py launcher", launcher.path, ["-0p"])];
  if (known.length > 0) return yield* known;
  const reg = join(lookup(search.env, "SYSTEMROOT") ?? "C:\\Windows", "System32", "reg.exe");
  for (const [hive, view] of [["HKCU", "/reg:64"], ["HKLM", "/reg:64"], ["HKLM", "/reg:32"]] as const) {
    const key = `${hive}\\Software\\Python`;
    yield* ask("the registry", reg, ["query", key, "/s", "/v", "ExecutablePath", view]);
  }
}

/** The file of the python that a place names: itself, the one in that folder, or, for a bare name, on the path. */
export function fileAt(candidate: Candidate, search: Search): string {
  let path = resolve(search.cwd, candidate.path);
  if (!linkExists(path) && candidate.path !== "" && basename(candidate.path) === candidate.path) {
    const [found] = onPath(search, [candidate.path]);
    if (found !== undefined) path = found.path;
  }
  if (isFolder(path)) path = pythonIn(path) ?? path;
  const problem = problemOf(path);
  if (problem === null) return path;
  const at = words({ ...candidate, path });
  throw new PythonNotFoundError("Cannot use this Python", [{ place: at, problem }], hintNamed(candidate.setting));
}

/** What keeps a file from being run as a python; null: nothing that can be seen from outside. */
function problemOf(path: string): string | null {
  let stat: Stats | undefined;
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return "does not exist";
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
  if (stat === undefined) {
    return `is a broken link to "${readlinkSync(path)}": its Python was removed`;
  }
  if (stat.isDirectory()) {
    return `is a folder without a python (neither ${pythons(path).join(" nor ")}): not a virtual environment`;
  }
  if (windows && stat.size === 0) return "is the placeholder of the Microsoft Store, not a python";
  try {
    accessSync(path, constants.X_OK);
  } catch (error) {
    // Any other code: it may not be asked (Deno without --allow-sys). Starting it will tell.
    if ((error as NodeJS.ErrnoException).code === "EACCES") return "is not executable";
  }
  return null;
}

/** Where a folder may have its python. In a venv `python` is the name people see; elsewhere it may be Python 2. */
function pythons(folder: string): string[] {
  if (windows) return ["Scripts\\python.exe", "python.exe", "bin\\python.exe"];
  const names = ["bin/python3", "bin/python"];
  return exists(join(folder, "pyvenv.cfg")) ? names.reverse() : names;
}

function pythonIn(folder: string): string | null {
  return pythons(folder).map((name) => join(folder, name)).find(linkExists) ?? null;
}

/** A place as an error names it. */
export function words({ source, path }: Candidate): string {
  return `${source} "${path}"`;
}

/** A variable; undefined if it is empty, or if it may not be read (Deno without --allow-env). */
export function lookup(env: Environment, name: string): string | undefined {
  try {
    if (!windows) return env[name] || undefined;
    const key = Object.keys(env).find((key) => key.toUpperCase() === name); // "Path"
    return key === undefined ? undefined : env[key] || undefined;
  } catch {
    return undefined;
  }
}
