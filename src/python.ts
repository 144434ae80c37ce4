// `python`: the process's one interpreter, as users have it.
//
// Importing this opens nothing; the first use does, synchronously.
import process from "node:process";
import { runHelper } from "./async/promise.ts";
import type { AwaitOptions } from "./async/promise.ts";
import { startWaiting, stopWaiting } from "./async/pending.ts";
import { closePython } from "./ending.ts";
import { configure, interpreter } from "./interpreter/interpreter.ts";
import { checkOptions, type PythonOptions } from "./interpreter/options.ts";
import { callHelper } from "./proxy/call.ts";
import type { PyProxy } from "./proxy/proxy.ts";

/** Modules with types of their own: `pyawait types` adds to it by declaration merging. */
// deno-lint-ignore no-empty-interface
export interface PythonModules {}

/** Options of `python.exec`. */
export interface ExecOptions {
  /** A dict proxy is used itself, a plain object is copied. Default: the namespace of `__main__`. */
  globals?: unknown;
  /** What tracebacks call the code. Default: `<exec>`. */
  filename?: string;
}

/** What `python.info` says. */
export interface PythonInfo {
  readonly executable: string | null;
  readonly library: string;
  readonly version: string;
  readonly implementation: string;
  /** Whether this build has a GIL; `false`: a free-threaded one. */
  readonly gil: boolean;
  readonly prefix: string;
  readonly basePrefix: string;
  readonly loop: string;
  readonly runtime: string;
  readonly platform: string;
  /** Where the native part came from: `prebuilt`, `cc` or `PYAWAIT_SHIM`. */
  readonly shim: string;
}

class PythonInterpreter {
  /**
   * Sets options: before the first use, again with equal ones, or after an open that failed.
   *
   * @throws {TypeError} for an unknown option, or when Python is open with others
   */
  configure(options: PythonOptions): void {
    configure(options);
  }

  /** Opens Python now; the first use does it otherwise. Idempotent. */
  open(): void {
    interpreter();
  }

  /**
   * Imports a module; `"os.path"` gives the submodule.
   *
   * @throws {PythonError} as `import` does
   * @example
   * ```ts
   * import { python } from "pyawait";
   * python.import("math").sqrt(2);
   * ```
   */
  import<K extends keyof PythonModules>(name: K): PythonModules[K];
  import<T = PyProxy>(name: string): T;
  import(name: string): unknown {
    if (typeof name !== "string") throw new TypeError(`Cannot import ${String(name)}: python.import takes the name of a module`);
    return callHelper("import_module", name);
  }

  /**
   * Runs statements and returns the value of the last one, if that is an expression, else `null`. Common indentation
   * is removed.
   *
   * @throws {PythonError} what the code raises, or a `SyntaxError`
   */
  // deno-lint-ignore no-explicit-any
  exec(code: string, options: ExecOptions = {}): any {
    return callHelper("execute", ...codeToRun("exec", code, options, ["globals", "filename"]));
  }

  /** The same with `await` at the top level, on the loop. */
  // deno-lint-ignore no-explicit-any
  async execAsync(code: string, options: ExecOptions & AwaitOptions = {}): Promise<any> {
    const run = codeToRun("execAsync", code, options, ["globals", "filename", "locals", "signal"]);
    return runHelper("execute_async", run, options);
  }

  /** Python's built-in functions and types. */
  get builtins(): PyProxy {
    return this.import("builtins");
  }

  /** As `3.11.7`. */
  get version(): string {
    return this.info.version;
  }

  /** What is open, and where it came from. */
  get info(): PythonInfo {
    const { location, options, origin, runtime } = interpreter();
    return {
      executable: location.executable,
      library: location.library,
      version: String(callHelper("version_text")),
      implementation: location.implementation,
      gil: location.gil,
      prefix: String(callHelper("prefix_text")),
      basePrefix: location.basePrefix,
      loop: options.loop,
      runtime,
      platform: `${process.platform}-${process.arch}`,
      shim: origin,
    };
  }

  /** Keeps the process alive, for servers and tasks that Python runs by itself; each needs an {@linkcode unref}. */
  ref(): void {
    interpreter();
    heap.refs++;
    startWaiting();
  }

  unref(): void {
    if (heap.refs === 0) return;
    heap.refs--;
    stopWaiting();
  }

  /** Raises `KeyboardInterrupt` in Python's main thread: stops a loop that is stuck. */
  interrupt(): void {
    const { shim, heap } = interpreter();
    shim.pyawait_interrupt(heap);
  }

  /**
   * Ends Python for the whole process, for good: cancels its tasks and lets them clean up (they may still await
   * JavaScript), runs `atexit`, flushes output and settles every pending Promise. Idempotent. Later use throws
   * `PythonClosedError`. A clean exit does not need it.
   *
   * @param options `timeout`: milliseconds that tasks have to clean up. Default: 2000
   */
  async close(options: { timeout?: number } = {}): Promise<void> {
    checkOptions("close Python", options, ["timeout"]);
    const { timeout = 2000 } = options;
    if (typeof timeout !== "number" || !(timeout >= 0)) {
      throw new RangeError(`Cannot close Python: timeout is ${String(timeout)}, but has to be a number of milliseconds, 0 or more`);
    }
    await (heap.closing ??= closePython(Math.min(timeout, 2 ** 31)));
  }
}

/** The type of {@linkcode python}. */
export type Python = PythonInterpreter;

/** This heap's `python`; only this file writes it. */
const heap = {
  /** `python.ref()`s that were not taken back. */
  refs: 0,
  closing: undefined as Promise<void> | undefined,
};

/** What src/py takes to run code. */
function codeToRun(name: string, code: string, options: ExecOptions, known: string[]): [code: string, globals: unknown, filename: string] {
  if (typeof code !== "string") throw new TypeError(`Cannot run ${String(code)}: python.${name} takes Python code as a string`);
  checkOptions("run Python code", options, known);
  const { globals = null, filename = "<exec>" } = options;
  if (typeof filename !== "string") throw new TypeError(`Cannot run Python code: filename is ${String(filename)}, but has to be a string`);
  return [code, globals, filename];
}

/**
 * The process's one interpreter. The first use opens it.
 *
 * @throws {PythonNotFoundError | PythonLoadError} at the first use, where no Python can be had
 * @example
 * ```ts
 * import { python } from "pyawait";
 * const asyncio = python.import("asyncio");
 * await asyncio.sleep(0.01, "done"); // "done"
 * ```
 */
export const python: Python = new PythonInterpreter();
