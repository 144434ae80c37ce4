/**
 * Describes one Python before it is loaded, by running its executable or, without permission to run programs, by
 * reading its files.
 *
 * Python is asked because its recorded build paths (LIBDIR) are wrong in every relocated tree, and only Python knows
 * the base of a virtual environment. It runs with `-I` and without PYTHON* variables: settings meant for another Python
 * would change the answer.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import process from "../../ffi/process.ts";
import { backend } from "../../ffi/mod.ts";
import { exists, isStoreAlias, realpath, startOf } from "./files.ts";
import type { Environment, Python } from "./location.ts";
import { remember } from "./probe_cache.ts";
import { hintNamed, hintNothing, hintVersion, PythonNotFoundError, tooOld } from "./errors.ts";

const marker = "pyawait probe:";

// Old syntax in plain ASCII, so that a Python 3.4 can still report its version. The JSON is on a line of its own behind
// a marker, because .pth files and sitecustomize may print as well.
const script = `
import json, sys, sysconfig
def var(name):
    return str(sysconfig.get_config_var(name) or '')
free = str(sysconfig.get_config_var('Py_GIL_DISABLED') or 0) == '1'
dll = ''
try:
    if sys.platform == 'win32':
        import ctypes
    buffer = ctypes.create_unicode_buffer(32768)
    ctypes.windll.kernel32.GetModuleFileNameW(ctypes.c_void_p(sys.dllhandle), buffer, 32768)
    dll = buffer.value
except Exception:
    pass
print('\\n${marker}' + json.dumps({
    'implementation': sys.implementation.name,
    'version': '.'.join(map(str, sys.version_info[:3])),
    'gil': not free,
    'abi': ('t' if free else '') + ('d' if hasattr(sys, 'gettotalrefcount') else ''),
    'bits': 64 if sys.maxsize > 2 ** 32 else 32,
    'machine': sysconfig.get_platform(),
    'executable': sys.executable or '',
    'prefix': sys.prefix,
    'basePrefix': sys.base_prefix,
    'baseExecPrefix': sys.base_exec_prefix,
    'multiarch': var('MULTIARCH'),
    'names': [name for name in (var('INSTSONAME'), var('LDLIBRARY')) if name],
    'libdir': var('LIBDIR'),
    'libpl': var('LIBPL'),
    'frameworkPrefix': var('PYTHONFRAMEWORKPREFIX'),
    'dll': dll,
}))
sys.stdout.flush()
`;

/** The result of a program. `problem` is `null` after success; `forbidden`: this process may not start programs. */
export interface Ran {
  stdout: string;
  stderr: string;
  problem: string | null;
  forbidden: boolean;
}

/** Runs a program to its end, for at most `limit` milliseconds. Never throws. */
export function runProgram(
  command: string,
  args: string[],
  env: Environment,
  cwd: string,
  limit: number,
): Ran {
  const ran: Ran = { stdout: "", stderr: "", problem: null, forbidden: false };
  try {
    const { spawnSync } = process.getBuiltinModule("node:child_process"); // not loaded where an answer is remembered
    const result = spawnSync(command, args, {
      cwd,
      env,
      encoding: "utf8",
      timeout: limit,
      killSignal: "SIGKILL",
      maxBuffer: 1 << 26,
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    ran.stdout = result.stdout ?? "";
    ran.stderr = result.stderr ?? "";
    if (result.error !== undefined) throw result.error;
    // Deno reports neither an error nor an exit status of what it may not start, or cannot.
    if (result.status === undefined) {
      ran.forbidden = backend.missingFlags().some((flag) => /run|all/.test(flag));
      ran.problem = "cannot be started";
    } else if (result.signal) ran.problem = `was ended by ${result.signal}`;
    else if (result.status !== 0) ran.problem = `ended with exit code ${result.status}`;
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException;
    ran.forbidden = name === "NotCapable" || code === "ERR_ACCESS_DENIED" || code === "EPERM";
    ran.problem = code === "ETIMEDOUT" ? `gave no answer within ${limit / 1000} s` : `cannot be started: ${message}`;
  }
  if (ran.forbidden) ran.problem = "may not be started: this process has no permission to run programs";
  return ran;
}

/**
 * The environment without the variables that launcher scripts (shims in front of many pythons) heed; `-I` ignores them.
 */
export function withoutPython(env: Environment): Environment {
  try {
    return Object.fromEntries(
      Object.entries(env).filter(([key]) => !/^(PYTHON(HOME|PATH|STARTUP|EXECUTABLE)|__PYVENV_LAUNCHER__)$/i.test(key)),
    );
  } catch {
    return {}; // Deno without --allow-env: no variable may be read
  }
}

/**
 * Probes the python at `path`, for at most `limit` milliseconds, unless its answer is remembered. `place` and `setting` name
 * it in errors.
 *
 * @throws {PythonNotFoundError} if it is not a python, or older than 3.4
 */
export function probe(
  path: string,
  place: string,
  setting: string,
  env: Environment,
  cwd: string,
  limit: number = 30_000,
): Python {
  const ours = withoutPython(env), chosen = chosenBy(path, ours, cwd, limit) ?? path;
  return remember(chosen, script, ours, () => ask(chosen, place, setting, ours, cwd, limit));
}

/**
 * The python that pyenv's or asdf's `python3` starts here. Such a script only chooses; without `site` the python says which
 * one it is in a tenth of the time, and its other answers may be remembered.
 */
function chosenBy(path: string, env: Environment, cwd: string, limit: number): string | undefined {
  if (!/^exec .*\b(pyenv|asdf)" exec /m.test(startOf(path))) return undefined;
  const { problem, stdout } = runProgram(path, ["-I", "-S", "-c", "import sys; print(sys.executable)"], env, cwd, limit);
  const chosen = stdout.trim();
  return problem === null && isAbsolute(chosen) && exists(chosen) ? chosen : undefined;
}

function ask(path: string, place: string, setting: string, ours: Environment, cwd: string, limit: number): Python {
  const ran = runProgram(path, ["-I", "-c", script], ours, cwd, limit);
  const at = ran.stdout.lastIndexOf(`\n${marker}`);
  if (at >= 0) {
    const [line] = ran.stdout.slice(at + 1 + marker.length).split("\n", 1);
    try {
      const python = JSON.parse(line!) as Python;
      return { ...python, executable: python.executable || path };
    } catch {
      ran.problem = "its answer is cut off";
    }
  }
  if (ran.forbidden) return readFiles(path, place, setting);
  if (/unknown option:? -I/i.test(ran.stderr)) { // Python 2, or 3.3 and earlier
    const old = runProgram(path, ["-V"], ours, cwd, limit);
    const problem = `is ${(old.stdout + old.stderr).trim()}, ${tooOld}`;
    throw new PythonNotFoundError("Cannot use this Python", [{ place, problem }], hintVersion());
  }
  if (process.platform === "win32" && isStoreAlias(path) && ran.problem !== null) {
    const problem = "is the placeholder of the Microsoft Store, not a Python";
    throw new PythonNotFoundError("Cannot use this Python", [{ place, problem }], hintNothing());
  }
  let problem = `is not a python: ${ran.problem ?? "it does not answer as one"}`;
  const said = ran.stderr.trim().split("\n", 1)[0];
  if (said) problem += `, ${JSON.stringify(said.slice(0, 200))}`;
  throw new PythonNotFoundError("Cannot use this Python", [{ place, problem }], hintNamed(setting));
}

/** The description from pyvenv.cfg and file names alone. */
function readFiles(path: string, place: string, setting: string): Python {
  const real = realpath(path);
  const settings = readVenv(path);
  const home = settings.get("home");
  const prefix = home === undefined ? prefixOf(real) : dirname(dirname(path));
  const basePrefix = home === undefined ? prefix : prefixOf(join(home, "python"));
  const named = /python(\d+\.\d+)(t?)(d?)(\.exe)?$/.exec(basename(real));
  const version = /^\d+\.\d+(\.\d+)?/.exec(settings.get("version_info") ?? settings.get("version") ?? "")?.[0] ??
    named?.[1];
  if (version === undefined) {
    const problem = "cannot tell its version: this process has no permission to run it";
    const hint = 'Allow it (on Deno: --allow-run), or name a virtual environment or a file such as "python3.11" with ' +
      setting;
    throw new PythonNotFoundError("Cannot use this Python", [{ place, problem }], hint);
  }
  const pypy = /pypy/i.test(basename(real));
  const free = named?.[2] === "t";
  return {
    implementation: (settings.get("implementation") ?? (pypy ? "pypy" : "cpython")).toLowerCase(),
    version,
    gil: !free,
    abi: `${named?.[2] ?? ""}${named?.[3] ?? ""}`,
    bits: 0,
    machine: "",
    executable: path,
    prefix,
    basePrefix,
    // `home` may be a folder of links; the library is beside the file that they lead to.
    baseExecPrefix: prefixOf(real),
    multiarch: `${{ x64: "x86_64", arm64: "aarch64", ia32: "i386" }[process.arch as string] ?? process.arch}-linux-gnu`,
    names: [],
    libdir: "",
    libpl: "",
    frameworkPrefix: "",
    dll: "",
  };
}

function prefixOf(python: string): string {
  return process.platform === "win32" ? dirname(python) : dirname(dirname(python));
}

/** The settings in pyvenv.cfg, beside the python or one folder up; empty if it is not a virtual environment. */
function readVenv(python: string): Map<string, string> {
  const settings = new Map<string, string>();
  const file = [dirname(dirname(python)), dirname(python)].map((at) => join(at, "pyvenv.cfg")).find(
    exists,
  );
  for (const line of file === undefined ? [] : readFileSync(file, "utf8").split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) settings.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
  }
  return settings;
}
