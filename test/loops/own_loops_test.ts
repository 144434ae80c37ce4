/**
 * Event loops of the user's own: asyncio.run in threads, `run`, `runUntilComplete`, factories, and misuse of them.
 */
import { test } from "node:test";
import {
  getCurrentLoop,
  getRunningLoop,
  intoPromise,
  promiseIntoPy,
  type PyProxy,
  python,
  PythonError,
  run,
  runUntilComplete,
  TaskLocals,
  toJs,
  toLoop,
  toThread,
} from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "#std/assert";
import { child, prints } from "../support/child.ts";
import { define, isAtLeast } from "../support/define.ts";

const asyncio = python.import("asyncio");

const py = define(`
import asyncio, contextlib, sys, threading, types

log = []

async def main(sleep, n):
    return [await sleep(n), await asyncio.gather(*(sleep(i) for i in range(3))), asyncio.get_running_loop()]

def run_in_threads(sleep, count):
    """asyncio.run in so many threads at once."""
    results = [None] * count
    def body(at): results[at] = asyncio.run(main(sleep, at))
    threads = [threading.Thread(target=body, args=(at,)) for at in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return results

def run_one_after_another(sleep, count):
    return [asyncio.run(main(sleep, at)) for at in range(count)]

def run(coroutine): return asyncio.run(coroutine)
def run_call(f, *args): return asyncio.run(f(*args))

def run_on_new_loops(sleep, count):
    results = []
    for at in range(count):
        loop = asyncio.new_event_loop()
        results.append(loop.run_until_complete(main(sleep, at)))
        loop.close()
    return results

def ask_often(js, count):
    """How many answers are right, given to a loop of this thread's own and to the thread itself."""
    is_right = lambda value, at: type(value) is list and value == [at, "x"]
    async def ask(): return sum([is_right(await js(at), at) for at in range(count)])
    return asyncio.run(ask())

def call_often(js, count):
    return sum(type(value) is list and value == [at, "x"] for at in range(count) for value in [js(at)])

async def where(): return asyncio.get_running_loop()
async def fail(): raise KeyError("failed")

async def leave_things():
    async def left():
        try: await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            log.append("task")
    async def ticks():
        try:
            while True: yield
        finally: log.append("generator")
    leave_things.task = asyncio.ensure_future(left())
    leave_things.ticks = ticks()
    await leave_things.ticks.__anext__()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, log.append, "thread")
    leave_things.executor = loop._default_executor
    await asyncio.sleep(0)

def is_shut_down(executor): return executor._shutdown

def run_forever(loop):
    """Runs a loop on a thread of its own until it is stopped."""
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    return thread

async def sleep_js(sleep, ms): return await sleep(ms)

class CountedLoop(asyncio.SelectorEventLoop): made = 0
def make_counted():
    CountedLoop.made += 1
    return CountedLoop()
class factories: nested = staticmethod(make_counted)
sys.modules["counted_loops"] = sys.modules[__name__] = types.SimpleNamespace(make=make_counted, factories=factories, not_callable=5, no_loop=dict, nothing_made=lambda: None)

def is_counted(loop): return isinstance(loop, CountedLoop)

def policy():
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = type(asyncio.get_event_loop_policy())
        return [kind.__module__.partition(".")[0], kind is type(asyncio.DefaultEventLoopPolicy())]
`);

const sleep = async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};
const turn = () => sleep(0);
const resultsOf = (results: unknown) =>
  (toJs(results) as [number, number[], PyProxy][]).map(([first, rest, loop]) => {
    assert(loop.is_closed());
    return [first, rest.join()];
  });
const expected = (count: number) => Array.from({ length: count }, (_, at) => [at, "0,1,2"]);

test("asyncio.run in a Python thread awaits JavaScript, several at once and one after another", async () => {
  assertEquals(resultsOf(await toThread(py.run_in_threads, [sleep, 8])), expected(8));
  assertEquals(resultsOf(await toThread(py.run_one_after_another, [sleep, 8])), expected(8));
  assertEquals(resultsOf(await toThread(py.run_one_after_another, [async (ms: number) => await ms, 3])), expected(3)); // it returns at once
  assertEquals(await toThread(py.run_call, [sleep, 1]), 1);
  assertEquals(await toThread(py.run, [promiseIntoPy(() => sleep(2))]), 2);
  await assertRejects(() => toThread(py.run_call, [() => Promise.reject(new RangeError("far"))]), RangeError, "far");
  const [some, others] = await Promise.all([toThread(py.run_in_threads, [sleep, 4]), toThread(py.run_in_threads, [sleep, 4])]);
  assertEquals([resultsOf(some), resultsOf(others)], [expected(4), expected(4)]);
});

test("new_event_loop().run_until_complete, twice, after run, twice", async () => { // T10
  for (let round = 0; round < 2; round++) assertEquals(await run(() => sleep(1)), 1);
  for (let round = 0; round < 2; round++) {
    assertEquals(resultsOf(await toThread(py.run_on_new_loops, [sleep, 2])), expected(2));
  }
});

test("run: main's result, on a new loop that is closed afterwards", async () => {
  let loop!: PyProxy;
  const value = { any: "thing" };
  const result = await run(async () => {
    loop = getCurrentLoop();
    assertStrictEquals(getRunningLoop(), loop);
    assertStrictEquals(await py.where(), loop);
    await turn();
    assertStrictEquals(await py.where(), loop);
    return value;
  });
  assertStrictEquals(result, value);
  assertEquals([loop.is_closed(), loop === getCurrentLoop()], [true, false]);
  assertEquals(await run(() => "not asynchronous"), "not asynchronous");
  assertEquals(await run(asyncio.sleep(0, "a coroutine")), "a coroutine");
  assertEquals(await run(promiseIntoPy(sleep(1)) as PyProxy), 1);
  assertEquals(await run(promiseIntoPy(() => sleep(2)) as PyProxy), 2);
  assertEquals((await run<PyProxy>(py.where)).is_closed(), true);
});

test("run: what main throws", async () => {
  const error = new RangeError("thrown");
  assertStrictEquals(await assertRejects(() => run(() => Promise.reject(error))), error);
  assertStrictEquals(
    await assertRejects(() =>
      run(() => {
        throw error;
      })
    ),
    error,
  );
  const python = await assertRejects(() => run(async () => await py.fail()), PythonError) as PythonError;
  assertEquals([python.name, python.message], ["KeyError", "'failed'"]);
  assertEquals((await assertRejects(() => run(py.fail()), PythonError) as PythonError).name, "KeyError");
});

test("run: many at the same time, each on a loop of its own, and in each other", async () => {
  const loops = await Promise.all(Array.from({ length: 8 }, () =>
    run(async () => {
      const own = getCurrentLoop();
      await sleep(5);
      const inner = await run(async () => await py.where());
      assertStrictEquals(await py.where(), own);
      assert(inner !== own && inner.is_closed());
      return own;
    })));
  assertEquals(new Set(loops).size, 8);
});

test("run: afterwards tasks are cancelled, async generators and the executor are shut down", async () => {
  await run(async () => await py.leave_things());
  const log = toJs(py.log) as string[];
  py.log.clear();
  assertEquals(log.sort(), ["generator", "task", "thread"]);
  assertEquals(py.leave_things.task.cancelled(), true);
  if (isAtLeast(3, 9)) assertEquals(py.is_shut_down(py.leave_things.executor), true);
});

test("run: a loop of module:factory", async () => {
  const before = py.CountedLoop.made;
  for (const loop of ["counted_loops:make", "counted_loops:factories.nested"]) {
    assertEquals(await run<unknown>(async () => py.is_counted(await py.where()), { loop }), true);
  }
  assertEquals(py.CountedLoop.made, before + 2);
  assertEquals(await run(async () => py.is_counted(await py.where())), false);
});

test("run: misuse is told", async () => {
  for (const main of [undefined, null, 5, "main", {}]) {
    await assertRejects(() => run(main as never), TypeError, "main has to be a function or a Python awaitable");
    await assertRejects(() => runUntilComplete(asyncio.new_event_loop(), main as never), TypeError, "main has to be");
  }
  for (const loop of ["twisted", "", ":", "a:", 5]) {
    let called = false;
    const error = await assertRejects(async () => await run(() => called = true, { loop: loop as string })) as Error;
    assertEquals([called, error.message.includes('"module:factory"')], [false, true], error.message);
  }
  for (
    const [loop, name] of [["no_such_module_here:make", "ModuleNotFoundError"], ["counted_loops:nothing", "AttributeError"], [
      "counted_loops:not_callable",
      "TypeError",
    ]]
  ) {
    assertEquals((await assertRejects(() => run(() => 1, { loop }), PythonError) as PythonError).name, name);
  }
  for (const [loop, returned] of [["counted_loops:no_loop", "{}"], ["counted_loops:nothing_made", "None"]]) {
    const error = await assertRejects(() => run(() => 1, { loop }), PythonError) as PythonError;
    assertEquals([error.name, error.message], [
      "TypeError",
      `Cannot use loop '${loop}': it has to return a new event loop, and returned ${returned}`,
    ]);
  }
});

test("runUntilComplete drives a loop of the caller's, again and again, and leaves it open", async () => {
  const loop = asyncio.new_event_loop();
  for (let round = 0; round < 3; round++) {
    const seen = await runUntilComplete(loop, async () => {
      assertStrictEquals(getRunningLoop(), loop);
      await sleep(1);
      return await py.where();
    });
    assertStrictEquals(seen, loop);
    assertStrictEquals(await runUntilComplete(loop, py.where()), loop);
    assertEquals([loop.is_running(), loop.is_closed()], [false, false]);
  }
  await assertRejects(() => runUntilComplete(loop, () => Promise.reject(new RangeError("thrown"))), RangeError, "thrown");
  assertEquals(await runUntilComplete(loop, () => "still usable"), "still usable");
  loop.close();
});

test("runUntilComplete: a running loop, a closed one and what is none are refused", async () => {
  const loop = asyncio.new_event_loop();
  await runUntilComplete(loop, async () => {
    const error = await assertRejects(() => runUntilComplete(loop, () => 1), PythonError) as PythonError;
    assertMatch(error.message, /running already/);
  });
  loop.close();
  assertMatch((await assertRejects(() => runUntilComplete(loop, () => 1)) as Error).message, /closed/);
  await assertRejects(() => runUntilComplete(getCurrentLoop(), () => 1), PythonError, "running already");
  const wrong = await assertRejects(() => runUntilComplete(asyncio, () => 1)) as Error;
  assertMatch(wrong.message, /event loop/);
  await assertRejects(() => runUntilComplete(undefined as never, () => 1), Error, "event loop");
});

test("a loop that runs for ever on a thread of the user's, stopped through call_soon_threadsafe", async () => { // T16
  const loop = asyncio.new_event_loop(), locals = new TaskLocals(loop);
  for (let round = 0; round < 2; round++) {
    const thread = py.run_forever(loop);
    assertStrictEquals(await intoPromise(py.where(), { locals }), loop);
    assertEquals(await intoPromise(py.sleep_js(sleep, 2), { locals }), 2);
    loop.call_soon_threadsafe(loop.stop);
    await toThread(thread.join);
    assertEquals([loop.is_running(), loop.is_closed()], [false, false]);
  }
  loop.close();
});

test("an object that JavaScript answers with may be given up at once, whichever thread reads the answer", async () => {
  const list = python.builtins.list, count = 3000;
  const later = async (proxy: PyProxy) => { // a few microtasks: in the turn in which the answer is sent
    for (let i = 0; i < 6; i++) await undefined;
    proxy.$destroy();
  };
  const answer = (at: number) => {
    const made = list([at, "x"]);
    later(made);
    return made;
  };
  assertEquals(await toThread(py.ask_often, [async (at: number) => answer(at), count]), count);
  assertEquals(await toThread(py.call_often, [answer, count]), count);
});

test("no event-loop policy is set, whatever loop is asked for", async () => {
  await run(() => 1, { loop: "counted_loops:make" });
  if (isAtLeast(3, 16)) return assertEquals(asyncio.set_event_loop_policy, undefined);
  assertEquals(toJs(py.policy()), ["asyncio", true]);
  assertEquals(toJs(await toLoop(py.policy)), ["asyncio", true]);
});

test("python.configure: the background loop of module:factory, and of one that fails", async () => {
  assertEquals(await prints("loops", ["factory"]), "Mine Mine asyncio True\n");
  const failed = await child("loops", ["failing_factory"]);
  assertEquals([failed.code, failed.signal], [0, null], failed.stderr);
  assertMatch(failed.stdout, /^PythonLoadError .*(no_such_module_here)/);
});
