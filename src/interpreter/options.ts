// Checks and completes the options of `python.configure`.
//
// Only the working directory is read here; `locate` examines the machine when Python is opened.
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { variable } from "../../ffi/native/cache.ts";
import { workingFolder } from "../locate/locate.ts";

/**
 * Where Python's output goes: to the process's own stream, or to a function on the JavaScript thread, which is given
 * text in batches.
 */
export type Output = "inherit" | ((text: string) => void);

/** The options of {@linkcode python}`.configure`. */
export interface PythonOptions {
  /**
   * A python, or the folder of a virtual environment; a path or a file URL. Default: `PYAWAIT_PYTHON`, else the active
   * virtual environment, the nearest `.venv`, or `python3` on PATH.
   */
  executable?: string | URL;
  /**
   * The shared library of Python (libpython); a path or a file URL. Default: `PYAWAIT_LIBRARY`, else that of
   * `executable`.
   */
  library?: string | URL;
  /**
   * The background loop: `"asyncio"` (default), `"uvloop"`, or `"module:factory"` for a callable that returns a new
   * loop.
   */
  loop?: string;
  /** Folders, as paths or file URLs, to put first on `sys.path`. Default: the working directory. */
  path?: readonly (string | URL)[];
  /** `sys.argv`. Default: `[""]`. */
  args?: readonly string[];
  /** Where `sys.stdout` goes. Default: `"inherit"`, line-buffered. */
  stdout?: Output;
  /** Where `sys.stderr` goes. Default: `"inherit"`, line-buffered. */
  stderr?: Output;
  /**
   * Seconds, at most 3600, after which a busy Python thread yields the GIL (`sys.setswitchinterval`). Default: 0.0005.
   */
  switchInterval?: number;
  /**
   * Microseconds, at most 1000, for which a thread looks for work before it sleeps, where the other side is likely to answer
   * at once: to wake a sleeping thread takes longer than most coroutines. An idle process never does. 0: not at all.
   * Default: `PYAWAIT_SPIN`, else 50, or 0 on one processor.
   */
  spin?: number;
}

/** The options, complete. */
export interface Options {
  readonly executable?: string;
  readonly library?: string;
  readonly loop: string;
  readonly path: readonly string[];
  readonly args: readonly string[];
  readonly stdout: Output;
  readonly stderr: Output;
  readonly switchInterval: number;
  readonly spin: number;
  /** The working directory when the options were given: the default of `path`. */
  readonly folder: string;
}

const known = ["executable", "library", "loop", "path", "args", "stdout", "stderr", "switchInterval", "spin"];

const longestInterval = 3600; // Python keeps microseconds in an unsigned long, which has 32 bits on Windows

const longestSpin = 1000;

/** Microseconds, checked. `name` says in the message where they were given. */
function spinTime(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= longestSpin) return value;
  throw new RangeError(
    `Cannot configure Python: ${name} is ${String(value)}, but has to be a whole number of microseconds from 0 to ${longestSpin}`,
  );
}

function defaultSpin(): number {
  const value = variable("PYAWAIT_SPIN");
  if (value) return spinTime(/^\d+$/.test(value) ? Number(value) : value, "PYAWAIT_SPIN");
  return availableParallelism() > 1 ? 50 : 0; // on one processor the other side cannot answer while this one looks
}

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

/**
 * A loop's name, checked.
 *
 * @throws {TypeError} if it is not "asyncio", "uvloop" or "module:factory"
 */
export function loopName(loop: unknown): string {
  if (typeof loop === "string" && (loop === "asyncio" || loop === "uvloop" || /^[\w.]+:[\w.]+$/.test(loop))) return loop;
  throw new TypeError(`Cannot use loop ${JSON.stringify(loop)}: it has to be "asyncio", "uvloop" or "module:factory"`);
}

function array<T>(value: readonly T[], name: string, items: string): readonly T[] {
  if (Array.isArray(value)) return value;
  throw new TypeError(`Cannot configure Python: ${name} is ${String(value)}, but has to be an Array of ${items}`);
}

/**
 * Checks that `options` is an object with known properties only. `task` names in the message what cannot be done.
 *
 * @throws {TypeError} if it is not
 */
export function checkOptions(task: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${task}: the options are ${String(options)}, but have to be an object; there are ${known.join(", ")}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`Cannot ${task}: there is no option "${name}"; there are ${known.join(", ")}`);
  }
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws {TypeError | RangeError} for an unknown or wrong option
 */
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
    spin: options.spin === undefined ? defaultSpin() : spinTime(options.spin, "spin"),
    folder,
  };
}
