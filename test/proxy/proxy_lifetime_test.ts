/**
 * How long a PyProxy holds its object: `$copy`, `$destroy`, `using`, what a destroyed one says, and garbage collection.
 */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { attach, type PyProxy, python, tidy, toJs } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
import { readCounters } from "../../src/interpreter/counters.ts";
import { define } from "../support/define.ts";

const { builtins } = python;

const py = define(`
import weakref

class Thing:
    def __init__(self, name="x"): self.name = name
    def method(self, a): return (self.name, a)
    def __repr__(self): return "<Thing %s>" % self.name

class Plain: pass

def refer(value): return weakref.ref(value)
def is_alive(reference): return reference() is not None
`);

test("a proxy is used until its last hold is given up, and then says what it was", async () => {
  const make = () => py.Thing("held");
  const thing = make(), reference = py.refer(thing);
  assertStrictEquals(thing.$copy(), thing);
  thing.$destroy();
  assertEquals(thing.name, "held");
  assertStrictEquals(reference(), thing); // handed out once more
  thing.$destroy();
  assertEquals(thing.name, "held");
  thing.$destroy();
  const uses = [
    () => thing.name,
    () => thing.method(1),
    () => builtins.len(thing),
    () => String(thing),
    () => thing.x = 1,
    () => thing.$get(0),
  ];
  for (const use of uses) assertThrows(use, TypeError, "Thing");
  assertStringIncludes(inspect(thing), "Thing");
  thing.$destroy();
  await python.import("asyncio").sleep(0);
  assertStrictEquals(reference(), null);
});

test("using gives up one hold, everywhere", async () => {
  const dispose = (Symbol as { dispose?: symbol }).dispose,
    asyncDispose = (Symbol as { asyncDispose?: symbol }).asyncDispose;
  if (!dispose || !asyncDispose) return console.log("skip: this runtime has no Symbol.dispose");
  const thing = py.Thing();
  thing.$copy();
  thing[dispose]();
  assertEquals(thing.name, "x");
  await thing[asyncDispose]();
  assertThrows(() => thing.name, TypeError, "destroyed");
});

test("a destroyed proxy does not end another's use, and the object gets a new one", () => {
  const list = python.exec("kept = [1]\nkept", { globals: py.__dict__ });
  list.$destroy();
  assertThrows(() => list[0], TypeError, "it was a list");
  const again = py.kept;
  assert(again !== list);
  assertEquals(again[0], 1);
});

test("destroyed coroutines and functions say so, too", async () => {
  const coroutine = python.import("asyncio").sleep(0);
  coroutine.$destroy();
  await assertRejects(async () => await coroutine, TypeError, "destroyed");
  const error = await assertRejects(async () => await python.execAsync("await c", { globals: { c: coroutine } })) as Error;
  assertStringIncludes(error.message, "destroyed");
  const fn = python.exec("lambda: 1");
  fn.$destroy();
  assertThrows(() => fn(), TypeError, "function");
});

test("what is collected here is released there", async () => {
  const { gc } = globalThis as { gc?: () => void };
  assert(gc);
  const reference = (() => py.refer(py.Plain()))();
  assertEquals(py.is_alive(reference), true);
  for (let i = 0; i < 200 && py.is_alive(reference); i++) {
    await new Promise((resolve) => setTimeout(resolve));
    gc();
  }
  assertEquals(py.is_alive(reference), false);
});

test("types that are made on the fly die with their objects", async () => {
  const made = define(`
import gc, weakref
types = weakref.WeakSet()
def make():
    class Job: payload = bytearray(100_000)
    types.add(Job)
    return Job()
def alive(): gc.collect(); return len(types)
`);
  for (let i = 0; i < 50; i++) made.make().$destroy();
  for (let i = 0; i < 100 && made.alive() > 1; i++) await collect();
  assert(made.alive() <= 1, `${made.alive()} of 50 types are alive`);
});

const counted = define(`
alive = most = 0
class Thing:
    def __init__(self):
        global alive, most
        alive += 1
        most = max(most, alive)
    def __del__(self):
        global alive
        alive -= 1
def make(): return Thing()
def counts(): return "%d alive, at most %d" % (alive, most)
def each(n, f):
    for i in range(n): f(i)
    return counts()
class Key:
    def __init__(self, f): self.f = f
    def __hash__(self): return self.f() or 0
def names(*values): return [type(value).__name__ for value in values]
class Finalized:
    def __init__(self, f): self.f = f
    def __del__(self): self.f()
async def ask(f): return type(await f()).__name__
`);

test("what was given up is released before the next call returns, also in a synchronous loop", () => {
  for (let i = 0; i < 100; i++) counted.make().$destroy();
  assertEquals(counted.counts(), "0 alive, at most 1");
  for (let i = 0; i < 100; i++) tidy(() => void counted.make());
  assertEquals(counted.counts(), "0 alive, at most 1");
  counted.each(100, () => counted.make().$destroy()); // in a function that Python calls
  assertEquals(counted.counts(), "0 alive, at most 1");
  assertEquals(
    attach(() => {
      for (let i = 0; i < 100; i++) counted.make().$destroy();
      return counted.counts();
    }),
    "0 alive, at most 1",
  );
});

test("a file that is given up is closed, and so written", () => {
  const path = join(mkdtempSync(join(tmpdir(), "pyawait-given-up-")), "text");
  const file = python.builtins.open(path, "w");
  tidy(() => void file.write("text"));
  file.$destroy();
  counted.counts();
  assertEquals(readFileSync(path, "utf8"), "text");
});

test("what a message borrows outlives it, though it is given up meanwhile", async () => {
  const given = counted.make();
  const destroys = {
    get now() {
      given.$destroy();
      counted.counts(); // a call while the other's arguments are written
      return 1;
    },
  };
  assertEquals(toJs(counted.names(given, destroys)), ["Thing", "dict"]);
  const second = counted.make();
  const key = counted.Key(() => {
    second.$destroy();
    counted.counts(); // ... while they are read
  });
  assertEquals(toJs(counted.names(new Map([[key, 1]]), second)), ["dict", "Thing"]);
  const third = counted.make(), loop = python.import("asyncio").get_running_loop(), { sleep } = python.import("time");
  const giveUp = (resolve: () => void) => {
    third.$destroy();
    counted.counts(); // ... while an answer is on its way
    resolve();
  };
  const givenUp = new Promise<void>((resolve) => setTimeout(giveUp, 5, resolve));
  const answer = async () => {
    loop.call_soon_threadsafe(sleep, 0.05);
    return await third;
  };
  assertEquals(await counted.ask(answer), "Thing");
  await givenUp;
  key.$destroy();
  const { sleep: sleepAsync } = python.import("asyncio"); // until JavaScript has heard that the answer was read
  for (let i = 0; i < 100 && counted.counts() !== "0 alive, at most 1"; i++) await sleepAsync(0.005);
  assertEquals(counted.counts(), "0 alive, at most 1");
});

test("a finalizer may call JavaScript, which gives up more", () => {
  let calls = 0;
  const chain = (n: number): PyProxy =>
    counted.Finalized(() => {
      calls++;
      if (n > 0) chain(n - 1).$destroy();
      counted.make().$destroy();
    });
  chain(5).$destroy();
  for (let i = 0; i < 10; i++) counted.counts();
  assertEquals([calls, counted.counts()], [6, "0 alive, at most 1"]);
});

test("what is given up while a call cannot be written is released with the next", () => {
  counted.make().$destroy();
  assertThrows(() => counted.names(Symbol("no")), TypeError);
  assertEquals(counted.counts(), "0 alive, at most 1");
});

test("giving up needs no call", () => {
  const objects = Array.from({ length: 10 }, () => counted.make());
  const before = readCounters().attaches;
  for (const object of objects) object.$destroy();
  assertEquals(readCounters().attaches, before);
});

test("what belongs to an event loop is released on the loop's thread", async () => {
  const { Signal, threads } = define(`
import asyncio, threading
threads = []
class Signal(asyncio.Event):
    def __del__(self): threads.append(threading.get_ident())
`);
  Signal().$destroy();
  counted.counts();
  assertEquals(toJs(threads), []); // not by a synchronous call
  await python.import("asyncio").sleep(0);
  assertEquals(toJs(threads), [python.import("threading").main_thread().ident]);
});
