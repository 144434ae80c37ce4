/**
 * Loops that are closed or stopped with work in flight, loops that do not run yet, and idle loops that JavaScript wakes by
 * touching their objects.
 */
import { test } from "node:test";
import {
  enterAsync,
  getCurrentSignal,
  intoAsyncIterable,
  intoPromise,
  promiseIntoPy,
  type PyProxy,
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
import { countPending } from "../../src/async/pending.ts";
import { prints } from "../support/child.ts";
import { define } from "../support/define.ts";

const asyncio = python.import("asyncio");

const py = define(`
import asyncio, threading

class LoopInThread:
    def __init__(self, loop=None): self.loop = loop or asyncio.new_event_loop()
    def start(self):
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        return self.loop
    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

def ignore_errors(loop): loop.set_exception_handler(lambda loop, context: None)
def close(loop): loop.close()

async def sleep(seconds=3600): await asyncio.sleep(seconds)
async def call(function): return await function()
async def ticks():
    while True:
        yield 1
        await asyncio.sleep(3600)
class Manager:
    async def __aenter__(self): pass
    async def __aexit__(self, *args): pass
async def where(): return asyncio.get_running_loop()
async def await_it(awaitable): return await awaitable

def run_and_leave(function):
    """asyncio.run whose main ends while a task awaits JavaScript."""
    errors = []
    async def left():
        try: await function()
        except asyncio.CancelledError: errors.append("cancelled"); raise
    async def main():
        task = asyncio.ensure_future(left())
        await asyncio.sleep(0.02)
        return "main"
    return [asyncio.run(main()), errors]

async def make_event(): return asyncio.Event()
async def make_queue(): return asyncio.Queue()
async def wait_for_event(event, queue, future): return [await event.wait(), await queue.get(), await future]
async def make_task(): return [asyncio.ensure_future(asyncio.sleep(3600))]
`);

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const never = () => new Promise<never>(() => {});

async function withRunner<T>(fn: (loop: PyProxy, runner: PyProxy) => Promise<T>): Promise<T> {
  const runner = py.LoopInThread(), loop = runner.start();
  try {
    return await fn(loop, runner);
  } finally {
    if (loop.is_running()) await toThread(runner.stop);
    if (!loop.is_closed()) loop.close();
  }
}

test("a loop that is closed with work in flight: everything that waits for it rejects and says so", async () => {
  const before = countPending();
  await withRunner(async (loop, runner) => {
    py.ignore_errors(loop);
    const locals = new TaskLocals(loop);
    let signal: AbortSignal | undefined;
    const waits: Record<string, PromiseLike<unknown>> = {
      "intoPromise": intoPromise(py.sleep(), { locals }),
      "toLoop": toLoop(py.sleep, [], { locals }),
      "execAsync": python.execAsync("import asyncio\nawait asyncio.sleep(3600)", { locals }),
      "enterAsync": enterAsync(py.Manager(), never, { locals }),
      "JavaScript inside": intoPromise(
        py.call(async () => {
          signal = getCurrentSignal();
          await never();
        }),
        { locals },
      ),
      "a Promise inside": intoPromise(py.await_it(promiseIntoPy(never())), { locals }),
    };
    for (const highWaterMark of [0, 4]) {
      const stream = intoAsyncIterable(py.ticks(), { locals, highWaterMark });
      await stream.next();
      waits[`a stream at ${highWaterMark}`] = stream.next();
    }
    const outcomes = Object.entries(waits).map(async ([name, wait]) => [name, await assertRejects(() => wait) as Error] as const);
    while (!signal) await sleep(1);
    await toThread(runner.stop);
    loop.close();
    for (const [name, error] of await Promise.all(outcomes)) assertMatch(error.message, /event loop.*closed/, name);
  });
  assertEquals(countPending(), before);
});

test("a loop that is stopped keeps its work, and goes on with it when it runs again", async () => {
  await withRunner(async (loop, runner) => {
    let settled = false;
    let release!: (value: string) => void;
    const gate = new Promise<string>((resolve) => release = resolve);
    const promise = intoPromise(py.call(async () => await gate), { locals: new TaskLocals(loop) });
    const done = promise.then(() => settled = true);
    await sleep(5);
    await toThread(runner.stop);
    release("value");
    await sleep(5);
    assertEquals([settled, loop.is_running()], [false, false]);
    runner.start();
    assertEquals(await promise, "value");
    await done;
  });
});

test("asyncio.run that ends while a task of its awaits JavaScript cancels that await", async () => {
  let signal: AbortSignal | undefined;
  const [main, errors] = toJs(
    await toThread(py.run_and_leave, [async () => {
      signal = getCurrentSignal()!;
      await new Promise<void>((resolve) => signal!.addEventListener("abort", () => resolve()));
    }]),
  ) as [string, string[]];
  assertEquals([main, errors, signal?.aborted], ["main", ["cancelled"], true]);
});

test("run ends while JavaScript still awaits something of its loop: that is cancelled", async () => {
  let left!: Promise<unknown>;
  await run(async () => {
    left = assertRejects(() => intoPromise(py.sleep()), PythonError);
    await sleep(5);
  });
  assertEquals((await left as PythonError).name, "CancelledError");
});

test("what is started on a closed loop rejects at once", async () => {
  const unused = asyncio.new_event_loop();
  unused.close();
  for (const loop of [await run<PyProxy>(async () => await py.where()), unused]) {
    const locals = new TaskLocals(loop);
    for (
      const start of [
        () => intoPromise(py.sleep(), { locals }),
        () => toLoop(py.sleep, [], { locals }),
        () => intoAsyncIterable(py.ticks(), { locals }).next(),
        () => scope(locals, () => py.where()),
      ]
    ) {
      assertMatch((await assertRejects(start) as Error).message, /event loop.*closed/);
    }
  }
});

test("many loops, each closed with work in flight", async () => {
  for (let round = 0; round < 20; round++) {
    await withRunner(async (loop, runner) => {
      py.ignore_errors(loop);
      const locals = new TaskLocals(loop);
      const all = Array.from(
        { length: 20 },
        (_, index) => assertRejects(() => intoPromise(index % 2 ? py.sleep() : py.call(never), { locals })),
      );
      if (round % 2) await sleep(1); // else they may not even have been started
      await toThread(runner.stop);
      loop.close();
      for (const error of await Promise.all(all)) assertMatch((error as Error).message, /closed/);
    });
  }
  assertEquals(await asyncio.sleep(0, "still well"), "still well");
});

test("a loop that does not run yet is waited for", async () => {
  python.ref(); // such a Promise does not
  const runner = py.LoopInThread(), { loop } = runner;
  const promise = intoPromise(py.where(), { locals: new TaskLocals(loop) });
  assertEquals(await Promise.race([promise, sleep(20).then(() => "waits")]), "waits");
  runner.start();
  assertStrictEquals(await promise, loop);
  await toThread(runner.stop);
  loop.close();
  python.unref();
});

test("a loop that is closed before it ever ran rejects what waited for it", async () => {
  python.ref();
  const loop = asyncio.new_event_loop();
  const wait = assertRejects(() => intoPromise(py.where(), { locals: new TaskLocals(loop) }));
  loop.close();
  assertMatch((await wait as Error).message, /event loop.*closed/);
  python.unref();
});

test("a loop that does not run keeps no process alive, and one that begins to does", async () => {
  assertEquals(await prints("loops", ["never_runs"]), "waits\n");
  assertEquals(await prints("loops", ["runs_later"]), "waits\nsettled\n");
});

/** What touches a loop from JavaScript, while that loop has nothing else to do. */
async function touch(locals?: TaskLocals) {
  const options = { locals };
  const event = await toLoop(py.make_event, [], options), queue = await toLoop(py.make_queue, [], options);
  const loop = locals?.eventLoop ?? await py.where();
  const open = loop.create_future();
  const waits = intoPromise(py.wait_for_event(event, queue, open), options);
  await sleep(20); // the loop has gone to sleep
  event.set();
  await sleep(5);
  queue.put_nowait("item");
  await sleep(5);
  open.set_result("result");
  assertEquals(toJs(await waits), [true, "item", "result"]);
  const [task] = await toLoop(py.make_task, [], options);
  const ended = assertRejects(() => intoPromise(task), PythonError);
  await sleep(10);
  task.cancel();
  assertEquals((await ended as PythonError).name, "CancelledError");
  for (
    const schedule of [
      (fn: () => void) => loop.call_soon(fn),
      (fn: () => void) => loop.call_later(0.005, fn),
      (fn: () => void) => loop.call_at(loop.time() + 0.005, fn),
      (fn: () => void) => loop.call_soon_threadsafe(fn),
    ]
  ) {
    await sleep(10);
    python.ref(); // a callback does not keep the process alive
    await new Promise<void>((resolve) => schedule(resolve));
    python.unref();
  }
  await sleep(10);
  assertEquals(await intoPromise(loop.create_task(py.await_it(asyncio.sleep(0, "task")))), "task");
}

test("Event.set, put_nowait, set_result, task.cancel, call_soon, call_later and create_task wake the idle background loop", async () => {
  await touch();
});

test("they wake an idle loop of the user's as well", async () => {
  await withRunner((loop) => touch(new TaskLocals(loop)));
});

test("in asyncio's debug mode too, while Python's other threads still may not touch the loop", async () => {
  await withRunner(async (loop) => {
    loop.set_debug(true);
    await touch(new TaskLocals(loop));
    await assertRejects(() => toThread(loop.call_soon, [() => {}]), PythonError, "Non-thread-safe operation");
    await assertRejects(() => toThread(loop.call_later, [0, () => {}]), PythonError, "Non-thread-safe operation");
  });
});

test("a timer that is set from JavaScript before the one that the loop sleeps for is in time", async () => {
  const loop = await py.where(), controller = new AbortController();
  const long = intoPromise(py.sleep(5), { signal: controller.signal }).then(() => "the long sleep", (reason) => reason);
  await sleep(10);
  loop.call_later(0.01, () => controller.abort("the timer"));
  assertEquals(await long, "the timer");
});
