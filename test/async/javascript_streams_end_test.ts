/**
 * How JavaScript's iterables end while Python reads them: by cancellation, by errors, and when the process ends. What
 * they carry is in streams_test.ts.
 */
import { Readable } from "node:stream";
import { test } from "node:test";
import { asyncIterableIntoPy, intoPromise, python, toJs } from "../../mod.ts";
import { assertEquals, assertRejects } from "#std/assert";
import { assertEnd, child, soon } from "../support/child.ts";
import { define } from "../support/define.ts";

const py = define(`
import asyncio

log = []

async def gather_all(iterable):
    return [item async for item in iterable]

async def cancelled_while(iterable, asked):
    async def body():
        async for _ in iterable: pass
    task = asyncio.ensure_future(body())
    await asked
    task.cancel()
    try: await task
    except asyncio.CancelledError: return "cancelled"

async def sleeps():
    try: await asyncio.sleep(3600)
    finally: log.append("woken")

async def keep_errors():
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: log.append(repr(context.get("exception"))))
async def stop_keeping(): asyncio.get_running_loop().set_exception_handler(None)

def first(iterable):
    for item in iterable: return item

async def after(seconds): await asyncio.sleep(seconds)
`);

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A Promise, and what resolves it. */
function gate(): { open: () => void; opened: Promise<void> } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => open = resolve);
  return { open, opened };
}

/** Until it holds; a test that waits for ever fails by the runner's limit. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(2);
}

// JavaScript → Python -------------------------------------------------------------------------------------------------

for (const through of [(iterable: AsyncIterable<unknown>) => iterable, asyncIterableIntoPy]) {
  test(`cancelling Python while JavaScript makes an item closes the iterator first: ${through.name || "itself"}`, async () => {
    const { open, opened } = gate();
    const seen: string[] = [];
    async function* numbers() {
      try {
        yield 1;
        open();
        await sleep(20);
        yield 2;
        seen.push("went on");
      } finally {
        await sleep(1);
        seen.push("closed");
      }
    }
    assertEquals(await py.cancelled_while(through(numbers()), opened), "cancelled");
    assertEquals(seen, ["closed"]);
  });
}

test("cancelling Python cancels what an item is made of", async () => {
  py.log.clear();
  const { open, opened } = gate();
  let closed = false;
  async function* numbers() {
    try {
      yield 1;
      setTimeout(open, 10);
      yield await py.sleeps();
    } finally {
      closed = true;
    }
  }
  assertEquals(await py.cancelled_while(numbers(), opened), "cancelled");
  assertEquals([closed, toJs(py.log)], [true, ["woken"]]);
});

test("an iterator that does not end what it does holds up no cancellation, and closes behind", async () => {
  py.log.clear();
  const { open, opened } = gate();
  const later = gate();
  let closed = false;
  async function* numbers() {
    try {
      open();
      await later.opened;
      yield 1;
    } finally {
      closed = true;
      // deno-lint-ignore no-unsafe-finally -- an error that nobody waits for
      throw new RangeError("cleanup failed");
    }
  }
  assertEquals(await py.cancelled_while(numbers(), opened), "cancelled");
  assertEquals(closed, false);
  await py.keep_errors();
  later.open();
  await until(() => py.log.length > 0);
  await py.stop_keeping();
  assertEquals([closed, toJs(py.log)], [true, ["JsException('cleanup failed')"]]);
});

test("a ReadableStream and a Node stream without data are given up when Python is cancelled", async () => {
  const { open, opened } = gate();
  let cancelled = false;
  const stream = new ReadableStream({ pull: () => (open(), new Promise(() => {})), cancel: () => void (cancelled = true) }, {
    highWaterMark: 0,
  });
  assertEquals(await py.cancelled_while(asyncIterableIntoPy(stream), opened), "cancelled");
  assertEquals([cancelled, stream.locked], [true, false]);

  const asked = gate();
  const readable = new Readable({ read: () => asked.open() });
  assertEquals(await py.cancelled_while(asyncIterableIntoPy(readable), asked.opened), "cancelled");
  assertEquals(readable.destroyed, true);
});

test("an iterator is closed where its item cannot be converted, and not where it has failed itself", async () => {
  const calls: string[] = [];
  class Items {
    readonly next: () => unknown;
    constructor(next: () => unknown) {
      this.next = next;
    }
    return() {
      calls.push("return");
      return { done: true };
    }
    [Symbol.iterator]() {
      return this;
    }
  }
  const iterable = (next: () => unknown) => new Items(next) as unknown as Iterable<unknown>;
  const unconvertible = () => ({ value: Symbol("item") });
  const failing = () => {
    throw new RangeError("failed");
  };
  await assertRejects(() => intoPromise(py.gather_all(asyncIterableIntoPy(iterable(unconvertible)))), TypeError, "Symbol(item)");
  assertEquals(calls.splice(0), ["return"]);
  await assertRejects(async () => py.first(iterable(unconvertible)), TypeError, "Symbol(item)");
  assertEquals(calls.splice(0), ["return"]);
  await assertRejects(() => intoPromise(py.gather_all(asyncIterableIntoPy(iterable(failing)))), RangeError, "failed");
  await assertRejects(async () => py.first(iterable(failing)), RangeError, "failed");
  assertEquals(calls, []);
});

test("an iterator's result that is no object is a TypeError", async () => {
  class Broken {
    next = () => 5;
    [Symbol.iterator] = () => this;
    [Symbol.asyncIterator] = () => this;
  }
  const broken = new Broken() as unknown as AsyncIterable<unknown>;
  await assertRejects(() => intoPromise(py.gather_all(broken)), TypeError, "iterator result 5 is not an object");
  await assertRejects(async () => py.first(broken), TypeError, "iterator result 5 is not an object");
});

test("the items of a synchronous iterable are awaited in an async for", async () => {
  assertEquals(toJs(await py.gather_all(asyncIterableIntoPy([1, Promise.resolve(2), py.after(0)]))), [1, 2, null]);
  let closed = false;
  function* rejects() {
    try {
      yield Promise.reject(new RangeError("item"));
    } finally {
      closed = true;
    }
  }
  await assertRejects(() => intoPromise(py.gather_all(asyncIterableIntoPy(rejects()))), RangeError, "item");
  assertEquals(closed, true);
});

test("a reader that is cancelled between two items leaves by return()", async () => {
  const seen: unknown[] = [];
  async function* numbers() {
    try {
      yield 1;
    } catch (error) {
      seen.push(error);
    } finally {
      seen.push("closed");
    }
  }
  const source = `
import asyncio
await numbers.__anext__()
try: await numbers.athrow(asyncio.CancelledError())
except asyncio.CancelledError: "cancelled"
`;
  assertEquals(await python.execAsync(source + "'done'", { globals: { numbers: numbers() } }), "done");
  assertEquals(seen, ["closed"]);
});

test("the process ends quietly and closes iterators that are being read", async () => {
  for (const [name, output] of [["left", "1\n"], ["read", "closed\nCancelledError\nend\n"]]) {
    const ended = await child("streams", [name]);
    assertEnd(ended, 0, null, name === "read" ? soon : 30_000);
    assertEquals([ended.stdout, ended.stderr], [output, ""]);
  }
});
