/**
 * Python cancels its await of JavaScript: getCurrentSignal() aborts, and the await ends at once or when the function has,
 * depending on whether it took the signal.
 */
import { test } from "node:test";
import { getCurrentSignal, intoPromise, promiseIntoPy, python, PythonError, toJs, toLoop, toThread } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "#std/assert";
import { define } from "../support/define.ts";

const asyncio = python.import("asyncio");

const py = define(`
import asyncio

log = []

async def work():
    log.append("started")
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
        log.append("cleaned")

async def add(a, b):
    await asyncio.sleep(0)
    return a + b

def task_in_list(coroutine): return [asyncio.ensure_future(coroutine)]

async def outcome(awaitable):
    try: return ["value", await awaitable]
    except BaseException as error: return [type(error).__name__, error]

async def cancel(f, ready, times=1):
    "Cancels the task of a call of f once f is ready, and gives its outcome."
    task = asyncio.ensure_future(f())
    await ready
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    log.append("cancelled %d" % times)
    return await outcome(task)

async def cancel_at_once(f):
    task = asyncio.ensure_future(f())
    await asyncio.sleep(0)
    task.cancel()
    return await outcome(task)

async def time_out(f): return await outcome(asyncio.wait_for(f(), 0.2))

def asker(awaitable):
    async def ask(): return await awaitable
    return ask

def time_out_in_thread(f): return asyncio.run(time_out(f))

def tasks_for(awaitable, count):
    async def wait(): return await awaitable
    return [asyncio.ensure_future(wait()) for _ in range(count)]

async def hop(f, name):
    try: return await f()
    finally: log.append(name)
`);

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const started = () => asyncio.sleep(0); // what was submitted before has been started when this is done
const logged = () => {
  const log = toJs(py.log);
  py.log.clear();
  return log;
};

/** A function for Python to await, the Promise that it has begun, and how to end it. */
function served(body: (signal: AbortSignal | undefined, end: Promise<unknown>) => unknown, takes = true) {
  let begin!: () => void, finish!: (value?: unknown) => void;
  const ready = new Promise<void>((resolve) => begin = resolve);
  const end = new Promise((resolve) => finish = resolve);
  const signals: AbortSignal[] = [];
  const fn = async () => {
    const signal = takes ? getCurrentSignal() : undefined;
    if (signal) signals.push(signal);
    setTimeout(begin); // after Python has heard that the signal was taken
    return await body(signal, end);
  };
  return { fn, ready, finish, signals };
}

const aborted = (signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => signal!.aborted ? resolve() : signal!.addEventListener("abort", () => resolve()));

test("Python's cancellation aborts getCurrentSignal, with the CancelledError as its cause", async () => {
  const { fn, ready, signals } = served((signal) => aborted(signal));
  const [name, error] = await py.cancel(fn, ready);
  assertEquals(name, "CancelledError");
  const { reason } = signals[0];
  assertInstanceOf(reason, DOMException);
  assertEquals(reason.name, "AbortError");
  assertInstanceOf(reason.cause, PythonError);
  assertEquals((reason.cause as PythonError).name, "CancelledError");
  assertEquals(
    python.builtins.isinstance((reason.cause as PythonError).exception, asyncio.CancelledError),
    true,
  );
  assert(python.builtins.isinstance(error, asyncio.CancelledError));
  logged();
});

test("wait_for, timeout and a cancelled gather abort it too, on any loop", async () => {
  const body = (signal?: AbortSignal) => aborted(signal);
  let { fn, signals } = served(body);
  assertEquals((await py.time_out(fn))[0], "TimeoutError");
  assertEquals(signals[0].aborted, true);
  ({ fn, signals } = served(body));
  assertEquals((await toThread(py.time_out_in_thread, [fn]))[0], "TimeoutError");
  assertEquals(signals[0].aborted, true);
});

test("the signal is the call's own, wherever the function goes, and undefined elsewhere", async () => {
  assertStrictEquals(getCurrentSignal(), undefined);
  let inSync: unknown = "not called";
  await toLoop(() => void (inSync = getCurrentSignal()));
  assertStrictEquals(inSync, undefined);
  const seen: (AbortSignal | undefined)[] = [];
  await py.hop(async () => {
    seen.push(getCurrentSignal());
    await turn();
    seen.push(getCurrentSignal());
    await py.add(1, 2);
    seen.push(getCurrentSignal());
  }, "hop");
  assertEquals([seen.length, new Set(seen).size, seen[0]?.aborted], [3, 1, false]);
  logged();
});

test("an await whose signal was taken ends when the Promise has settled", async () => {
  for (const how of ["value", "error"]) {
    const { fn, ready, finish } = served(async (signal, end) => {
      await aborted(signal);
      py.log.append("aborted");
      await end;
      py.log.append("settled");
      if (how === "error") throw new Error("while cleaning up");
      return how;
    });
    const promise = intoPromise(py.cancel(fn, ready));
    while (py.log.__len__() < 2) await turn();
    await Promise.all([turn(), started()]);
    assertEquals(py.log.__len__(), 2);
    finish();
    assertEquals((await promise)[0], "CancelledError");
    assertEquals((logged() as string[]).sort(), ["aborted", "cancelled 1", "settled"]);
  }
});

test("an await whose signal was not taken ends at once", async () => {
  const { fn, ready } = served(() => new Promise(() => {}), false);
  assertEquals((await py.cancel(fn, ready))[0], "CancelledError");
  assertEquals((await py.time_out(() => new Promise(() => {})))[0], "TimeoutError");
  const never = new Promise(() => {});
  for (const f of [() => never, () => promiseIntoPy(never), py.asker(never), py.asker(promiseIntoPy(never))]) {
    assertEquals((await py.cancel_at_once(f))[0], "CancelledError");
  }
  logged();
});

test("an await ends at once at a second cancellation", async () => {
  const { fn, ready, signals } = served(() => new Promise(() => {}));
  assertEquals((await py.cancel(fn, ready, 2))[0], "CancelledError");
  await turn();
  assertEquals(signals[0].aborted, true);
  logged();
});

test("a cancellation that is there before the function runs aborts it too", async () => {
  let signal: AbortSignal | undefined;
  const fn = async () => {
    signal = getCurrentSignal();
    await aborted(signal);
  };
  assertEquals((await py.cancel_at_once(fn))[0], "CancelledError");
  while (!signal?.aborted) await turn();
  assertEquals(((signal.reason as Error).cause as PythonError).name, "CancelledError");
});

test("a side effect behind a cancelled await does not happen", async () => { // T8
  let happened = false;
  const { fn, ready } = served(async (signal, end) => {
    await new Promise((resolve, reject) => {
      end.then(resolve);
      signal!.addEventListener("abort", () => reject(signal!.reason));
    });
    happened = true;
  });
  const [task] = await toLoop(py.task_in_list, [python.exec("f()", { globals: { f: fn } })]);
  const ended = assertRejects(() => intoPromise(task), PythonError);
  await ready;
  await toLoop(task.cancel);
  assertEquals((await ended).name, "CancelledError");
  assertEquals(happened, false);
});

test("the signal of promiseIntoPy aborts with its last await only", async () => {
  let signal!: AbortSignal;
  const awaitable = promiseIntoPy((given) => {
    signal = given;
    return aborted(given).then(() => "cleaned up");
  });
  const tasks = toJs(await toLoop(py.tasks_for, [awaitable, 3])) as { cancel(): void }[];
  while (signal === undefined) await turn();
  for (const task of tasks.slice(0, 2)) {
    await toLoop(task.cancel);
    assertEquals((await assertRejects(() => intoPromise(task), PythonError)).name, "CancelledError");
    await turn();
    assertEquals(signal.aborted, false);
  }
  await toLoop(tasks[2].cancel);
  assertEquals((await assertRejects(() => intoPromise(tasks[2]), PythonError)).name, "CancelledError");
  assertEquals([signal.aborted, signal.reason.name, signal.reason.cause.name], [
    true,
    "AbortError",
    "CancelledError",
  ]);
});

test("an await of promiseIntoPy ends at once unless its signal was taken, and what it awaits in Python is cancelled", async () => {
  const timeOut = async (awaitable: unknown) => (toJs(await py.time_out(py.asker(awaitable))) as unknown[])[0];
  assertEquals(await timeOut(promiseIntoPy(() => new Promise(() => {}))), "TimeoutError");
  py.log.clear();
  assertEquals(await timeOut(promiseIntoPy(async () => await py.work())), "TimeoutError");
  while (py.log.length < 2) await later(1);
  assertEquals(toJs(py.log), ["started", "cleaned"]);
  py.log.clear();
  let ended = "", take!: () => void;
  const taken = new Promise<void>((resolve) => take = resolve);
  const served = promiseIntoPy(async () => {
    await later(1);
    const signal = getCurrentSignal()!;
    take();
    await aborted(signal);
    await later(20);
    ended = "cleaned up";
  });
  assertEquals((await py.cancel(py.asker(served), taken))[0], "CancelledError");
  assertEquals(ended, "cleaned up");
  logged();
});

test("a cancelled await of a Promise leaves the others their result", async () => {
  for (const awaitableOf of [(promise: Promise<unknown>) => promise, (promise: Promise<unknown>) => promiseIntoPy(() => promise)]) {
    let resolve!: (value: unknown) => void;
    const awaitable = awaitableOf(new Promise((r) => resolve = r));
    const tasks = toJs(await toLoop(py.tasks_for, [awaitable, 2])) as { cancel(): void }[];
    await toLoop(tasks[0].cancel);
    assertEquals((await assertRejects(() => intoPromise(tasks[0]), PythonError)).name, "CancelledError");
    resolve("value");
    assertEquals(await intoPromise(tasks[1]), "value");
  }
});
