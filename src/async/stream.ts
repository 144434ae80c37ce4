// Python's async generators as JavaScript async iterators, and the reverse.
//
//    next() ──► what to do next, settles PULL ──►      one task drives the generator from start to end
//      resolves  ◄── PULL with the item ◄──             and asks for what to do after each item (lock-step)
//      resolves  ◄── ITEM, ITEM, ITEM … ◄──             or runs ahead as long as it has credit
//
// The end of the task is the end of the stream, and follows the items in the same queue. A generator that catches its
// cancellation yields an item without being asked, and does not receive the command that it was given.
import { Promise, rejected, resolved, then } from "../../ffi/intrinsics.ts";
import { callHelper } from "../proxy/call.ts";
import { Iterated } from "./js_iterators.ts";
import { Kind } from "../wire/numbers.ts";
import { type AwaitOptions, runHelper, signalOf } from "./promise.ts";
import type { PyProxy } from "../proxy/py_proxy.ts";
import { whenAborted } from "../context/abort_signals.ts";
import { stateOf } from "../values/proxy_state.ts";
import type { TaskLocals } from "./task_locals.ts";

/** Options of {@linkcode intoAsyncIterable}. */
export interface StreamOptions extends AwaitOptions {
  /**
   * How many items the generator may run ahead of its reader. 0 (default): it is resumed only when the next item is
   * asked for. Above 0, items arrive in batches, and `next(value)` and `throw(error)` do not reach the generator.
   */
  highWaterMark?: number;
}

/** What {@linkcode intoAsyncIterable} returns. All three methods reject with what the generator raises. */
export interface PyAsyncIterator extends AsyncIterableIterator<unknown> {
  next(value?: unknown): Promise<IteratorResult<unknown>>;
  return(value?: unknown): Promise<IteratorResult<unknown>>;
  throw(error: unknown): Promise<IteratorResult<unknown>>;
}

type Command = [throws: boolean, value: unknown];

interface Asked {
  readonly command: Command;
  /**
   * The iterator that was asked. The reference keeps it from being collected, and the stream from ending, before the
   * answer.
   */
  readonly reader: PyAsyncIterator;
  resolve(result: IteratorResult<unknown>): void;
  reject(error: unknown): void;
}

const end = (value?: unknown): IteratorResult<unknown> => ({ done: true, value });

/**
 * The half of a stream that Python knows. It must not refer to the iterator that the user holds, whose collection ends
 * the stream.
 */
class Stream {
  readonly #source: unknown;
  readonly #options: StreamOptions;
  readonly #limit: number;
  readonly #stop = new AbortController();
  #driver: Promise<void> | undefined;
  #over = false;
  #left = false;
  /** An item was lost, so no later one is delivered. */
  #broken = false;
  #failure: { error: unknown } | undefined;
  #asked: Asked[] = [];
  #current: Asked | undefined;
  #give: ((command: Command | null) => void) | undefined;
  #items: unknown[] = [];
  #taken = 0;
  #consumed = 0;
  #grant: ((credits: number) => void) | undefined;

  constructor(source: unknown, options: StreamOptions, limit: number) {
    this.#source = source;
    this.#options = options;
    this.#limit = limit;
  }

  ask(reader: PyAsyncIterator, command: Command): Promise<IteratorResult<unknown>> {
    const [throws, value] = command;
    if (!throws && this.#taken < this.#items.length) return resolved({ done: false, value: this.#take() });
    if (this.#over) return throws ? rejected(value) : this.#atEnd();
    this.#start();
    return new Promise((resolve, reject) => {
      this.#asked.push({ command, reader, resolve, reject });
      this.#advance();
    });
  }

  /**
   * Python asks for the next command and delivers the item of the last one; no item if it has not received that
   * command.
   */
  pull(item: unknown[]): Promise<Command | null> | null {
    if (item.length > 0) {
      this.#current?.resolve({ done: false, value: item[0] });
      this.#current = undefined;
    }
    this.#requeue();
    if (this.#stop.signal.aborted) return null; // the generator has caught its cancellation: Python closes it
    return new Promise((resolve) => {
      this.#give = resolve;
      this.#advance();
    });
  }

  /** Puts the last command back: Python has not received it. */
  #requeue(): void {
    if (this.#current) this.#asked.unshift(this.#current);
    this.#current = undefined;
  }

  #advance(): void {
    if (!this.#give || this.#current || this.#asked.length === 0) return;
    const give = this.#give;
    this.#give = undefined;
    this.#current = this.#asked.shift()!;
    give(this.#current.command);
  }

  /** An item of a generator that runs ahead, or one yielded on cancellation. There may be no reader waiting for it. */
  push(item: unknown): void {
    if (this.#left || this.#broken) return;
    this.#requeue();
    const asked = this.#asked[0]?.command[0] ? undefined : this.#asked.shift(); // throw() expects an answer of its own
    if (!asked) return void this.#items.push(item);
    this.#count();
    asked.resolve({ done: false, value: item });
  }

  /** An item could not be read: the stream ends there, with this error. */
  fail(error: unknown): void {
    if (this.#left || this.#broken) return;
    this.#broken = true;
    this.#failure = { error };
    this.#cancel(error);
  }

  #take(): unknown {
    const item = this.#items[this.#taken];
    this.#items[this.#taken++] = undefined;
    if (this.#taken === this.#items.length) this.#items = [], this.#taken = 0;
    this.#count();
    return item;
  }

  #count(): void {
    this.#consumed++;
    if (this.#grant && this.#consumed >= this.#limit / 2) this.#giveCredit();
  }

  #giveCredit(): void {
    const grant = this.#grant!;
    this.#grant = undefined;
    grant(this.#consumed);
    this.#consumed = 0;
  }

  /** Python has used half of its credit and asks for more; granted once the reader has consumed that much. */
  credit(): Promise<number> | number {
    if (this.#stop.signal.aborted) return 0;
    return new Promise((resolve) => {
      this.#grant = resolve;
      if (this.#consumed >= this.#limit / 2) this.#giveCredit();
    });
  }

  #start(): void {
    if (this.#driver) return;
    const given = signalOf(this.#options);
    if (given?.aborted) this.#cancel(given.reason);
    const unlisten = given && !given.aborted ? whenAborted(given, () => this.#cancel(given.reason)) : undefined;
    const driven = runHelper("drive_stream", [this.#source, this, this.#limit], { ...this.#options, signal: this.#stop.signal });
    const finish = () => {
      unlisten?.();
      this.#finish();
    };
    this.#driver = then(driven, finish, (error) => {
      this.#failure ??= { error };
      finish();
    });
  }

  #cancel(reason: unknown): void {
    this.#stop.abort(reason);
    this.#grant?.(0); // a generator that catches its cancellation must not wait for a reader
    this.#grant = undefined;
  }

  #finish(): void {
    this.#over = true;
    const current = this.#current, waiting = this.#asked;
    this.#current = undefined;
    this.#asked = [];
    this.#grant?.(0);
    this.#give?.(null); // frees the slot of a pull that no longer waits in Python
    this.#give = undefined;
    if (current) then(this.#atEnd(), current.resolve, current.reject);
    for (const { command: [throws, value], resolve, reject } of waiting) {
      if (throws) reject(value);
      else then(this.#atEnd(), resolve, reject);
    }
  }

  /** The error once, then the end. If the reader has left, `stop` reports the error instead. */
  #atEnd(): Promise<IteratorResult<unknown>> {
    if (this.#left || !this.#failure) return resolved(end());
    const { error } = this.#failure;
    this.#failure = undefined;
    return rejected(error);
  }

  /** The reader leaves. Resolves when the generator's cleanup has run. */
  async stop(): Promise<void> {
    dropped.unregister(this); // an error's stack may refer to the iterator, and must not keep it alive from here
    this.#left = true;
    this.#items = [];
    this.#taken = 0;
    if (!this.#driver) {
      this.#over = true;
      return;
    }
    if (!this.#over) this.#cancel(new DOMException("the reader has left", "AbortError"));
    await this.#driver;
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure && failure.error !== this.#stop.signal.reason) throw failure.error;
  }

  get runsAhead(): boolean {
    return this.#limit > 0;
  }
}

const dropped = new FinalizationRegistry<Stream>((stream) => void then(stream.stop(), undefined, () => {}));

/**
 * Makes an async iterator of a Python async generator, or of any object with `__aiter__`. As PyO3 Asyncio's
 * `into_stream_v2`. `for await` on a proxy does the same with default options.
 *
 * It starts at the first `next()`, and one Python task drives it from start to end. Leaving the loop early cancels that
 * task and closes the generator, and its cleanup has run when the loop is left. An error arrives after the items before
 * it.
 *
 * @param asyncIterable a proxy
 * @param options `highWaterMark`, see {@linkcode StreamOptions}; `signal` and `locals`, see {@linkcode AwaitOptions}
 * @returns an async iterator
 * @throws {TypeError} if it is not a Python async iterable
 * @throws {RangeError} if `highWaterMark` is not an integer from 0 to 2³¹ − 1
 * @example
 * ```ts
 * import { intoAsyncIterable, python } from "pyawait";
 * const count = python.exec("async def count(n):\n  for i in range(n): yield i\ncount");
 * for await (const i of intoAsyncIterable(count(3), { highWaterMark: 16 })) console.log(i);
 * ```
 */
export function intoAsyncIterable(asyncIterable: unknown, options: StreamOptions = {}): PyAsyncIterator {
  const state = stateOf(asyncIterable);
  if (!state || !(state.kinds & Kind.asyncIterable)) {
    throw new TypeError(
      `Cannot iterate ${String(asyncIterable)}: intoAsyncIterable takes a Python async generator, or an object with __aiter__`,
    );
  }
  const { highWaterMark = 0 } = options;
  if (!Number.isSafeInteger(highWaterMark) || highWaterMark < 0 || highWaterMark > 0x7fff_ffff) {
    throw new RangeError(`Cannot iterate with highWaterMark ${highWaterMark}: it has to be an integer from 0 on`);
  }
  const stream = new Stream(asyncIterable, options, highWaterMark);
  const iterator: PyAsyncIterator = {
    next: (value) => stream.ask(iterator, [false, value]),
    async return(value) {
      await stream.stop();
      return end(await value);
    },
    async throw(error) {
      if (!stream.runsAhead) return stream.ask(iterator, [true, error]);
      await stream.stop();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  dropped.register(iterator, stream, stream);
  return iterator;
}

/**
 * Makes a Python async generator of a JavaScript async iterable or iterable: `async for`, `asend`, `athrow` and
 * `aclose` reach it. Nothing is read before Python asks; `aclose` calls `return()`.
 *
 * An async generator object that is passed to Python becomes one by itself.
 *
 * @param iterable a `ReadableStream`, a Node stream, an async generator, an Array …
 * @param options `locals`: current while the iterable makes its items. Default: those of the Python code that asks
 * @returns the async generator, a proxy
 * @throws {TypeError} if it is neither iterable nor async iterable
 * @example
 * ```ts
 * import { asyncIterableIntoPy, python } from "pyawait";
 * const lines = asyncIterableIntoPy(["a", "b"]);
 * await python.execAsync("[line async for line in lines]", { globals: { lines } });
 * ```
 */
export function asyncIterableIntoPy(
  iterable: AsyncIterable<unknown> | Iterable<unknown>,
  { locals }: { locals?: TaskLocals } = {},
): PyProxy {
  const candidate = iterable as { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown } | null | undefined;
  if (typeof candidate?.[Symbol.asyncIterator] !== "function" && typeof candidate?.[Symbol.iterator] !== "function") {
    throw new TypeError(`Cannot make an async generator of ${String(iterable)}: it is neither iterable nor async iterable`);
  }
  return callHelper("make_async_generator", new Iterated(iterable, locals)) as PyProxy;
}
