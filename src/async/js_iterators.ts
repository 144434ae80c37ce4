// Steps JavaScript's iterators for Python.
//
// Python closes every iterator whose end it has not seen. Whether that calls `return()` is decided here: not after the
// iterator itself has failed, as in JavaScript's own loops.
import { clearTimeout, Promise, setTimeout, then } from "../../ffi/intrinsics.ts";
import { asError } from "../proxy/error_details.ts";
import { reportRejection } from "../context/rejections.ts";
import { scope, type TaskLocals } from "./task_locals.ts";

/** The methods of an iterator; only `next` always exists. */
type Steps = Record<string, ((value?: unknown) => unknown) | undefined>;

/** What Python asks for: next(value), throw(error) or return(). */
type Command = readonly [mode: 0 | 1 | 2, value: unknown];

/** The answer: whether that was the end, and the item. */
type Step = readonly [done: boolean, value: unknown];

const closed: Step = [true, undefined];

/**
 * Milliseconds for which a cancelled await waits for an iterator to end its step; after that it closes in the
 * background.
 */
const patience = 100;

/** Checks what an iterator has returned. */
export function stepOf(result: unknown): Step {
  if (Object(result) !== result) throw new TypeError(`iterator result ${String(result)} is not an object`);
  const { done, value } = result as IteratorResult<unknown>;
  return [Boolean(done), value];
}

/** A synchronous iterator. It crosses by reference, even if it is a generator. */
export class Stepped {
  readonly #iterator: Steps;
  #over = false;

  constructor(iterator: unknown) {
    this.#iterator = iterator as Steps;
  }

  step([mode, value]: Command): Step {
    if (mode === 2) return this.#close();
    try {
      const step = stepOf(mode === 0 ? next(this.#iterator, value) : this.#throw(asError(value)));
      this.#over = step[0];
      return step;
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }

  #throw(error: unknown): unknown {
    if (typeof this.#iterator.throw === "function") return this.#iterator.throw(error);
    this.#iterator.return?.();
    throw error;
  }

  #close(): Step {
    if (this.#over) return closed;
    this.#over = true;
    this.#iterator.return?.();
    return closed;
  }
}

const next = (iterator: Steps, value: unknown) => value === null ? iterator.next!() : iterator.next!(value);

/** An asynchronous iterator, or a synchronous one whose items are awaited as `for await` does. */
export class AsyncStepped {
  readonly #iterator: Steps;
  readonly #source: unknown;
  readonly #synchronous: boolean;
  #over = false;
  #running: Promise<Step> | undefined;

  constructor(iterator: unknown, source: unknown, synchronous: boolean) {
    this.#iterator = iterator as Steps;
    this.#source = source;
    this.#synchronous = synchronous;
  }

  step([mode, value]: Command): Promise<Step> {
    return mode === 2 ? this.#close() : this.#running = this.#advance(mode === 1, value);
  }

  async #advance(throws: boolean, value: unknown): Promise<Step> {
    let step: Step;
    try {
      step = stepOf(await (throws ? this.#throw(asError(value)) : next(this.#iterator, value)));
      this.#over ||= step[0];
    } catch (error) {
      this.#over = true;
      throw error;
    } finally {
      this.#running = undefined;
    }
    return this.#synchronous ? [step[0], await step[1]] : step;
  }

  async #throw(error: unknown): Promise<unknown> {
    if (typeof this.#iterator.throw === "function") return this.#iterator.throw(error);
    await this.#iterator.return?.();
    throw error;
  }

  async #close(): Promise<Step> {
    if (this.#over) return closed;
    this.#over = true;
    if (this.#running) await this.#leave(this.#running);
    else await this.#iterator.return?.();
    return closed;
  }

  /** Python has left during a step. If return() waits for the end of the step, that is waited for, but not for ever. */
  #leave(running: Promise<Step>): Promise<void> {
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        resolve();
      }, patience);
      const stop = () => clearTimeout(timer);
      then(running, stop, stop);
      const returned = (async () => void await this.#iterator.return?.())();
      then(returned, stop, stop);
      then(returned, resolve, (error) => late ? reportRejection(error) : reject(error));
      if (isNodeStream(this.#source)) this.#source.destroy(); // its return() would wait for data that never comes
    });
  }
}

function isNodeStream(value: unknown): value is { destroy(): void } {
  const stream = value as { destroy?: unknown; pipe?: unknown };
  return typeof stream.destroy === "function" && typeof stream.pipe === "function";
}

/** The argument of `asyncIterableIntoPy`; crosses by reference, whatever it is. */
export class Iterated {
  readonly source: unknown;
  readonly locals: TaskLocals | undefined;
  constructor(source: unknown, locals: TaskLocals | undefined) {
    this.source = source;
    this.locals = locals;
  }
}

/** The iterator of an async iterable or iterable; `undefined` for any other value. */
export function asyncSteps(value: unknown): AsyncStepped | undefined {
  const { source, locals } = value instanceof Iterated ? value : { source: value, locals: undefined };
  const within = (iterator: unknown) => locals ? inScope(locals, iterator as Steps) : iterator;
  if (source instanceof ReadableStream) return new AsyncStepped(within(readerSteps(source)), source, false);
  const iterable = source as { [Symbol.asyncIterator]?(): unknown; [Symbol.iterator]?(): unknown };
  if (iterable[Symbol.asyncIterator]) return new AsyncStepped(within(iterable[Symbol.asyncIterator]!()), source, false);
  if (iterable[Symbol.iterator]) return new AsyncStepped(within(iterable[Symbol.iterator]!()), source, true);
}

/** Like a ReadableStream's own iterator, whose return(), however, waits for a read in progress. */
function readerSteps(stream: ReadableStream): Steps {
  let reader: ReadableStreamDefaultReader | undefined;
  return {
    async next() {
      reader ??= stream.getReader();
      let done = true;
      try {
        const step = await reader.read();
        done = step.done;
        return step;
      } finally {
        if (done) reader.releaseLock();
      }
    },
    async return() {
      const cancelled = reader?.cancel();
      reader?.releaseLock();
      await cancelled;
    },
  };
}

/** An iterator that runs each step in a scope. */
function inScope(locals: TaskLocals, iterator: Steps): Steps {
  const steps: Steps = {};
  for (const name of ["next", "throw", "return"]) {
    if (typeof iterator[name] === "function") steps[name] = (value) => scope(locals, () => iterator[name]!(value));
  }
  return steps;
}
