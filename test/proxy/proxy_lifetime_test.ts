/**
 * How long a PyProxy holds its object: `$copy`, `$destroy`, `using`, what a destroyed one says, and garbage collection.
 */
import { test } from "node:test";
import { inspect } from "node:util";
import { python } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
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
  assertThrows(() => list[0], TypeError, "[1]");
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
