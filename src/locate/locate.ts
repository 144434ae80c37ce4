/**
 * Chooses the Python to load: its libpython, and the executable (a virtual environment's own, if there is one) as which
 * it is initialised.
 *
 * What the user named (an option, a variable, an active or near virtual environment) is used or is an error; only the
 * pythons on PATH are tried one after the other. A library is loaded by the absolute path that its own Python reports:
 * a bare name could find the library of another installation.
 *
 * @module
 */
import { dirname, join, resolve, sep } from "node:path";
import process from "../../ffi/process.ts";
import { exists, realpath } from "./files.ts";
import { checkLibrary, libraryOf, libraryVersion } from "./libpython.ts";
import {
  hintNamed,
  hintNothing,
  hintVersion,
  oldest,
  PythonLoadError,
  PythonNotFoundError,
  runtimeName,
  tooOld,
  type Tried,
} from "./errors.ts";
import { type Candidate, candidates, environments, fileAt, lookup, onPath, type Search, words } from "./candidates.ts";
import { type Environment, type LocateOptions, type Location, minor, type Python } from "./location.ts";
import { probe } from "./probe.ts";
import { workingFolder } from "./working_folder.ts";

export { checkEnvironment, checkPythonHome } from "./environment.ts";
export { type Candidate, words } from "./candidates.ts";
export { doctorCommand, PythonLoadError, PythonNotFoundError, runtimeName } from "./errors.ts";
export { cLibraryOf, machinesOf } from "./libpython.ts";
export type { LocateOptions, Location } from "./location.ts";
export { workingFolder } from "./working_folder.ts";

const windows = process.platform === "win32";

/** A place where a Python may be, and the Python there, or why it cannot be used. */
export interface Place {
  readonly candidate: Candidate;
  readonly found: Location | PythonNotFoundError | PythonLoadError;
}

/**
 * Chooses a Python.
 *
 * @throws {PythonNotFoundError | PythonLoadError} if there is none, or the one that was named cannot be used
 */
export function locate(
  options: LocateOptions = {},
  env: Environment = process.env,
  cwd: string = workingFolder(),
): Location {
  return choose(survey(options, env, cwd), env);
}

/** Examines the places where a Python may be, best first: each when it is asked for. */
export function* survey(
  options: LocateOptions = {},
  env: Environment = process.env,
  cwd: string = workingFolder(),
): Generator<Place> {
  const search: Search = { env, cwd };
  const executable = named("executable", options.executable, "PYAWAIT_PYTHON", search);
  const library = named("library", options.library, "PYAWAIT_LIBRARY", search);
  if (library !== null) yield examinePlace(library, () => withLibrary(library, executable, search));
  if (executable !== null) yield examinePlace(executable, () => withPython(executable, search));
  for (const candidate of candidates(search)) yield examinePlace(candidate, () => withPython(candidate, search));
}

/**
 * The first of these places that has a usable Python.
 *
 * @throws {PythonNotFoundError | PythonLoadError} if none has, or one before it was named by the user
 */
export function choose(places: Iterable<Place>, env: Environment = process.env): Location {
  const tried: Tried[] = [];
  let passedOver = "";
  let first: PythonNotFoundError | PythonLoadError | undefined;
  for (const { candidate, found } of places) {
    if (!(found instanceof Error)) return { ...found, source: found.source + passedOver };
    if (candidate.required) throw found;
    first ??= found;
    tried.push(...found.tried);
    if (candidate.refused !== undefined) passedOver += `; passed over: ${candidate.source}, which ${candidate.refused}`;
  }
  if (tried.length === 0) {
    let problem = lookup(env, "PATH") === undefined ? "is not set" : "has no python3 and no python";
    if (runtimeName() === "Deno") problem += ", or may not be read (--allow-env, --allow-read)";
    tried.push({ place: "PATH", problem });
  }
  // The first candidate is the Python that the user expects, so the hint is about that one.
  const Failure = first instanceof PythonLoadError ? PythonLoadError : PythonNotFoundError;
  throw new Failure("Cannot find a Python to load", tried, first?.hint ?? hintNothing());
}

function examinePlace(candidate: Candidate, find: () => Location): Place {
  try {
    return { candidate, found: find() };
  } catch (error) {
    if (!isOurs(error)) throw error;
    return { candidate, found: error };
  }
}

function withPython(candidate: Candidate, search: Search): Location {
  const python = examine(candidate, search);
  return { ...summary(python), library: libraryOf(python, words(candidate)), source: candidate.source };
}

function named(option: string, value: string | undefined, variable: string, { env }: Search): Candidate | null {
  if (value !== undefined) {
    return { source: `option ${option}`, setting: `the option ${option}`, path: value, required: true };
  }
  const path = lookup(env, variable);
  return path === undefined ? null : { source: variable, setting: variable, path, required: true };
}

/** A library was named: finds a python of the same version, for its `sys.path` and to be initialised as. */
function withLibrary(given: Candidate, executable: Candidate | null, search: Search): Location {
  const library = resolve(search.cwd, given.path);
  const at = words({ ...given, path: library });
  checkLibrary(library, at, given.setting);
  const wanted = libraryVersion(library);
  if (executable !== null) {
    const python = examine(executable, search);
    if (wanted !== null && wanted !== tag(python)) {
      const problem = `is for Python ${wanted}, but ${executable.source} "${python.executable}" is ` +
        `Python ${python.version}${python.gil ? "" : " (free-threaded)"}`;
      const hint = `Unset ${given.setting} or ${executable.setting}, or make them name the same Python`;
      throw new PythonLoadError("Cannot load this library", [{ place: at, problem }], hint);
    }
    return { ...summary(python), library, source: `${given.source} and ${executable.source}` };
  }
  if (wanted !== null && isOld(wanted)) {
    throw refuse(at, `is for Python ${wanted}, ${tooOld}`, hintVersion());
  }
  const near = [...besides(library, wanted)];
  for (const other of wanted === null ? near : [...environments(search), ...near, ...onPath(search)]) {
    try {
      const python = examine(other, search);
      if (wanted !== null && wanted !== tag(python)) continue;
      return { ...summary(python), library, source: `${given.source} and ${other.source}` };
    } catch (error) {
      if (!isOurs(error)) throw error;
    }
  }
  if (wanted === null) {
    const problem = "does not tell its version by its name, and there is no python beside it";
    throw refuse(at, problem, hintNamed("PYAWAIT_PYTHON"));
  }
  const folder = dirname(library);
  const prefix = windows ? folder : folder.split(sep).at(-2) === "lib" ? dirname(dirname(folder)) : dirname(folder);
  const version = wanted.replace("t", "");
  const rest = { implementation: "cpython", gil: wanted === version, prefix, basePrefix: prefix };
  return { executable: null, library, version, ...rest, source: given.source };
}

/**
 * The pythons that may belong to a library: in `../bin` of lib, lib64, lib/x86_64-linux-gnu or a framework; on Windows
 * in the same folder.
 */
function* besides(library: string, wanted: string | null): Generator<Candidate> {
  for (const file of new Set([library, realpath(library)])) {
    const folder = dirname(file);
    const folders = windows ? [folder] : ["../bin", "../../bin", "bin"].map((up) => join(folder, up));
    for (const name of [...(wanted === null ? [] : [`python${wanted}`]), "python3", "python"]) {
      for (const bin of folders) {
        const path = join(bin, windows ? `${name}.exe` : name);
        if (exists(path)) {
          yield { source: "the python beside it", setting: "PYAWAIT_PYTHON", path, required: false };
        }
      }
    }
  }
}

/**
 * Probes a candidate and refuses it where no library could make it usable.
 *
 * @throws {PythonNotFoundError} if it is not CPython or too old
 */
function examine(candidate: Candidate, search: Search): Python {
  const file = fileAt(candidate, search);
  const at = words({ ...candidate, path: file });
  const python = probe(file, at, candidate.setting, search.env, search.cwd);
  const { implementation, version } = python;
  if (implementation !== "cpython") {
    throw refuse(
      at,
      `is ${implementation} ${version}: only CPython can be loaded so far`,
      hintVersion(),
    );
  }
  if (isOld(version)) throw refuse(at, `is Python ${version}, ${tooOld}`, hintVersion());
  return python;
}

function refuse(place: string, problem: string, hint: string): PythonNotFoundError {
  return new PythonNotFoundError("Cannot use this Python", [{ place, problem }], hint);
}

function isOld(version: string): boolean {
  const number = (text: string) => text.split(".", 2).reduce((sum, part) => sum * 1000 + parseInt(part), 0);
  return number(version) < number(oldest);
}

function summary(python: Python): Omit<Location, "library" | "source"> {
  const { executable, version, implementation, gil, prefix, basePrefix } = python;
  return { executable, version, implementation, gil, prefix, basePrefix };
}

/** The version in the form of {@linkcode libraryVersion}. */
function tag({ version, gil }: Python): string {
  return `${minor(version)}${gil ? "" : "t"}`;
}

function isOurs(error: unknown): error is PythonNotFoundError | PythonLoadError {
  return error instanceof PythonNotFoundError || error instanceof PythonLoadError;
}
