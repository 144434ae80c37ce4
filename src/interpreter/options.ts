// What `python.configure` takes, checked and completed.
//
// The one thing to know: nothing but the working directory is read from the machine here; `locate` does that when Python is opened.
import { fileURLToPath } from "node:url";
import { workingFolder } from "../locate/locate.ts";

/** Where Python's output goes: to the process's own, or to a function that is given text. */
export type Output = "inherit" | ((text: string) => void);

/** The options of {@linkcode Python.configure}. */
export interface PythonOptions {
  /** A python, or a virtual environment's folder. */
  executable?: string | URL;
  /** libpython itself. */
  library?: string | URL;
  /** The background loop: `"asyncio"` (default), `"uvloop"` or any `"module:factory"`. */
  loop?: string;
  /** Folders or file URLs put first on `sys.path`. Default: the working directory. */
  path?: readonly (string | URL)[];
  /** `sys.argv`. Default: `[""]`. */
  args?: readonly string[];
  stdout?: Output;
  stderr?: Output;
  /** Seconds after which a busy Python thread lets others have the GIL. Default: 0.0005. */
  switchInterval?: number;
}

/** The same, complete. */
export interface Options {
  readonly executable?: string;
  readonly library?: string;
  readonly loop: string;
  readonly path: readonly string[];
  readonly args: readonly string[];
  readonly stdout: Output;
  readonly stderr: Output;
  readonly switchInterval: number;
  /** The default of `path`: the working directory when the options were given. */
  readonly folder: string;
}

const known = ["executable", "library", "loop", "path", "args", "stdout", "stderr", "switchInterval"];

const longestInterval = 3600; // Python counts microseconds in C's unsigned long, which has 32 bits on Windows

function filePath(value: string | URL, name: string): string {
  if (value instanceof URL || (typeof value === "string" && value.startsWith("file:"))) return fileURLToPath(value);
  if (typeof value !== "string") {
    throw new TypeError(`Cannot configure Python: ${name} is ${String(value)}, but has to be a path or a file URL`);
  }
  return value;
}

function output(value: Output | undefined, name: string): Output {
  if (value === undefined || value === "inherit" || typeof value === "function") return value ?? "inherit";
  throw new TypeError(`Cannot configure Python: ${name} is ${String(value)}, but has to be "inherit" or a function`);
}

/** A loop's name, checked. */
export function loopName(loop: unknown): string {
  if (typeof loop === "string" && (loop === "asyncio" || loop === "uvloop" || /^[\w.]+:[\w.]+$/.test(loop))) return loop;
  throw new TypeError(`Cannot use loop ${JSON.stringify(loop)}: it has to be "asyncio", "uvloop" or "module:factory"`);
}

function array<T>(value: readonly T[], name: string, items: string): readonly T[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`Cannot configure Python: ${name} is ${String(value)}, but has to be an Array of ${items}`);
}

/** Throws unless these are options, and none but those that are known; `task` says what cannot be done otherwise. */
export function checkOptions(task: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${task}: the options are ${String(options)}, but have to be an object; there are ${known.join(", ")}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`Cannot ${task}: there is no option "${name}"; there are ${known.join(", ")}`);
  }
}

/** Checks options and fills in what was left out. */
export function resolveOptions(options: PythonOptions, folder: string = workingFolder()): Options {
  checkOptions("configure Python", options, known);
  const { executable, library, loop = "asyncio", path = [folder], args = [""], switchInterval = 0.0005 } = options;
  if (typeof switchInterval !== "number" || !(switchInterval > 0 && switchInterval <= longestInterval)) {
    throw new RangeError(
      `Cannot configure Python: switchInterval is ${
        String(switchInterval)
      }, but has to be a number of seconds above 0, at most ${longestInterval}`,
    );
  }
  return {
    ...(executable === undefined ? {} : { executable: filePath(executable, "executable") }),
    ...(library === undefined ? {} : { library: filePath(library, "library") }),
    loop: loopName(loop),
    path: array(path, "path", "paths and file URLs").map((entry) => filePath(entry, "path")),
    args: array(args, "args", "strings").map(String),
    stdout: output(options.stdout, "stdout"),
    stderr: output(options.stderr, "stderr"),
    switchInterval,
    folder,
  };
}
