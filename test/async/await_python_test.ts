/**
 * Python's awaitables as Promises: every kind of awaitable in every way of awaiting it, what a call starts, and what
 * exceptions become.
 */
import { test } from "node:test";
import { intoPromise, kw, python, PythonError, toJs, toLoop, toThread } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { define, isAtLeast } from "../support/define.ts";

const asyncio = python.import("asyncio");
const { main_thread, get_ident } = python.import("threading");

const py = define(`
import asyncio, contextvars, functools, threading

counter = 0
log = []

async def add(a, b): return a + b

async def add_later(a, b):
    await asyncio.sleep(0)
    return a + b

async def fail(message):
    raise ValueError(message)

async def count():
    global counter
    counter += 1
    await asyncio.sleep(0)
    return counter

async def note(item):
    log.append(item)
    return item

async def length(items): return len(items)

def ring(count):
    """Futures, each of which has the next as its result."""
    futures = [asyncio.get_running_loop().create_future() for _ in range(count)]
    for at, future in enumerate(futures): future.set_result(futures[(at + 1) % count])
    return futures

def into_ring():
    future = asyncio.get_running_loop().create_future()
    future.set_result(ring(3)[0])
    return [future]

def return_each_other(count):
    coroutines = []
    async def give(at): return coroutines[at % count]
    coroutines.extend(give(at + 1) for at in range(count))
    return coroutines

class Answer:
    def __init__(self, value): self.value = value
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.value

class Connection:
    awaited = 0
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        self.awaited += 1
        return self

class Service:
    async def method(self, a): return ("method", a)
    @classmethod
    async def of_class(cls, a): return (cls.__name__, a)
    @staticmethod
    async def static(a): return ("static", a)
    async def __call__(self, a): return ("call", a)

partial = functools.partial(add, 40)

async def give(value): return value

async def nested(depth): return nested(depth - 1) if depth else "bottom"

def task_in_list(coroutine): return [asyncio.ensure_future(coroutine)]

def future_in_list(value):
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: future.done() or future.set_result(value))
    return [future]

def failing_future_in_list(error):
    future = asyncio.get_running_loop().create_future()
    future.set_exception(error)
    return [future]

def executor_future_in_list():
    return [asyncio.get_running_loop().run_in_executor(None, threading.get_ident)]

async def raise_now(error): raise error

async def raise_later(error):
    await asyncio.sleep(0)
    raise error

def raise_it(error): raise error
`);

test("a coroutine is awaited in every way", async () => {
  for (const add of [py.add, py.add_later]) {
    assertEquals(await add(1, 2), 3);
    assertEquals(await add(1, kw({ b: 2 })), 3);
    assertEquals(await add("a", "b"), "ab");
    assertEquals(await intoPromise(add(1, 2)), 3);
    assertEquals(await Promise.resolve(add(1, 2)), 3);
    assertEquals(await Promise.all([add(1, 2), add(3, 4)]), [3, 7]);
    assertEquals(await add(1, 2).then((sum: number) => sum * 2), 6);
    let cleaned = 0;
    assertEquals(await add(1, 2).finally(() => cleaned++), 3);
    assertEquals(cleaned, 1);
    assert(add(1, 2).then(null) instanceof Promise);
  }
  assertEquals(await py.fail("no").catch((error: PythonError) => error.message), "no");
  assertEquals(await py.fail("no").then(null, (error: PythonError) => error.name), "ValueError");
  await assertRejects(() => py.fail("no").finally(() => {}), PythonError, "no");
  await assertRejects(() => intoPromise(py.fail("no")), PythonError, "no");
  const { status, reason } = (await Promise.allSettled([py.fail("no")]))[0] as PromiseRejectedResult;
  assertEquals([status, reason.name, reason.message], ["rejected", "ValueError", "no"]);
});

test("coroutines of methods, class methods, callable objects and partials", async () => {
  const service = py.Service();
  assertEquals(toJs(await service.method(1)), ["method", 1]);
  assertEquals(toJs(await py.Service.of_class(2)), ["Service", 2]);
  assertEquals(toJs(await service.static(3)), ["static", 3]);
  assertEquals(toJs(await service(4)), ["call", 4]);
  assertEquals(await py.partial(2), 42);
});

test("calling starts nothing, awaiting does, and awaiting again joins", async () => {
  py.counter = 0;
  const coroutine = py.count();
  for (let i = 0; i < 3; i++) await asyncio.sleep(0);
  assertEquals(py.counter, 0);
  const [first, second] = await Promise.all([coroutine, intoPromise(coroutine)]);
  assertEquals([first, second, py.counter], [1, 1, 1]);
  assertEquals(await coroutine, 1);
  assertEquals(await coroutine.then((count: number) => count + 1), 2);
  assertEquals(py.counter, 1);
});

test("a rejection too is joined", async () => {
  const coroutine = py.fail("once");
  const errors = await Promise.all(
    [0, 1].map(() => assertRejects(() => intoPromise(coroutine), PythonError)),
  );
  assertStrictEquals(errors[0], errors[1]);
});

test("intoPromise starts at once", async () => {
  py.counter = 0;
  const promise = intoPromise(py.count());
  await asyncio.sleep(0);
  assertEquals(py.counter, 1);
  await promise;
});

test("arguments are converted at the call", async () => {
  const list = [1];
  const coroutine = py.length(list);
  list.push(2);
  assertEquals(await coroutine, 1);
});

test("a call that does not fit throws or rejects", async () => {
  const wrong = async (): Promise<unknown> => await py.add(1);
  assertEquals((await assertRejects(wrong, PythonError, "add()")).name, "TypeError");
});

test("a coroutine can be looked at before it is awaited, and not used after", async () => {
  const coroutine = py.add(1, 2);
  assertEquals(coroutine.cr_code.co_name, "add");
  assertEquals(await coroutine, 3);
  const started = py.add(3, 4);
  assertEquals(await started, 7);
  assertThrows(() => started.cr_code, TypeError, "started");
});

test("a coroutine passed to Python is Python's to await", async () => {
  assertEquals(await asyncio.wait_for(py.add(1, 2), 60), 3);
  assertEquals(toJs(await toLoop(asyncio.gather, [py.add(1, 2), py.add_later(3, 4)])), [3, 7]);
  assertEquals(await toLoop(asyncio.create_task, [py.add_later(1, 2)]), 3);
});

test("Tasks and Futures are awaited, any number of times", async () => {
  for (const [make, argument] of [[py.task_in_list, py.add_later(1, 2)], [py.future_in_list, 3]]) {
    const [future] = await toLoop(make, [argument]);
    assertEquals(await future, 3);
    assertEquals(await intoPromise(future), 3);
    assertEquals(await Promise.all([future, future]), [3, 3]);
    assertEquals(typeof future.then, "function");
    assertEquals(future.result(), 3);
  }
  const [failed] = await toLoop(py.failing_future_in_list, [python.builtins.KeyError("k")]);
  assertEquals((await assertRejects(() => failed, PythonError)).name, "KeyError");
});

test("a future of run_in_executor is awaited", async () => { // T5
  const [future] = await toLoop(py.executor_future_in_list);
  const ident = await future;
  assert(ident !== main_thread().ident && ident !== get_ident());
});

test("an object with __await__ is awaited", async () => {
  assertEquals(await py.Answer(42), 42);
  assertEquals(await intoPromise(py.Answer("x")), "x");
  const answer = py.Answer(1);
  assertEquals([await answer, await answer], [1, 1]);
});

test("an object that an await has returned itself is thenable no more", async () => {
  const connection = py.Connection();
  assertEquals(typeof connection.then, "function");
  assertStrictEquals(await connection, connection);
  assertStrictEquals(connection.then, undefined);
  assertStrictEquals(connection.catch, undefined);
  const connect = async (): Promise<unknown> => await Promise.resolve(connection);
  assertStrictEquals(await connect(), connection);
  assertEquals(connection.awaited, 1);
  assertStrictEquals(await intoPromise(connection), connection);
  assertEquals(connection.awaited, 2);
});

test("a result that is a coroutine or a Task is awaited too", async () => {
  assertEquals(await py.give(py.add(1, 2)), 3);
  assertEquals(await py.nested(5), "bottom");
  const [task] = await toLoop(py.task_in_list, [py.add_later(1, 2)]);
  assertEquals(await py.give(task), 3);
  await assertRejects(() => py.give(py.fail("inner")), PythonError, "inner");
});

test("a result that leads back to what is awaited rejects, as a Promise of itself does", async () => {
  const cycle = "TypeError: Chaining cycle detected: the result of this awaitable is awaited as well, and leads back to itself";
  const cycles = [
    ...await toLoop(py.ring, [1]),
    ...await toLoop(py.ring, [2]),
    ...await toLoop(py.ring, [5]),
    ...await toLoop(py.into_ring),
    ...await toLoop(py.return_each_other, [1]),
    ...await toLoop(py.return_each_other, [3]),
  ];
  for (let round = 0; round < 2; round++) {
    const ended = await Promise.allSettled(cycles);
    for (const end of ended) assertEquals([end.status, String((end as PromiseRejectedResult).reason)], ["rejected", cycle]);
  }
});

test("what cannot be awaited rejects at once", async () => {
  const { object, iter } = python.builtins;
  for (const value of [5, "text", null, [1], {}, object(), object, iter([1]), py.add, asyncio]) {
    const error = await assertRejects(() => intoPromise(value), TypeError);
    assertStringIncludes(error.message, "it is not awaitable");
    assert(!(error instanceof PythonError));
  }
  assertStrictEquals(await object().then, undefined);
});

test("exceptions of every kind reject, and the loop goes on", async () => {
  const { BaseException, GeneratorExit, KeyboardInterrupt, MemoryError, RecursionError, SystemExit, ValueError } = python.builtins;
  for (
    const type of [
      ValueError,
      BaseException,
      GeneratorExit,
      KeyboardInterrupt,
      SystemExit,
      MemoryError,
      RecursionError,
      asyncio.CancelledError,
    ]
  ) {
    const ways = [
      py.raise_now,
      py.raise_later,
      (e: unknown) => toLoop(py.raise_it, [e]),
      (e: unknown) => toThread(py.raise_it, [e]),
    ];
    for (const [index, raise] of ways.entries()) {
      const exception = type(`way ${index}`);
      const neighbour = intoPromise(py.add_later(1, 2));
      const error = await assertRejects(() => raise(exception), PythonError) as PythonError;
      assertEquals(error.name, type.__name__);
      if (isAtLeast(3, 11) || error.name !== "CancelledError") { // older tasks end with a new CancelledError
        assertEquals(error.message, `way ${index}`);
        assertStrictEquals(error.exception, exception);
      }
      assertEquals(await neighbour, 3);
    }
  }
  const exit = await assertRejects(() => python.execAsync("import sys\nsys.exit(5)"), PythonError) as PythonError;
  assertEquals([exit.name, exit.exception.code, await py.add_later(1, 2)], ["SystemExit", 5, 3]);
});

test("StopIteration rejects and does not hang", async () => {
  const stop = python.builtins.StopIteration;
  for (
    const way of [
      () => py.raise_now(stop(1)),
      () => py.raise_later(stop(1)),
      () => toLoop(py.raise_it, [stop(1)]),
      () => toThread(py.raise_it, [stop(1)]),
      () => toThread(python.builtins.next, [python.builtins.iter([])]),
      () => python.execAsync("raise StopIteration(1)"),
    ]
  ) {
    const error = await assertRejects(way, PythonError) as PythonError;
    const names = [error.name, (error.cause as PythonError | undefined)?.name];
    assert(names.includes("StopIteration"), `a StopIteration or caused by one: ${names}`);
  }
});

test("thousands at once come back right and in order", async () => {
  py.log.clear();
  const numbers = Array.from({ length: 10_000 }, (_, index) => index);
  const settled: number[] = [];
  const results = await Promise.all(numbers.map(async (n) => {
    const result = await py.note(n);
    settled.push(n);
    return result;
  }));
  assertEquals(results, numbers);
  assertEquals(toJs(py.log), numbers);
  assertEquals(settled, numbers);
  assertEquals(await Promise.all(numbers.map((n) => py.add_later(n, 1))), numbers.map((n) => n + 1));
});

test("a JavaScript sleep and a Python sleep in the same body", async () => { // T2
  const order: string[] = [];
  const body = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    order.push("JavaScript");
    order.push(await asyncio.sleep(0.001, "Python"));
  };
  await body();
  assertEquals(order, ["JavaScript", "Python"]);
});

test("a coroutine of a module made from source text", async () => { // T4
  const globals = python.exec("dict(__name__='made', start=40)");
  python.exec(
    "import asyncio\nasync def run(n):\n    await asyncio.sleep(0)\n    return start + n, __name__",
    { globals },
  );
  assertEquals(toJs(await globals.$get("run")(2)), [42, "made"]);
});

test("a result that only JavaScript holds arrives", async () => {
  const { same } = define("async def same(value): return value\n");
  for (let round = 0; round < 100; round++) {
    const values = [
      { round }.constructor,
      () => round,
      new URL("http://a"),
      Promise.resolve,
      async () => {},
      new Error("e"),
    ];
    const results = await Promise.all(values.map((value) => toLoop(() => value)));
    assert(results.every((result, index) => result === values[index]));
    const again = await Promise.all(values.map((value) => same(value)));
    assert(again.every((result, index) => result === values[index]));
  }
});
