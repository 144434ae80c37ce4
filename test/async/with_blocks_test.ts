/**
 * Python's `with` and `async with`: values, errors, timeouts, task groups and cancel scopes.
 */
import { test } from "node:test";
import { enter, enterAsync, getCurrentSignal, python, PythonError, toJs, toLoop } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { define, isAtLeast } from "../support/define.ts";

const asyncio = python.import("asyncio");

const py = define(`
import asyncio

async def sleep(seconds): return await asyncio.sleep(seconds, "value")

def left(): return [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]

class Swallows:
    def __init__(self): self.log = []
    def __enter__(self): self.log.append("enter"); return self
    def __exit__(self, kind, error, trace): self.log.append("exit %s" % (kind and kind.__name__)); return kind is KeyError
    __aenter__ = lambda self: self._async(self.__enter__)
    def __aexit__(self, *args): return self._async(self.__exit__, *args)
    async def _async(self, function, *args):
        await asyncio.sleep(0)
        return function(*args)

def raise_key_error(): raise KeyError("mine")

class Scope:
    """A cancel scope as anyio has it: it cancels its own task, and swallows that at its end."""
    async def __aenter__(self):
        self.task, self.cancelled = asyncio.current_task(), False
        return self
    def cancel(self):
        self.cancelled = True
        self.task.get_loop().call_soon_threadsafe(self.task.cancel)
    async def __aexit__(self, kind, error, trace):
        assert asyncio.current_task() is self.task
        return self.cancelled and kind is asyncio.CancelledError

async def add_task(group, function): return [group.create_task(function())]
`);

const turn = (ms = 0) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const left = async () => toJs(await toLoop(py.left));
const aborted = (signal: AbortSignal | undefined) =>
  new Promise<void>((resolve) => signal!.aborted ? resolve() : signal!.addEventListener("abort", () => resolve()));

test("enter: the value, the result, the error that __exit__ swallows and the one that it does not", () => {
  const manager = py.Swallows();
  assertEquals(enter(manager, (value: unknown) => [value === manager, toJs(manager.log)]), [true, ["enter"]]);
  assertEquals(enter(manager, () => py.raise_key_error()), undefined);
  const error = new RangeError("through");
  assertStrictEquals(
    assertThrows(() =>
      enter(manager, () => {
        throw error;
      })
    ),
    error,
  );
  assertEquals(toJs(manager.log), ["enter", "exit None", "enter", "exit KeyError", "enter", "exit JsException"]);
  assertThrows(() => enter(manager, (async () => {}) as () => unknown), TypeError, "enterAsync");
  assertThrows(() => enter(5, () => 1), PythonError);
  assertThrows(() => enter(manager, 5 as never), TypeError, "takes a function");
});

test("enterAsync: the same, on one task", async () => {
  const manager = py.Swallows();
  assertEquals(
    await enterAsync(manager, async (value) => {
      await turn(1);
      return value === manager;
    }),
    true,
  );
  assertEquals(await enterAsync(manager, () => "not asynchronous"), "not asynchronous");
  assertEquals(await enterAsync(manager, () => py.raise_key_error()), undefined);
  const error = new RangeError("through");
  assertStrictEquals(await assertRejects(() => enterAsync(manager, () => Promise.reject(error))), error);
  assertEquals((toJs(manager.log) as string[]).filter((text) => text.startsWith("exit")), [
    "exit None",
    "exit None",
    "exit KeyError",
    "exit JsException",
  ]);
  await assertRejects(() => enterAsync(5, () => 1), PythonError);
  await assertRejects(() => enterAsync(manager, 5 as never), TypeError, "takes a function");
});

test("enterAsync: aborting its signal cancels the function and runs __aexit__", async () => {
  const manager = py.Swallows(), controller = new AbortController();
  const ended = assertRejects(() =>
    enterAsync(manager, async () => {
      const signal = getCurrentSignal();
      setTimeout(() => controller.abort("enough"), 2);
      await aborted(signal);
    }, { signal: controller.signal })
  );
  assertEquals(await ended as unknown, "enough");
  assertEquals(toJs(manager.log), ["enter", "exit CancelledError"]);
});

test("enterAsync: a cancel scope cancels what is inside, and swallows that", async () => {
  let signal: AbortSignal | undefined;
  const result = await enterAsync(py.Scope(), async (cancelScope) => {
    signal = getCurrentSignal();
    setTimeout(() => cancelScope.cancel(), 2);
    await py.sleep(3600);
  });
  assertEquals([result, signal!.aborted, await left()], [undefined, true, []]);
});

test("enterAsync calls a callable first, on the task that enters what it returns", async () => {
  const seen = define(`
import asyncio
from contextlib import asynccontextmanager

tasks = []

class Manager:
    def __init__(self): tasks.append(asyncio.current_task())
    async def __aenter__(self):
        tasks.append(asyncio.current_task())
        return "entered"
    async def __aexit__(self, *args): tasks.append(asyncio.current_task())

async def make_later():
    await asyncio.sleep(0)
    return Manager()

def fail(): raise LookupError("no manager")
def text(): return "no manager"

@asynccontextmanager
async def yields(): yield "yielded"

def same():
    one = len(tasks) == 3 and len(set(tasks)) == 1 and tasks[0] is not None
    tasks.clear()
    return one
`);
  for (const callable of [seen.Manager, seen.make_later, python.import("functools").partial(seen.Manager)]) {
    assertEquals(await enterAsync(callable, (value) => value), "entered");
    assertEquals(seen.same(), true);
  }
  assertEquals(await enterAsync(seen.yields, (value) => value), "yielded");
  const error = await assertRejects(() => enterAsync(seen.fail, () => 1), PythonError, "no manager") as PythonError;
  assertEquals(error.name, "LookupError");
  assertEquals(error.traceback.includes("pyawait/running.py"), false, error.traceback);
  await assertRejects(() => enterAsync(seen.text, () => 1), PythonError);
});

const noTimeouts = isAtLeast(3, 11) ? false : "asyncio.timeout and TaskGroup are new in 3.11";
if (noTimeouts) console.log(`skip: ${noTimeouts}`);

test("enterAsync: asyncio.timeout aborts the signal of the function inside", { skip: noTimeouts }, async () => {
  let signal: AbortSignal | undefined;
  const error = await assertRejects(async () =>
    await enterAsync(await toLoop(asyncio.timeout, [0.01]), async () => {
      signal = getCurrentSignal();
      await py.sleep(3600);
    }), PythonError) as PythonError;
  assertEquals([error.name, signal!.aborted, await left()], ["TimeoutError", true, []]);
  assertEquals(await enterAsync(await toLoop(asyncio.timeout, [60]), async () => await py.sleep(0.001)), "value");
});

test("enterAsync: a TaskGroup waits for its tasks, and one that fails cancels the function inside", { skip: noTimeouts }, async () => {
  let finished = false;
  await enterAsync(asyncio.TaskGroup(), async (group) => {
    await py.add_task(group, async () => {
      await turn(5);
      finished = true;
    });
  });
  assert(finished);
  let signal: AbortSignal | undefined;
  const error = await assertRejects(() =>
    enterAsync(asyncio.TaskGroup, async (group) => {
      signal = getCurrentSignal();
      await py.add_task(group, async () => {
        await turn(2);
        throw new RangeError("in the group");
      });
      await py.sleep(3600);
    })
  ) as AggregateError;
  assertMatch(String(error.errors?.[0]), /in the group/);
  assertEquals([signal!.aborted, await left()], [true, []]);
});
