/**
 * Both sides look for each other's answer before they sleep. What is found so is handled like what a wake tells of, and
 * nothing else waits for it: timers, sockets, other callbacks, contexts, debug mode, the end.
 *
 * A busy machine switches spinning off for moments, so a test that wants to see it tries again until it has.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { intoPromise, promiseIntoPy, python, run, toThread } from "../../mod.ts";
import { type Counters, readCounters } from "../../src/interpreter/counters.ts";
import { assertEquals } from "#std/assert";
import { child } from "../support/child.ts";
import { define } from "../support/define.ts";
import { windows } from "../support/skip.ts";

python.configure({ spin: 1000 });
const py = define(`
import asyncio, contextvars, os, socket, threading, time

variable = contextvars.ContextVar("variable", default="of the reader")

async def identity(x): return x

async def step(x):
    await asyncio.sleep(0)
    return x

async def count_to(n):
    for i in range(n): yield i

async def call_each(f, n):
    return [await f(i) for i in range(n)]

def call_each_here(f, n): return [f(i) for i in range(n)]

def call_until_false(f):
    while f(): time.sleep(0.0003)

async def leave_variable():
    variable.set("of another task")
    await asyncio.sleep(0)

async def see_variable(): return variable.get()

async def echo(sock, n):
    loop = asyncio.get_running_loop()
    for i in range(n): await loop.sock_sendall(sock, await loop.sock_recv(sock, 100))

async def ping(n):
    "A pair of sockets: what is written to one is echoed by a task to the other."
    loop, (ours, its) = asyncio.get_running_loop(), socket.socketpair()
    ours.setblocking(False), its.setblocking(False)
    echoing = asyncio.ensure_future(echo(its, n))
    for i in range(n):
        await loop.sock_sendall(ours, b"x")
        await loop.sock_recv(ours, 1)
    await echoing
    ours.close(), its.close()
    return n

async def debugged(f):
    loop = asyncio.get_running_loop()
    slow = []
    loop.set_debug(True)
    loop.slow_callback_duration = 0.5
    try: return await f()
    finally: loop.set_debug(False)
`);

const { identity, step, count_to, call_each, call_each_here, call_until_false, leave_variable, see_variable, ping } = py;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** What `fn` adds to wakes and rings. */
async function told(fn: () => Promise<unknown>): Promise<Pick<Counters, "wakes" | "rings">> {
  const before = readCounters();
  await fn();
  const after = readCounters();
  return { wakes: after.wakes - before.wakes, rings: after.rings - before.rings };
}

async function awaitEach(fn: (n: number) => PromiseLike<unknown>, count: number): Promise<void> {
  for (let n = 0; n < count; n++) assertEquals(await fn(n), n);
}

/** Repeats `fn`, which works `count` times for an answer, until at least half of its answers came without being told. */
async function seeSpinning(count: number, fn: () => Promise<unknown>): Promise<void> {
  for (;;) {
    const { wakes, rings } = await told(fn);
    if (wakes < count / 2 && rings < count / 2) return;
  }
}

test("one coroutine after the other: neither side has to be woken", async () => {
  await seeSpinning(200, () => awaitEach(identity, 200));
  await seeSpinning(200, () => awaitEach(step, 200));
});

test("one call of an async function after the other", async () => {
  await seeSpinning(200, async () => assertEquals((await call_each(async (n: number) => n, 200)).$toJs(), numbers(200)));
});

test("a stream in lock-step", async () => {
  await seeSpinning(200, async () => {
    const got = [];
    for await (const item of count_to(200)) got.push(item);
    assertEquals(got, numbers(200));
  });
});

test("a Python thread that calls a function again and again", async () => {
  await seeSpinning(200, async () => {
    const got = await toThread(call_each_here, [(n: number) => n, 200]) as { $toJs(): number[] };
    assertEquals(got.$toJs(), numbers(200));
  });
});

test("on a loop of the user's, and on both loops in turn", async () => {
  await run(async () => {
    await seeSpinning(200, () => awaitEach(identity, 200));
  });
  await run(async () => {
    const background = python.import("asyncio");
    for (let n = 0; n < 100; n++) assertEquals([await step(n), await intoPromise(background.sleep(0, n))], [n, n]);
  });
});

test("what is found has the loop's own context, whatever task was done before", async () => {
  for (let n = 0; n < 300; n++) {
    await leave_variable();
    assertEquals(await see_variable(), "of the reader");
  }
});

test("what else is found does not run in the AsyncLocalStorage scope of whoever awaits", async () => {
  const storage = new AsyncLocalStorage<string>(), seen = new Set<unknown>();
  let calls = 0;
  const ended = toThread(call_until_false, [() => {
    seen.add(storage.getStore());
    return ++calls < 200;
  }]);
  let done = false;
  const all = ended.then(() => done = true);
  await storage.run("a request", async () => {
    while (!done) await identity(1);
  });
  await all;
  assertEquals([...seen], [undefined]);
});

test("timers, sockets and tasks of asyncio have their turns while JavaScript awaits without a pause", async () => {
  let ended = false;
  const others = Promise.all([intoPromise(py.asyncio.sleep(0.05)), intoPromise(ping(200))]).then(() => ended = true);
  while (!ended) await identity(1);
  await others;
});

test("timers and sockets of JavaScript have their turns while it awaits without a pause", async () => {
  const server = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
  let echoes = 0, ticks = 0;
  socket.on("data", () => ++echoes < 100 && socket.write("x"));
  socket.write("x");
  const timer = setInterval(() => ticks++, 1);
  while (echoes < 100 || ticks < 20) await identity(1);
  clearInterval(timer);
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test("in debug mode the loop does not spin, as asyncio would take it for a slow callback", async () => {
  const { wakes } = await told(() => py.debugged(() => awaitEach(identity, 50)));
  assertEquals(wakes >= 50, true, `${wakes} wakes`);
});

test("many at once, of every kind, are all answered", async () => {
  for (let round = 0; round < 20; round++) {
    const many = numbers(100).map(async (n) => {
      assertEquals(await step(n), n);
      assertEquals((await call_each(async (m: number) => m, 3)).$toJs(), [0, 1, 2]);
      assertEquals(await promiseIntoPyAndBack(n), n);
      const got = await toThread(call_each_here, [(m: number) => m, 3]) as { $toJs(): number[] };
      assertEquals(got.$toJs(), [0, 1, 2]);
    });
    await Promise.all(many);
  }
});

async function promiseIntoPyAndBack(value: number): Promise<unknown> {
  return await intoPromise(promiseIntoPy(Promise.resolve(value)));
}

test("nothing is looked for while nothing is awaited", async () => {
  await awaitEach(identity, 50);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = readCounters();
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(readCounters(), before);
});

const endings = { itself: "ends by itself", exit: "ends by exit", close: "ends Python", worker: "ends Workers", fork: "forks children" };
for (const [how, words] of Object.entries(endings)) {
  test(`a process ${words} while both sides spin`, { skip: how === "fork" && windows("Windows has no fork") }, async () => {
    const { code, signal, stdout, stderr } = await child("spins", [how], { env: { PYAWAIT_SPIN: "1000" } });
    assertEquals({ code, signal, stdout: stdout.trim() }, { code: 0, signal: null, stdout: `ended: ${how}` }, stderr);
  });
}
