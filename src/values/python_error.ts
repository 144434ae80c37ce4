// The error that Python's exceptions become.
//
// A PythonError holds the live exception, so thrown back into Python it is the same object; its traceback is formatted when
// it is read, since most errors are caught and never looked at.
import { bridge, type ErrorDetails } from "../interpreter/bridge.ts";
import { exemptFromTidy, handOutMember, withdraw } from "./handouts.ts";
import { stateOf } from "./proxy_state.ts";

const isFrame = (line: string) => /^\s+at |@/.test(line);
const isOwn = (line: string) => bridge.ownFolders.some((folder) => line.includes(folder));

/** The frames of a stack that are not pyawait's own, which say nothing to its reader. */
function framesOf(stack: string): string {
  return stack.split("\n").filter((line) => isFrame(line) && !isOwn(line)).join("\n");
}

/** The frames of a stack above the first one of pyawait's: what JavaScript did after Python had called it. */
export function framesBeforeOurs(stack: string): string {
  const frames = stack.split("\n").filter(isFrame), first = frames.findIndex(isOwn);
  return (first < 0 ? frames : frames.slice(0, first)).filter((line) => !/\bnode:async_hooks\b/.test(line)).join("\n");
}

const brand = Symbol.for("pyawait.PythonError");

/** What a PythonError is made of. `has`: 1 if it has a cause, + 2 if it is a group. */
interface Made {
  readonly exception: unknown;
  readonly name: string;
  readonly message: string;
  readonly has: number;
}

/** Takes the JavaScript frames from here: for a Promise, of the functions that await it. */
export let takeFrames: (error: PythonError) => void;
/** The error has been to Python and comes back: what has happened to the exception there is looked up anew. */
let renew: (error: PythonError, has: number) => PythonError;
/** Its exception, handed out to no user. */
let exceptionIn: (error: PythonError) => object;
/** Its exception, its cause and its errors, as far as they are known. */
export let partsOfError: (error: PythonError) => unknown[];

/**
 * An exception that Python raised. Its `name` is the class, its `message` is `str(exception)`; `stack` has Python's frames,
 * innermost first, and then JavaScript's.
 *
 * @example
 * ```ts
 * import { python, PythonError } from "pyawait";
 * try {
 *   python.exec("{}['key']");
 * } catch (error) {
 *   if (error instanceof PythonError && error.name === "KeyError") console.log(error.traceback);
 * }
 * ```
 */
export class PythonError extends Error {
  /** From `__cause__`, else `__context__` unless it is suppressed; there is no such property where there is none. */
  declare cause?: unknown;
  /** The exceptions of an `ExceptionGroup`; no other exception has this property. */
  declare errors?: readonly unknown[];
  readonly #exception: unknown;
  #details: ErrorDetails | undefined;
  #traceback: string | undefined;
  #javaScriptStack: string;

  /**
   * @ignore Python makes them
   * @throws {TypeError} where a program calls it
   */
  constructor(made: unknown) {
    const { exception, name, message, has } = (made ?? {}) as Made;
    if (typeof has !== "number") {
      throw new TypeError("Cannot make a PythonError: Python makes them, as python.builtins.ValueError(text) that is thrown");
    }
    super(message);
    Object.defineProperty(this, "name", { value: name, enumerable: false, writable: true, configurable: true });
    this.#exception = exception;
    const trace = { stack: "" }; // not this.stack: Deno keeps the frames of an error whose own stack was read, and shows them
    Error.captureStackTrace(trace, PythonError);
    this.#javaScriptStack = framesOf(trace.stack);
    Object.defineProperty(this, "stack", {
      configurable: true,
      get: () => this.#stack(),
      set: (value) => Object.defineProperty(this, "stack", { value, writable: true, configurable: true }),
    });
    this.#expose(has);
    Object.defineProperty(this, brand, { value: true });
  }

  static {
    Object.defineProperty(this, "name", { value: "PythonError", configurable: true }); // bundlers rename classes that name themselves
    takeFrames = (error) => {
      error.#javaScriptStack = framesOf(new Error().stack ?? "");
    };
    renew = (error, has) => {
      error.#details = error.#traceback = undefined;
      error.#expose(has);
      return error;
    };
    // An error of another copy of pyawait has the brand, but not these fields.
    exceptionIn = (error) => (#exception in error ? error.#exception : (error as PythonError).exception) as object;
    partsOfError = (error) => #exception in error ? [error.#exception, error.#details?.cause, error.#details?.errors] : [];
  }

  #expose(has: number): void {
    if (has & 1) Reflect.defineProperty(this, "cause", { get: () => this.#look().cause, configurable: true });
    else Reflect.deleteProperty(this, "cause");
    if (has & 2) Reflect.defineProperty(this, "errors", { get: () => this.#look().errors, configurable: true });
  }

  /** What shows an error reads its stack first, and shows no property that is a getter. */
  #makePlain({ cause, errors }: ErrorDetails): void {
    const settled = (value: unknown) => ({ value, writable: true, configurable: true });
    if (Object.getOwnPropertyDescriptor(this, "cause")?.get) Reflect.defineProperty(this, "cause", settled(cause));
    if (Object.getOwnPropertyDescriptor(this, "errors")?.get) Reflect.defineProperty(this, "errors", settled(errors));
  }

  #look(): ErrorDetails {
    if (this.#details) return this.#details;
    this.#details = bridge.errorDetails(this.#exception);
    for (const error of [this.#details.cause, ...this.#details.errors ?? []]) { // made now, but JavaScript was where this one was made
      const made = typeof error === "object" && error !== null && #javaScriptStack in error && !returning.has(error.#exception as object);
      if (!made) continue;
      error.#javaScriptStack = this.#javaScriptStack;
      exemptFromTidy(stateOf(error.#exception)!); // it is this error's, wherever it is looked at
    }
    return this.#details;
  }

  #stack(): string {
    const lines = [`${this.name}: ${this.message}`];
    try {
      const details = this.#look();
      this.#makePlain(details);
      for (const [name, file, line] of details.frames) lines.push(`    at ${name} (${file}:${line})`);
    } catch {
      // Python is closed: the JavaScript half is what there is
    }
    if (this.#javaScriptStack) lines.push(this.#javaScriptStack);
    return lines.join("\n");
  }

  /** Python's own text of the exception, with its traceback and its causes. */
  get traceback(): string {
    return this.#traceback ??= bridge.tracebackOf(this.#exception);
  }

  /** The live exception object; it keeps the frames' locals alive, like a caught exception in Python. */
  // deno-lint-ignore no-explicit-any
  get exception(): any {
    return handOutMember(this.#exception);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && brand in value;
  }
}

/** The exception of a PythonError, handed out to no user; `undefined` for every other value. */
export function exceptionOf(error: unknown): object | undefined {
  return error instanceof PythonError ? exceptionIn(error) : undefined;
}

/** PythonErrors that were thrown into Python, by the proxies of their exceptions: they come back as themselves. */
export const returning: WeakMap<object, Error> = new WeakMap();

/** The PythonError of an exception. */
export function pythonError(exception: unknown, name: string, message: string, has: number): PythonError {
  const known = returning.get(exception as object);
  if (!known) return newPythonError(exception, name, message, has);
  withdraw(stateOf(exception)!); // it has a hold of its own
  return renew(known as PythonError, has);
}

/** A new PythonError, whatever is known of its exception. */
export function newPythonError(exception: unknown, name: string, message: string, has: number): PythonError {
  return new PythonError({ exception, name, message, has } satisfies Made);
}
