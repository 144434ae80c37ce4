/**
 * TaskLocals: which loop and context are current, `scope`, and the `locals` option of everything that takes it.
 */
import { test } from "node:test";
import {
  asyncIterableIntoPy,
  enterAsync,
  getCurrentLocals,
  getCurrentLoop,
  getCurrentSignal,
  getRunningLoop,
  intoAsyncIterable,
  intoPromise,
  promiseIntoPy,
  type PyProxy,
  python,
  run,
  scope,
  TaskLocals,
  toJs,
  toLoop,
  toThread,
} from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const contextvars = python.import("contextvars");

const py = define(`
import asyncio, contextvars, threading

var = contextvars.ContextVar("var", default="unset")

def get(): return var.get()
def set(value): var.set(value)

async def where(pause=True):
    if pause: await asyncio.sleep(0)
    return (asyncio.get_running_loop(), var.get())

def where_now(): return (asyncio.get_running_loop(), var.get())

class Manager:
    async def __aenter__(self): return await where()
    async def __aexit__(self, *args): return False

async def places():
    yield await where()
    yield await where()

cancelled = []
async def log_cancelled(function):
    try:
        return await function()
    except asyncio.CancelledError as error:
        cancelled.append(type(error).__name__)
        raise

async def call(function): return await function()
def call_now(function): return function()
async def set_and_call(value, function):
    var.set(value)
    return await function()
async def set_and_call_now(value, function):
    var.set(value)
    return function()
async def gather_all(iterable): return [item async for item in iterable]

def call_after_run(function, sleep):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(call(sleep))  # it is JavaScript's to reach, and stands still
    try: return function()
    finally: loop.close()

def run_and_call(function):
    async def main(): return [asyncio.get_running_loop(), *function()]
    return asyncio.run(main())

class LoopInThread:
    """A loop that runs on a thread of its own, until it is stopped."""
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
    def start(self): self.thread.start(); return self.loop
    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

def in_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start(); thread.join()
    return results[0]

async def run_in_own_thread(function): return await asyncio.get_running_loop().run_in_executor(None, in_thread, function)
`);

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
const contextWith = (value: string) => {
  const context = contextvars.copy_context();
  context.run(py.set, value);
  return context as PyProxy;
};
const background = getCurrentLoop();

/** A loop on a thread of its own while `fn` runs. */
async function withLoop<T>(fn: (loop: PyProxy) => Promise<T>): Promise<T> {
  const runner = py.LoopInThread();
  try {
    return await fn(runner.start());
  } finally {
    await toThread(runner.stop);
  }
}

test("TaskLocals: a loop and a context", () => {
  const context = contextWith("one");
  const locals = new TaskLocals(background);
  assertStrictEquals(locals.eventLoop, background);
  assertStrictEquals(locals.context, null);
  const other = locals.withContext(context);
  assertStrictEquals(other.eventLoop, background);
  assertStrictEquals(other.context, context);
  assertStrictEquals(locals.context, null);
  assertStrictEquals(other.withContext(null).context, null);
  const copy = scope(other, () => locals.copyContext());
  assertEquals([copy.context!.get(py.var), copy.context === context], ["one", false]);
  context.run(py.set, "changed");
  assertEquals(copy.context!.get(py.var), "one");
});

test("TaskLocals: what is no loop and what is no context is refused", () => {
  for (const wrong of [undefined, null, {}, "asyncio", python.import("asyncio"), py.var]) {
    assertThrows(() => new TaskLocals(wrong as PyProxy), TypeError, "event loop");
  }
  for (const wrong of ["context", {}, 1, py.var]) {
    assertThrows(() => new TaskLocals(background, wrong as unknown as PyProxy), TypeError, "contextvars.Context");
  }
  assertThrows(() => scope({} as TaskLocals, () => 1), TypeError, "TaskLocals");
  assertThrows(() => scope(getCurrentLocals(), 5 as never), TypeError, "takes a function");
});

test("locals that are none are refused by everything that takes them", async () => {
  const locals = { eventLoop: background } as unknown as TaskLocals;
  const ways: (() => PromiseLike<unknown>)[] = [
    () => intoPromise(py.where(), { locals }),
    () => toLoop(py.where, [], { locals }),
    () => toThread(py.get, [], { locals }),
    () => python.execAsync("1", { locals }),
    () => enterAsync(py.Manager(), () => 1, { locals }),
    () => intoAsyncIterable(py.places(), { locals }).next(),
  ];
  for (const way of ways) await assertRejects(way, TypeError, "TaskLocals");
});

test("without a scope the background loop is current, with a fresh context, and none is running", () => {
  assertStrictEquals(getCurrentLoop(), background);
  assertEquals(getCurrentLoop().is_running(), true);
  const locals = getCurrentLocals();
  assertInstanceOf(locals, TaskLocals);
  assertStrictEquals(locals.eventLoop, background);
  assertStrictEquals(locals.context!.get(py.var), null);
  assertThrows(() => getRunningLoop(), Error, "getCurrentLoop()");
  assertThrows(() => TaskLocals.withRunningLoop(), Error, "no event loop runs");
});

test("the locals option: loop and context of everything that takes it", async () => {
  await withLoop(async (loop) => {
    const locals = new TaskLocals(loop, contextWith("given"));
    const globals = { where: py.where, places: py.places };
    const seen: Record<string, unknown> = {
      "intoPromise": await intoPromise(py.where(), { locals }),
      "intoPromise of a coroutine that exists": await intoPromise(python.exec("where()", { globals }), { locals }),
      "toLoop": await toLoop(py.where_now, [], { locals }),
      "toLoop of an async def": await toLoop(py.where, [], { locals }),
      "execAsync": await python.execAsync("await where()", { globals, locals }),
      "enterAsync": await enterAsync(py.Manager(), (value) => value, { locals }),
      "a scope": await scope(locals, async () => {
        await turn();
        return await py.where();
      }),
    };
    for (const highWaterMark of [0, 4]) {
      const items: unknown[] = [];
      for await (const item of intoAsyncIterable(py.places(), { locals, highWaterMark })) items.push(item);
      assertEquals(items.length, 2);
      [seen[`first item at ${highWaterMark}`], seen[`second item at ${highWaterMark}`]] = items;
    }
    for (const [name, place] of Object.entries(seen)) {
      assertStrictEquals((place as PyProxy).$get(0), loop, name);
      assertStrictEquals((place as PyProxy).$get(1), "given", name);
    }
    assertEquals(await toThread(py.get, [], { locals }), "given");
    assertStrictEquals((await py.where()).$get(0), background);
  });
});

test("each start gets a copy of the context that was given", async () => {
  const context = contextWith("given"), locals = getCurrentLocals().withContext(context);
  await toLoop(py.set, ["written"], { locals });
  assertEquals(context.get(py.var), "given");
  const all = await Promise.all([1, 2, 3].map(() => intoPromise(py.where(), { locals })));
  assertEquals(all.map((place) => place.$get(1)), ["given", "given", "given"]);
});

test("the locals option of promiseIntoPy and asyncIterableIntoPy is what their JavaScript runs with", async () => {
  await withLoop(async (loop) => {
    const locals = new TaskLocals(loop, contextWith("given"));
    const look = async () => {
      await turn();
      return [getCurrentLoop(), py.get(), await py.where()];
    };
    async function* items() {
      yield await look();
      yield await look();
    }
    const awaited = toJs(await py.call(() => promiseIntoPy(look, { locals })).then((source: PyProxy) => source));
    const streamed = toJs(await py.gather_all(asyncIterableIntoPy(items(), { locals }))) as unknown[];
    for (const [current, value, [its, seen]] of [awaited, ...streamed] as [PyProxy, string, [PyProxy, string]][]) {
      assertStrictEquals(current, loop);
      assertStrictEquals(its, loop);
      assertEquals([value, seen], ["given", "given"]);
    }
    assertEquals(streamed.length, 2);
  });
});

test("scope: current in all that it starts, nested, and over when it ends", async () => {
  await withLoop(async (loop) => {
    const outer = new TaskLocals(loop, contextWith("outer")), inner = new TaskLocals(background, contextWith("inner"));
    const look = () => [getCurrentLoop(), py.get()];
    let late!: Promise<unknown>;
    const seen = await scope(outer, async () => {
      assertStrictEquals(getCurrentLocals(), outer);
      const before = look();
      const nested = scope(inner, look);
      late = turn().then(async () => [look(), (await py.where()).$get(0)]);
      await turn();
      return [before, nested, look()];
    });
    assertEquals(seen.map(([at, value]) => [at === loop, at === background, value]), [
      [true, false, "outer"],
      [false, true, "inner"],
      [true, false, "outer"],
    ]);
    const [[at, value], ran] = await late as [[PyProxy, string], PyProxy];
    assertEquals([at === loop, value, ran === loop], [true, "outer", true]);
    assertStrictEquals(getCurrentLoop(), background);
    assertEquals(scope(inner, () => 5), 5);
    assertThrows(
      () =>
        scope(inner, () => {
          throw new RangeError("through");
        }),
      RangeError,
      "through",
    );
  });
});

test("scope: without a context it has a fresh one", async () => {
  const seen = await py.set_and_call(
    "caller's",
    async () => await scope(new TaskLocals(background), async () => [py.get(), (await py.where()).$get(1)]),
  );
  assertEquals(toJs(seen), ["unset", "unset"]);
});

test("scope inside a function that Python awaits keeps its signal", async () => {
  const same = await py.call(async () => {
    const signal = getCurrentSignal();
    return [signal !== undefined, scope(new TaskLocals(background), () => getCurrentSignal() === signal)];
  });
  assertEquals(toJs(same), [true, true]);
});

test("getRunningLoop throws in a function that Python calls where no loop runs; the background loop is used there", async () => {
  const look = () => {
    assertStrictEquals(getCurrentLocals().eventLoop, background);
    assertThrows(() => getRunningLoop(), Error, "no event loop runs where Python called this function; getCurrentLoop()");
    assertThrows(() => scope(getCurrentLocals(), () => TaskLocals.withRunningLoop()), Error, "no event loop runs");
    return "looked";
  };
  assertEquals(py.call_now(look), "looked");
  assertEquals(await toThread(py.call_now, [look]), "looked");
  assertEquals(await toThread(py.in_thread, [look]), "looked");
  assertEquals(await py.call(async () => py.call_now(look)), "looked");
  assertEquals(await toThread(py.call_after_run, [look, turn]), "looked");
});

test("getRunningLoop in a function that a loop calls which JavaScript has not seen before", async () => {
  const [loop, seen, current] = await toThread(py.run_and_call, [() => [getRunningLoop(), getCurrentLoop()]]);
  assertStrictEquals(seen, loop);
  assertStrictEquals(current, loop);
  assert(loop !== background);
});

test("in a function that Python called, the caller's loop and a copy of its context are current", async () => {
  await withLoop(async (loop) => {
    const locals = new TaskLocals(loop);
    const look = () => {
      const current = getCurrentLocals();
      current.context!.run(py.set, "written"); // a copy: no other code sees it
      return [
        current.eventLoop,
        getRunningLoop(),
        TaskLocals.withRunningLoop().eventLoop,
        getCurrentLocals().context!.get(py.var),
        py.get(),
      ];
    };
    const lookLater = async () => {
      await turn();
      return look();
    };
    for (
      const seen of [
        await intoPromise(py.set_and_call("caller's", lookLater), { locals }),
        await intoPromise(py.set_and_call_now("caller's", look), { locals }),
        await run(async () => await py.set_and_call("caller's", lookLater)),
      ]
    ) {
      const [current, running, withRunning, ...values] = toJs(seen) as [PyProxy, PyProxy, PyProxy, ...string[]];
      assertEquals([running === current, withRunning === current, current === background], [true, true, false]);
      assertEquals(values, ["caller's", "caller's"]);
    }
  });
});

test("what a called function starts runs on its caller's loop", async () => {
  await withLoop(async (loop) => {
    const inner = await intoPromise(
      py.call(async () => {
        await turn();
        return (await py.where()).$get(0) === loop;
      }),
      { locals: new TaskLocals(loop) },
    );
    assertEquals(inner, true);
    assert(await run(async () => (await py.where()).$get(0) !== background));
  });
});

test("a function called from a thread without a loop has the background loop", async () => {
  const seen = await py.run_in_own_thread(() => [getCurrentLoop()]);
  assertStrictEquals((toJs(seen) as unknown[])[0], background);
});

test("cancelled inside a scope, on a loop of its own", async () => { // T9
  await run(async () => {
    let happened = false, begin!: () => void;
    const begun = new Promise<void>((resolve) => begin = resolve);
    await scope(new TaskLocals(getCurrentLoop()), async () => {
      const controller = new AbortController();
      const promise = intoPromise(
        py.log_cancelled(async () => {
          const signal = getCurrentSignal();
          begin();
          await new Promise<void>((resolve) => signal!.addEventListener("abort", () => resolve()));
          if (!signal!.aborted) happened = true;
        }),
        { signal: controller.signal },
      );
      const ended = assertRejects(() => promise);
      await begun;
      controller.abort(new Error("enough"));
      assertEquals((await ended as Error).message, "enough");
    });
    assertEquals([happened, toJs(py.cancelled)], [false, ["CancelledError"]]);
  });
});
