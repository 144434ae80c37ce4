/**
 * JavaScript's async functions and Promises as Python awaitables: asyncio takes them wherever it takes a coroutine, on
 * every loop and any number of times, and rejections arrive as exceptions.
 */
import process from "node:process";
import { test } from "node:test";
import { asyncDef, promiseIntoPy, python, PythonError, toJs, toLoop, toThread } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define, isAtLeast } from "../support/define.ts";

const py = define(`
import asyncio, gc

async def call(f, *args, **kwargs): return await f(*args, **kwargs)
async def wait(awaitable): return await awaitable
async def wait_twice(awaitable): return [await awaitable, await awaitable]

async def outer(f):                                   # T1: test_future_into_py
    async def sleep_for(f): return await f(1)
    return await sleep_for(f)

async def every_way(make):
    "Everything that takes a coroutine."
    results = [await make(0)]
    results.append(await asyncio.create_task(make(1)))
    results.append(await asyncio.ensure_future(make(2)))
    results.append(await asyncio.wait_for(make(3), 60))
    results.append(await asyncio.shield(make(4)))
    results += await asyncio.gather(make(5), make(6))
    done, pending = await asyncio.wait({asyncio.ensure_future(make(7))})
    results += [task.result() for task in done]
    for first in asyncio.as_completed([make(8)]):
        results.append(await first)
    results.append(await asyncio.get_running_loop().create_task(make(9)))
    return results

async def by_tasks(awaitable, count):
    return await asyncio.gather(*[wait(awaitable) for _ in range(count)])

async def as_tasks(awaitable, count):
    return await asyncio.gather(*[asyncio.create_task(awaitable) for _ in range(count)])

async def ten_times(f):
    for index in range(10): await f(index)

def run_all(functions):
    return [asyncio.run(call(f, index)) for index, f in enumerate(functions)]

def run(coroutine): return asyncio.run(coroutine)
def run_call(f, *args): return asyncio.run(f(*args))

async def caught(f):
    try: await f()
    except BaseException as error: return [type(error).__name__, str(error), error]
    return ["nothing"]

async def caught_waiting(awaitable):
    try: await awaitable
    except Exception as error: return [type(error).__name__, type(error.__cause__).__name__]
    return ["nothing"]

async def hold_nothing(f):
    "Awaits JavaScript in a task without a reference to it."
    asyncio.ensure_future(call(f))
    gc.collect()

def abandon(f):
    "Closes a loop while JavaScript still works for it."
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    async def main():
        task = asyncio.ensure_future(f())
        await asyncio.sleep(0)
        return task
    task = loop.run_until_complete(main())
    loop.close()
    return [task, loop]
`);

const modern = isAtLeast(3, 11)
  ? define(`
import asyncio

async def grouped(make):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(make(index)) for index in range(3)]
    async with asyncio.timeout(60):
        last = await make(3)
    return [task.result() for task in tasks] + [last]

async def run_by_runner(make):
    return await make(0)
`)
  : undefined;
if (!modern) console.log("skip: TaskGroup and timeout need Python 3.11");

const turn = () => new Promise<void>((resolve) => setTimeout(resolve));
const later = async (value: unknown): Promise<unknown> => (await turn(), value);
const range = (length: number) => Array.from({ length }, (_, index) => index);

const makers: Record<string, (n: number) => unknown> = {
  "an async function": later,
  "an async function that returns at once": async (n) => await n,
  "a marked function": asyncDef((n: number) => Promise.resolve(n)),
  "a function that gives a Promise": (n) => later(n),
  "a function that gives a settled Promise": (n) => Promise.resolve(n),
  "a function that gives promiseIntoPy of a function": (n) => promiseIntoPy(() => later(n)),
  "a function that gives promiseIntoPy of a Promise": (n) => promiseIntoPy(later(n)),
};

for (const [name, make] of Object.entries(makers)) {
  test(`${name} is awaited in every way`, async () => {
    assertEquals(toJs(await py.every_way(make)), range(10));
    assertEquals(toJs(await toThread(py.run, [py.every_way(make)])), range(10));
    assertEquals(await py.call(make, "x"), "x");
  });

  test(
    `${name} in a TaskGroup and a timeout`,
    { skip: !modern && "TaskGroup and timeout need Python 3.11" },
    async () => {
      assertEquals(toJs(await modern.grouped(make)), range(4));
    },
  );
}

test("an outer coroutine awaits a JavaScript function through an inner one", async () => { // T1
  const arguments_: number[] = [];
  await py.outer(async (seconds: number) => {
    arguments_.push(seconds);
    await turn();
  });
  assertEquals(arguments_, [1]);
});

test("async functions are coroutine functions, and have their names", async () => {
  const inspect = python.import("inspect");
  async function named() {}
  for (const fn of [named, async () => {}, asyncDef(() => Promise.resolve())]) {
    assertEquals(inspect.iscoroutinefunction(fn), true);
    assertEquals(python.import("asyncio").iscoroutinefunction(fn), true);
  }
  for (const fn of [() => {}, function* () {}, async function* () {}, () => Promise.resolve()]) {
    assertEquals(inspect.iscoroutinefunction(fn), false);
  }
  assertEquals(python.builtins.getattr(named, "__name__"), "named");
  const code = "import inspect\nc = named()\n[inspect.iscoroutine(c), await c][0]";
  assertEquals(await python.execAsync(code, { globals: { named } }), true);
  const marked = () => Promise.resolve();
  assertStrictEquals(asyncDef(marked), marked);
  assertThrows(() => asyncDef(5 as never), TypeError, "function");
});

test("calling an async function from Python starts nothing", async () => {
  let calls = 0;
  const fn = async () => await ++calls;
  assertEquals(
    await python.execAsync("c = fn()\nimport asyncio\nawait asyncio.sleep(0)\n[c.close()][0]", {
      globals: { fn },
    }),
    null,
  );
  await turn();
  assertEquals(calls, 0);
});

test("keyword arguments arrive as one object behind the others", async () => {
  const fn = (...args: unknown[]) => Promise.resolve(args.map(String).join() + (args.length > 1 ? JSON.stringify(args.at(-1)) : ""));
  assertEquals(
    await python.execAsync("await fn(1, b=2)", { globals: { fn: asyncDef(fn) } }),
    '1,[object Object]{"b":2}',
  );
  assertEquals(await python.execAsync("await fn(1)", { globals: { fn: asyncDef(fn) } }), "1");
});

test("asyncio.run of JavaScript on the JavaScript thread raises at once", async () => {
  const error = assertThrows(() => py.run_call(later, 1)) as PythonError;
  assertEquals(error.name, "RuntimeError");
  assertStringIncludes(error.message, "JavaScript thread");
  assertThrows(() => py.run(promiseIntoPy(later(1))), PythonError, "JavaScript thread");
  assertEquals(py.run(python.import("asyncio").sleep(0, "Python alone")), "Python alone");
  assertEquals(await py.call(later, "still well"), "still well");
});

test("asyncio.run on the loop's own thread raises", async () => {
  await assertRejects(() => toLoop(py.run_call, [later, 1]), PythonError, "running event loop");
});

test("a Promise is awaited any number of times, by many tasks, on many loops", async () => {
  let resolve!: (value: unknown) => void;
  const promise = new Promise((r) => resolve = r);
  const waiting = [
    py.wait_twice(promise).then(toJs),
    py.by_tasks(promise, 5).then(toJs),
    py.as_tasks(promise, 5).then(toJs),
    toThread(py.run, [py.wait(promise)]),
    toThread(py.run, [py.by_tasks(promise, 2)]).then(toJs as never),
  ];
  await turn();
  resolve("x");
  const x = (count: number) => Array(count).fill("x");
  assertEquals(await Promise.all(waiting), [x(2), x(5), x(5), "x", x(2)]);
  assertEquals(toJs(await py.wait_twice(promise)), x(2));
});

test("promiseIntoPy of a function starts at the first await, once", async () => {
  let starts = 0;
  const awaitable = promiseIntoPy((signal) => {
    starts++;
    assert(signal instanceof AbortSignal);
    return later("value");
  });
  await py.wait(python.import("asyncio").sleep(0));
  assertEquals(starts, 0);
  assertEquals(toJs(await py.wait_twice(awaitable)), ["value", "value"]);
  assertEquals(toJs(await py.by_tasks(awaitable, 3)), ["value", "value", "value"]);
  assertEquals(await toThread(py.run, [py.wait(awaitable)]), "value");
  assertEquals(await (awaitable as unknown), "value");
  assertEquals(starts, 1);
});

test("promiseIntoPy of what is neither throws", () => {
  for (const value of [5, null, undefined, {}]) {
    assertThrows(() => promiseIntoPy(value as never), TypeError, "promiseIntoPy");
  }
});

test("promiseIntoPy takes thenables and functions that throw", async () => {
  const thenable = { then: (resolve: (value: unknown) => void) => resolve("thenable") } as PromiseLike<
    unknown
  >;
  assertEquals(await py.wait(promiseIntoPy(thenable)), "thenable");
  const thrown = new Error("at once");
  const awaitable = promiseIntoPy(() => {
    throw thrown;
  });
  for (let i = 0; i < 2; i++) assertStrictEquals(await assertRejects(() => py.wait(awaitable)), thrown);
});

test("what an async function throws is raised in Python and comes back itself", async () => { // T7
  const error = new RangeError("far");
  const fail = async () => {
    await turn();
    throw error;
  };
  for (
    const fn of [
      fail,
      asyncDef(() => Promise.reject(error)),
      asyncDef(() => {
        throw error;
      }),
    ]
  ) {
    assertStrictEquals(await assertRejects(() => py.call(fn)), error);
    const [name, text] = await py.caught(fn);
    assertEquals([name, text], ["JsException", "RangeError: far"]);
  }
  await assertRejects(() => toThread(py.run_call, [fail]), RangeError, "far");
});

test("a rejection with StopIteration does not hang", async () => {
  const { StopIteration, StopAsyncIteration } = python.builtins;
  for (const type of [StopIteration, StopAsyncIteration]) {
    const error = assertThrows(() => python.exec("raise e", { globals: { e: type(7) } })) as PythonError;
    for (const awaitable of [Promise.reject(error), promiseIntoPy(() => Promise.reject(error))]) {
      const [name, cause] = await py.caught_waiting(awaitable);
      assert(name === type.__name__ || cause === type.__name__, `${name} caused by ${cause}`);
    }
    const [name] = await py.caught(() => Promise.reject(error));
    assert(name === "RuntimeError" || name === "StopAsyncIteration", name);
  }
});

test("rejections with exceptions that end loops do not", async () => {
  for (const name of ["KeyboardInterrupt", "SystemExit", "GeneratorExit", "CancelledError"]) {
    const type = name === "CancelledError" ? python.import("asyncio").CancelledError : python.builtins[name];
    const error = assertThrows(() => python.exec("raise e", { globals: { e: type("x") } })) as PythonError;
    assertEquals((await py.caught(async () => await Promise.reject(error)))[0], name);
    const back = await assertRejects(
      () => py.call(async () => await Promise.reject(error)),
      PythonError,
    ) as PythonError;
    assertEquals(back.name, name);
    // Before Python 3.11, tasks end with a new CancelledError.
    if (isAtLeast(3, 11) || name !== "CancelledError") assertStrictEquals(back.exception, error.exception);
  }
  assertEquals(await py.call(later, 1), 1);
});

test("an answer for a loop that has been closed is no crash, and the rest goes on", async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", listen);
  for (const settle of [later, async () => await Promise.reject(new Error("late"))]) {
    let release!: () => void;
    const gate = new Promise<void>((resolve) => release = resolve);
    let served = 0;
    const [task, loop] = await toThread(py.abandon, [async () => {
      served++;
      await gate;
      return await settle("late");
    }]);
    assertEquals([loop.is_closed(), task.done()], [true, false]);
    release();
    for (let i = 0; i < 5; i++) assertEquals(await py.call(later, i), i);
    assertEquals(served, 1);
    assertEquals(toJs(await toThread(py.run_all, [[later]])), [0]);
  }
  process.off("unhandledRejection", listen);
  assertEquals(unhandled, []);
});

test("thousands of awaits of JavaScript at once, in order", async () => {
  const numbers = range(3000);
  const order: number[] = [];
  const results = await toLoop(
    python.import("asyncio").gather,
    numbers.map((n) =>
      py.call(async (x: number) => {
        order.push(x);
        return await x + 1;
      }, n)
    ),
  );
  assertEquals(toJs(results), numbers.map((n) => n + 1));
  assertEquals(order, numbers);
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
