/**
 * A cancellation goes through every hop between the two languages, whichever side it comes from, and leaves no task.
 */
import { test } from "node:test";
import { getCurrentSignal, intoPromise, python, PythonError, toJs, toLoop } from "../../mod.ts";
import { assertEquals, assertRejects, assertStrictEquals } from "#std/assert";
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

def task_in_list(coroutine): return [asyncio.ensure_future(coroutine)]

def left():
    return [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]

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

async def hop(f, name):
    try: return await f()
    finally: log.append(name)

async def cancelled_hop(function, name):
    try:
        return await function()
    except asyncio.CancelledError:
        log.append(name)
        raise
`);

const started = () => asyncio.sleep(0); // what was submitted before has been started when this is done
const reject = (promise: PromiseLike<unknown>) => assertRejects(() => promise);
const logged = () => {
  const log = toJs(py.log);
  py.log.clear();
  return log;
};
const left = async () => toJs(await toLoop(py.left));
const aborted = (signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => signal!.aborted ? resolve() : signal!.addEventListener("abort", () => resolve()));

/** JavaScript → Python → JavaScript → Python; `begun` tells that the innermost one waits. */
function chain() {
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => begin = resolve);
  const inner = async () => {
    const signal = getCurrentSignal();
    setTimeout(() => started().then(begin));
    try {
      return await py.work();
    } finally {
      py.log.append(`inner ${signal?.aborted}`);
    }
  };
  const outer = async () => {
    try {
      return await py.hop(inner, "hop 2");
    } finally {
      py.log.append(`outer ${getCurrentSignal()?.aborted}`);
    }
  };
  return { begun, outer };
}

const order = ["started", "cleaned", "inner true", "hop 2", "outer true", "hop 1"];

test("an abort goes through every hop, and no task is left", async () => {
  const { begun, outer } = chain(), controller = new AbortController();
  const promise = intoPromise(py.hop(outer, "hop 1"), { signal: controller.signal });
  await begun;
  controller.abort("through");
  assertEquals(await reject(promise), "through");
  assertEquals([logged(), await left()], [order, []]);
});

test("a cancellation of Python's goes through every hop, and no task is left", async () => {
  const { begun, outer } = chain();
  const [task] = await toLoop(py.task_in_list, [py.hop(outer, "hop 1")]);
  const ended = assertRejects(() => intoPromise(task), PythonError);
  await begun;
  await toLoop(task.cancel);
  assertEquals((await ended).name, "CancelledError");
  assertEquals([logged(), await left()], [order, []]);
});

/** Python awaits JavaScript awaits Python … so many times; the innermost waits for ever. */
function hops(depth: number) {
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => begin = resolve);
  const signals: AbortSignal[] = [];
  const make = (level: number): () => Promise<unknown> => async () => {
    signals.push(getCurrentSignal()!);
    if (level < depth) return await py.cancelled_hop(make(level + 1), `hop ${level + 1}`);
    setTimeout(begin, 2);
    return await asyncio.sleep(3600);
  };
  return {
    begun,
    signals,
    start: () => py.cancelled_hop(make(1), "hop 1"),
    names: Array.from({ length: depth }, (_, at) => `hop ${depth - at}`),
  };
}

test("cancellation through four hops, from either end, aborts every signal and leaves no task", async () => {
  for (const from of ["JavaScript", "Python"]) {
    const { begun, signals, start, names } = hops(4);
    if (from === "JavaScript") {
      const controller = new AbortController(), reason = new Error("all of it");
      const ended = assertRejects(() => intoPromise(start(), { signal: controller.signal }));
      await begun;
      controller.abort(reason);
      assertStrictEquals(await ended, reason);
    } else {
      const [task] = await toLoop(py.task_in_list, [start()]);
      const ended = assertRejects(() => intoPromise(task), PythonError);
      await begun;
      task.cancel();
      assertEquals((await ended as PythonError).name, "CancelledError");
    }
    assertEquals(signals.map((signal) => signal.aborted), [true, true, true, true]);
    assertEquals([logged(), await left()], [names, []]);
  }
});

test("with signal: null an await inside is not linked", async () => {
  let inner!: Promise<unknown>;
  let begin!: () => void;
  const ready = new Promise<void>((resolve) => begin = resolve);
  const fn = async () => {
    const signal = getCurrentSignal();
    setTimeout(begin); // after Python has heard that the signal was taken
    inner = intoPromise(py.work(), { signal: null });
    inner.catch(() => {});
    await aborted(signal);
  };
  await py.cancel(fn, ready);
  assertEquals(await Promise.race([inner, started().then(() => "still running")]), "still running");
  await toLoop(
    python.exec("lambda: [t.cancel() for t in __import__('asyncio').all_tasks() if 'work' in repr(t)]"),
  );
  assertEquals((await assertRejects(() => inner, PythonError)).name, "CancelledError");
  assertEquals(logged(), ["started", "cancelled 1", "cleaned"]);
});
