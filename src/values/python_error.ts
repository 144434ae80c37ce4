// PythonError: what an exception raised by Python becomes in JavaScript.
//
// It holds the live exception, so throwing it back into Python raises the same object. Its traceback is formatted only
// when it is read, because most errors are caught and never shown.
import { backend } from "../../ffi/mod.ts";
import { bridge, type ErrorDetails } from "../interpreter/bridge.ts";
import { exemptFromTidy, handOutMember, withdraw } from "./handouts.ts";
import { stateOf } from "./proxy_state.ts";

const isFrame = (line: string) => /^\s+at (?!unknown$)|@/.test(line); // Bun has "at unknown" where code was inlined
/** Whether a frame of a stack is pyawait's own; Bun also shows the shim's functions. */
export const isOwnFrame = (line: string): boolean =>
  bridge.ownFolders.some((folder) => line.includes(folder)) || /\bpyawait_\w+ \(unknown\)/.test(line);

/** The frames of a stack without pyawait's own, which tell the user nothing. */
export function framesOf(stack: string): string {
  return stack.split("\n").filter((line) => isFrame(line) && !isOwnFrame(line)).join("\n");
}

/** The frames above the first of pyawait's own: what JavaScript did after Python had called it. */
export function framesBeforeOurs(stack: string): string {
  const frames = stack.split("\n").filter(isFrame), first = frames.findIndex(isOwnFrame);
  return (first < 0 ? frames : frames.slice(0, first)).filter((line) => !/\bnode:async_hooks\b/.test(line)).join("\n");
}

const brand = Symbol.for("pyawait.PythonError");

/** The constructor's argument. `has`: 1 if there is a cause, plus 2 if it is a group. */
interface Made {
  readonly exception: unknown;
  readonly name: string;
  readonly message: string;
  readonly has: number;
}

/** Replaces the JavaScript frames by those of the functions that await the Promise that is being settled. */
export let takeFrames: (error: PythonError) => void;
/** The error comes back from Python: its details are looked up anew, because the exception may have changed there. */
let renew: (error: PythonError, has: number) => PythonError;
/** The exception, without handing it out. */
let exceptionIn: (error: PythonError) => object;
/** The exception, the cause and the errors that are known so far; for `tidy`. */
export let partsOfError: (error: PythonError) => unknown[];

/**
 * An exception that Python raised.
 *
 * `name` is the Python class, `message` is `str(exception)`; `stack` has Python's frames, innermost first, then
 * JavaScript's. Unlike Pyodide's `PythonError` it holds the live exception: thrown into Python again, it is the same
 * object.
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
  /** The error of `__cause__`, else of `__context__` unless that is suppressed. Absent if there is neither. */
  declare cause?: unknown;
  /** The exceptions of an `ExceptionGroup`. Absent on every other exception. */
  declare errors?: readonly unknown[];
  readonly #exception: unknown;
  #details: ErrorDetails | undefined;
  #traceback: string | undefined;
  #javaScriptStack: string;

  /**
   * @ignore only Python makes one
   * @throws {TypeError} if a program calls it
   */
  constructor(made: unknown) {
    const { exception, name, message, has } = (made ?? {}) as Made;
    if (typeof has !== "number") {
      throw new TypeError("Cannot make a PythonError: Python makes them, as python.builtins.ValueError(text) that is thrown");
    }
    const limit = Error.stackTraceLimit;
    Reflect.set(Error, "stackTraceLimit", 0); // Bun shows an error's own frames, and our source, where `stack` has no frame
    super(message);
    Reflect.set(Error, "stackTraceLimit", limit);
    Object.defineProperty(this, "name", { value: name, enumerable: false, writable: true, configurable: true });
    this.#exception = exception;
    const trace = { stack: "" }; // not `this.stack`: Deno keeps, and shows, the frames of an error whose own stack was read
    Error.captureStackTrace(trace, PythonError);
    this.#javaScriptStack = framesOf(trace.stack);
    Object.defineProperty(this, "stack", {
      configurable: true,
      get: () => this.#stack(),
      set: (value) => Object.defineProperty(this, "stack", { value, writable: true, configurable: true }),
    });
    if (has & 2) Reflect.setPrototypeOf(this, groupPrototype);
    this.#expose(has);
    Object.defineProperty(this, brand, { value: true });
  }

  static {
    Object.defineProperty(this, "name", { value: "PythonError", configurable: true }); // bundlers rename a class that refers to itself
    takeFrames = (error) => {
      const lines = framesOf(new Error().stack ?? "").split("\n"); // above them are the runtime's, which run microtasks
      error.#javaScriptStack = lines.filter((line) => /^\s+at async /.test(line)).join("\n");
    };
    renew = (error, has) => {
      error.#details = error.#traceback = undefined;
      error.#expose(has);
      return error;
    };
    // An error of another copy of pyawait has the brand but not these private fields.
    exceptionIn = (error) => (#exception in error ? error.#exception : (error as PythonError).exception) as object;
    partsOfError = (error) => #exception in error ? [error.#exception, error.#details?.cause, error.#details?.errors] : [];
  }

  #expose(has: number): void {
    if (has & 1) Reflect.defineProperty(this, "cause", { get: () => this.#look().cause, configurable: true });
    else Reflect.deleteProperty(this, "cause");
    if (has & 2) Reflect.defineProperty(this, "errors", { get: () => this.#look().errors, configurable: true });
  }

  /** Replaces the getters by their values: tools that print errors read the stack first and skip getters. */
  #makePlain({ cause, errors, hint, notes }: ErrorDetails): void {
    const enumerable = backend.printsProperties;
    const settle = (name: string, value: unknown, enumerable: boolean) =>
      Reflect.defineProperty(this, name, { value, writable: true, configurable: true, enumerable });
    if (Object.getOwnPropertyDescriptor(this, "cause")?.get) settle("cause", cause, false);
    if (Object.getOwnPropertyDescriptor(this, "errors")?.get) settle("errors", errors, enumerable);
    if (enumerable && hint) settle("hint", hint, true);
    if (enumerable && notes.length > 0) settle("notes", notes, true);
  }

  #look(): ErrorDetails {
    if (this.#details) return this.#details;
    this.#details = bridge.errorDetails(this.#exception);
    for (const error of [this.#details.cause, ...this.#details.errors ?? []]) { // made just now: it gets this error's frames
      const made = typeof error === "object" && error !== null && #javaScriptStack in error && !returning.has(error.#exception as object);
      if (!made) continue;
      error.#javaScriptStack = this.#javaScriptStack;
      exemptFromTidy(stateOf(error.#exception)!); // this error keeps it, wherever it is read
    }
    return this.#details;
  }

  #stack(): string {
    const lines = [`${this.name}: ${this.message}`];
    try {
      const details = this.#look();
      this.#makePlain(details);
      lines.push(...details.notes);
      if (details.hint) lines.push(details.hint);
      for (const [name, file, line] of details.frames) lines.push(`    at ${name} (${file}:${line})`);
    } catch {
      // Python is closed: only the JavaScript half is left.
    }
    if (this.#javaScriptStack) lines.push(this.#javaScriptStack);
    return lines.join("\n");
  }

  /** What to do about it in JavaScript, where Python's message cannot say so; `stack` has it, too. Else `undefined`. */
  get hint(): string | undefined {
    try {
      return this.#look().hint ?? undefined;
    } catch {
      return undefined; // Python is closed
    }
  }

  /**
   * Python's own text of the exception, with its traceback and causes.
   *
   * @throws {PythonClosedError} if it is first read after Python was closed
   */
  get traceback(): string {
    return this.#traceback ??= bridge.tracebackOf(this.#exception);
  }

  /**
   * The live exception object. Like a caught exception in Python it keeps the locals of its frames alive. Each read
   * hands the proxy out once more.
   */
  // deno-lint-ignore no-explicit-any
  get exception(): any {
    return handOutMember(this.#exception);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && brand in value;
  }
}

/**
 * What a group inherits from. Deno prints the `errors` of an uncaught error only if some prototype's constructor has the
 * name of AggregateError; that of the group is PythonError, as of others.
 */
const groupPrototype: object = Object.create(
  Object.create(PythonError.prototype, { constructor: { value: AggregateError } }),
  { constructor: { value: PythonError } },
);

/** Reads the stacks of an error and of all that it carries, as long as Python can tell them. */
export function readStacks(error: unknown, read: Set<unknown> = new Set()): void {
  if (typeof error !== "object" || error === null || read.has(error) || read.size > 1000) return;
  read.add(error);
  try {
    if (error instanceof PythonError) void error.stack;
    const { cause, errors } = error as { cause?: unknown; errors?: unknown };
    readStacks(cause, read);
    if (Array.isArray(errors)) { for (const each of errors) readStacks(each, read); }
  } catch {
    // a getter of the program's own
  }
}

/** The exception of a PythonError, without handing it out; `undefined` for every other value. */
export function exceptionOf(error: unknown): object | undefined {
  return error instanceof PythonError ? exceptionIn(error) : undefined;
}

/**
 * PythonErrors that were thrown into Python, by their exceptions' proxies, so that they come back as themselves; and
 * objects of exception classes that are JavaScript's.
 */
export const returning: WeakMap<object, Error> = new WeakMap();

/** The PythonError of an exception: the known one if it was thrown into Python, else a new one. */
export function pythonError(exception: unknown, name: string, message: string, has: number): Error {
  const known = returning.get(exception as object);
  if (known !== undefined && known === exception) return known;
  if (!known) return newPythonError(exception, name, message, has);
  withdraw(stateOf(exception)!); // the known error has a hold of its own
  return renew(known as PythonError, has);
}

/** A new PythonError for an exception. */
export function newPythonError(exception: unknown, name: string, message: string, has: number): PythonError {
  return new PythonError({ exception, name, message, has } satisfies Made);
}
