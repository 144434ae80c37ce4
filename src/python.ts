// `python`: the process's one interpreter, as users see it.
//
// Importing this module opens nothing; the first use opens Python, synchronously.
import process from "../ffi/process.ts";
import { runHelper } from "./async/promise.ts";
import type { AwaitOptions } from "./async/promise.ts";
import { startWaiting, stopWaiting } from "./async/pending.ts";
import { closePython } from "./ending.ts";
import { configure, interpreter } from "./interpreter/interpreter.ts";
import { checkOptions, type PythonOptions } from "./interpreter/options.ts";
import { importOf } from "./imports.ts";
import { callCode, callHelper } from "./proxy/call.ts";
import type { PyProxy } from "./proxy/py_proxy.ts";

/** Types of modules by name, for `python.import`. `pyawait types` generates declarations that augment it. */
// deno-lint-ignore no-empty-interface
export interface PythonModules {}

/** Options of `python.exec` and `python.execAsync`. */
export interface ExecOptions {
  /** The namespace: a dict proxy is used itself, a plain object is copied. Default: the namespace of `__main__`. */
  globals?: unknown;
  /** The file name in tracebacks. Default: `<exec>`, `<exec 2>`, …, one that no other code has. */
  filename?: string;
}

/** The result of `python.info`. */
export interface PythonInfo {
  /** Path of the python that it was initialised as; `null` if only a library was named and no python fits it. */
  readonly executable: string | null;
  /** Path of libpython. */
  readonly library: string;
  /** Such as `3.11.7`. */
  readonly version: string;
  /** `cpython`. */
  readonly implementation: string;
  /** Whether this build has a GIL; `false`: it is free-threaded. */
  readonly gil: boolean;
  /** `sys.prefix`. */
  readonly prefix: string;
  /** The prefix of the Python that a virtual environment is based on. */
  readonly basePrefix: string;
  /** The option `loop` in use. */
  readonly loop: string;
  /** JavaScript runtime and version, such as `node 20.20.2`. */
  readonly runtime: string;
  /** Platform and architecture, such as `linux-x64`. */
  readonly platform: string;
  /** Where the native part came from: `prebuilt`, `cc` or `PYAWAIT_SHIM`. */
  readonly shim: string;
}

class PythonInterpreter {
  /**
   * Sets options: before the first use, or again with equal ones, or after an open that failed.
   *
   * @param options see {@linkcode PythonOptions}; what is left out has its default
   * @throws {TypeError} for an unknown or wrong option, or if Python is open with other options
   * @throws {RangeError} if `switchInterval` is out of range
   * @throws {PythonLoadError} if the working directory does not exist
   * @example
   * ```ts
   * import { python } from "pyawait";
   * python.configure({ args: ["program", "--verbose"], stdout: (text) => console.log("Python:", text.trim()) });
   * python.exec("import sys; print(sys.argv[1])"); // Python: --verbose
   * ```
   */
  configure(options: PythonOptions): void {
    configure(options);
  }

  /**
   * Opens Python now instead of at the first use. Idempotent.
   *
   * @throws {PythonNotFoundError} if there is no Python
   * @throws {PythonLoadError} if it cannot be loaded or started
   * @throws {PythonClosedError} after `python.close()`
   * @throws {TypeError} if another thread, or another copy of pyawait, has opened it with other options
   */
  open(): void {
    interpreter();
  }

  /**
   * Imports a module by its name (`"os.path"` gives the submodule), or a file.
   *
   * A `URL`, or a string that begins with `./`, `../`, `/`, a drive or `file:`, is the path of a `.py` file or of a
   * package's folder; strings count from the working directory. The same real path gives the same module, whose name is
   * the file's without `.py`, with a hash behind it if another module is called so. `sys.path` stays as it is.
   *
   * @param name the module's name, or the place of its file
   * @returns the module, a proxy
   * @throws {PythonError} what `import` raises, such as a `ModuleNotFoundError`, which says where Python has looked and
   *   what installs the module
   * @throws {TypeError} if `name` is neither a string nor a `URL`, or is the URL of something else than a file
   * @example
   * ```ts
   * import { python } from "pyawait";
   * python.import("math").sqrt(2);
   * // python.import(new URL("./tools.py", import.meta.url)) imports tools.py from beside this module
   * ```
   */
  import<K extends keyof PythonModules>(name: K): PythonModules[K];
  import<T = PyProxy>(name: string | URL): T;
  import(name: string | URL): unknown {
    return callCode(...importOf("import", name));
  }

  /**
   * Imports as {@linkcode import} does, but on the background loop's thread, which is Python's main thread: for modules
   * that install signal handlers or ask for the main thread, and for those that take long. JavaScript goes on meanwhile;
   * that loop stands still.
   *
   * @param name the module's name, or the place of its file
   * @returns the module, a proxy. Rejects as {@linkcode import} throws
   * @example
   * ```ts
   * import { python } from "pyawait";
   * const sqlite3 = await python.importAsync("sqlite3");
   * ```
   */
  importAsync<K extends keyof PythonModules>(name: K): Promise<PythonModules[K]>;
  importAsync<T = PyProxy>(name: string | URL): Promise<T>;
  async importAsync(name: string | URL): Promise<unknown> {
    return await runHelper("import_async", importOf("importAsync", name), { signal: null });
  }

  /**
   * Runs Python statements. Common indentation is removed.
   *
   * @param code the statements
   * @param options `globals` and `filename`, see {@linkcode ExecOptions}
   * @returns the value of the last statement if it is an expression, else `null`
   * @throws {PythonError} what the code raises, or a `SyntaxError`
   * @throws {TypeError} if `code` is not a string, or for an unknown option
   * @example
   * ```ts
   * import { python } from "pyawait";
   * console.log(python.exec("total = sum(numbers)\ntotal / 2", { globals: { numbers: [1, 2, 3] } })); // 3
   * ```
   */
  // deno-lint-ignore no-explicit-any
  exec(code: string, options: ExecOptions = {}): any {
    return callCode("execute", ...codeToRun("exec", code, options, ["globals", "filename"]));
  }

  /**
   * Runs Python statements with `await` at the top level, in a task on the current loop.
   *
   * @param code the statements
   * @param options `globals` and `filename`, see {@linkcode ExecOptions}; `signal` and `locals`, see
   *   {@linkcode AwaitOptions}
   * @returns the value of the last statement if it is an expression, else `null`. Rejects as {@linkcode exec} throws
   * @example
   * ```ts
   * import { python } from "pyawait";
   * console.log(await python.execAsync("import asyncio\nawait asyncio.sleep(0.01, 'done')")); // done
   * ```
   */
  // deno-lint-ignore no-explicit-any
  async execAsync(code: string, options: ExecOptions & AwaitOptions = {}): Promise<any> {
    const run = codeToRun("execAsync", code, options, ["globals", "filename", "locals", "signal"]);
    return await runHelper("execute_async", run, options);
  }

  /** The module `builtins`: Python's built-in functions and types. */
  get builtins(): PyProxy {
    return this.import("builtins");
  }

  /** Python's version, such as `3.11.7`. */
  get version(): string {
    return this.info.version;
  }

  /**
   * Describes the open Python and where it came from. Opens it, as {@linkcode open} does.
   *
   * @example
   * ```ts
   * import { python } from "pyawait";
   * const { executable, loop } = python.info;
   * console.log(executable !== null, loop); // true asyncio
   * ```
   */
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

  /**
   * Keeps the process alive, for servers and tasks that Python runs by itself, until {@linkcode unref} has been called
   * as often. Opens Python, as {@linkcode open} does.
   */
  ref(): void {
    interpreter();
    own.refs++;
    startWaiting();
  }

  /** Takes one {@linkcode ref} back; without one it does nothing. */
  unref(): void {
    if (own.refs === 0) return;
    own.refs--;
    stopWaiting();
  }

  /**
   * Raises `KeyboardInterrupt` in Python's main thread, which stops a loop that is stuck in Python code.
   *
   * @example
   * ```ts
   * import { python } from "pyawait";
   * const stuck = python.execAsync("while True: pass");
   * setTimeout(() => python.interrupt(), 100);
   * await stuck.catch((error) => console.log(error.name)); // KeyboardInterrupt
   * ```
   */
  interrupt(): void {
    const { shim, heap } = interpreter();
    shim.pyawait_interrupt(heap);
  }

  /**
   * Ends Python for the whole process, for good. A clean exit does not need it.
   *
   * It cancels Python's tasks and lets them clean up, which may still await JavaScript, runs `atexit`, flushes output
   * and settles every pending Promise. Later use throws {@linkcode PythonClosedError}. Idempotent.
   *
   * @param options `timeout`: milliseconds that tasks have to clean up. Default: 2000
   * @returns resolves when Python has ended. Rejects with a `RangeError` if `timeout` is negative or not a number, and
   *   with a `TypeError` for an unknown option
   * @example
   * ```ts
   * import { python } from "pyawait";
   * python.exec("import atexit\natexit.register(print, 'bye')");
   * await python.close({ timeout: 500 });
   * ```
   */
  async close(options: { timeout?: number } = {}): Promise<void> {
    checkOptions("close Python", options, ["timeout"]);
    const { timeout = 2000 } = options;
    if (typeof timeout !== "number" || !(timeout >= 0)) {
      throw new RangeError(`Cannot close Python: timeout is ${String(timeout)}, but has to be a number of milliseconds, 0 or more`);
    }
    await (own.closing ??= closePython(Math.min(timeout, 2 ** 31)));
  }
}

/** The type of {@linkcode python}. */
export type Python = PythonInterpreter;

/** This heap's calls of `ref` and `close`; only this file writes it. */
const own = {
  /** `python.ref()`s that were not taken back. */
  refs: 0,
  closing: undefined as Promise<void> | undefined,
};

/** Checks the arguments of `exec` and returns what src/py takes to run code. */
function codeToRun(name: string, code: string, options: ExecOptions, known: string[]): [code: string, globals: unknown, filename: string] {
  if (typeof code !== "string") throw new TypeError(`Cannot run ${String(code)}: python.${name} takes Python code as a string`);
  checkOptions("run Python code", options, known);
  const { globals = null, filename = "<exec>" } = options;
  if (typeof filename !== "string") throw new TypeError(`Cannot run Python code: filename is ${String(filename)}, but has to be a string`);
  return [code, globals, filename];
}

/**
 * The process's one interpreter.
 *
 * Whatever uses it first opens Python: a member of it, or any other function of this package. That can throw
 * {@linkcode PythonNotFoundError} or {@linkcode PythonLoadError}; after `python.close()` every use throws
 * {@linkcode PythonClosedError}.
 *
 * @example
 * ```ts
 * import { python } from "pyawait";
 * const asyncio = python.import("asyncio");
 * await asyncio.sleep(0.01, "done"); // "done"
 * ```
 */
export const python: Python = new PythonInterpreter();
