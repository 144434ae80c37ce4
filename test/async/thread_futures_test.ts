/**
 * `concurrent.futures.Future`, the future of a thread: it can be awaited like asyncio's.
 */
import { test } from "node:test";
import { assertEquals, assertRejects, assertStrictEquals } from "#std/assert";
import { intoPromise, python, PythonError, toThread } from "../../mod.ts";
import { define } from "../support/define.ts";

const asyncio = python.import("asyncio");
const { pow } = python.builtins;

const py = define(`
import time

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
