/**
 * What is started in one turn shares a wake, what completes in one drain shares a ring, and awaiting an `async def` with
 * plain values never takes the GIL on the JavaScript thread. The shim's counters tell. No thread spins here: each that is
 * told of something sleeps.
 */
import { test } from "node:test";
import { attach, getCurrentSignal, intoPromise, promiseIntoPy, python, toJs, toLoop } from "../../mod.ts";
import { type Counters, readCounters } from "../../src/interpreter/counters.ts";
import { assert, assertEquals } from "#std/assert";
import { define, isAtLeast } from "../support/define.ts";

python.configure({ spin: 0 });
const py = define(`
import asyncio

async def add(a, b): return a + b

async def later(a):
    await asyncio.sleep(0)
    return a

async def call_many(f, count): return await asyncio.gather(*[f(n) for n in range(count)])

async def cancel_many(f, count, ready):
    tasks = [asyncio.ensure_future(f(n)) for n in range(count)]
    await ready
    for task in tasks: task.cancel()
    return len(await asyncio.gather(*tasks, return_exceptions=True))

class Service:
    async def method(self, a): return a
`);

const { add, later, call_many, cancel_many } = py;
const { method } = py.Service();
const thousand = Array.from({ length: 1000 }, (_, index) => index);

/** What `fn` and what it awaits add to the counters. */
async function count(fn: () => unknown): Promise<Counters> {
  await intoPromise(later(0)); // releases and the like of the test before are through
  await new Promise((resolve) => setTimeout(resolve));
  const before = readCounters();
  await fn();
  const after = readCounters();
  const difference = Object.keys(before).map((
    name,
  ) => [name, after[name as keyof Counters] - before[name as keyof Counters]]);
  return Object.fromEntries(difference) as Counters;
}

test("without spinning, an await that waits for another is a wake and a ring of its own", async () => {
  const { wakes, rings } = await count(async () => {
    for (let n = 0; n < 100; n++) await later(n);
  });
  assert(wakes >= 100 && rings >= 100, `${wakes} wakes, ${rings} rings`); // releases wake as well
});

/** Starts these in one turn, and goes on until it has been submitted. */
async function start(fn: () => unknown[]): Promise<{ promises: unknown[]; told: Counters }> {
  let promises: unknown[] = [];
  const told = await count(async () => {
    promises = fn();
    await Promise.resolve();
    await Promise.resolve();
  });
  return { promises, told };
}

test("the coroutines of one turn are one submission, one wake and no attach", async () => {
  for (const fn of [(n: number) => add(n, 1), (n: number) => later(n)]) {
    const { promises, told } = await start(() => thousand.slice(0, 60).map((n) => intoPromise(fn(n))));
    const { attaches, submissions, wakes } = told;
    assertEquals({ attaches, submissions, wakes }, { attaches: 0, submissions: 1, wakes: 1 });
    await Promise.all(promises);
  }
});

test("of a thousand the loop is given 64 at a time, so that it works while JavaScript writes the next", async () => {
  for (const fn of [(n: number) => add(n, 1), (n: number) => later(n)]) {
    const { promises, told } = await start(() => thousand.map((n) => intoPromise(fn(n))));
    assertEquals({ attaches: told.attaches, submissions: told.submissions }, { attaches: 0, submissions: 16 });
    assert(told.wakes <= 16, `${told.wakes} wakes`);
    await Promise.all(promises);
  }
});

test("... and nothing early for some turns after one that makes a synchronous call, which would wait for the loop", async () => {
  const { add: plus } = python.import("operator");
  const mixed = await start(() => thousand.map((n) => (n === 70 && plus(n, 1), intoPromise(add(n, 1)))));
  assertEquals(mixed.told.submissions, 2);
  await Promise.all(mixed.promises);
  const next = await start(() => thousand.map((n) => intoPromise(add(n, 1))));
  assertEquals(next.told.submissions, 1);
  await Promise.all(next.promises);
  for (let turn = 0; turn < 16; turn++) await later(turn);
  const afterwards = await start(() => thousand.map((n) => intoPromise(add(n, 1))));
  assertEquals(afterwards.told.submissions, 16);
  await Promise.all(afterwards.promises);
});

test("a thousand coroutines that end at once are few rings", {
  skip: !isAtLeast(3, 12) && "tasks start eagerly on Python 3.12 or later",
}, async () => {
  const { rings, attaches, calls } = await count(() => Promise.all(thousand.map((n) => add(n, 1))));
  assert(rings <= 16, `${rings} rings`);
  assertEquals({ attaches, calls }, { attaches: 0, calls: 0 });
});
if (!isAtLeast(3, 12)) console.log("skip: tasks start eagerly on Python 3.12 or later");

test("a thousand coroutines that end later are few rings", async () => {
  const { rings, attaches } = await count(() => Promise.all(thousand.map((n) => later(n))));
  assert(rings <= 20, `${rings} rings`);
  assertEquals(attaches, 0);
});

test("an async def awaited with plain values attaches not once", async () => {
  const values = [1, -1.5, 2n ** 70n, "text", "\u{1f600}", true, null, undefined, new Uint8Array([1, 2])];
  const { attaches } = await count(async () => {
    for (const value of values) {
      await later(value);
      await method(value);
    }
    await add([1].length, 2);
    await Promise.all(thousand.map((n) => add(n, 1).then((sum: number) => sum)));
  });
  assertEquals(attaches, 0);
});

test("aborting is a record among the others", async () => {
  const controllers = thousand.slice(0, 30).map(() => new AbortController());
  const sleep = python.import("asyncio").sleep;
  let promises: Promise<unknown>[] = [];
  const { attaches, submissions, wakes } = await count(async () => {
    promises = controllers.map(({ signal }) => intoPromise(sleep(3600), { signal }).catch((reason) => reason));
    for (const controller of controllers) controller.abort("aborted");
    await Promise.resolve();
    await Promise.resolve();
  });
  assertEquals({ attaches, submissions, wakes }, { attaches: 0, submissions: 1, wakes: 1 });
  assertEquals([...new Set(await Promise.all(promises))], ["aborted"]);
});

test("a thousand awaits of JavaScript are few rings and few wakes", async () => {
  const immediate = async (n: number) => await n;
  const timed = (n: number) => new Promise((resolve) => setTimeout(resolve, 1, n));
  for (
    const fn of [
      immediate,
      (n: number) => promiseIntoPy(timed(n)),
      (n: number) => promiseIntoPy(() => timed(n)),
    ]
  ) {
    const isAsync = fn === immediate;
    const { rings, wakes, calls } = await count(() => call_many(fn, 1000));
    if (isAsync) {
      assert(rings <= 20 && wakes <= 20 && calls === 0, `${rings} rings, ${wakes} wakes, ${calls} calls`);
    } else assert(calls === 1000, `${calls} calls of a synchronous function`);
  }
});

test("late answers are counted and dropped", async () => {
  let begun = 0, end!: () => void, begin!: () => void;
  const gate = new Promise<void>((resolve) => end = resolve),
    ready = new Promise<void>((resolve) => begin = resolve);
  const wait = async () => {
    if (++begun === 10) begin();
    await gate;
    return "late";
  };
  const { late } = await count(async () => {
    assertEquals(await cancel_many(wait, 10, ready), 10);
    end();
    await new Promise((resolve) => setTimeout(resolve));
    await later(0); // behind the answers
  });
  assertEquals(late, 10);
  const taken = await count(async () => {
    const aborted = async () => {
      const signal = getCurrentSignal()!;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    };
    assertEquals(await cancel_many(aborted, 10, new Promise((resolve) => setTimeout(resolve, 5))), 10);
  });
  assertEquals(taken.late, 0);
});

test("a call of a JavaScript function from the loop's thread is a ring of its own", async () => {
  const { calls, rings } = await count(() => toLoop((n: number) => n, [1]));
  assertEquals(calls, 1);
  assert(rings === 2 || rings === 3, `${rings} rings`); // the call, the end of the task, and the function's release
});

test("a synchronous call attaches once, and inside attach not again", async () => {
  const { add: plus } = python.import("operator");
  plus(1, 2);
  assertEquals((await count(() => plus(1, 2))).attaches, 1);
  assertEquals((await count(() => attach(() => [plus(1, 2), plus(3, 4)]))).attaches, 1);
});

test("calls of every length that wait together arrive as they were made, in any order", async () => {
  const { echo } = python.exec(`
    import types
    async def echo(text, number):
        return [text, number]
    types.SimpleNamespace(echo=echo)
  `);
  const texts = Array.from(
    { length: 2000 },
    (_, n) => String.fromCharCode(97 + n % 26).repeat([0, 1, 40, 450, 511, 512, 900, 9000][n % 8]),
  );
  const calls = texts.map((text, n) => echo(text, n));
  const asked = String(calls[3]); // makes one of them now, from the middle of the bytes that are kept
  const results = await Promise.all(calls.toReversed().map(async (call) => toJs(await call)));
  assertEquals(results.toReversed(), texts.map((text, n) => [text, n]));
  assert(asked.includes("coroutine"));
});
