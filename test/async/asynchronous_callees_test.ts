/**
 * What works in an `async def` works from JavaScript: a synchronous call of what belongs to asyncio is made as a callback
 * of the event loop, on its thread. Every other callee sees no running loop.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "#std/assert";
import {
  asyncDef,
  attach,
  enter,
  getCurrentLoop,
  intoPromise,
  kw,
  type PyProxy,
  python,
  PythonError,
  scope,
  TaskLocals,
  toJs,
  toLoop,
  withLoop,
} from "../../mod.ts";
import { define, isAtLeast, thrownBy } from "../support/define.ts";

const asyncio = python.import("asyncio");
const { main_thread, get_ident } = python.import("threading");
const loopThread = main_thread().ident;

const py = define(`
import asyncio, contextvars, threading

variable = contextvars.ContextVar("variable", default=0)

async def later(value, seconds=0.001):
    await asyncio.sleep(seconds)
    return value

class Session:
    def __init__(self, fails=None):
        self.thread, self.loop = threading.get_ident(), asyncio.get_running_loop()
        self.task = asyncio.current_task()
        if fails: raise fails
    async def __aenter__(self): return self
    async def __aexit__(self, *error): pass
    def touch(self): return threading.get_ident()

class Plain:
    def running(self): return asyncio._get_running_loop()

class Asks:
    """Every way to use it asks for a running loop."""
    def ask(self, *_): return asyncio.get_running_loop() is not None
    @property
    def value(self): return self.ask() and 1
    @value.setter
    def value(self, _): self.ask()
    __setitem__ = __delitem__ = __enter__ = ask
    def __getattr__(self, name): return asyncio.get_running_loop() and name
    def __getitem__(self, key): return self.ask() and key
    def __contains__(self, key): return self.ask()
    def __iter__(self): yield asyncio.get_running_loop() and "item"
    def __str__(self): return self.ask() and "text"
    def __float__(self): return self.ask() and 0.5
    def __call__(self): return self.ask() and "called"
    def __exit__(self, *_): self.ask()

class Careless:
    def __getattr__(self, name): raise RuntimeError("no attribute for you")
    def __call__(self): return asyncio.get_running_loop()

def running(): return asyncio._get_running_loop()
def needs_loop(): return asyncio.get_running_loop()
def spawn(n): return [asyncio.ensure_future(later(i)) for i in range(n)]
async def call(f, *args): return f(*args)
def run_here(f): return asyncio.run(call(f))
async def set_and_call(f):
    variable.set(7)
    return await f()
async def read_variable(): return variable.get()
async def read_later(f):
    await asyncio.sleep(0)
    return f()

async def fork():
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    return loop, thread

class Counter:
    """A task that counts the rounds of its loop."""
    def __init__(self):
        self.rounds = 0
        self.task = asyncio.ensure_future(self.count())
    async def count(self):
        while True:
            self.rounds += 1
            await asyncio.sleep(0)
    async def __aenter__(self): pass
`);

test("functions of asyncio work as in an async def", async () => {
  assertEquals(toJs(await asyncio.gather(py.later(1), py.later(2))), [1, 2]);
  assertEquals(await asyncio.create_task(py.later(3)), 3);
  assertEquals(await asyncio.ensure_future(py.later(4)), 4);
  assertEquals(await asyncio.shield(py.later(5)), 5);
  const [done, pending] = toJs(await asyncio.wait([asyncio.create_task(py.later(6))]), { depth: 1 });
  assertEquals([[...done].length, [...pending].length], [1, 0]);
  const results: number[] = [];
  for (const next of asyncio.as_completed([py.later(1, 0.02), py.later(2, 0.001)])) results.push(await next);
  assertEquals(results, [2, 1]);
  assertEquals(await asyncio.wait_for(py.later(7), kw({ timeout: 5 })), 7);
  assertEquals(asyncio.get_running_loop().is_running(), true);
  assertEquals(asyncio.current_task(), null);
});

test("objects of asyncio can be made, and what they are told wakes the loop", async () => {
  const event = asyncio.Event(), waits = intoPromise(event.wait());
  event.set();
  assertEquals(await waits, true);
  const queue = asyncio.Queue(2);
  queue.put_nowait("a"), queue.put_nowait("b");
  assertEquals((thrownBy(() => queue.put_nowait("c")) as PythonError).name, "QueueFull");
  assertEquals([await queue.get(), await queue.get()], ["a", "b"]);
  const future = asyncio.get_running_loop().create_future(), settled = intoPromise(future);
  future.set_result(8);
  assertEquals(await settled, 8);
  const task = asyncio.create_task(py.later(0, 60));
  assertEquals(task.cancel(), true);
  assertEquals((await assertRejects(() => intoPromise(task), PythonError)).name, "CancelledError");
  const loop = asyncio.get_running_loop();
  python.ref(); // no Promise waits for Python
  assertEquals(await new Promise((resolve) => loop.call_later(0.001, resolve, "called")), "called");
  assertEquals(await new Promise((resolve) => loop.call_soon(resolve, "soon")), "soon");
  python.unref();
});

test("a class whose instances are asynchronous is constructed on the loop's thread, outside of every task", async () => {
  const session = new py.Session();
  assertEquals([session.thread, session.task], [loopThread, null]);
  assert(session.loop === asyncio.get_running_loop());
  assertEquals(session.touch(), loopThread); // it has a loop
  const error = new RangeError("no session");
  assert(thrownBy(() => new py.Session(kw({ fails: error }))) === error);
});

test("every other callee runs here, without a running loop", () => {
  assertEquals(py.running(), null);
  assertEquals(py.Plain().running(), null);
  assert(get_ident() !== loopThread);
  const error = thrownBy(() => py.needs_loop()) as PythonError;
  assertEquals([error.name, error.message], ["RuntimeError", "no running event loop"]);
  assertStringIncludes(error.hint!, "withLoop(");
  assertStringIncludes(error.stack!, "toLoop(");
  assertEquals((thrownBy(() => python.exec("{}['x']")) as PythonError).hint, undefined);
});

test("asyncio.run and a loop of one's own run here", async () => {
  assertEquals(asyncio.run(py.later(1)), 1);
  const loop = asyncio.new_event_loop();
  assertEquals(loop.run_until_complete(loop.create_task(py.later(2))), 2);
  loop.close();
  assertEquals(asyncio.run_coroutine_threadsafe(py.later(3), asyncio.get_running_loop()).result(), 3);
  assertEquals(await toLoop(get_ident), loopThread);
});

test("JavaScript functions that the loop calls run while such a call waits", async () => {
  const seen: unknown[] = [];
  const callback = () => {
    seen.push(asyncio.current_task()); // made where the loop's thread waits
    const event = asyncio.Event();
    event.set();
    return seen.push(event.is_set());
  };
  const called = intoPromise(py.call(callback));
  assertEquals(asyncio.Event().is_set(), false); // the loop may be in that task meanwhile
  await called;
  assertEquals(seen, [null, true]);
  const session = await py.call(() => new py.Session()) as PyProxy; // in a task of the loop that waits for this thread
  assertEquals([session.thread, session.task], [loopThread, null]);
  const deep = (n: number): unknown =>
    n === 0 ? asyncio.Queue().qsize() : asyncio.get_running_loop().run_in_executor && py.Session() && deep(n - 1);
  assertEquals(await py.call(() => deep(5)), 0);
});

test("a task gets the context of the caller, and its AsyncLocalStorage scope", async () => {
  const storage = new AsyncLocalStorage<string>();
  assertEquals(await py.set_and_call(asyncDef(() => asyncio.create_task(py.read_variable()))), 7);
  assertEquals(await storage.run("store", () => asyncio.create_task(py.read_later(() => storage.getStore()))), "store");
});

test("a call is made on the loop that its object belongs to, or on the current one", async () => {
  const [loop, thread] = toJs(await py.fork(), { depth: 1 });
  const onOther = new TaskLocals(loop);
  assertEquals(scope(onOther, () => py.Session()).thread, thread.ident);
  const future = loop.create_future(), settled = intoPromise(future);
  assertEquals(scope(onOther, () => asyncio.get_running_loop()) === loop, true);
  future.set_result("from afar");
  assertEquals(await settled, "from afar");
  loop.call_soon_threadsafe(loop.stop);
  await toLoop(py.later, [0, 0.05]);
  assertEquals(loop.is_running(), false);
  assertEquals(loop.create_future().done(), false); // nothing else is in it: made here
  loop.close();
});

test("within attach and withLoop the loop stands still between the calls", async () => {
  for (const keep of [attach, withLoop]) {
    const counter = py.Counter();
    await py.later(0);
    assert(counter.rounds > 0);
    const [before, after] = keep(() => {
      asyncio.Event();
      const before = counter.rounds;
      for (let i = 0; i < 20; i++) asyncio.Event().set();
      return [before, counter.rounds];
    });
    assertEquals(after, before);
    await py.later(0);
    assert(counter.rounds > after);
    counter.task.cancel();
  }
});

test("withLoop makes every callee an asynchronous one", async () => {
  assertEquals(toJs(await asyncio.gather(...withLoop(() => py.spawn(3)))), [0, 1, 2]);
  const [ident, running, plain] = withLoop(() => [get_ident(), py.needs_loop(), py.Plain().running()]);
  assertEquals(ident, loopThread);
  assert(running === asyncio.get_running_loop() && plain === running);
  assertEquals(withLoop(() => withLoop(() => get_ident())), loopThread);
  assertEquals(py.running(), null);
  assertEquals(await py.call(() => withLoop(() => get_ident())), loopThread); // the loop waits already
});

test("within withLoop all code of an object's runs on the loop's thread", () => {
  const asks = py.Asks();
  const values = withLoop(() => {
    asks.value = 5;
    asks.$set("key", 1), asks.$delete("key");
    const [item] = asks;
    return [asks.value, asks.other, asks.$get("key"), asks.$has("key"), item, `${asks}`, +asks, asks()];
  });
  assertEquals(values, [1, "other", "key", true, "item", "text", 0.5, "called"]);
  assertEquals(thrownBy(() => asks.value).message, "no running event loop");
  assertEquals(withLoop(() => python.exec("import threading\nthreading.get_ident()")), loopThread);
  assertEquals(withLoop(() => enter(asks, () => get_ident())), loopThread); // its body is within withLoop as well
  assertEquals(withLoop(() => py.Careless()()) === asyncio.get_running_loop(), true);
});

test("withLoop says that the current loop is not running", () => {
  const loop = asyncio.new_event_loop();
  const error = thrownBy(() => scope(new TaskLocals(loop), () => withLoop(() => 1))) as PythonError;
  assertEquals(error.name, "RuntimeError");
  assertStringIncludes(error.message, "the current event loop is not running");
  loop.close();
  // One that runs on this thread waits for this function.
  assertEquals(py.run_here(() => withLoop(() => asyncio.get_running_loop() === getCurrentLoop())), true);
});

test("a partial of an asynchronous callee is one", async () => {
  const { partial } = python.import("functools"), queue = asyncio.Queue();
  assertEquals(await partial(asyncio.create_task, py.later(1))(), 1);
  assertEquals(toJs(await partial(partial(asyncio.gather, py.later(1)), py.later(2))()), [1, 2]);
  partial(queue.put_nowait, "item")();
  assertEquals(await queue.get(), "item");
  assertEquals(partial(py.Session, null)().thread, loopThread);
  assertEquals([partial(py.running)(), partial(asyncio.iscoroutine, 1)()], [null, false]); // as without partial
  assertEquals(await partial(asyncio.sleep, 0, "slept")(), "slept");
});

test("withLoop says what it takes", () => {
  const promise = Promise.reject(new Error("unseen"));
  assertStringIncludes(thrownBy(() => withLoop(() => promise)).message, "takes one that has done its work when it returns");
  assertStringIncludes(thrownBy(() => withLoop(5 as never)).message, "withLoop(fn) takes a synchronous function");
  const thrown = new Error("from fn");
  assert(
    thrownBy(() =>
      withLoop(() => {
        throw thrown;
      })
    ) === thrown,
  );
  assertEquals(withLoop(() => asyncio.Event().is_set()), false); // the loop goes on
});

test("writing to a busy stream loses and repeats nothing", async () => {
  const received: number[] = [];
  const server = await asyncio.start_server(
    asyncDef(async (reader: PyProxy, writer: PyProxy) => {
      for (;;) {
        const data = await reader.read(65536) as Uint8Array;
        if (data.length === 0) break;
        received.push(...data);
      }
      writer.close();
    }),
    "127.0.0.1",
    0,
  );
  const [, port] = toJs(server.sockets[0].getsockname());
  const [reader, writer] = toJs(await asyncio.open_connection("127.0.0.1", port), { depth: 1 });
  const expected: number[] = [];
  const drains: unknown[] = [];
  for (let i = 0; i < 300; i++) {
    const chunk = new Uint8Array(200).fill(i % 251);
    expected.push(...chunk);
    writer.write(chunk);
    if (i % 50 === 0) drains.push(intoPromise(writer.drain()));
    if (i % 100 === 0) await null;
  }
  await Promise.all(drains);
  await writer.drain();
  writer.write_eof();
  assertEquals((await reader.read()).length, 0);
  assertEquals(received, expected);
  writer.close();
  server.close();
  await server.wait_closed();
});

const noFactory = !isAtLeast(3, 12) && "tasks start eagerly on Python 3.12 or later";
if (noFactory) console.log(`skip: ${noFactory}`);
test("an eager task factory starts a coroutine on the loop's thread", { skip: noFactory }, async () => {
  const { eager } = define(`
import asyncio, threading
async def eager():
    started = []
    async def body():
        started.append(threading.get_ident())
        await asyncio.sleep(0)
    return body, started
`);
  const [body, started] = toJs(await eager(), { depth: 1 });
  const loop = asyncio.get_running_loop();
  loop.set_task_factory(asyncio.eager_task_factory);
  try {
    const task = asyncio.create_task(body());
    assertEquals(toJs(started), [loopThread]);
    await task;
  } finally {
    loop.set_task_factory(null);
  }
});
