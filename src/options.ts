// What `python.configure` takes, checked and completed.
//
// The one thing to know: nothing is read from the machine here; `locate` does that when Python is opened.
import process from "node:process";
import { fileURLToPath } from "node:url";

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
}

const known = ["executable", "library", "loop", "path", "args", "stdout", "stderr", "switchInterval"];

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

/** Checks options and fills in what was left out. */
export function resolveOptions(options: PythonOptions): Options {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`Cannot configure Python: there is no option "${name}"; there are ${known.join(", ")}`);
  }
  const { executable, library, loop = "asyncio", path = [process.cwd()], args = [""], switchInterval = 0.0005 } = options;
  if (typeof switchInterval !== "number" || !(switchInterval > 0)) {
    throw new RangeError(`Cannot configure Python: switchInterval is ${switchInterval}, but has to be a number of seconds above 0`);
  }
  return {
    ...(executable === undefined ? {} : { executable: filePath(executable, "executable") }),
    ...(library === undefined ? {} : { library: filePath(library, "library") }),
    loop: loopName(loop),
    path: path.map((entry) => filePath(entry, "path")),
    args: args.map(String),
    stdout: output(options.stdout, "stdout"),
    stderr: output(options.stderr, "stderr"),
    switchInterval,
  };
}
