/** A coroutine becomes a Promise, and a Promise an awaitable: one at a time, and many in flight. */
import { python, toThread } from "../../mod.ts";
import { assertSame, type Case, timed, type Way } from "../measure.ts";

const count = 1000;
const numbers = Array.from({ length: count }, (_, n) => n);

/** `count` calls at once. */
export function inFlight(fn: (n: number) => PromiseLike<number>, count: number): () => Promise<number[]> {
  return () => Promise.all(Array.from({ length: count }, (_, n) => fn(n)));
}

/** A round trip between Python's own threads, the baseline of one at a time. */
export async function threadsafe(): Promise<Way> {
  const { threadsafe } = python.import("plain"), { identity } = python.import("called");
  const loop = await python.execAsync("import asyncio; asyncio.get_running_loop()");
  return (seconds) => toThread(threadsafe, [identity, loop, seconds]);
}

/** Coroutine → Promise. These come first: see `streams.ts`. */
export async function awaits(): Promise<Case[]> {
  const plain = python.import("plain"), { identity, once_round } = python.import("called");
  const group = "coroutine → Promise";
  const many = (name: string, fn: typeof identity): Case => ({
    group,
    name: `1,000 in flight, ${name}`,
    beside: "`create_task` + done callback",
    check: async () => assertSame(name, await inFlight(fn, count)(), numbers),
    ours: timed(inFlight(fn, count), count),
    baseline: (seconds) => plain.tasks(fn, count, seconds),
  });
  return [
    {
      group,
      name: "one at a time",
      beside: "`run_coroutine_threadsafe(…).result()`",
      single: true,
      check: async () => assertSame("identity", await identity(1), 1),
      ours: timed(() => identity(1).then((value: number) => value)),
      baseline: await threadsafe(),
    },
    many("`return n`", identity),
    many("`await sleep(0)`", once_round),
  ];
}

/** Promise → awaitable. The baselines check each result themselves. */
export async function promises(): Promise<Case[]> {
  const plain = python.import("plain");
  const jsIdentity = async (n: number) => n;
  const makePromises = async () => numbers.map((n) => Promise.resolve(n));
  const group = "Promise → awaitable", futures = "`gather` of 1,000 `async def`s that await a Future";
  return [
    {
      group,
      name: "async function, one at a time",
      beside: "`run_coroutine_threadsafe(…).result()`",
      single: true,
      check: () => plain.one_by_one(jsIdentity, 0),
      ours: (seconds) => plain.one_by_one(jsIdentity, seconds),
      baseline: await threadsafe(),
    },
    {
      group,
      name: "`gather` of 1,000 calls of an async function",
      beside: futures,
      check: () => plain.gather_calls(jsIdentity, count, 0),
      ours: (seconds) => plain.gather_calls(jsIdentity, count, seconds),
      baseline: (seconds) => plain.gather_futures(count, seconds),
    },
    {
      group,
      name: "`gather` of 1,000 Promises",
      beside: futures,
      check: () => plain.gather_promises(makePromises, count, 0),
      ours: (seconds) => plain.gather_promises(makePromises, count, seconds),
      baseline: (seconds) => plain.gather_futures(count, seconds),
    },
  ];
}
