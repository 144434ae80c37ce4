/**
 * Work of every kind, done very often, with what it left behind: for the tests of memory in test/soak/ and for soak/memory.mjs.
 */
import process from "node:process";
import {
  buffer,
  enterAsync,
  getCurrentLoop,
  intoAsyncIterable,
  intoPromise,
  kw,
  promiseIntoPy,
  pyClass,
  python,
  scope,
  TaskLocals,
  tidy,
  toJs,
  toLoop,
  toPy,
  toThread,
} from "../../mod.ts";
import { countHandles } from "../../src/interpreter/js_handles.ts";
import { countScopes } from "../../src/context/async_scopes.ts";
import { countPending } from "../../src/async/pending.ts";
import { runtime } from "./child.ts";
import { define } from "./define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

const py: Value = define(`
import asyncio, collections, contextvars, gc, sys

class Thing:
    value = 1
    def method(self, *args): return args
    async def coroutine(self, x): return x
    async def __aenter__(self): return self
    async def __aexit__(self, *error): pass

thing = Thing()
def same(*args, **kwargs): return args[0] if args else None
def fail(*args): raise KeyError("failed")
def call(f, *args): return f(*args)
def guard(f):
    try: f()
    except Exception as error: return str(error)
def numbers(n):
    for i in range(n): yield Thing() if i % 2 else i
def read(source): return [x for x in source]
async def give(value=None): return value
async def fail_async(): raise KeyError("failed")
async def forever(): await asyncio.sleep(60)
async def wait_for(f, *args): return await f(*args)
async def wait(promise): return await promise
async def numbers_async(n):
    for i in range(n): yield Thing() if i % 2 else i
async def read_async(source): return [x async for x in source]
def uses(x):
    x.a = x.a + 1
    return [x.method(1), 'a' in dir(x), x == x, repr(x), hash(x)]
`);
const { same, fail, call, guard, numbers, read, give, fail_async, forever, wait_for, wait, numbers_async, read_async, uses, thing } = py;
const { builtins } = python;

const swallow = (fn: () => unknown) => {
  try {
    fn();
  } catch {
    // on purpose
  }
};
const outcome = (promise: PromiseLike<unknown>) => promise.then(() => {}, () => {});
const failing = () => {
  throw new Error("of JavaScript");
};

class Own {
  a = 1;
  method(n: number) {
    return n + this.a;
  }
}
const Counter = pyClass("Counter", [], {
  add: (_self: Value, n: number) => n + 1,
  get value(): number {
    return 1;
  },
});
const counter = Counter(),
  bytes = builtins.bytearray(64),
  deep = python.exec("{'a': [1, (2.5, 'x' * 50)], 'b': {1, 2}, 'c': b'bytes', 'd': 2**80}");

/** Of Python from JavaScript. */
export const syncOperations: Record<string, () => unknown> = {
  "calls": () => same(1, "text", 2.5, null, true),
  "calls with containers": () => same([1, [2, { a: "b" }]], new Map([[1, 2]]), new Set(["a"])),
  "keyword arguments": () => same(1, kw({ a: 1, b: thing })),
  "new objects": () => new py.Thing(),
  "long strings": () => same("é".repeat(300)),
  "big integers": () => same(2n ** 100n),
  "bytes and arrays": () => same(new Uint8Array(200), new Float64Array(20)),
  "attributes": () => [thing.value, thing.missing, "value" in thing, thing.other = [1], delete thing.other],
  "methods": () => thing.method(1, thing),
  "items": () => [deep.$get("a"), deep.$has("b"), deep.length],
  "iteration": () => [...numbers(3)],
  "toJs": () => toJs(deep),
  "toPy": () => toPy({ a: [1, 2, 3] }),
  "text": () => `${thing}`,
  "coroutines never awaited": () => give([1]),
  "live buffers": () => {
    const view = bytes.$getBuffer();
    view.data[0] = 1;
    view.release();
  },
  "buffers filled": () => {
    const numbers = buffer(Float64Array, 8);
    same(numbers).$destroy();
    numbers.release();
  },
  "destroy": () => (same([1, 2]) as Value).$destroy(),
  "tidy": () => tidy(() => same([thing, [1]])[1]),
  "exec": () => python.exec("x + 1", { globals: { x: 1 } }),
};

/** Of JavaScript from Python, and errors. */
export const backOperations: Record<string, () => unknown> = {
  "generators of JavaScript's": () =>
    read((function* () {
      yield 1, yield new Own();
    })()),
  "callbacks": () => call((n: number) => n + 1, 1),
  "JavaScript objects": () => call((a: unknown, b: unknown) => [a, b], new Own(), thing),
  "uses of a JsProxy": () => uses(new Own()),
  "methods of a pyClass": () => [counter.add(1), counter.value],
  "exceptions of Python's": () => swallow(() => fail(1)),
  "exceptions of JavaScript's": () => guard(failing),
  "exceptions through both": () => swallow(() => call(failing)),
  "promises passed": () => same(Promise.resolve(1)),
};

export const asyncOperations: Record<string, () => PromiseLike<unknown>> = {
  "awaits": () => give(1),
  "awaits of objects": () => give([thing, new Own()]),
  "awaits that fail": () => outcome(fail_async()),
  "awaits cancelled": () => {
    const controller = new AbortController();
    const promise = outcome(intoPromise(forever(), { signal: controller.signal }));
    setTimeout(() => controller.abort());
    return promise;
  },
  "sleeps": () => py.asyncio.sleep(0),
  "toLoop": () => toLoop(same, [[1]]),
  "toThread": () => toThread(same, [thing]),
  "execAsync": () => python.execAsync("import asyncio\nawait asyncio.sleep(0)"),
  "async functions awaited": () => wait_for(async (x: unknown) => await x, thing),
  "async functions that fail": () => outcome(wait_for(async () => await Promise.reject(new Error("of JavaScript")))),
  "promises awaited": () => wait(Promise.resolve([1])),
  "promiseIntoPy": () => wait(promiseIntoPy(() => Promise.resolve(thing))),
  "async generators of Python's": async () => {
    for await (const _ of numbers_async(3));
  },
  "async generators left early": async () => {
    for await (const _ of intoAsyncIterable(numbers_async(5), { highWaterMark: 2 })) break;
  },
  "async generators of JavaScript's": () =>
    read_async((async function* () {
      yield 1, yield await new Own();
    })()),
  "async with": () => enterAsync(thing, (same: Value) => same.value),
  "callbacks from other threads": () => toThread(call, [(x: unknown) => x, 1]),
  "locals": () => scope(new TaskLocals(py.loop, py.contextvars.Context()), () => give(1)),
};
py.loop = getCurrentLoop();

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));
const collect = (globalThis as Value).gc as () => void;

async function repeat(operation: () => unknown, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const promises = [];
    for (let i = 0; i < 200 && done < times; i++, done++) {
      const result = operation();
      if (asynchronous.has(operation)) promises.push(result);
    }
    if (promises.length > 0) await Promise.all(promises);
    else if (done % 2000 === 0) await turn();
  }
}
const asynchronous = new Set<() => unknown>(Object.values(asyncOperations));

const blocks = () => Number(py.sys.getallocatedblocks());

/** Until nothing more is released on either side, or until `enough`. Other threads allocate a few blocks meanwhile. */
async function settle(enough = () => false): Promise<void> {
  for (let before = NaN, same = 0, i = 0; i < 60 && same < 4; i++) {
    collect();
    await turn();
    await py.asyncio.sleep(0.001);
    py.gc.collect();
    if (enough()) return;
    const now = blocks();
    same = Math.abs(now - before) <= 20 ? same + 1 : 0;
    before = now;
  }
}

export interface Left {
  /** Megabytes of resident memory more than after the warm-up. */
  readonly megabytes: number;
  readonly blocks: number;
  readonly handles: number;
  readonly scopes: number;
  readonly pending: number;
}

/**
 * Does it `times` times, a quarter of that to warm up; what there is more of than after the warm-up. Heaps go on
 * growing for a while; a leak goes on for ever: it is done once more, and again, while there is too much.
 */
export async function doOften(operation: () => unknown, times: number): Promise<Left> {
  const counts = () => [process.memoryUsage().rss / 2 ** 20, blocks(), countHandles(), countScopes(), countPending()];
  await repeat(operation, Math.ceil(times / 4));
  let left: Left | undefined;
  for (let attempt = 0; attempt < 4 && (!left || tooMuch(left).length > 0); attempt++) {
    await settle();
    const before = counts();
    const more = (): Left => {
      const [megabytes, blocks, handles, scopes, pending] = counts().map((count, at) => count - before[at]);
      return { megabytes, blocks, handles, scopes, pending };
    };
    await repeat(operation, times - Math.ceil(times / 4));
    await settle(() => tooMuch(more()).length === 0);
    left = more();
  }
  return left!;
}

/** What of it is too much, in words. */
export function tooMuch({ megabytes, blocks, handles, scopes, pending }: Left): string[] {
  const slack = runtime === "bun" ? 20 : 2; // Bun's collector scans the stack conservatively
  const wrong: string[] = [];
  if (megabytes >= 20) wrong.push(`${megabytes.toFixed(1)} MB more`);
  if (blocks > 1000) wrong.push(`${blocks} blocks more`);
  if (handles > slack) wrong.push(`${handles} handles more`);
  if (scopes > slack) wrong.push(`${scopes} scopes more`);
  if (pending !== 0) wrong.push(`${pending} promises pending`);
  return wrong;
}
