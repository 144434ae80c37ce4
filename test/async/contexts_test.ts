/**
 * Contexts in the other language: Python's context variables in the JavaScript that Python calls, JavaScript's
 * AsyncLocalStorage in the functions that Python calls back.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";
import {
  enter,
  enterAsync,
  getCurrentLoop,
  intoAsyncIterable,
  intoPromise,
  promiseIntoPy,
  python,
  PythonError,
  run,
  toJs,
  toLoop,
  toThread,
} from "../../mod.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "#std/assert";
import { countHandles } from "../../src/interpreter/js_handles.ts";
import { countScopes } from "../../src/context/async_scopes.ts";
import { collect } from "../support/collect.ts";
import { define } from "../support/define.ts";

const py = define(`
import asyncio, concurrent.futures, contextvars, functools, threading

var = contextvars.ContextVar("var", default="unset")

def get(): return var.get()

async def get_later():
    await asyncio.sleep(0)
    return var.get()

async def set_and_call(value, function, *args):
    var.set(value)
    return await function(*args)

async def set_and_call_twice(value, function):
    var.set(value)
    first = await function()
    var.set(value + " again")
    return [first, await function(), var.get()]

async def set_and_call_sync(value, function):
    var.set(value)
    result = function()
    return [result, var.get()]

def write(value):
    var.set(value)
    return var.get()

async def write_later(value):
    await asyncio.sleep(0)
    return write(value)

async def each(function, values):
    return await asyncio.gather(*(set_and_call(value, function, value) for value in values))

class Awaitable:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return var.get()

class Manager:
    def __enter__(self): return var.get()
    def __exit__(self, *args): return False
    async def __aenter__(self): return var.get()
    async def __aexit__(self, *args): return False

async def items():
    yield var.get()
    await asyncio.sleep(0)
    yield var.get()

def generate():
    yield var.get()
    yield var.get()

class Item:
    def __str__(self): return var.get()
    def __getitem__(self, key): return var.get()
    def __call__(self): return var.get()

def run_in_thread(value, function):
    async def main():
        var.set(value)
        return [await function(), await function()]
    return asyncio.run(main())

async def echo(function): return await function()
def call(function): return function()

async def everywhere(on_loop, in_thread):
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    def callback():
        on_loop("callback"); loop.call_later(0, later)
    def later():
        on_loop("call_later"); future.set_result(None)
    loop.call_soon(callback)
    async def child(): on_loop("task")
    await asyncio.ensure_future(child())
    await future
    await in_thread("async")
    await loop.run_in_executor(None, functools.partial(contextvars.copy_context().run, on_loop, "thread"))
    def thread(): on_loop("thread of its own")
    started = threading.Thread(target=contextvars.copy_context().run, args=(thread,))
    started.start()
    await loop.run_in_executor(None, started.join)

def schedule(function, loop, way):
    done = concurrent.futures.Future()
    def work(): done.set_result(function())
    async def task(): done.set_result(await function())
    if way == "call_soon_threadsafe": loop.call_soon_threadsafe(work)
    elif way == "run_coroutine_threadsafe": asyncio.run_coroutine_threadsafe(task(), loop)
    else: threading.Thread(target=contextvars.copy_context().run, args=(work,)).start()
    return asyncio.wrap_future(done, loop=loop)

def plain_factory(loop, coroutine): return asyncio.Task(coroutine, loop=loop)
def keyword_factory(loop, coroutine, **options): return asyncio.Task(coroutine, loop=loop, **options)
factories = [plain_factory, keyword_factory]
if hasattr(asyncio, "eager_task_factory"): factories.append(asyncio.eager_task_factory)

def run_with_factories(function):
    """What the function returns on a loop of its own for each kind of task factory."""
    async def main(factory):
        asyncio.get_running_loop().set_task_factory(factory)
        return await set_and_call("set", function)
    return [asyncio.run(main(factory)) for factory in factories]

class Holder: pass
holder = Holder()

def keep(function): holder.function = function
def drop(): del holder.function
`);

const turn = (ms = 0) => new Promise<void>((resolve) => setTimeout(resolve, ms));

test("a ContextVar set before a JavaScript function is called is seen in all Python that it calls and awaits", async () => {
  const seen: Record<string, unknown> = {};
  await py.set_and_call("set", async () => {
    seen["a call"] = py.get();
    seen["a coroutine"] = await py.get_later();
    seen["intoPromise"] = await intoPromise(py.get_later());
    seen["then"] = await py.get_later().then((value: unknown) => value);
    seen["an object with __await__"] = await py.Awaitable();
    seen["toLoop"] = await toLoop(py.get);
    seen["toLoop of an async def"] = await toLoop(py.get_later);
    seen["toThread"] = await toThread(py.get);
    seen["python.exec"] = python.exec("get()", { globals: { get: py.get } });
    seen["python.execAsync"] = await python.execAsync("[get(), await get_later()]", { globals: { get: py.get, get_later: py.get_later } })
      .then(toJs);
    seen["enter"] = enter(py.Manager(), (value: unknown) => [value, py.get()]);
    seen["enterAsync"] = await enterAsync(py.Manager(), async (value: unknown) => [value, py.get(), await py.get_later()]);
    seen["a stream"] = [];
    for await (const value of py.items()) (seen["a stream"] as unknown[]).push(value);
    seen["a stream that runs ahead"] = [];
    for await (const value of intoAsyncIterable(py.items(), { highWaterMark: 4 })) {
      (seen["a stream that runs ahead"] as unknown[]).push(value);
    }
    seen["iteration"] = [...py.generate()];
    seen["str"] = String(py.Item());
    seen["an item"] = py.Item().$get(1);
    seen["a callable object"] = py.Item()();
    seen["asyncio.gather"] = toJs(await toLoop(python.import("asyncio").gather, [py.get_later(), py.get_later()]));
    seen["a task"] = await toLoop(python.import("asyncio").ensure_future, [py.get_later()]);
  });
  const wrong = Object.entries(seen).filter(([, value]) => [value].flat().some((each) => each !== "set") || [value].flat().length === 0);
  assertEquals(wrong, []);
  assertEquals(Object.keys(seen).length, 20);
});

test("it is seen across await, timers, microtasks and whatever else JavaScript does in between", async () => {
  const seen = await py.set_and_call("set", async () => {
    const seen: unknown[] = [];
    const look = async () => seen.push(py.get(), await py.get_later());
    await look();
    await turn(1);
    await look();
    await new Promise<void>((resolve) => setTimeout(() => look().then(() => resolve()), 1));
    await new Promise<void>((resolve) => setImmediate(() => look().then(() => resolve())));
    await new Promise<void>((resolve) => queueMicrotask(() => look().then(() => resolve())));
    await Promise.resolve().then(look);
    await Promise.all([look(), look()]);
    await turn(1);
    return seen;
  });
  assertEquals(toJs(seen), Array.from({ length: 16 }, () => "set"));
});

test("each call has the context of its own: concurrent tasks do not see each other's", async () => {
  const values = Array.from({ length: 200 }, (_, index) => `value ${index}`);
  const mixed = async (mine: string) => {
    const seen = [py.get()];
    await turn(Math.random() * 5);
    seen.push(await py.get_later(), py.get());
    await Promise.resolve();
    seen.push(await toLoop(py.get));
    return seen.every((value) => value === mine) ? mine : seen.join();
  };
  assertEquals(toJs(await py.each(mixed, values)), values);
  assertEquals([py.get(), await py.get_later()], ["unset", "unset"]);
});

test("several hops: JavaScript, Python, JavaScript, Python", async () => {
  const inner = async () => [py.get(), await py.get_later()];
  const outer = async () => [py.get(), ...toJs(await py.set_and_call("inner", inner)) as string[], py.get(), await py.get_later()];
  assertEquals(toJs(await py.set_and_call("outer", outer)), ["outer", "inner", "inner", "outer", "outer"]);
});

test("a context is copied at the crossing: writes do not travel back, in either direction", async () => {
  const seen = await py.set_and_call_twice("mine", async () => {
    const before = py.get();
    return [before, py.write("of a call"), py.get(), await py.write_later("of a coroutine"), py.get()];
  });
  assertEquals(toJs(seen), [
    ["mine", "of a call", "mine", "of a coroutine", "mine"],
    ["mine again", "of a call", "mine again", "of a coroutine", "mine again"],
    "mine again",
  ]);
});

test("a synchronous function that Python calls from a coroutine sees it, too", async () => {
  let later!: Promise<unknown>;
  const seen = await py.set_and_call_sync("sync", () => {
    later = turn(1).then(async () => [py.get(), await py.get_later()]);
    return [py.get(), py.write("lost")];
  });
  assertEquals(toJs(seen), [["sync", "lost"], "sync"]);
  assertEquals(await later, ["sync", "sync"]);
});

test("asyncio.run in a thread: an async callback of JavaScript's sees the thread's context, twice", async () => { // T11
  const look = async () => {
    await turn(1);
    return [py.get(), await py.get_later()];
  };
  for (const value of ["first", "second"]) {
    assertEquals(toJs(await toThread(py.run_in_thread, [value, look])), [[value, value], [value, value]]);
  }
});

test("run: what main starts has a context of its own", async () => {
  const seen = await run(async () => {
    const before = await py.get_later();
    return [before, await py.set_and_call("in run", async () => await py.get_later()), await py.get_later()];
  });
  assertEquals(seen, ["unset", "in run", "unset"]);
});

const store = new AsyncLocalStorage<string>();

test("an AsyncLocalStorage store is seen in functions that Python calls from any task, callback and thread", async () => {
  const seen: Record<string, string | undefined> = {};
  const note = (where: string) => void (seen[where] = store.getStore());
  const noteAsync = async (where: string) => {
    note(where);
    await turn(1);
    note(`${where} later`);
  };
  await store.run("stored", () => py.everywhere(note, noteAsync));
  const places = ["callback", "task", "call_later", "async", "async later", "thread", "thread of its own"];
  assertEquals(seen, Object.fromEntries(places.map((place) => [place, "stored"])));
});

test("it is seen through every way of starting Python, and is each one's own", async () => {
  const look = async () => {
    await turn(Math.random() * 3);
    return store.getStore();
  };
  const ways: Record<string, () => unknown> = {
    "a call": () => py.echo(look),
    "intoPromise": () => intoPromise(py.echo(look)),
    "toLoop": () => toLoop(py.call, [look]),
    "toThread": () => toThread(py.call, [() => store.getStore()]),
    "execAsync": () => python.execAsync("await look()", { globals: { look } }),
    "enterAsync": () => enterAsync(py.Manager(), () => store.getStore()),
    "run": () => run(look),
    "a synchronous call": () => py.call(() => store.getStore()),
    "a Promise's function": () => py.echo(python.exec("lambda: source", { globals: { source: promiseIntoPy(look) } })),
  };
  const all = Object.entries(ways).flatMap(([name, way]) => Array.from({ length: 20 }, (_, index) => ({ name, way, index })));
  const seen = await Promise.all(all.map(({ name, way, index }) => store.run(`${name} ${index}`, async () => await way())));
  assertEquals(seen, all.map(({ name, index }) => `${name} ${index}`));
});

test("it is seen in what a synchronous call only schedules", async () => {
  const loop = getCurrentLoop();
  const ways = ["call_soon_threadsafe", "run_coroutine_threadsafe", "a thread with a copy of the context"];
  for (const way of ways) {
    const look = way.startsWith("run") ? async () => store.getStore() : () => store.getStore();
    const names = Array.from({ length: 20 }, (_, index) => `${way} ${index}`);
    const seen = await Promise.all(names.map((name) => store.run(name, () => py.schedule(look, loop, way))));
    assertEquals(seen, names);
    const nested = () => store.run("inside", () => py.schedule(look, loop, way)); // in a place of Python's that has a scope
    assertEquals(await store.run("outside", async () => await py.echo(async () => await nested())), "inside");
  }
  const set = python.import("contextvars").ContextVar("of JavaScript's thread");
  const look = () => store.getStore();
  set.set(look); // what a synchronous call sets stays set, with a function or without
  assertStrictEquals(set.get(), look);
});

test("a coroutine runs in the scope of its call, whoever awaits it", async () => {
  const look = async () => store.getStore();
  const coroutine = store.run("at the call", () => py.echo(look));
  assertEquals(await store.run("at the await", () => coroutine), "at the call");
});

test("both at once: the variable and the store go through all hops", async () => {
  const inner = async () => [store.getStore(), await py.get_later()];
  const outer = async () => [...toJs(await py.echo(inner)) as unknown[], store.getStore(), py.get()];
  const values = Array.from({ length: 50 }, (_, index) => String(index));
  const seen = await Promise.all(values.map((value) => store.run(value, () => py.set_and_call(value, outer)).then(toJs)));
  assertEquals(seen, values.map((value) => [value, value, value, value]));
});

test("both are seen in a task that the loop's own task factory makes, whatever its parameters", async () => {
  const look = async () => store.getStore();
  const started = () => Promise.all([py.get_later(), store.run("store", () => py.echo(look)), py.write_later("written"), py.get_later()]);
  const seen = toJs(await toThread(py.run_with_factories, [started])) as string[][];
  assert(seen.length >= 2);
  for (const each of seen) assertEquals(each, ["set", "store", "written", "set"]);
});

test("no scope and no handle is left behind", async () => {
  const look = async () => store.getStore();
  py.keep(look); // Python holds a function, so scopes are carried
  const work = async () => {
    await Promise.all(Array.from({ length: 300 }, (_, index) =>
      store.run(String(index), async () => {
        assertEquals(await py.echo(look), String(index));
        assertEquals(await py.set_and_call(String(index), async () => await py.get_later()), String(index));
        await toThread(py.call, [() => store.getStore()]);
      })));
  };
  const settle = async (limit: { scopes: number; handles: number }) => {
    for (let round = 0; round < 50 && (countScopes() > limit.scopes || countHandles() > limit.handles); round++) {
      python.import("gc").collect();
      await collect();
      await toLoop(python.import("gc").collect);
    }
  };
  await work();
  await settle({ scopes: 0, handles: 1 });
  const before = countHandles();
  for (let round = 0; round < 5; round++) await work();
  await settle({ scopes: 0, handles: before });
  py.drop();
  assertEquals(countScopes(), 0);
  assert(countHandles() <= before, `${countHandles()} handles, before ${before}`);
});

test("a property sees the ContextVar of whoever called the JavaScript function, across await", async () => {
  const module = define(`
import contextvars
var = contextvars.ContextVar("var", default="unset")
class Holder:
    @property
    def value(self): return var.get()
    @property
    def broken(self): raise KeyError(var.get())
holder = Holder()
async def main(js, value):
    var.set(value)
    return await js()
`);
  const read = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const error = assertThrows(() => module.holder.broken, PythonError);
    return [module.holder.value, error.message, module.holder.none === undefined];
  };
  assertEquals((await Promise.all(["a", "b"].map((value) => module.main(read, value)))).map((each) => toJs(each)), [
    ["a", "'a'", true],
    ["b", "'b'", true],
  ]);
  assertEquals(module.holder.value, "unset");
});
