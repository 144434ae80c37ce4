/**
 * Nothing leaks: after a thousand of each operation both sides hold what they held before.
 *
 * Python's side is counted by its total of references where the build has one (a debug build), else by its allocated
 * blocks; JavaScript's side by the handles that Python holds and the pending Promises. A leak shows in every round, a
 * cache only in the first ones.
 */
import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals } from "#std/assert";
import {
  asyncDef,
  attach,
  float,
  intoAsyncIterable,
  intoPromise,
  kw,
  promiseIntoPy,
  python,
  toJs,
  toLoop,
  toThread,
  tuple,
} from "../../mod.ts";
import { countHandles } from "../../src/interpreter/js_handles.ts";
import { countPending } from "../../src/async/pending.ts";
import { runtime } from "../support/child.ts";

// deno-lint-ignore no-explicit-any
type Value = any;

const py: Value = python.exec(`
  import asyncio, gc, sys, warnings
  warnings.simplefilter("ignore", RuntimeWarning)  # of coroutines that are never awaited: on purpose

  class Thing:
      value = 1
      def method(self, *args, **kwargs): return args
      async def coroutine(self, x): return x

  thing, shared = Thing(), object()

  def give(*args, **kwargs): return None
  def echo(value): return value
  def make(): return Thing()
  def fail(*args): raise KeyError("failed", Thing())
  def call(js, *args): return js(*args)
  def guard(js):
      try:
          js()
      except Exception as error:
          return str(error)
  async def coro(value=None): return value
  async def coro_fail(): raise KeyError("failed", Thing())
  async def forever(): await asyncio.sleep(60)
  async def wait_for(js, *args): return await js(*args)
  async def wait_for_promise(promise): return await promise
  async def wait_twice(promise): return await asyncio.gather(promise, asyncio.create_task(wait_for_promise(promise)))
  async def guard_async(js):
      try:
          await js()
      except Exception as error:
          return str(error)
  async def give_up(js):
      try:
          await asyncio.wait_for(js(), 0.001)
      except asyncio.TimeoutError:
          return "timeout"
  async def numbers(n):
      for i in range(n): yield Thing() if i % 2 else i
  def numbers_sync(n):
      for i in range(n): yield Thing() if i % 2 else i
  def deep(): return {"a": [1, Thing(), (2.5, "x" * 100)], "b": {1, 2}, "c": b"bytes", "d": bytearray(9), "e": 2 ** 80}
  def half(): return [Thing(), Thing(), {"a": Thing()}, {1: 2}]
  class Rude:
      def __getattr__(self, name): raise ValueError(name)
  rude = Rude()
  sys.modules["__main__"]
`);
const {
  give,
  echo,
  make,
  fail,
  call,
  guard,
  coro,
  coro_fail,
  forever,
  wait_for,
  wait_for_promise,
  wait_twice,
} = py;
const { guard_async, give_up, numbers, numbers_sync, deep, half, thing, rude } = py;
const { asyncio, gc: pythonGc, sys } = py;

const counted: Value = sys.gettotalrefcount ?? sys.getallocatedblocks;
const exact = sys.gettotalrefcount !== undefined;
const count = () => Number(counted());
const turn = () => new Promise<void>((resolve) => setTimeout(resolve));
const collect = (globalThis as Value).gc as () => void;

function swallow(fn: () => unknown): void {
  try {
    fn();
  } catch {
    // on purpose
  }
}
const outcome = (promise: PromiseLike<unknown>) => promise.then(() => {}, () => {});
const sleep = async (ms: number) => await new Promise((resolve) => setTimeout(resolve, ms));
const add = (a: number) => a + 1;
const addAsync = async (a: unknown) => await a;
const marked = asyncDef((value: unknown) => Promise.resolve(value));
const source = {
  a: [1, "two", null, { b: new Map([[1, 2]]) }],
  s: new Set([1]),
  d: new Date(0),
  f: new Float64Array(8),
};

/** What is done a thousand times: a synchronous function, or one whose Promises are awaited by the hundred. */
const operations: Record<string, () => unknown> = {
  "call: nothing": () => give(),
  "call: numbers, strings": () => give(1, 1.5, -0, true, null, undefined, "text", "ü".repeat(100), "\ud800", 2 ** 40, 2n ** 70n),
  "call: containers": () => give([1, [2, {}]], { a: 1, b: { c: [] } }, new Map([["k", 1]]), new Set([1, 2])),
  "call: buffers, dates, wrappers": () => give(new Uint8Array(9), new Float32Array(3), new Date(), float(1), tuple([1, 2])),
  "call: keyword arguments": () => give(1, kw({ a: 1, b: [thing] })),
  "call: result int": () => echo(5),
  "call: result str": () => echo("x".repeat(200)),
  "call: result bytes": () => echo(new Uint8Array(100)),
  "call: result large (overflow)": () => echo("x".repeat(70_000)),
  "call: proxy in and out": () => echo(thing),
  "call: result new object": () => make(),
  "call: method": () => thing.method(1, thing),
  "construct": () => new py.Thing(),
  "attribute: value": () => thing.value,
  "attribute: method": () => thing.method,
  "attribute: missing": () => thing.no_such_attribute,
  "attribute: set and delete": () => (thing.other = [1], delete thing.other),
  "attribute: in": () => "value" in thing,
  "attribute: raises": () => swallow(() => rude.attribute),
  "items": () => {
    const list = echo([1, 2, [3]]);
    list[0] = thing;
    list.$get(1), list[2], list.$has(2), list.length, list.$delete(0);
  },
  "string, number, keys": () => [String(thing), +echo(true), Reflect.ownKeys(thing)],
  "instanceof": () => thing instanceof py.Thing,
  "iterate": () => [...numbers_sync(4)],
  "iterate: left early": () => {
    for (const _ of numbers_sync(4)) break;
  },
  "exception": () => swallow(() => fail(1)),
  "exception: looked at": () => {
    try {
      fail(thing);
    } catch (error) {
      String((error as Value).traceback + (error as Value).stack + (error as Value).exception.args);
    }
  },
  "exception: back into Python": () => {
    let caught: unknown;
    try {
      fail();
    } catch (error) {
      caught = error;
    }
    guard(() => {
      const error = caught;
      caught = undefined; // its frames hold this function: a cycle through both sides is not collected
      throw error;
    });
  },
  "conversion fails here": () => swallow(() => give(make(), add, () => 1, Symbol("no"))),
  "conversion fails there": () => swallow(() => give(new Map<unknown, unknown>([[1, 2], [true, 3]]), thing, () => 1, [() => 2])),
  "conversion fails in a coroutine": () => outcome(coro(new Map<unknown, unknown>([[1, thing], [true, () => 1]]))),
  "a tuple in itself": () => {
    const list: unknown[] = [make(), () => 1], items = new Set<unknown>();
    const first = tuple([list, 5]), second = tuple([items, 5]);
    list.push(first), items.add(second);
    swallow(() => give(first, () => 1)), swallow(() => give(second, () => 1));
  },
  "nested too deep": () => {
    let deepest: unknown[] = [() => 1];
    for (let i = 0; i < 3100; i++) deepest = [deepest];
    swallow(() => give(deepest, () => 2));
  },
  "callback": () => call(add, 1),
  "callback: new function": () => call((x: number) => x, 1),
  "callback: objects": () => call((a: Value) => a, new (class {})(), thing),
  "callback: gives a proxy": () => call(() => thing),
  "callback: throws": () =>
    guard(() => {
      throw new Error("of JavaScript");
    }),
  "callback: throws through": () =>
    swallow(() =>
      call(() => {
        throw new Error("of JavaScript");
      })
    ),
  "callback: throws what is no Error": () =>
    swallow(() =>
      call(() => {
        throw { a: 1 };
      })
    ),
  "callback: nested": () => call((n: number) => call((m: number) => echo(m), n), 1),
  "JavaScript object passed": () => give(new URL("http://a/"), class {}, new Error("e")),
  "toJs": () => toJs(deep()),
  "toJs: fails half-way": () => swallow(() => toJs(half(), { dict: "object" })),
  "destroy, copy": () => {
    const made = make();
    made.$copy();
    made.$destroy(), made.$destroy();
  },
  "attach": () => attach(() => (give(), make())),
  "exec": () => python.exec("x = [1]\nx", { globals: { y: [1], f: add } }),
  "await": () => coro(1),
  "await: proxy": () => coro(thing),
  "await: new object": () => coro([1, {}]),
  "await: coroutine object": () => intoPromise(call(coro, 2)),
  "await: method": () => thing.coroutine(thing),
  "await: fails": () => outcome(coro_fail()),
  "await: not awaitable": () => outcome(intoPromise(thing)),
  "await: never started": () => void coro(make(), () => 1),
  "await: never started, of a method": () => void make().coroutine(1),
  "await: destroyed": () => coro(make(), () => 1).$destroy(),
  "await: made, never started": () => void String(coro(thing)),
  "await: cancelled": () => {
    const controller = new AbortController();
    const promise = outcome(intoPromise(forever(), { signal: controller.signal }));
    setTimeout(() => controller.abort());
    return promise;
  },
  "await: cancelled at once": () => {
    const controller = new AbortController();
    const promise = outcome(intoPromise(forever(), { signal: controller.signal }));
    controller.abort();
    return promise;
  },
  "await: aborted before": () => outcome(intoPromise(coro(make(), () => 1), { signal: AbortSignal.abort() })),
  "toLoop": () => toLoop(echo, [thing]),
  "toThread": () => toThread(echo, [1]),
  "toLoop: conversion fails": () => outcome(toLoop(echo, [make(), () => 1, Symbol("no")])),
  "execAsync": () => python.execAsync("import asyncio\nawait asyncio.sleep(0)\n[1]"),
  "async function awaited": () => wait_for(addAsync, 1),
  "async function: new one": () => wait_for(async (x: unknown) => await x, thing),
  "async function: asyncDef": () => wait_for(marked, [1]),
  "async function: throws": () => guard_async(async () => await Promise.reject(new Error("of JavaScript"))),
  "async function: given up": () => give_up(async () => await sleep(5)),
  "callback from the loop thread": () => toLoop(call, [add, 1]),
  "callback from another thread": () => toThread(call, [(x: unknown) => x, 1]),
  "promise passed": () => wait_for_promise(Promise.resolve(1)),
  "promise passed: rejected": () => outcome(wait_for_promise(Promise.reject(new Error("of JavaScript")))),
  "promise passed: awaited twice": () => wait_twice(sleep(1)),
  "promiseIntoPy": () => wait_for_promise(promiseIntoPy(() => Promise.resolve(thing))),
  "containers to Python": () => wait_for_promise(Promise.resolve(source)),
  "async iteration": async () => {
    for await (const _ of numbers(3));
  },
  "async iteration: left early": async () => {
    for await (const _ of numbers(3)) break;
  },
  "async iteration: ahead": async () => {
    for await (const _ of intoAsyncIterable(numbers(5), { highWaterMark: 2 }));
  },
};

/** How many of the slower ones are done. */
const fewer: Record<string, number> = {
  "callback from another thread": 300,
  "toThread": 300,
  "nested too deep": 30,
  "call: result large (overflow)": 200,
  "exception: looked at": 200,
  "execAsync": 300,
  "async iteration": 100,
  "async iteration: left early": 100,
  "async iteration: ahead": 100,
  "async function: given up": 300,
  "await: made, never started": 300,
  "exec": 300,
};

async function repeat(operation: () => unknown, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const promises = [];
    for (let i = 0; i < 100 && done < times; i++, done++) {
      const result = operation();
      if (typeof (result as Value)?.then === "function") promises.push(result);
    }
    await Promise.all(promises);
  }
}

// Bun's collector scans the stack conservatively, so a few of the last objects may stay.
const slack = runtime === "bun" ? 60 : exact ? 0 : 40;
/** How much the count may differ from one look to the next: other threads allocate a few blocks. */
const noise = exact ? 0 : 8;

/**
 * Until nothing more is released on either side, or until `enough`: finalizers run when the runtime has time, and a loaded
 * machine has little.
 */
async function settle(enough = () => false): Promise<void> {
  for (let before = NaN, same = 0, i = 0; i < 40 && same < 5; i++) {
    collect();
    await turn();
    await asyncio.sleep(0.002);
    pythonGc.collect();
    if (enough()) return;
    const now = count();
    same = Math.abs(now - before) <= noise ? same + 1 : 0;
    before = now;
  }
}

async function measure(operation: () => unknown, times: number): Promise<string | undefined> {
  await repeat(operation, Math.min(times, 150));
  let problem: string | undefined;
  // Both sides warm up over rounds (caches, pools): that growth fades to nothing, a leak's does not.
  for (let round = 0; round < 12; round++) {
    await settle();
    const before = count(), handles = countHandles(), pending = countPending();
    const found = () => {
      const more = count() - before, moreHandles = countHandles() - handles, morePending = countPending() - pending;
      if (more <= slack && moreHandles <= (runtime === "bun" ? 10 : 0) && morePending === 0) return undefined;
      return `after ${times}: ${more} more ${exact ? "references" : "blocks"}, ${moreHandles} handles, ${morePending} promises`;
    };
    await repeat(operation, times);
    await settle(() => found() === undefined);
    problem = found();
    if (problem === undefined) return undefined;
  }
  return problem;
}

const chosen = process.env.PYAWAIT_TEST_LEAK;
if (!collect) console.log("skip: gc() is not exposed");
for (const [name, operation] of Object.entries(operations)) {
  if (chosen && !name.includes(chosen)) continue;
  test(`no leak: ${name}`, { skip: !collect && "gc() is not exposed" }, async () => {
    assertEquals(await measure(operation, Math.ceil((fewer[name] ?? 1000) / (exact ? 1 : 2))), undefined);
  });
}

test("no leak: references to one object", { skip: !collect && "gc() is not exposed" }, async () => {
  const references = () => python.exec("import sys, __main__\nsys.getrefcount(__main__.shared)");
  const before = references();
  await repeat(() => (give(py.shared), toLoop(echo, [py.shared])), 500);
  await settle();
  assert(Math.abs(references() - before) <= (runtime === "bun" ? 2 : 0), `${before} became ${references()}`);
});
