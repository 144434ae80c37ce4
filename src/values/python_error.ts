// The errors that pyawait throws, besides TypeError, RangeError and those of `not_found.ts` and `closed.ts`.
//
// The one thing to know: a PythonError holds the live exception, so thrown back into Python it is the same object, and
// its traceback is formatted when somebody reads it.

import { handOutMember, keep, takeBack } from "./handouts.ts";
import { stateOf } from "./proxy_state.ts";

/** What a PythonError asks Python for when its stack, cause or errors are read. */
export interface ErrorDetails {
  readonly frames: readonly (readonly [name: string, file: string, line: number])[];
  readonly cause: unknown;
  readonly errors: readonly unknown[] | null;
}

/** How an exception is looked into. */
export interface ErrorReader {
  details(exception: unknown): ErrorDetails;
  traceback(exception: unknown): string;
}

let reader: ErrorReader;

/** `src/exceptions.ts` can. */
export function lookIntoErrorsWith(given: ErrorReader): void {
  reader = given;
}

const isFrame = (line: string) => /^\s+at |@/.test(line);

/** The folder of this module as stacks name it: a URL, a path, or with source maps the folder of the sources. */
function folderOfFrames(): string[] {
  const [first] = (new Error().stack ?? "").split("\n").filter(isFrame);
  const found = /((?:file:\/\/)?[^\s()@]*[\\/])[^\\/]*:\d+:\d+\)?\s*$/.exec(first ?? "");
  return found ? [found[1]] : [];
}

// Frames of pyawait's own say nothing to whoever reads a stack.
const here = new URL(".", import.meta.url);
const ownFolders = here.protocol === "file:" ? [here.href, here.pathname, ...folderOfFrames()] : [here.href];

/** The frames of a stack that are not pyawait's own. */
function framesOf(stack: string): string {
  const frames = stack.split("\n").filter(isFrame);
  return frames.filter((line) => !ownFolders.some((folder) => line.includes(folder))).join("\n");
}

/** The frames of a stack above the first one of pyawait's: what JavaScript did after Python had called it. */
export function ownFramesCut(stack: string): string {
  const frames = stack.split("\n").filter(isFrame);
  const first = frames.findIndex((line) => ownFolders.some((folder) => line.includes(folder)));
  return (first < 0 ? frames : frames.slice(0, first)).filter((line) => !/\bnode:async_hooks\b/.test(line)).join("\n");
}

const brand = Symbol.for("pyawait.PythonError");

/**
 * An exception that Python raised.
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

  /** @ignore made by pyawait only */
  constructor(exception: unknown, name: string, message: string, has: number) {
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

  /** Takes the JavaScript frames from here: for a Promise, of the functions that await it. */
  static capture(error: PythonError): void {
    error.#javaScriptStack = framesOf(new Error().stack ?? "");
  }

  /** It has been to Python and comes back: what has happened to the exception there is looked up anew. */
  static renew(error: PythonError, has: number): PythonError {
    error.#details = error.#traceback = undefined;
    error.#expose(has);
    return error;
  }

  #expose(has: number): void {
    if (has & 1) Reflect.defineProperty(this, "cause", { get: () => this.#look().cause, configurable: true });
    else Reflect.deleteProperty(this, "cause");
    if (has & 2) Reflect.defineProperty(this, "errors", { get: () => this.#look().errors, configurable: true });
  }

  /** What shows an error reads its stack first, and shows no property that is a getter. */
  #settle({ cause, errors }: ErrorDetails): void {
    const settled = (value: unknown) => ({ value, writable: true, configurable: true });
    if (Object.getOwnPropertyDescriptor(this, "cause")?.get) Reflect.defineProperty(this, "cause", settled(cause));
    if (Object.getOwnPropertyDescriptor(this, "errors")?.get) Reflect.defineProperty(this, "errors", settled(errors));
  }

  #look(): ErrorDetails {
    if (this.#details) return this.#details;
    this.#details = reader.details(this.#exception);
    for (const error of [this.#details.cause, ...this.#details.errors ?? []]) { // made now, but JavaScript was where this one was made
      const made = typeof error === "object" && error !== null && #javaScriptStack in error && !returning.has(error.#exception as object);
      if (!made) continue;
      error.#javaScriptStack = this.#javaScriptStack;
      keep(stateOf(error.#exception)!); // it is this error's, wherever it is looked at
    }
    return this.#details;
  }

  #stack(): string {
    const lines = [`${this.name}: ${this.message}`];
    try {
      const details = this.#look();
      this.#settle(details);
      for (const [name, file, line] of details.frames) lines.push(`    at ${name} (${file}:${line})`);
    } catch {
      // Python is closed: the JavaScript half is what there is
    }
    if (this.#javaScriptStack) lines.push(this.#javaScriptStack);
    return lines.join("\n");
  }

  /** Python's own text of the exception, with its traceback and its causes. */
  get traceback(): string {
    return this.#traceback ??= reader.traceback(this.#exception);
  }

  /** The live exception object; it keeps the frames' locals alive, like a caught exception in Python. */
  // deno-lint-ignore no-explicit-any
  get exception(): any {
    return handOutMember(this.#exception);
  }

  /** @ignore its exception, handed out to nobody */
  static exceptionOf(error: PythonError): object {
    return (#exception in error ? error.#exception : (error as { exception: unknown }).exception) as object;
  }

  /** @ignore its exception, its cause and its errors, as far as they are known */
  static partsOf(error: PythonError): unknown[] {
    return #exception in error ? [error.#exception, error.#details?.cause, error.#details?.errors] : [];
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && brand in value;
  }
}

/** PythonErrors that were thrown into Python, by the proxies of their exceptions: they come back as themselves. */
export const returning: WeakMap<object, PythonError> = new WeakMap();

/** The PythonError of an exception. */
export function pythonError(exception: unknown, name: string, message: string, has: number): PythonError {
  const known = returning.get(exception as object);
  if (!known) return new PythonError(exception, name, message, has);
  takeBack(stateOf(exception)!); // it has a hold of its own
  return PythonError.renew(known, has);
}
