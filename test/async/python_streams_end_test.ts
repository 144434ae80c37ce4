/**
 * How Python's async generators end while JavaScript reads them: what cancels a paused one, and how a reader leaves. What
 * they carry is in streams_test.ts.
 */
import { test } from "node:test";
import { intoAsyncIterable, type PyAsyncIterator, python, PythonError, toJs } from "../../mod.ts";
import { assertEquals, assertRejects, assertStrictEquals } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define, isAtLeast } from "../support/define.ts";

const py = define(`
import asyncio

log = []

class Scope:
    "asyncio.timeout for every version, which expires when it is told to"
    async def __aenter__(self):
        self.task, self.expired = asyncio.current_task(), False
        return self
    async def expire(self):
        self.expired = True
        self.task.cancel()
    async def __aexit__(self, cls, error, traceback):
        if not self.expired or cls is not asyncio.CancelledError: return
        if hasattr(self.task, "uncancel"): self.task.uncancel()
        raise KeyError("expired")

async def scoped(scope):
    async with scope:
        while True: yield "item"

async def caught(scope):
    try:
        async with scope:
            while True: yield "item"
    except KeyError: yield "expired"
    yield "end"

async def slow(scope, opened):
    "takes its time when it is cancelled"
    try:
        async with scope: yield "item"
    except KeyError:
        await opened
        try: yield "late"
        except ValueError as error: yield "caught %s" % error

async def catches():
    while True:
        try:
            yield "item"
            await asyncio.sleep(0)
        except asyncio.CancelledError: log.append("caught")
        except GeneratorExit:
            log.append("closed")
            raise

async def waits(opened):
    try:
        await opened
        yield "item"
    finally: log.append("closed")

async def one(opened=None):
    if opened is not None: await opened
    yield 1

class Items:
    def __aiter__(self): return self
    async def __anext__(self): return "item"
    async def aclose(self): log.append("closed")

async def cancel_drivers():
    for task in asyncio.all_tasks():
        if "drive_stream" in repr(task): task.cancel()
`);

function gate(): { open: () => void; opened: Promise<void> } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => open = resolve);
  return { open, opened };
}

/** The rest of a stream, without the items that a generator makes over and over. */
async function rest(stream: PyAsyncIterator): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) if (item !== "item") items.push(item);
  return items;
}

for (const highWaterMark of [0, 1, 2, 10]) {
  const read = (generator: unknown, signal?: AbortSignal) => intoAsyncIterable(generator, { highWaterMark, signal });
  const at = `at highWaterMark ${highWaterMark}`;

  test(`a scope inside a generator ends while the generator is paused ${at}`, async () => {
    let scope = py.Scope();
    let stream = read(py.scoped(scope));
    await stream.next();
    await scope.expire();
    const error = await assertRejects(() => rest(stream), PythonError);
    assertEquals([error.name, error.message], ["KeyError", "'expired'"]);

    scope = py.Scope();
    stream = read(py.caught(scope));
    await stream.next();
    await scope.expire();
    assertEquals(await rest(stream), ["expired", "end"]);
  });

  test(`a scope that has ended does not keep a signal from ending the generator ${at}`, async () => {
    const scope = py.Scope(), controller = new AbortController();
    const stream = read(py.caught(scope), controller.signal);
    await stream.next();
    await scope.expire();
    controller.abort(new RangeError("enough"));
    await assertRejects(() => rest(stream), RangeError, "enough");
  });

  test(`a generator that catches its cancellation is closed when its reader leaves ${at}`, async () => {
    py.log.clear();
    for await (const item of read(py.catches())) if (item) break;
    assertEquals(toJs(py.log), ["caught", "closed"]);
    py.log.clear();
    const controller = new AbortController();
    const stream = read(py.catches(), controller.signal);
    await stream.next();
    controller.abort();
    await rest(stream);
    assertEquals(toJs(py.log), ["caught", "closed"]);
  });

  test(`an iterator without athrow is closed when it is cancelled ${at}`, async () => {
    py.log.clear();
    const stream = read(py.Items());
    await stream.next();
    await py.cancel_drivers();
    const error = await assertRejects(() => rest(stream), PythonError);
    assertEquals([error.name, toJs(py.log)], ["CancelledError", ["closed"]]);
  });

  test(`a pending next() outlives its iterator ${at}`, async () => {
    const { open, opened } = gate();
    const next = (() => read(py.one(opened)).next())();
    for (let round = 0; round < 10; round++) await collect();
    open();
    assertEquals(await next, { done: false, value: 1 });
  });

  test(`return() ends a pending next(), and throws nothing of its own ${at}`, async () => {
    py.log.clear();
    const stream = read(py.waits(new Promise(() => {})));
    const pending = [stream.next(), stream.next()];
    await python.execAsync("import asyncio\nawait asyncio.sleep(0.01)");
    assertEquals(await stream.return("left"), { done: true, value: "left" });
    assertEquals(await Promise.all(pending), [{ done: true, value: undefined }, { done: true, value: undefined }]);
    assertEquals(toJs(py.log), ["closed"]);
  });

  test(`leaving after the signal has aborted throws nothing ${at}`, async () => {
    const controller = new AbortController();
    for await (const item of read(py.scoped(py.Scope()), controller.signal)) {
      controller.abort(new RangeError("enough"));
      if (item) break;
    }
  });

  test(`nothing comes after return() ${at}`, async () => {
    const stream = read(py.scoped(py.Scope()));
    await stream.next();
    await stream.return();
    assertEquals(await stream.next(), { done: true, value: undefined });
  });

  test(`throw() at the end rejects ${at}`, async () => {
    const stream = read(py.one());
    assertEquals([await stream.next(), (await stream.next()).done], [{ done: false, value: 1 }, true]);
    const error = new RangeError("late");
    assertStrictEquals(await assertRejects(() => stream.throw(error)), error);
    assertEquals(await stream.next(), { done: true, value: undefined });
  });
}

test("throw() behind the end of a generator rejects", async () => {
  const stream = intoAsyncIterable(py.one());
  const error = new RangeError("late");
  const results = await Promise.allSettled([stream.next(), stream.next(), stream.throw(error), stream.next()]);
  assertEquals(results.map((result) => result.status === "rejected" ? result.reason : result.value.done), [false, true, error, true]);
});

test("what is asked of a generator while it handles its cancellation is not lost", async () => {
  const asks: [ask: (stream: PyAsyncIterator) => Promise<IteratorResult<unknown>>, answers: string[]][] = [
    [(stream) => stream.next(), ["late"]],
    [(stream) => stream.throw(python.builtins.ValueError("thrown")), ["caught thrown", "late"]],
  ];
  for (const [ask, answers] of asks) {
    const { open, opened } = gate();
    const scope = py.Scope();
    const stream = intoAsyncIterable(py.slow(scope, opened));
    await stream.next();
    await scope.expire();
    const asked = ask(stream);
    open();
    assertEquals([(await asked).value, ...await rest(stream)], answers);
  }
});

const skip = !isAtLeast(3, 11) && "asyncio.timeout and TaskGroup are new in 3.11";
if (skip) console.log(`skip: ${skip}`);

test("asyncio's own scopes hold while a generator is paused", { skip }, async () => {
  const own = define(`
import asyncio

async def times_out():
    async with asyncio.timeout(0.01):
        while True: yield 1

async def fails():
    async def bad():
        await asyncio.sleep(0.01)
        raise ValueError("bad")
    async with asyncio.TaskGroup() as group:
        group.create_task(bad())
        while True: yield 1

async def grouped(catches):
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(3600))
        while True:
            try: yield 1
            except asyncio.CancelledError:
                if not catches: raise
`);
  const pause = () => new Promise((resolve) => setTimeout(resolve, 60));
  for (const highWaterMark of [0, 1]) {
    const read = async (generator: unknown) => {
      for await (const _ of intoAsyncIterable(generator, { highWaterMark })) await pause();
    };
    assertEquals((await assertRejects(() => read(own.times_out()), PythonError)).name, "TimeoutError");
    const group = await assertRejects(() => read(own.fails()), PythonError);
    assertEquals([group.name, group.errors!.map((error) => String(error))], ["ExceptionGroup", ["ValueError: bad"]]);
    for (const catches of [false, true]) {
      for await (const item of intoAsyncIterable(own.grouped(catches), { highWaterMark })) if (item) break;
    }
  }
});
