/**
 * `concurrent.futures.Future`, the future of a thread: it can be awaited like asyncio's. And asyncio's that belong to another
 * loop, which is on a thread of its own.
 */
import { test } from "node:test";
import { assertEquals, assertRejects, assertStrictEquals } from "#std/assert";
import { intoPromise, python, PythonError, toThread } from "../../mod.ts";
import { define } from "../support/define.ts";

const asyncio = python.import("asyncio");
const { pow } = python.builtins;

const py = define(`
import asyncio, threading, time

class Elsewhere:
    "A loop on a thread of its own, with a task that takes a moment to end when it is cancelled."
    def __init__(self):
        self.loop, self.log, ready = asyncio.new_event_loop(), [], threading.Event()
        def run():
            asyncio.set_event_loop(self.loop)
            self.task = self.loop.create_task(self.job())
            self.loop.call_soon(ready.set)
            self.loop.run_forever()
            self.loop.close()
        self.thread = threading.Thread(target=run)
        self.thread.start()
        ready.wait()
    async def job(self):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)
            self.log.append("cleaned up")
            raise
    async def quick(self, value):
        await asyncio.sleep(0)
        if isinstance(value, str): return value
        raise StopIteration(value)
    def start(self, value): return asyncio.run_coroutine_threadsafe(self.make(value), self.loop).result()[0]
    async def make(self, value): return [asyncio.ensure_future(self.quick(value))]
    def end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

async def add(a, b): return a + b

def begin_and_sleep(begun, seconds):
    begun.set()
    time.sleep(seconds)
    return "slept"
`);

test("a future of a thread can be awaited, and cancelled unless it runs", async () => {
  const { ThreadPoolExecutor } = python.import("concurrent.futures"), { sleep } = python.import("time");
  const { Event } = python.import("threading");
  const executor = ThreadPoolExecutor(1);
  assertEquals(await executor.submit(pow, 2, 5), 32);
  assertEquals(await intoPromise(executor.submit(pow, 2, 6)), 64);
  assertEquals(await toThread(executor.submit, [pow, 2, 7]), 128); // Promises flatten
  assertEquals((await assertRejects(async () => await executor.submit(pow, "a", 1), PythonError)).name, "TypeError");
  const begun = Event(), running = executor.submit(py.begin_and_sleep, begun, 0.05), waiting = executor.submit(sleep, 0);
  begun.wait();
  const reason = new Error("no longer needed");
  const ends = [running, waiting].map((future) => {
    const controller = new AbortController(), promise = intoPromise(future, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 5);
    return promise;
  });
  const [ran, never] = await Promise.allSettled(ends);
  assertEquals(ran, { status: "fulfilled", value: "slept" });
  assertStrictEquals((never as PromiseRejectedResult).reason, reason);
  assertEquals([running.cancelled(), waiting.cancelled()], [false, true]);
  executor.shutdown();
  const done = asyncio.run_coroutine_threadsafe(py.add(1, 2), asyncio.get_running_loop());
  assertEquals(await done, 3);
});

/** Awaits these and aborts, at once: the loop learns of both in the same drain. */
function awaitAndAbort(futures: unknown[], reason: Error): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled(futures.map((future) => {
    const controller = new AbortController(), promise = intoPromise(future, { signal: controller.signal });
    controller.abort(reason);
    return promise;
  }));
}

test("a future of a thread that is awaited and cancelled in one turn", async () => {
  const { ThreadPoolExecutor } = python.import("concurrent.futures"), { sleep } = python.import("time");
  const { Event } = python.import("threading");
  const executor = ThreadPoolExecutor(1), begun = Event(), reason = new Error("no longer needed");
  const running = executor.submit(py.begin_and_sleep, begun, 0.05), waiting = executor.submit(sleep, 0);
  begun.wait();
  const [ran, never] = await awaitAndAbort([running, waiting], reason);
  assertEquals(ran, { status: "fulfilled", value: "slept" });
  assertStrictEquals((never as PromiseRejectedResult).reason, reason);
  assertEquals([running.cancelled(), waiting.cancelled()], [false, true]);
  executor.shutdown();
});

test("a task of another loop is cancelled, and awaited until it has ended; also in one turn", async () => {
  for (const wait of [0, 20]) {
    const elsewhere = py.Elsewhere(), { task, log } = elsewhere, reason = new Error("no longer needed");
    const controller = new AbortController(), promise = intoPromise(task, { signal: controller.signal });
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => promise), reason);
    assertEquals([...log, task.cancelled()], ["cleaned up", true]);
    assertEquals(await elsewhere.start("its result"), "its result");
    const error = await assertRejects(async () => await elsewhere.start(1), PythonError);
    assertEquals(error.name, "RuntimeError");
    elsewhere.end();
  }
});
