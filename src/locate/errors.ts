/**
 * The errors for a Python that cannot be found or loaded, and their advice.
 *
 * Every message lists each place that was tried, with its problem, then the command or setting that helps. Its last line
 * names `pyawait doctor`.
 *
 * @module
 */
import process from "../../ffi/process.ts";
import { exists } from "./files.ts";

/** A place that was examined, and what was wrong with it. */
export interface Tried {
  readonly place: string;
  readonly problem: string;
}

/** Base class of the two errors below. */
class UnusablePythonError extends Error {
  /** Each place that was examined, with what was wrong with it. */
  readonly tried: readonly Tried[];
  /** The command or setting that helps. The message has it as well, before its last line, which names `pyawait doctor`. */
  readonly hint: string;

  constructor(name: string, summary: string, tried: readonly Tried[], hint: string) {
    super(explain(summary, tried, hint));
    this.name = name;
    this.tried = tried;
    this.hint = hint;
  }
}

/**
 * No Python was found, or the one that was named is not a Python, is too old or has no shared library.
 *
 * `tried` lists every place that was examined and `hint` says what to do. Thrown by {@linkcode python}'s first use.
 *
 * @example
 * ```ts
 * import { python, PythonNotFoundError } from "pyawait";
 * try {
 *   python.configure({ executable: "/nowhere/python" });
 *   python.open();
 * } catch (error) {
 *   if (error instanceof PythonNotFoundError) console.log(error.hint);
 * }
 * ```
 */
export class PythonNotFoundError extends UnusablePythonError {
  constructor(summary: string, tried: readonly Tried[], hint: string) {
    super("PythonNotFoundError", summary, tried, hint);
  }
}

/**
 * A Python was found but cannot be loaded into this process: wrong architecture, a foreign `PYTHONHOME`, a variable
 * that keeps it from starting, or another Python that is already initialised.
 *
 * `tried` lists what was examined and `hint` says what to do. Thrown by {@linkcode python}'s first use.
 *
 * @example
 * ```ts
 * import { python, PythonLoadError } from "pyawait";
 * try {
 *   python.open();
 * } catch (error) {
 *   if (error instanceof PythonLoadError) console.log(error.tried, error.hint);
 *   else throw error;
 * }
 * ```
 */
export class PythonLoadError extends UnusablePythonError {
  constructor(summary: string, tried: readonly Tried[], hint: string) {
    super("PythonLoadError", summary, tried, hint);
  }
}

function explain(summary: string, tried: readonly Tried[], hint: string): string {
  const list = tried.map(({ place, problem }) => `  - ${place}: ${problem}`);
  const doctor = `Run "${doctorCommand()}" to check everything that pyawait needs`;
  return [tried.length > 0 ? `${summary}:` : summary, ...list, hint, doctor].join("\n");
}

/** `pyawait doctor` as this runtime starts it. Without `--bun`, bunx would start it on Node. */
export function doctorCommand(): string {
  return { Node: "npx pyawait", Deno: "deno run -A npm:pyawait", Bun: "bunx --bun pyawait" }[runtimeName()] + " doctor";
}

/** "Node", "Deno" or "Bun", for messages only: no behaviour may depend on it. */
export function runtimeName(): "Node" | "Deno" | "Bun" {
  if (process.versions.deno !== undefined) return "Deno";
  return process.versions.bun !== undefined ? "Bun" : "Node";
}

/** Advice where there is no Python at all. */
export function hintNothing(): string {
  const install = process.platform === "win32"
    ? "Install Python from https://www.python.org/downloads"
    : process.platform === "darwin"
    ? 'Run "brew install python"'
    : exists("/etc/debian_version")
    ? 'Run "sudo apt install python3 libpython3-dev"'
    : exists("/etc/alpine-release")
    ? 'Run "apk add python3"'
    : 'Run "uv python install && uv venv --python-preference only-managed"';
  return `${install}, or set PYAWAIT_PYTHON to a python or to the folder of a virtual environment`;
}

/** Advice for a Python without a shared library; it depends on who built that Python. */
export function hintNoLibrary(python: { version: string; basePrefix: string; abi: string }): string {
  const { version, basePrefix, abi } = python;
  const short = version.split(".").slice(0, 2).join(".");
  const where = basePrefix.replaceAll("\\", "/");
  let command = `Install a Python ${short} that was built with "./configure --enable-shared"`;
  if (/\/\.?pyenv\//.test(where)) {
    command = `Run "PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force ${version}"`;
  } else if (where.includes("/uv/python/")) {
    command = `Run "uv python install --reinstall ${short}"`;
  } else if (exists(`${where}/conda-meta`)) {
    command = `Run "conda install --force-reinstall python=${short}"`;
  } else if (where === "/usr" && exists("/etc/debian_version")) {
    command = `Run "sudo apt install libpython${short}${abi.includes("d") ? "-dbg" : ""}"`;
  } else if (where === "/usr" && exists("/etc/redhat-release")) {
    command = `Run "sudo dnf install python${short}-libs"`;
  }
  return `${command}, set PYAWAIT_LIBRARY to the path of its libpython, or set PYAWAIT_PYTHON to another python`;
}

/** The oldest Python that can be loaded. */
export const oldest = "3.8";

/** The problem of an older Python, after its version. */
export const tooOld: string = `which is too old: ${oldest} is the oldest that can be loaded`;

/** Advice for a Python that is too old or not CPython. */
export function hintVersion(): string {
  return `Install CPython ${oldest} or newer (for example "uv python install 3.13" or "pyenv install 3.13") and set ` +
    "PYAWAIT_PYTHON to it, or make the virtual environment anew with it";
}

/** Advice for a file or folder that was named and is not a Python. */
export function hintNamed(setting: string): string {
  const example = process.platform === "win32" ? "C:\\Python313\\python.exe" : "/usr/bin/python3";
  return `Set ${setting} to a python (such as "${example}") or to the folder of a virtual environment`;
}

/** Advice for a file that was named as the library and is not one. */
export function hintLibrary(setting: string): string {
  const example = process.platform === "win32"
    ? "C:\\Python313\\python313.dll"
    : process.platform === "darwin"
    ? "/opt/homebrew/opt/python@3.13/Frameworks/Python.framework/Versions/3.13/Python"
    : "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0";
  return `Set ${setting} to the path of libpython (such as "${example}"), or leave it out and set PYAWAIT_PYTHON`;
}

/** Advice for a library of another architecture. */
export function hintArchitecture(): string {
  return `Install a Python for ${process.arch} and set PYAWAIT_PYTHON to it, or use a ${runtimeName()} that is built ` +
    "for the same machine as that Python";
}
