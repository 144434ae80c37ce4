/**
 * At the edge between a result and a cancellation nothing is set twice and nothing is lost, with asyncio's debug mode on.
 */
import { test } from "node:test";
import { getCurrentSignal, intoPromise, toJs, toLoop } from "../../mod.ts";
import { assertEquals } from "#std/assert";
import { define } from "../support/define.ts";

const py = define(`
import asyncio, gc, sys

def left():
    return [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]

handled = []

def watch():
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 3600
    loop.set_exception_handler(lambda loop, context: handled.append(repr(context)))
    sys.unraisablehook = lambda unraisable: handled.append(repr(unraisable))

async def settle_handled():
    for _ in range(10): await asyncio.sleep(0)
    gc.collect()
    return handled

async def race(f, count, seconds):
    loop, tasks = asyncio.get_running_loop(), [asyncio.ensure_future(f()) for _ in range(count)]
    await asyncio.sleep(0)  # each has begun: a task that is cancelled before that never calls f
    for index, task in enumerate(tasks):
        loop.call_later(seconds * (0.99 + 0.02 * index / count), task.cancel)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    return [o if isinstance(o, str) else type(o).__name__ for o in outcomes]

async def sleep(seconds): return await asyncio.sleep(seconds, "value")
`);

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));
const left = async () => toJs(await toLoop(py.left));

test("a thousand aborts at the edge of a result", async () => { // T15
  await toLoop(py.watch);
  const outcomes = await Promise.all(Array.from({ length: 1000 }, async (_, index) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort("aborted"), 9 + index % 3);
    return await intoPromise(py.sleep(0.01), { signal: controller.signal }).catch((reason) => reason);
  }));
  assertEquals(outcomes.filter((outcome) => outcome !== "value" && outcome !== "aborted"), []);
  assertEquals(toJs(await py.settle_handled()), []);
  assertEquals(await left(), []);
});

test("a thousand cancellations at the edge of a result, with the signal taken and not", async () => { // T15
  await toLoop(py.watch);
  for (const takes of [false, true]) {
    let ends = 0;
    const sleep = async () => {
      const signal = takes ? getCurrentSignal() : undefined;
      await new Promise<void>((resolve) => {
        setTimeout(resolve, 10);
        signal?.addEventListener("abort", () => resolve());
      });
      ends++;
      return "value";
    };
    const outcomes = toJs(await py.race(sleep, 1000, 0.01)) as string[];
    assertEquals(outcomes.filter((outcome) => outcome !== "value" && outcome !== "CancelledError"), []);
    while (ends < 1000) await turn();
    assertEquals(toJs(await py.settle_handled()), []);
    assertEquals(await left(), []);
  }
});
