/**
 * `ended_loops COUNT`: so many loops, each of which awaits JavaScript and is awaited by it when it ends. Prints what is left
 * of them: buffers of turns, awaits that are served, pinned answers, memory.
 */
import process from "node:process";
import { asyncDef, intoPromise, type PyProxy, python, TaskLocals, toThread } from "../../mod.ts";
import { countServed } from "../../src/async/serve.ts";
import { heap } from "../../src/interpreter/heap.ts";
import { countHandles } from "../../src/interpreter/js_handles.ts";

// deno-lint-ignore no-explicit-any
const main: any = python.exec(`
import asyncio, gc, sys
def rounds(n, js, held):
    async def one():
        await js(1)
        asyncio.get_running_loop().call_soon(asyncio.get_running_loop().stop)
        await held(asyncio.get_running_loop())
    for _ in range(n):
        loop = asyncio.new_event_loop()
        task = loop.create_task(one())
        task._log_destroy_pending = False
        loop.run_forever()
        loop.close()
def living(): return sum(isinstance(each, (asyncio.Task, asyncio.AbstractEventLoop)) for each in gc.get_objects())
async def never(js): await js()
sys.modules["__main__"]`);

/** Collects the garbage of both: an error in JavaScript keeps Python's frames, and those keep JavaScript's values. */
async function collect(): Promise<void> {
  (globalThis as { gc?(): void }).gc?.();
  (globalThis as { Bun?: { gc(full: boolean): void } }).Bun?.gc(true);
  await new Promise((resolve) => setTimeout(resolve, 10));
  main.gc.collect();
  await main.asyncio.sleep(0);
}

/** Nothing of JavaScript's is left in Python. */
async function allGivenBack(): Promise<void> {
  while (countHandles() > 0) await collect();
}

const count = Number(process.argv[2]);
let rejected = 0;
const js = asyncDef(async () => {});
const held = asyncDef((loop: PyProxy) => {
  const locals = new TaskLocals(loop);
  for (let i = 0; i < 2; i++) intoPromise(main.never(asyncDef(() => new Promise(() => {}))), { locals }).catch(() => rejected++);
  return new Promise(() => {});
});
await toThread(main.rounds, [500, js, held]); // and the runtime's own memory grows at first
await allGivenBack();
const before = { living: main.living(), memory: process.memoryUsage().rss };
await toThread(main.rounds, [count, js, held]);
while (rejected < 2 * (500 + count) || main.living() > before.living + 10) await collect();
await allGivenBack();
const { serving, pinned } = countServed();
const megabytes = (process.memoryUsage().rss - before.memory) / (1 << 20);
console.log(heap.turns.size, serving, pinned, megabytes < 250 ? "flat" : megabytes);
