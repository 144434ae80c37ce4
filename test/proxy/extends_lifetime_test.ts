/**
 * How long objects of JavaScript classes that extend Python classes live, and the threads that use them.
 */
import { test } from "node:test";
import {
  attach,
  intoPromise,
  kw,
  type PyProxy,
  python,
  registerJsModule,
  tidy,
  toJs,
  toLoop,
  toThread,
  unregisterJsModule,
} from "../../mod.ts";
import { assert, assertEquals, assertThrows } from "#std/assert";
import { leaveUnheld } from "../../src/proxy/halves.ts";
import { child } from "../support/child.ts";
import { collect } from "../support/collect.ts";
import { defineToExtend } from "../support/extended.ts";

// deno-lint-ignore no-explicit-any -- what Python passes is what Python decides
type Value = any;

const { py, run, execute } = defineToExtend(`
living = weakref.WeakSet()

class Remembering:
    all = []
    def remember(self): Remembering.all.append(self)
`);
const { builtins } = python;

test("Python's threads and event loops make objects and call methods", async () => {
  class Worker extends (py.Virtual as PyProxy) {
    #n: number;
    constructor(n: number) {
      super();
      this.#n = n;
    }
    work(times: number) {
      return this.#n * times;
    }
    async later() {
      return await Promise.resolve(this.#n);
    }
  }
  const code = "w = W(7)\nresult = [w.work(3), type(w) is W]";
  assertEquals(toJs(await toThread(py.execute, [code, kw({ W: Worker })])), [21, true]);
  const made = await toLoop(Worker as Value, [5]) as Value;
  assertEquals([made instanceof Worker, made.work(2), await intoPromise(run("w.later()", { w: made }))], [true, 10, 5]);
  assertEquals(await python.execAsync("await W(9).later()", { globals: { W: Worker } }), 9);
});

test("objects that belong to an event loop are made and used on its thread", async () => {
  class Counted extends (python.import("asyncio").Queue as PyProxy) {
    #put = 0;
    put_nowait(item: unknown) {
      this.#put++;
      return super.put_nowait(item);
    }
    async get() {
      return `got ${await super.get()}`;
    }
    count() {
      return this.#put;
    }
  }
  const queue: Value = new Counted(5), waiting = queue.get();
  queue.put_nowait("a");
  await queue.put("b"); // Python's put calls put_nowait
  assertEquals([await waiting, await queue.get(), queue.count()], ["got a", "got b", 2]);
  const code = "q = C(1)\nawait q.put(1)\n[await q.get(), q.count(), type(q) is C]";
  assertEquals(toJs(await python.execAsync(code, { globals: { C: Counted } })), ["got 1", 1, true]);
});

class Cell extends (py.Plain as PyProxy) {
  #value: number;
  constructor(value: number) {
    super();
    this.#value = value;
    py.living.add(this);
  }
  value() {
    return #value in this ? this.#value : undefined;
  }
}

/** Collects until Python has no more than `count` Cells, or it takes too long. */
async function collectTo(count: number): Promise<number> {
  for (let i = 0; i < 50 && py.living.__len__() > count; i++) {
    await collect();
    attach(() => {}); // releases what was collected
  }
  return py.living.__len__();
}

test("an object that only Python holds keeps its private fields", async () => {
  const holder = builtins.list();
  for (let i = 0; i < 200; i++) holder.append(new Cell(i));
  leaveUnheld();
  await collectTo(0);
  assertEquals(run("sum(c.value() for c in h)", { h: holder }), 19900);
  holder.clear();
  leaveUnheld();
  assert(await collectTo(5) <= 5, "Cells that nothing holds are still there");
});

test("objects that only JavaScript has held are released", async () => {
  const make = () => {
    for (let i = 0; i < 2000; i++) new Cell(i);
  };
  make();
  const living = await collectTo(200);
  assert(living <= 200, `${living} of 2000 Cells are still there`);
});

test("an object that is passed to Python after all is kept again", async () => {
  const passed: [name: string, pass: (cell: Value, holder: Value) => void][] = [
    ["as an argument", (cell, holder) => holder.append(cell)],
    ["as self", (cell) => cell.remember()],
    ["in a container", (cell, holder) => holder.extend([cell])],
  ];
  for (const [how, pass] of passed) {
    const holder = how === "as self" ? py.Remembering.all : builtins.list();
    class Kept extends (py.Remembering as PyProxy) {
      #value = 5;
      value() {
        return #value in this ? this.#value : undefined;
      }
    }
    const use = () => {
      const cell = new Kept();
      leaveUnheld();
      pass(cell, holder);
    };
    use();
    for (let i = 0; i < 5; i++) await collect();
    assertEquals(holder[0].value(), 5, how);
  }
});

test("$destroy breaks a circle through both halves", async () => {
  const before = await collectTo(0);
  const cell: Value = new Cell(1);
  cell.me = cell;
  assertEquals(py.living.__len__(), before + 1);
  cell.$destroy();
  python.import("gc").collect();
  assertEquals(py.living.__len__(), before);
  assertThrows(() => cell.value(), TypeError, "destroyed: it was a Cell");
});

test("copies and tidied objects are halves without what the constructor made", () => {
  const cell: Value = new Cell(1);
  cell.mark = 2;
  const copied = run("copy.copy(c)", { c: cell });
  assertEquals([copied instanceof Cell, copied.mark, copied.value(), cell.value()], [true, 2, undefined, 1]);
  assertEquals(tidy(() => new Cell(3)).value(), 3);
  const list = builtins.list();
  tidy(() => void list.append(new Cell(4)));
  assertEquals([list[0] instanceof Cell, list[0].value()], [true, undefined]);
});

test("pickle finds a class in the JavaScript module that exports it", () => {
  class Order extends (py.Plain as PyProxy) {
    static __module__ = "shop";
    count = 2;
    double() {
      return this.count * 2;
    }
  }
  registerJsModule("shop", { Order });
  const again = execute("import pickle\nresult = pickle.loads(pickle.dumps(o))", { o: new Order() });
  assertEquals([again instanceof Order, again.double()], [true, 4]);
  unregisterJsModule("shop");
});

test("a Worker uses and extends another thread's class", async () => {
  const { code, stdout, stderr } = await child("extends");
  assertEquals([code, stdout.trimEnd().split("\n")], [0, [
    "Own 1 Base a 3 5 true",
    "Own 1 Base b 7 1 true",
    "Far 9 Own 1 Base c 8 5 true Near Base d",
    "Own 2 Base main",
    "JavaScriptEnded",
  ]], stderr);
});
