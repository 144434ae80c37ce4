/**
 * Where Python code runs: `toLoop` on the loop's thread, `toThread` on a thread that may block, `execAsync` for statements
 * with `await`.
 */
import { test } from "node:test";
import { kw, python, PythonError, toJs, toLoop, toThread } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const asyncio = python.import("asyncio");
const { main_thread, get_ident } = python.import("threading");

const py = define(`
import asyncio

async def add(a, b): return a + b

async def add_later(a, b):
    await asyncio.sleep(0)
    return a + b

class Answer:
    def __init__(self, value): self.value = value
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        return self.value

def has_task(): return asyncio.current_task() is not None
def raise_it(error): raise error
`);

test("toLoop calls on the loop's thread, in a task", async () => {
  assertEquals(await toLoop(get_ident), main_thread().ident);
  assertEquals(toJs(await toLoop(python.builtins.sorted, [[2, 1, 3], kw({ reverse: true })])), [3, 2, 1]);
  assertEquals(await toLoop(py.add, [1, kw({ b: 2 })]), 3);
  assertEquals((await toLoop(asyncio.Event)).is_set(), false);
  assertEquals(await toLoop(py.Answer, [42]), 42);
  assertEquals(await toLoop(py.has_task), true);
  await assertRejects(() => toLoop(py.raise_it, [python.builtins.ValueError("no")]), PythonError, "no");
  assertEquals((await assertRejects(() => toLoop(5)) as Error).name, "TypeError");
  assertThrows(() => toLoop(py.add, "a" as never), TypeError, "the arguments have to be an Array");
});

test("toThread calls on a thread of its own", async () => {
  const ident = await toThread(get_ident);
  assert(ident !== main_thread().ident && ident !== get_ident());
  assertEquals(toJs(await toThread(python.builtins.sorted, [[2, 1, 3], kw({ reverse: true })])), [3, 2, 1]);
  await assertRejects(() => toThread(py.raise_it, [python.builtins.ValueError("no")]), PythonError, "no");
  assertEquals((await assertRejects(() => toThread(5)) as Error).name, "TypeError");
  assertThrows(() => toThread(py.raise_it, 5 as never), TypeError, "the arguments have to be an Array");
});

test("what blocks in toThread stops neither loop", async () => { // T3
  const event = python.import("threading").Event();
  const blocked = toThread(event.wait);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  while (turns < 3) assertEquals(await py.add_later(1, 2), 3);
  clearInterval(timer);
  event.set();
  assertEquals(await blocked, true);
});

test("execAsync runs statements with await on the loop", async () => {
  assertEquals(await python.execAsync("import asyncio\nawait asyncio.sleep(0, 'slept')"), "slept");
  assertEquals(await python.execAsync("1 + 1"), 2);
  assertEquals(await python.execAsync("value = 1"), null);
  assertEquals(await python.execAsync(""), null);
  assertEquals(await python.execAsync("import threading\nthreading.get_ident()"), main_thread().ident);
  assertEquals(
    await python.execAsync(
      `
      total = 0
      async def numbers():
          for n in range(4): yield n
      async for n in numbers():
          total += n
      total
    `,
      { globals: {} },
    ),
    6,
  );
  assertEquals(
    await python.execAsync("await f(20) + x", { globals: { f: async (n: number) => await n * 2, x: 2 } }),
    42,
  );
});

test("execAsync keeps its globals and names its file", async () => {
  const globals = python.builtins.dict();
  await python.execAsync("import asyncio\nanswer = await asyncio.sleep(0, 42)", { globals });
  assertEquals(globals.$get("answer"), 42);
  const error = await assertRejects(
    () => python.execAsync("await nothing()", { filename: "named.py" }),
    PythonError,
    "nothing",
  ) as PythonError;
  assertStringIncludes(error.traceback, 'File "named.py", line 1');
  assertEquals((await assertRejects(() => python.execAsync("await (")) as Error).name, "SyntaxError");
  await assertRejects(() => python.execAsync(1 as unknown as string), TypeError, "string");
});
