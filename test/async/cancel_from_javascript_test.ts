/**
 * An AbortSignal cancels Python's tasks: what the Promise settles with, before a task starts, while it runs and after its end.
 */
import process from "node:process";
import { test } from "node:test";
import { intoPromise, python, PythonError, toJs, toLoop, toThread } from "../../mod.ts";
import { assertEquals, assertRejects, assertStrictEquals } from "#std/assert";
import { define } from "../support/define.ts";

const asyncio = python.import("asyncio");

const py = define(`
import asyncio, inspect, warnings

log = []

async def work():
    log.append("started")
    try:
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
        log.append("cleaned")

async def swallow():
    try: await asyncio.sleep(3600)
    except asyncio.CancelledError: return "swallowed"

async def raise_in_cleanup():
    try: await asyncio.sleep(3600)
    finally: raise ValueError("in cleanup")

async def cancel_itself():
    asyncio.current_task().cancel()
    await asyncio.sleep(0)

async def add(a, b):
    await asyncio.sleep(0)
    return a + b

async def call(function): return await function()
def task_in_list(coroutine): return [asyncio.ensure_future(coroutine)]
def state_of(coroutine): return inspect.getcoroutinestate(coroutine)

warned = []
def record_warnings():
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, *args, **kwargs: warned.append(str(message))
`);

py.record_warnings();

const started = () => asyncio.sleep(0); // what was submitted before has been started when this is done
const reject = (promise: PromiseLike<unknown>) => assertRejects(() => promise);
const logged = () => {
  const log = toJs(py.log);
  py.log.clear();
  return log;
};

test("aborting cancels the task, and the Promise rejects with the reason once the cleanup has run", async () => {
  for (const reason of [new Error("enough"), "text", 0, { any: "thing" }]) {
    const controller = new AbortController();
    const promise = intoPromise(py.work(), { signal: controller.signal });
    await started();
    controller.abort(reason);
    assertStrictEquals(await reject(promise), reason);
    assertEquals(logged(), ["started", "cleaned"]);
  }
  const controller = new AbortController();
  const promise = intoPromise(py.work(), { signal: controller.signal });
  await started();
  controller.abort();
  assertStrictEquals(await reject(promise), controller.signal.reason);
  assertEquals(logged(), ["started", "cleaned"]);
});

test("a task that swallows its cancellation or fails ends as it ends", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const swallowed = intoPromise(py.swallow(), { signal }),
    failed = intoPromise(py.raise_in_cleanup(), { signal });
  failed.catch(() => {});
  await started();
  controller.abort();
  assertEquals(await swallowed, "swallowed");
  assertEquals((await assertRejects(() => failed, PythonError, "in cleanup")).name, "ValueError");
});

test("a task that Python cancels rejects with CancelledError, whatever signal it has", async () => {
  for (const options of [{}, { signal: new AbortController().signal }]) {
    assertEquals(
      (await assertRejects(() => intoPromise(py.cancel_itself(), options), PythonError)).name,
      "CancelledError",
    );
  }
});

test("toLoop, toThread and execAsync take signals, and a time-out is one", async () => {
  const event = python.import("threading").Event();
  const ways = [
    (signal: AbortSignal) => toLoop(py.work, [], { signal }),
    (signal: AbortSignal) => toThread(event.wait, [], { signal }),
    (signal: AbortSignal) => python.execAsync("await work()", { globals: { work: py.work }, signal }),
  ];
  for (const way of ways) {
    const signal = AbortSignal.timeout(5);
    assertStrictEquals(await reject(way(signal)), signal.reason);
    const before = AbortSignal.abort("before");
    assertEquals(await reject(way(before)), "before");
  }
  event.set();
  assertEquals(logged(), ["started", "cleaned", "started", "cleaned"]);
});

test("aborting in the turn that starts it is in time", async () => {
  const controller = new AbortController();
  const promise = intoPromise(py.work(), { signal: controller.signal });
  controller.abort("at once");
  assertEquals(await reject(promise), "at once");
  const log = logged() as string[];
  assertEquals(log.includes("cleaned"), log.includes("started"));
});

test("with a signal already aborted a coroutine is closed and not started", async () => {
  const signal = AbortSignal.abort("before");
  const lazy = py.work(), made = py.work();
  assertEquals(py.state_of(made), "CORO_CREATED");
  assertEquals(await reject(intoPromise(lazy, { signal })), "before");
  assertEquals(await reject(intoPromise(made, { signal })), "before");
  assertEquals(py.state_of(made), "CORO_CLOSED");
  assertEquals(await reject(lazy), "before");
  python.import("gc").collect();
  await started();
  assertEquals([logged(), toJs(py.warned)], [[], []]);
});

test("with a signal already aborted a Task is cancelled", async () => {
  const [task] = await toLoop(py.task_in_list, [py.work()]);
  await started();
  assertEquals(await reject(intoPromise(task, { signal: AbortSignal.abort("before") })), "before");
  assertEquals((await assertRejects(() => task, PythonError)).name, "CancelledError");
  assertEquals(logged(), ["started", "cleaned"]);
});

test("and awaited as with one that is aborted later: until it has ended, as it ends", async () => {
  const signal = AbortSignal.abort("before");
  const [working] = await toLoop(py.task_in_list, [py.work()]), [swallowing] = await toLoop(py.task_in_list, [py.swallow()]);
  const [raising] = await toLoop(py.task_in_list, [py.raise_in_cleanup()]), [done] = await toLoop(py.task_in_list, [py.add(1, 2)]);
  while (!done.done()) await started();
  assertEquals(await reject(intoPromise(working, { signal })), "before");
  assertEquals(logged(), ["started", "cleaned"]);
  assertEquals(await intoPromise(swallowing, { signal }), "swallowed");
  assertEquals((await assertRejects(() => intoPromise(raising, { signal }), PythonError)).name, "ValueError");
  assertEquals(await intoPromise(done, { signal }), 3);
});

test("after the end, a signal changes nothing and nobody listens to it", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal), remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (
    ...args: unknown[]
  ) => (listeners++, (add as (...args: unknown[]) => void)(...args));
  signal.removeEventListener = (
    ...args: unknown[]
  ) => (listeners--, (remove as (...args: unknown[]) => void)(...args));
  const promise = intoPromise(py.add(1, 2), { signal });
  assertEquals(listeners, 1);
  assertEquals(await promise, 3);
  assertEquals(listeners, 0);
  controller.abort();
  await started();
  assertEquals(await promise, 3);
});

test("any signal of an await that was joined cancels it", async () => {
  const coroutine = py.work(), controller = new AbortController();
  const first = intoPromise(coroutine, { signal: new AbortController().signal });
  const second = intoPromise(coroutine, { signal: controller.signal });
  first.catch(() => {});
  await started();
  controller.abort("joined");
  assertEquals([await reject(first), await reject(second)], ["joined", "joined"]);
  logged();
});

test("what is no signal is refused", async () => {
  for (const signal of [5, {}, "signal"]) {
    await assertRejects(
      () => intoPromise(py.add(1, 2), { signal: signal as never }),
      TypeError,
      "AbortSignal",
    );
  }
});

test("one signal for many awaits: all of them are cancelled, and no warning is printed", async () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => void warnings.push(String(warning));
  process.on("warning", listen);
  const controller = new AbortController();
  const all = Array.from({ length: 50 }, () => intoPromise(asyncio.sleep(3600), { signal: controller.signal }).catch((reason) => reason));
  const inside = py.call(async () => await Promise.all(Array.from({ length: 50 }, () => asyncio.sleep(0))));
  assertEquals((toJs(await inside) as unknown[]).length, 50);
  controller.abort("all");
  assertEquals(await Promise.all(all), Array.from({ length: 50 }, () => "all"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off("warning", listen);
  assertEquals(warnings, []);
});
