// The benchmark cases: each beside its baseline, both in microseconds per operation.
//
// A case first checks that both ways give the same result, so a wrong result is never timed.
import { isDeepStrictEqual } from "node:util";
import { do_not_optimize, measure } from "mitata";
import { intoAsyncIterable, intoPromise, python, toJs, toThread } from "../mod.ts";

/** Measures one way to do something for about this many seconds; returns microseconds per operation. */
export type Way = (seconds: number) => Promise<number>;

/** One case, and what it is compared with. */
export interface Case {
  readonly group: string;
  readonly name: string;
  readonly beside: string;
  readonly ours: Way;
  readonly baseline: Way;
}

const count = 1000;

function assertSame(name: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) {
    throw new Error(`${name} is wrong: ${JSON.stringify(actual)?.slice(0, 200)}`);
  }
}

/** JavaScript's side of a measurement: the median of mitata's samples. */
function timed(fn: () => unknown, operations = 1): Way {
  return async (seconds) => {
    const options = { min_cpu_time: seconds * 1e9, min_samples: 5, samples_threshold: 5, gc: false };
    const isAsync = fn() instanceof Promise;
    const { p50 } = await measure(fn, {
      ...options,
      ...(isAsync ? { batch_samples: 64, batch_unroll: 1 } : {}),
    });
    return p50 / 1000 / operations;
  };
}

/**
 * Iterates over a stream; per item. The check is here and not before all cases: JavaScript that Python calls runs in an
 * AsyncLocalStorage, and from the first one on every Promise takes Node 20 and 22 a tenth longer.
 */
function streamed(make: () => AsyncIterable<unknown>): Way {
  return timed(async () => {
    let next = 0;
    for await (const item of make()) if (item !== next++) throw new Error(`The stream is wrong: item ${next - 1} is ${item}`);
    if (next !== count) throw new Error(`The stream is wrong: it had ${next} items`);
  }, count);
}

/**
 * How late JavaScript's timers of one millisecond are while `work` runs: the 99th percentile.
 *
 * @param each runs at every tick, as the turns of a program with work of its own do
 */
function lateness(work: (seconds: number) => Promise<unknown>, each: () => unknown = () => {}): Way {
  return async (seconds) => {
    const late: number[] = [], begun: unknown[] = [];
    let working = true;
    const done = work(Math.max(seconds, 0.02)).finally(() => working = false);
    for (let start = performance.now(); working; start = performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      late.push(Math.max(0, performance.now() - start - 1));
      begun.push(each());
    }
    await Promise.all([done, ...begun]);
    return late.sort((a, b) => a - b)[Math.floor(late.length * 0.99)] * 1000;
  };
}

/** Resembles the answer of a web service: 100 records, about 30 kB of JSON. */
function document(): unknown {
  const user = (id: number) => ({
    id,
    name: `User ${id}`,
    email: `user${id}@example.org`,
    active: id % 3 !== 0,
    score: id / 7,
    tags: ["alpha", "beta", `tag-${id % 10}`],
    address: {
      street: `Straße ${id}`,
      zip: String(10000 + id),
      location: { lat: 52.5 + id / 1000, lon: 13.4 },
    },
    manager: id > 10 ? id % 10 : null,
  });
  return { total: 100, next: null, users: Array.from({ length: 100 }, (_, id) => user(id)) };
}

/** All cases, after their checks. */
export async function prepare(): Promise<Case[]> {
  const plain = python.import("plain");
  const { identity, once_round, noop, add, same, size, size_of_json, items, burn, hold_gil } = plain;
  const { dumps, loads } = python.import("json");
  const loop = await python.execAsync("import asyncio; asyncio.get_running_loop()");
  // deno-lint-ignore require-await
  const jsIdentity = async (n: number) => n;
  // deno-lint-ignore require-await
  const makePromises = async () => Array.from({ length: count }, (_, n) => Promise.resolve(n));

  const inFlight = (fn: (n: number) => Promise<number>) => () => Promise.all(Array.from({ length: count }, (_, n) => fn(n)));
  const numbers = Array.from({ length: count }, (_, n) => n);
  assertSame("identity", await identity(1), 1);
  assertSame("identity, in flight", await inFlight(identity)(), numbers);
  assertSame("once_round, in flight", await inFlight(once_round)(), numbers);
  assertSame("noop", noop(), null);
  assertSame("add", add(1, 2), 3);

  const list = Array.from({ length: 10_000 }, (_, n) => n);
  const doc = document();
  const pyList = same(list), pyDoc = same(doc);
  for (const [name, value] of [["list", list], ["document", doc]] as const) {
    assertSame(`${name} there and back`, toJs(same(value)), value);
    assertSame(`${name} as JSON`, JSON.parse(dumps(loads(JSON.stringify(value)))), value);
    assertSame(`${name}, counted`, size_of_json(JSON.stringify(value)), size(value));
  }

  const coroutine = "coroutine → Promise",
    promise = "Promise → awaitable",
    stream = "async generator → async iterable",
    delay = "JavaScript's timers, p99 of how late",
    calls = "synchronous call",
    values = "values";
  const idle = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const threadsafe: Way = (seconds) => toThread(plain.threadsafe, [identity, loop, seconds]);
  return [
    {
      group: coroutine,
      name: "one at a time",
      beside: "`run_coroutine_threadsafe(…).result()`",
      ours: timed(() => identity(1).then((value: number) => value)),
      baseline: threadsafe,
    },
    {
      group: coroutine,
      name: "1,000 in flight, `return n`",
      beside: "`create_task` + done callback",
      ours: timed(inFlight(identity), count),
      baseline: (seconds) => plain.tasks(identity, count, seconds),
    },
    {
      group: coroutine,
      name: "1,000 in flight, `await sleep(0)`",
      beside: "`create_task` + done callback",
      ours: timed(inFlight(once_round), count),
      baseline: (seconds) => plain.tasks(once_round, count, seconds),
    },
    {
      group: promise,
      name: "async function, one at a time",
      beside: "`run_coroutine_threadsafe(…).result()`",
      ours: (seconds) => plain.one_by_one(jsIdentity, seconds),
      baseline: threadsafe,
    },
    {
      group: promise,
      name: "`gather` of 1,000 calls of an async function",
      beside: "`gather` of 1,000 `async def`s that await a Future",
      ours: (seconds) => plain.gather_calls(jsIdentity, count, seconds),
      baseline: (seconds) => plain.gather_futures(count, seconds),
    },
    {
      group: promise,
      name: "`gather` of 1,000 Promises",
      beside: "`gather` of 1,000 `async def`s that await a Future",
      ours: (seconds) => plain.gather_promises(makePromises, count, seconds),
      baseline: (seconds) => plain.gather_futures(count, seconds),
    },
    {
      group: stream,
      name: "lock-step",
      beside: "coroutine → Promise, one at a time",
      ours: streamed(() => items(count)),
      baseline: timed(() => identity(1).then((value: number) => value)),
    },
    {
      group: stream,
      name: "`highWaterMark: 256`",
      beside: "`async for` by Python",
      ours: streamed(() => intoAsyncIterable(items(count), { highWaterMark: 256 })),
      baseline: (seconds) => plain.each_item(count, seconds),
    },
    {
      group: delay,
      name: "while a coroutine computes",
      beside: "while Python is idle",
      ours: lateness((seconds) => intoPromise(burn(seconds))),
      baseline: lateness(idle),
    },
    {
      group: delay,
      name: "while one C call holds the GIL and more is awaited",
      beside: "while Python is idle",
      ours: lateness((seconds) => intoPromise(hold_gil(seconds)), () => intoPromise(identity(1))),
      baseline: lateness(idle),
    },
    {
      group: calls,
      name: "`noop()`",
      beside: "the call by Python",
      ours: timed(() => do_not_optimize(noop())),
      baseline: (seconds) => Promise.resolve(plain.calls(noop, [], seconds)),
    },
    {
      group: calls,
      name: "`add(1, 2)`",
      beside: "the call by Python",
      ours: timed(() => do_not_optimize(add(1, 2))),
      baseline: (seconds) => Promise.resolve(plain.calls(add, [1, 2], seconds)),
    },
    {
      group: values,
      name: "list of 10,000 ints, in",
      beside: "`json.loads(JSON.stringify(x))`",
      ours: timed(() => do_not_optimize(size(list))),
      baseline: timed(() => do_not_optimize(size_of_json(JSON.stringify(list)))),
    },
    {
      group: values,
      name: "list of 10,000 ints, out",
      beside: "`JSON.parse(json.dumps(x))`",
      ours: timed(() => do_not_optimize(toJs(pyList))),
      baseline: timed(() => do_not_optimize(JSON.parse(dumps(pyList)))),
    },
    {
      group: values,
      name: "JSON-like document, in",
      beside: "`json.loads(JSON.stringify(x))`",
      ours: timed(() => do_not_optimize(size(doc))),
      baseline: timed(() => do_not_optimize(size_of_json(JSON.stringify(doc)))),
    },
    {
      group: values,
      name: "JSON-like document, out",
      beside: "`JSON.parse(json.dumps(x))`",
      ours: timed(() => do_not_optimize(toJs(pyDoc))),
      baseline: timed(() => do_not_optimize(JSON.parse(dumps(pyDoc)))),
    },
  ];
}
