/**
 * PyO3 Asyncio's own tests, and what it does not test: where each is tested here.
 *
 *  T1   test_future_into_py            awaitable_test: an outer coroutine awaits a JavaScript function through an inner one
 *  T2   test_async_sleep               await_test: a JavaScript sleep and a Python sleep in the same body
 *  T3   test_blocking_sleep            to_loop_test: what blocks in toThread stops neither loop
 *  T4   test_into_future               await_test: a coroutine of a module made from source text;
 *                                      task_locals_test: the locals option
 *  T5   test_other_awaitables          await_test: a future of run_in_executor is awaited
 *  T6   test_local_future_into_py      no meaning: every Promise is bound to its thread; awaitable_test has them on any loop
 *  T7   test_panic                     awaitable_test: what an async function throws …; errors_test: what JavaScript threw …
 *  T8   test_cancel                    cancel_from_python_test: a side effect behind a cancelled await does not happen
 *  T9   test_local_cancel              here: cancelled inside a scope
 *  T10  test_multiple_asyncio_run      loop_test: new_event_loop().run_until_complete, twice, after run, twice;
 *                                      awaitable_test: asyncio.run in a thread of Python's, again and again
 *  T11  test_contextvars               context_test: asyncio.run in a thread: …
 *  T12  test_async_gen_v1              stream_test: 1,000 items … at highWaterMark 0; here: with sleeps
 *  T13  test_async_gen_v2              stream_test: 1,000 items … at other highWaterMarks; here: with sleeps
 *  T14  test_async_gen_full_buffer     stream_test: 1,000 items arrive in order and none is lost at highWaterMark 10
 *  T15  test_race_condition_regression cancel_from_python_test: a thousand aborts …, a thousand cancellations …; here: with
 *                                      the loop's debug mode on
 *  T16  *_run_forever                  loop_test: a loop that runs for ever on a thread of the user's, …
 *  T17  *_uvloop                       uvloop_test
 *  T18  tokio_current_thread_*         no meaning: JavaScript's scheduler is single-threaded always
 *  T19  testing.rs                     testing_test
 *  T20  examples                       readme_test, demo_test
 *
 *  Not tested there                    Tested here
 *  drop → task cancel                  no meaning: a Promise cannot be dropped; cancel_test: aborting cancels the task …
 *  nested cancel                       cancel_from_python_test: … goes through every hop; here: through four hops
 *  non-awaitable argument              await_test: what cannot be awaited rejects at once
 *  StopIteration                       await_test and awaitable_test: … StopIteration …
 *  KeyboardInterrupt, SystemExit       await_test: exceptions of every kind …; process_test: SystemExit …, interrupt …
 *  GC of a pending future              await_test: a result that only JavaScript holds arrives; here: that nobody holds
 *  loop closed mid-flight              loop_end_test
 *  generator error in v2               stream_test: an error arrives after the items before it at …
 *  aclose on early break               stream_test: leaving the loop early …
 *  uncaught callback errors            here: go where Python sends them
 *  shutdown with in-flight work        lifetime_exit_test, lifetime_load_test, lifetime_close_test
 *  throughput and latency              bench/; counters_test
 *  leaks                               leak_test; context_test: no scope and no handle is left behind
 */
import process from "node:process";
import { test } from "node:test";
import {
  getCurrentLoop,
  getCurrentSignal,
  intoAsyncIterable,
  intoPromise,
  python,
  PythonError,
  run,
  scope,
  TaskLocals,
  toJs,
  toLoop,
  toThread,
} from "../../mod.ts";
import { assertEquals, assertMatch, assertRejects, assertStrictEquals } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define } from "../support/define.ts";

const asyncio = python.import("asyncio");

const py = define(`
import asyncio, gc, threading

log = []
handled = []

def watch(debug=False):
    loop = asyncio.get_running_loop()
    loop.set_debug(debug)
    loop.slow_callback_duration = 3600
    loop.set_exception_handler(lambda loop, context: handled.append("%s: %r" % (context["message"], context.get("exception"))))

async def settle_handled():
    for _ in range(3):
        gc.collect()
        await asyncio.sleep(0)
    result = handled[:]
    handled.clear()
    return result

def left(): return [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]

async def sleep(seconds): return await asyncio.sleep(seconds, "value")

async def hop(function, name):
    try:
        return await function()
    except asyncio.CancelledError:
        log.append(name)
        raise

async def race(function, count, seconds):
    """Cancels each await of JavaScript's close to when it settles."""
    loop, tasks = asyncio.get_running_loop(), [asyncio.ensure_future(function()) for _ in range(count)]
    await asyncio.sleep(0)
    for index, task in enumerate(tasks):
        loop.call_later(seconds * (0.99 + 0.02 * index / count), task.cancel)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    return [o if isinstance(o, str) else type(o).__name__ for o in outcomes]

async def slow_items(n):
    for i in range(n):
        await asyncio.sleep(0.001)
        yield i

async def hold_nothing(function):
    """Awaits JavaScript in a task that nobody refers to."""
    asyncio.ensure_future(hop(function, "nobody's"))
    gc.collect()

def drop(promise): pass
`);

const turn = (ms = 0) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const left = async () => toJs(await toLoop(py.left));
const logged = () => {
  const log = toJs(py.log);
  py.log.clear();
  return log;
};
const aborted = (signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => signal!.aborted ? resolve() : signal!.addEventListener("abort", () => resolve()));

test("cancelled inside a scope, on a loop of its own", async () => { // T9
  await run(async () => {
    let happened = false, begin!: () => void;
    const begun = new Promise<void>((resolve) => begin = resolve);
    await scope(new TaskLocals(getCurrentLoop()), async () => {
      const controller = new AbortController();
      const promise = intoPromise(
        py.hop(async () => {
          const signal = getCurrentSignal();
          begin();
          await aborted(signal);
          if (!signal!.aborted) happened = true;
        }, "scoped"),
        { signal: controller.signal },
      );
      const ended = assertRejects(() => promise);
      await begun;
      controller.abort(new Error("enough"));
      assertEquals((await ended as Error).message, "enough");
    });
    assertEquals([happened, logged()], [false, ["scoped"]]);
  });
});

for (const highWaterMark of [0, 1, 10]) {
  test(`ten items with sleeps between them, in order, at highWaterMark ${highWaterMark}`, async () => { // T12, T13
    const items: unknown[] = [];
    for await (const item of intoAsyncIterable(py.slow_items(10), { highWaterMark })) items.push(item);
    assertEquals(items, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
}

test("a thousand cancellations at the edge in each direction, with the loop's debug mode on", async () => { // T15
  await toLoop(py.watch, [true]);
  const aborts = await Promise.all(Array.from({ length: 1000 }, async (_, index) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort("aborted"), 9 + index % 3);
    return await intoPromise(py.sleep(0.01), { signal: controller.signal }).catch((reason) => reason);
  }));
  assertEquals(aborts.filter((outcome) => outcome !== "value" && outcome !== "aborted"), []);
  for (const takes of [false, true]) {
    const cancellations = toJs(
      await py.race(
        async () => {
          const signal = takes ? getCurrentSignal() : undefined;
          await Promise.race([turn(10), signal ? aborted(signal) : new Promise(() => {})]);
          return "value";
        },
        1000,
        0.01,
      ),
    ) as string[];
    assertEquals(cancellations.filter((outcome) => outcome !== "value" && outcome !== "CancelledError"), []);
  }
  await turn(15); // what was given up has settled as well
  assertEquals([toJs(await py.settle_handled()), await left()], [[], []]);
  await toLoop(py.watch, [false]);
});

/** Python awaits JavaScript awaits Python … so many times; the innermost waits for ever. */
function hops(depth: number) {
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => begin = resolve);
  const signals: AbortSignal[] = [];
  const make = (level: number): () => Promise<unknown> => async () => {
    signals.push(getCurrentSignal()!);
    if (level < depth) return await py.hop(make(level + 1), `hop ${level + 1}`);
    setTimeout(begin, 2);
    return await py.sleep(3600);
  };
  return { begun, signals, start: () => py.hop(make(1), "hop 1"), names: Array.from({ length: depth }, (_, at) => `hop ${depth - at}`) };
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
      const [task] = toJs(await toLoop(python.exec("import asyncio\nlambda c: [asyncio.ensure_future(c)]"), [start()])) as {
        cancel(): void;
      }[];
      const ended = assertRejects(() => intoPromise(task), PythonError);
      await begun;
      task.cancel();
      assertEquals((await ended as PythonError).name, "CancelledError");
    }
    assertEquals(signals.map((signal) => signal.aborted), [true, true, true, true]);
    assertEquals([logged(), await left()], [names, []]);
  }
});

test("one signal for many awaits: all of them are cancelled, and no warning is printed", async () => {
  const warnings: string[] = [];
  const listen = (warning: Error) => void warnings.push(String(warning));
  process.on("warning", listen);
  const controller = new AbortController();
  const all = Array.from({ length: 50 }, () => intoPromise(py.sleep(3600), { signal: controller.signal }).catch((reason) => reason));
  const inside = py.hop(async () => await Promise.all(Array.from({ length: 50 }, () => py.sleep(0))), "many");
  assertEquals((toJs(await inside) as unknown[]).length, 50);
  controller.abort("all");
  assertEquals(await Promise.all(all), Array.from({ length: 50 }, () => "all"));
  await turn(5);
  process.off("warning", listen);
  assertEquals(warnings, []);
});

test("a task that nobody refers to and that awaits JavaScript goes on", async () => {
  let release!: () => void;
  const gate = new Promise<void>((resolve) => release = resolve);
  let done!: (value: string) => void;
  const finished = new Promise<string>((resolve) => done = resolve);
  await py.hold_nothing(async () => {
    await gate;
    setTimeout(done, 1, "went on");
  });
  for (let round = 0; round < 3; round++) {
    await collect();
    await toLoop(python.import("gc").collect);
  }
  release();
  assertEquals(await finished, "went on");
});

test("errors of callbacks and threads that nobody awaits go where Python sends them", async () => {
  await toLoop(py.watch);
  const fail = () => {
    throw new RangeError("in a callback");
  };
  const loop = await toLoop(asyncio.get_running_loop);
  loop.call_soon_threadsafe(fail);
  let told: string[] = [];
  for (let round = 0; round < 100 && told.length === 0; round++) told = toJs(await py.settle_handled()) as string[];
  assertEquals(told.length, 1);
  assertMatch(told[0], /Exception in callback.*in a callback/s);
  const seen: unknown[] = [];
  const { threading } = py, before = threading.excepthook;
  threading.excepthook = (args: { exc_value: unknown }) => void seen.push(String(args.exc_value));
  const thread = threading.Thread(null, fail);
  thread.start();
  await toThread(thread.join);
  threading.excepthook = before;
  assertEquals(seen.length, 1);
  assertMatch(String(seen[0]), /in a callback/);
});

test("a rejected Promise that was given to Python and never awaited is reported to the loop's exception handler", async () => {
  await toLoop(py.watch);
  await toLoop(py.drop, [Promise.reject(new RangeError("never awaited"))]);
  py.drop(Promise.reject(new RangeError("never awaited, from a call")));
  py.drop(Promise.reject(Symbol("never awaited"))); // which has no counterpart in Python
  const told: string[] = [];
  for (let round = 0; round < 100 && told.length < 3; round++) {
    await collect();
    told.push(...toJs(await py.settle_handled()) as string[]);
  }
  assertEquals(told.map((text) => /never awaited: JsException\(.*never awaited/.test(text)), [true, true, true], told.join("\n"));
  const awaited = Promise.reject(new RangeError("awaited"));
  await assertRejects(() => python.execAsync("await promise", { globals: { promise: awaited } }), RangeError, "awaited");
  for (let round = 0; round < 5; round++) await collect();
  assertEquals(toJs(await py.settle_handled()), []);
});
