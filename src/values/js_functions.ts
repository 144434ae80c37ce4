// Which JavaScript functions are asynchronous for Python, and Promises that start when they are first awaited.
//
// The one thing to know: `async function` is told by its brand; a function that only returns a Promise is marked.
// And what else Python asks a value's type for.
import { AsyncResource } from "node:async_hooks";
import { types } from "node:util";

// deno-lint-ignore ban-types
const marked = new WeakSet<Function>();

/**
 * Marks a function that returns a Promise, so that Python sees an `async def`: it can be awaited, given to
 * `asyncio.create_task` or run by `asyncio.run`, and `inspect.iscoroutinefunction` is true for it.
 *
 * An `async function` needs no mark.
 *
 * @param fn the function; it is given back
 * @example
 * ```ts
 * import { asyncDef, python } from "pyawait";
 * const sleep = asyncDef((ms: number) => new Promise((resolve) => setTimeout(resolve, ms)));
 * await python.execAsync("await sleep(10)", { globals: { sleep } });
 * ```
 */
// deno-lint-ignore no-explicit-any
export function asyncDef<F extends (...args: any[]) => PromiseLike<unknown>>(fn: F): F {
  if (typeof fn !== "function") throw new TypeError(`Cannot mark ${typeof fn} as asynchronous: asyncDef(fn) takes a function`);
  marked.add(fn);
  return fn;
}

// deno-lint-ignore ban-types
export function isAsync(fn: Function): boolean {
  return types.isAsyncFunction(fn) && !types.isGeneratorFunction(fn) || marked.has(fn);
}

const classes = new WeakMap<object, boolean>();

/**
 * Whether a function is a class. Classes, the built-in ones included, have a `prototype` that cannot be replaced; so has
 * a frozen function, whose text tells.
 */
export function isClass(value: unknown): boolean {
  if (typeof value !== "function" || Object.getOwnPropertyDescriptor(value, "prototype")?.writable !== false) return false;
  let known = classes.get(value);
  if (known === undefined) {
    known = /^class\b|^function [\w$]*\(\) \{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(value));
    known &&= value !== Symbol as unknown && value !== BigInt as unknown; // which cannot be constructed
    classes.set(value, known);
  }
  return known;
}

/** A Promise that starts when Python first awaits it. It serves all its awaits: they have one signal, its own. */
export class Source {
  readonly start: (signal: AbortSignal) => PromiseLike<unknown>;
  readonly controller: AbortController = new AbortController();
  promise: Promise<unknown> | undefined;
  /** Somebody listens to the signal, so a cancelled await ends when the Promise has. */
  taken: boolean;
  whenTaken: (source: Source) => void = () => {};

  /** The scope of AsyncLocalStorage in which it was made, and in which it runs. */
  readonly #scope = new AsyncResource("pyawait");

  /** @param taken `start` takes the signal as its argument */
  constructor(start: (signal: AbortSignal) => PromiseLike<unknown>, taken: boolean) {
    this.start = start;
    this.taken = taken;
  }

  get signal(): AbortSignal {
    if (!this.taken) {
      this.taken = true;
      this.whenTaken(this);
    }
    return this.controller.signal;
  }

  /** Its Promise, started now if it was not, within what `run` makes current. */
  begin(run: <T>(fn: () => T) => T = (fn) => fn()): Promise<unknown> {
    const start = () => this.start(this.controller.signal);
    return this.promise ??= new Promise((resolve) => resolve(this.#scope.runInAsyncScope(() => run(start))));
  }

  /** JavaScript may await it too. */
  then<A = unknown, B = never>(
    fulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.begin().then(fulfilled, rejected);
  }
}

const { dispose, asyncDispose } = Symbol as { dispose?: symbol; asyncDispose?: symbol };

/** What a value can do that Python asks a type for, as bits: `_traits` of src/py/values.py, but for being called. */
export function traitsOf(value: object): number {
  try {
    return askTraits(value);
  } catch {
    return 0; // a Proxy that throws when it is asked
  }
}

function askTraits(value: object): number {
  const iterable = Symbol.iterator in value, disposable = dispose !== undefined && dispose in value;
  return (iterable ? 2 : 0) |
    (iterable || Symbol.asyncIterator in value ? 4 : 0) |
    (typeof value !== "function" && ("length" in value || "size" in value) ? 8 : 0) |
    (disposable ? 16 : 0) |
    (disposable || asyncDispose !== undefined && asyncDispose in value ? 32 : 0) |
    (iterable && typeof (value as { next?: unknown }).next === "function" ? 64 : 0);
}
