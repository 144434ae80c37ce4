/**
 * Streams: Python's async generators in JavaScript, JavaScript's async iterables in Python; their items, order and errors.
 */
import { Readable } from "node:stream";
import { test } from "node:test";
import { asyncIterableIntoPy, intoAsyncIterable, intoPromise, python, PythonError, toJs } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define, isAtLeast } from "../support/define.ts";

const py = define(`
import asyncio, contextvars, threading

log = []
var = contextvars.ContextVar("var")

async def count(n, pause=None):
    try:
        for i in range(n):
            if pause is not None: await asyncio.sleep(pause)
            yield i
    finally:
        await asyncio.sleep(0)
        log.append("closed")

async def fails():
    yield 1
    yield 2
    raise KeyError("third")

async def echo():
    value = None
    while True:
        try:
            value = yield value
        except ValueError as error:
            value = "caught %s" % error

async def one_context():
    token = var.set("mine")
    first = asyncio.current_task()
    for i in range(3):
        yield (var.get(), asyncio.current_task() is first)
    var.reset(token)

class Countdown:
    def __init__(self, n): self.n = n
    def __aiter__(self): return self
    async def __anext__(self):
        if self.n == 0: raise StopAsyncIteration
        self.n -= 1
        return self.n

async def gather_all(iterable):
    return [item async for item in iterable]

async def first_two(iterable):
    items = []
    async for item in iterable:
        items.append(item)
        if len(items) == 2: break
    if hasattr(iterable, "aclose"): await iterable.aclose()
    return items

async def converse(generator):
    got = [await generator.asend(None)]
    got.append(await generator.asend("to you"))
    try:
        got.append(await generator.athrow(ValueError("thrown")))
    except StopAsyncIteration:
        got.append("stopped")
    await generator.aclose()
    return got

def on_two_loops(iterable_function):
    results = [None, None]
    async def read(at): results[at] = [item async for item in await iterable_function()]
    threads = [threading.Thread(target=lambda at=at: asyncio.run(read(at))) for at in range(2)]
    for thread in threads: thread.start()
    return threads, results

async def forever():
    n = 0
    try:
        while True:
            yield n
            n += 1
            await asyncio.sleep(0)
    finally:
        log.append("forever closed")

async def stuck():
    try:
        yield 1
        await asyncio.sleep(3600)
    finally:
        log.append("stuck closed")

async def after(seconds): await asyncio.sleep(seconds)
def tasks(loop): return len([t for t in asyncio.all_tasks(loop) if "drive_stream" in repr(t)])
async def driving(): return len([t for t in asyncio.all_tasks() if "drive_stream" in repr(t)])
`);

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

for (const highWaterMark of [0, 1, 10, 256]) {
  test(`1,000 items arrive in order and none is lost at highWaterMark ${highWaterMark}`, async () => {
    py.log.clear();
    assertEquals(await all(intoAsyncIterable(py.count(1000), { highWaterMark })), upTo(1000));
    assertEquals(await all(intoAsyncIterable(py.count(50, 0), { highWaterMark })), upTo(50));
    assertEquals(await all(intoAsyncIterable(py.count(10, 0.001), { highWaterMark })), upTo(10));
    assertEquals(toJs(py.log), ["closed", "closed", "closed"]);
  });

  test(`an error arrives after the items before it at highWaterMark ${highWaterMark}`, async () => {
    const stream = intoAsyncIterable(py.fails(), { highWaterMark });
    assertEquals(await stream.next(), { done: false, value: 1 });
    assertEquals(await stream.next(), { done: false, value: 2 });
    const error = await assertRejects(() => stream.next(), PythonError);
    assertEquals([error.name, error.message], ["KeyError", "'third'"]);
    assertEquals(await stream.next(), { done: true, value: undefined });
  });

  test(`leaving the loop early runs the generator's cleanup first at highWaterMark ${highWaterMark}`, async () => {
    py.log.clear();
    for await (const item of intoAsyncIterable(py.count(100_000), { highWaterMark })) if (item === 3) break;
    assertEquals(toJs(py.log), ["closed"]);
    for await (const item of intoAsyncIterable(py.stuck(), { highWaterMark })) if (item === 1) break;
    assertEquals(toJs(py.log), ["closed", "stuck closed"]);
    assertEquals(await py.driving(), 0);
  });

  test(`one task and one context drive a generator at highWaterMark ${highWaterMark}`, async () => {
    const items = await all(intoAsyncIterable(py.one_context(), { highWaterMark }));
    assertEquals(items.map((item) => toJs(item)), [["mine", true], ["mine", true], ["mine", true]]);
  });

  test(`a signal ends a stream and its generator at highWaterMark ${highWaterMark}`, async () => {
    py.log.clear();
    const controller = new AbortController();
    const reason = new Error("enough");
    const stream = intoAsyncIterable(py.forever(), { highWaterMark, signal: controller.signal });
    await stream.next();
    controller.abort(reason);
    const error = await assertRejects(async () => {
      while (!(await stream.next()).done);
    });
    assertStrictEquals(error, reason);
    assertEquals(toJs(py.log), ["forever closed"]);
    assertEquals((await stream.next()).done, true);
  });
}

test("a stream of an aborted signal never starts its generator", async () => {
  py.log.clear();
  const stream = intoAsyncIterable(py.count(3), { signal: AbortSignal.abort(new Error("before")) });
  await assertRejects(() => stream.next(), Error, "before");
  assertEquals(toJs(py.log), []);
});

test("a million items arrive in order", async () => {
  let expected = 0;
  for await (const item of intoAsyncIterable(py.count(1_000_000), { highWaterMark: 256 })) {
    if (item !== expected) throw new Error(`got ${item}, wanted ${expected}`);
    expected++;
  }
  assertEquals(expected, 1_000_000);
});

test("highWaterMark bounds how far a generator runs ahead", async () => {
  const counted = define(`
made = 0
async def count():
    global made
    while True:
        made += 1
        yield made
`);
  const stream = intoAsyncIterable(counted.count(), { highWaterMark: 10 });
  assertEquals((await stream.next()).value, 1);
  await py.after(0.05);
  assert(counted.made <= 20, `made ${counted.made}`);
  assert(counted.made >= 10, `made ${counted.made}`);
  await stream.return();
});

test("in lock-step nothing is made before it is asked for", async () => {
  const counted = define(`
made = 0
async def count():
    global made
    while True:
        made += 1
        yield made
`);
  const stream = intoAsyncIterable(counted.count());
  await py.after(0.02);
  assertEquals(counted.made, 0);
  await stream.next();
  await py.after(0.02);
  assertEquals(counted.made, 1);
  await stream.return();
});

test("next(value) and throw(error) reach the generator in lock-step", async () => {
  const stream = intoAsyncIterable(py.echo());
  assertEquals(await stream.next(), { done: false, value: null });
  assertEquals(await stream.next("hello"), { done: false, value: "hello" });
  assertEquals(await stream.throw(python.builtins.ValueError("v")), { done: false, value: "caught v" });
  const error = new RangeError("ours");
  assertStrictEquals(await assertRejects(() => stream.throw(error)), error);
  assertEquals((await stream.next()).done, true);
});

test("several next() calls at once are answered in order", async () => {
  for (const highWaterMark of [0, 4]) {
    const stream = intoAsyncIterable(py.count(3), { highWaterMark });
    const results = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next(), stream.next()]);
    assertEquals(results.map(({ done, value }) => done ? "end" : value), [0, 1, 2, "end", "end"]);
  }
});

test("an object with __aiter__ is a stream, and so is a proxy in for await", async () => {
  assertEquals(await all(intoAsyncIterable(py.Countdown(3))), [2, 1, 0]);
  assertEquals(await all(py.Countdown(3)), [2, 1, 0]);
  assertEquals(await all(py.count(3)), [0, 1, 2]);
});

test("what is no async iterable and what is no highWaterMark is refused", () => {
  assertThrows(() => intoAsyncIterable([1, 2]), TypeError, "__aiter__");
  assertThrows(() => intoAsyncIterable(python.builtins.list()), TypeError, "__aiter__");
  assertThrows(() => intoAsyncIterable(py.count(1), { highWaterMark: -1 }), RangeError, "highWaterMark");
  assertThrows(() => intoAsyncIterable(py.count(1), { highWaterMark: 1.5 }), RangeError, "highWaterMark");
});

test("a stream that is dropped is cancelled when it is collected", async () => {
  py.log.clear();
  await (async () => {
    await intoAsyncIterable(py.forever()).next();
  })();
  for (let round = 0; round < 200 && py.log.length === 0; round++) {
    await collect();
    await py.after(0.005);
  }
  assertEquals(toJs(py.log), ["forever closed"]);
});

test("a ReadableStream can be made of a stream", async () => {
  const from = (ReadableStream as unknown as { from?(iterable: unknown): ReadableStream }).from;
  if (!from) return assertEquals(await all(Readable.from(intoAsyncIterable(py.count(3)))), [0, 1, 2]);
  assertEquals(await all(from.call(ReadableStream, intoAsyncIterable(py.count(3))) as unknown as AsyncIterable<number>), [0, 1, 2]);
});

// JavaScript → Python -------------------------------------------------------------------------------------------------

test("a JavaScript async generator is an async generator in Python", async () => {
  let closed = 0;
  async function* numbers() {
    try {
      for (let i = 0; i < 5; i++) yield i;
    } finally {
      closed++;
    }
  }
  assertEquals(toJs(await py.gather_all(numbers())), [0, 1, 2, 3, 4]);
  assertEquals(closed, 1);
  assertEquals(toJs(await py.first_two(numbers())), [0, 1]);
  assertEquals(closed, 2);
});

test("asend, athrow and aclose reach a JavaScript async generator", async () => {
  const seen: unknown[] = [];
  async function* talks() {
    try {
      seen.push(yield "first");
      try {
        yield "second";
      } catch (error) {
        seen.push(error instanceof PythonError && `${error.name}: ${error.message}`);
        yield "third";
      }
    } finally {
      seen.push("closed");
    }
  }
  assertEquals(toJs(await py.converse(talks())), ["first", "second", "third"]);
  assertEquals(seen, ["to you", "ValueError: thrown", "closed"]);
});

test("any iterable or async iterable becomes an async generator by asyncIterableIntoPy", async () => {
  assertEquals(toJs(await py.gather_all(asyncIterableIntoPy([1, 2, 3]))), [1, 2, 3]);
  assertEquals(toJs(await py.gather_all(asyncIterableIntoPy(new Set(["a", "b"])))), ["a", "b"]);
  assertEquals(toJs(await py.gather_all(asyncIterableIntoPy(Readable.from([1, 2])))), [1, 2]);
  assertThrows(() => asyncIterableIntoPy(5 as unknown as Iterable<unknown>), TypeError, "iterable");
});

test("a ReadableStream and a Node stream work in async for as they are", async () => {
  const chunks = toJs(await py.gather_all(new Blob(["hello"]).stream())) as Uint8Array[];
  assertEquals(new TextDecoder().decode(chunks[0]), "hello");
  assertEquals(toJs(await py.gather_all(Readable.from(["x", "y"]))), ["x", "y"]);
});

test("an error of a JavaScript stream is raised after its items, and comes back as itself", async () => {
  const error = new RangeError("broken");
  async function* breaks() {
    yield 1;
    throw error;
  }
  assertStrictEquals(await assertRejects(() => intoPromise(py.gather_all(breaks()))), error);
});

test("JavaScript reads at most one item ahead", async () => {
  let made = 0;
  async function* counts() {
    while (true) yield ++made;
  }
  assertEquals(toJs(await py.first_two(counts())), [1, 2]);
  assert(made <= 3, `made ${made}`);
});

test("an iterable is read from several loops at once", async () => {
  const iterable = async () => new Blob(["abc"]).stream();
  const [threads, results] = py.on_two_loops(iterable);
  while (python.builtins.any(threads.$toJs().map((thread: { is_alive(): boolean }) => thread.is_alive()))) await py.after(0.01);
  const texts = (toJs(results) as Uint8Array[][]).map((chunks) => new TextDecoder().decode(chunks[0]));
  assertEquals(texts, ["abc", "abc"]);
});

const timeouts = define("import sys\nhas_timeout = sys.version_info >= (3, 11)").has_timeout;
test("a timeout inside a generator holds across its items", { skip: !timeouts && "asyncio.timeout is new in 3.11" }, async () => {
  assert(isAtLeast(3, 11));
  const scoped = define(`
import asyncio
async def scoped():
    try:
        async with asyncio.timeout(0.05):
            yield 1
            await asyncio.sleep(3600)
    except TimeoutError:
        yield "timed out"
`);
  assertEquals(await all(scoped.scoped()), [1, "timed out"]);
});
if (!timeouts) console.log("skip: asyncio.timeout is new in 3.11");
