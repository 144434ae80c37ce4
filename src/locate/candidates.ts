/**
 * Where a Python may be: the active virtual environment, the nearest `.venv`, PATH, the Windows registry; and which
 * file a candidate names.
 *
 * A candidate only says where to look. Whether the file there can be used is decided by probing it (`probe.ts`).
 *
 * @module
 */
import { accessSync, constants, lstatSync, readlinkSync, type Stats, statSync } from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import process from "../../ffi/process.ts";
import { currentUser, exists, isFolder, isStoreAlias, linkExists, ownersOf, realpath } from "./files.ts";
import { hintNamed, PythonNotFoundError } from "./errors.ts";
import type { Environment } from "./location.ts";
import { launcherDefault, registeredPythons } from "./registry.ts";

/** A file or folder to examine. `required`: a failure is an error instead of a reason to try the next one. */
export interface Candidate {
  source: string;
  /** The option or variable that the user would change. */
  setting: string;
  path: string;
  required: boolean;
  /** Set if it must not be run, whatever it is: why. */
  refused?: string;
}

export interface Search {
  env: Environment;
  cwd: string;
}

const windows = process.platform === "win32";

/** All candidates where the user names nothing, best first. */
export function* candidates(search: Search): Generator<Candidate> {
  yield* environments(search);
  yield* onPath(search);
  if (windows) yield* registered(search);
  yield* conda(search, true);
}

/** The active virtual environment, and `.venv` in the working directory and in its parents. */
export function* environments(search: Search): Generator<Candidate> {
  const active = lookup(search.env, "VIRTUAL_ENV");
  if (active !== undefined) {
    yield { source: "VIRTUAL_ENV", setting: "VIRTUAL_ENV", path: active, required: true };
  }
  yield* conda(search, false);
  for (let folder = resolve(search.cwd);; folder = dirname(folder)) {
    const path = join(folder, ".venv");
    if (isFolder(path)) {
      // The program's packages are in this virtual environment; another Python fails later with an unrelated
      // ImportError.
      const required = exists(join(path, "pyvenv.cfg"));
      const candidate = { source: `.venv in ${folder}`, setting: "PYAWAIT_PYTHON", path, required };
      const stranger = ownersOf(path).find((owner) => !isTrusted(owner, search));
      const refused = `belongs to another user (uid ${stranger}), who could have put it there to be run by others`;
      yield stranger === undefined ? candidate : { ...candidate, required: false, refused };
    }
    if (dirname(folder) === folder) return;
  }
}

/**
 * Whether this user may run what that one has put into a parent of the working directory: anyone can make a `.venv` in
 * /tmp. Git trusts the owners of repositories in the same way (`safe.directory`).
 */
function isTrusted(owner: number, { cwd }: Search): boolean {
  return windows || owner === 0 || owner === currentUser() || ownersOf(cwd).includes(owner);
}

/**
 * Conda's "base" is active in every shell of its users, so it comes last. A conda environment need not contain a
 * Python.
 */
function* conda({ env }: Search, base: boolean): Generator<Candidate> {
  const path = lookup(env, "CONDA_PREFIX");
  if (path === undefined || (lookup(env, "CONDA_DEFAULT_ENV") === "base") !== base) return;
  const required = pythonIn(path) !== null && !base;
  yield { source: "CONDA_PREFIX", setting: "CONDA_PREFIX", path, required };
}

/** Programs of these names in the folders of PATH. */
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
      const key = join(realpath(dirname(path)), basename(path)); // /bin may link to /usr/bin; the file stays a link
      if (seen.has(key) || !linkExists(path)) continue;
      seen.add(key);
      yield { source: `${name} on the path`, setting: "PYAWAIT_PYTHON", path, required: false };
    }
  }
}

/** Windows: the Pythons in the registry, in the order of the `py` launcher. */
function* registered({ env }: Search): Generator<Candidate> {
  const preferred = launcherDefault(lookup(env, "PY_PYTHON"), lookup(env, "LOCALAPPDATA"));
  for (const { company, tag, path } of registeredPythons(preferred)) {
    yield { source: `${company} ${tag} in the registry`, setting: "PYAWAIT_PYTHON", path, required: false };
  }
}

/**
 * The python file of a candidate: the file itself, the one inside the folder, or for a bare name the one on PATH.
 *
 * @throws {PythonNotFoundError} if it cannot be run as a python
 */
export function fileAt(candidate: Candidate, search: Search): string {
  if (candidate.refused !== undefined) {
    const tried = [{ place: words(candidate), problem: candidate.refused }];
    throw new PythonNotFoundError("Cannot use this Python", tried, `Set ${candidate.setting} to "${candidate.path}" if you trust it`);
  }
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

/** Why a file cannot be run as a python; `null` if nothing speaks against it. */
function problemOf(path: string): string | null {
  let stat: Stats | undefined;
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return "does not exist";
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (windows && isStoreAlias(path)) return null; // only Windows itself follows it
    return `cannot be read: ${(error as Error).message}`;
  }
  if (stat === undefined) {
    return `is a broken link to "${readlinkSync(path)}": its Python was removed`;
  }
  if (stat.isDirectory()) {
    return `is a folder without a python (neither ${pythons(path).join(" nor ")}): not a virtual environment`;
  }
  if (windows && stat.size === 0 && !isStoreAlias(path)) return "is empty";
  try {
    accessSync(path, constants.X_OK);
  } catch (error) {
    // Any other code: Deno without --allow-sys may not ask. Starting the file shows it.
    if ((error as NodeJS.ErrnoException).code === "EACCES") return "is not executable";
  }
  return null;
}

/**
 * The pythons that a folder may contain. In a virtual environment `python` is the usual name; elsewhere it may be
 * Python 2.
 */
function pythons(folder: string): string[] {
  if (windows) return ["Scripts\\python.exe", "python.exe", "bin\\python.exe"];
  const names = ["bin/python3", "bin/python"];
  return exists(join(folder, "pyvenv.cfg")) ? names.reverse() : names;
}

function pythonIn(folder: string): string | null {
  return pythons(folder).map((name) => join(folder, name)).find(linkExists) ?? null;
}

/** A candidate as error messages name it. */
export function words({ source, path }: Candidate): string {
  return `${source} "${path}"`;
}

/** A variable; `undefined` if it is empty or may not be read (Deno without --allow-env). */
export function lookup(env: Environment, name: string): string | undefined {
  try {
    if (!windows) return env[name] || undefined;
    const key = Object.keys(env).find((key) => key.toUpperCase() === name); // Windows spells it "Path"
    return key === undefined ? undefined : env[key] || undefined;
  } catch {
    return undefined;
  }
}
