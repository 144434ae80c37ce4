/**
 * `pyawait/testing`: each test runs on a loop of its own; what it leaves running is named, unless the test itself fails.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { getCurrentLoop, intoAsyncIterable, intoPromise, promiseIntoPy, type PyProxy, python, toLoop, toThread } from "../../mod.ts";
import { isolated, LeftoverError } from "../../testing.ts";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { runtime } from "../support/child.ts";
import { define } from "../support/define.ts";

const py = define(`
import asyncio, sys, threading, types

log = []

async def where(): return asyncio.get_running_loop()

async def sleeper():
    try: await asyncio.sleep(3600)
    finally: log.append("cleaned")

async def stubborn(times):
    while times:
        try: await asyncio.sleep(3600)
        except asyncio.CancelledError: times -= 1

async def leave_stubborn(times):
    asyncio.ensure_future(stubborn(times))
    await asyncio.sleep(0)

async def ticks():
    while True:
        yield 1
        await asyncio.sleep(0)

def block(event): event.wait(5)
event = threading.Event()

async def leave(count=1):
    for _ in range(count): asyncio.ensure_future(sleeper())

async def fail(text):
    raise KeyError(text)

async def leave_exception(text):
    asyncio.ensure_future(fail(text))
    await asyncio.sleep(0)

async def leave_future(text):
    asyncio.get_running_loop().create_future().set_exception(KeyError(text))

async def fail_in_callback(text):
    def callback(): raise KeyError(text)
    asyncio.get_running_loop().call_soon(callback)
    await asyncio.sleep(0)

async def finish():
    task = asyncio.ensure_future(asyncio.sleep(0))
    await task
    cancelled = asyncio.ensure_future(asyncio.sleep(3600))
    await asyncio.sleep(0)
    cancelled.cancel()
    retrieved = asyncio.ensure_future(fail("retrieved"))
    await asyncio.gather(retrieved, return_exceptions=True)

class Loop(asyncio.SelectorEventLoop): pass
sys.modules["isolated_loops"] = types.SimpleNamespace(make=Loop)
def is_mine(loop): return isinstance(loop, Loop)
`);

const leftovers = async (fn: () => unknown) => {
  const error = await assertRejects(isolated(fn), LeftoverError) as LeftoverError;
  assertEquals(error.name, "LeftoverError");
  for (const each of error.leftovers) assert(error.message.includes(each));
  return error.leftovers;
};

let first: PyProxy;

test(
  "each isolated test has a loop of its own, here as the runner calls it",
  isolated(async () => {
    first = getCurrentLoop();
    assertStrictEquals(await py.where(), first);
    await new Promise((resolve) => setTimeout(resolve, 1));
    assertStrictEquals(await py.where(), first);
  }),
);

test(
  "and the next one has another, while that of the last is closed",
  isolated(async () => {
    assertEquals([first.is_closed(), await py.where() === first, getCurrentLoop().is_closed()], [true, false, false]);
  }),
);

test("a test that leaves nothing passes", async () => {
  await isolated(() => py.finish())();
  await isolated(() => {})();
  await isolated(() => promiseIntoPy(Promise.resolve(1)))();
});

test("tasks that are still running are named, and are cancelled", async () => {
  const [left, ...others] = await leftovers(() => py.leave());
  assertMatch(left, /^the task .* of sleeper \(.*test_module\.py:\d+\) is still running$/);
  assertEquals(others, []);
  assertEquals((await leftovers(() => py.leave(3))).length, 3);
  await leftovers(() => void intoPromise(py.sleeper(), { signal: null }).catch(() => {}));
  assertEquals(py.log.__len__(), 5);
});

test("a task that ignores its cancellation, once or for ever, is named and does not hold up the test", async () => {
  for (const times of [1, 2, 1_000_000]) {
    const left = await leftovers(() => py.leave_stubborn(times));
    assertMatch(left.join(), /^the task \S+ of stubborn \(test_module.py:\d+\) is still running$/);
  }
});

test("what JavaScript has left running is named by what is the user's", async () => {
  const left = async (fn: () => unknown) =>
    (await leftovers(fn)).map((each) => each.replace(/^the task \S+ of (.*) is still running$/, "$1"));
  const iterators: unknown[] = [];
  assertMatch(
    (await left(async () => {
      const iterator = intoAsyncIterable(py.ticks(), { signal: null });
      iterators.push(iterator); // one that is dropped would be ended
      await iterator.next();
    })).join(),
    /^ticks \(test_module.py:\d+\)$/,
  );
  const pass = (promise: Promise<unknown>) => void promise.catch(() => {});
  assertMatch((await left(() => pass(toThread(py.block, [py.event], { signal: null })))).join(), /^block \(test_module.py:\d+\)$/);
  py.event.set();
  assertEquals(await left(() => pass(toThread(python.import("time").sleep, [0.5], { signal: null }))), ["sleep"]);
  assertMatch((await left(() => pass(toLoop(py.sleeper, [], { signal: null })))).join(), /^sleeper \(test_module.py:\d+\)$/);
  const code = "import asyncio\nawait asyncio.sleep(3600)";
  assertEquals(await left(() => pass(python.execAsync(code, { signal: null, filename: "script.py" }))), ["<module> (script.py:2)"]);
  const never = async function never() {
    await new Promise(() => {});
  };
  assertEquals(
    await left(() => python.execAsync("asyncio.ensure_future(never())\nNone", { globals: { never, asyncio: python.import("asyncio") } })),
    ["never"],
  );
});

test("exceptions that nobody retrieved are named", async () => {
  for (const leave of [py.leave_exception, py.leave_future, py.fail_in_callback]) {
    const left = await leftovers(() => leave("from inside"));
    assertEquals(left.length, 1);
    assertMatch(left[0], /KeyError\('from inside'\)/);
  }
});

test("a rejected Promise that Python never awaited is named", async () => {
  const left = await leftovers(async () => {
    await toLoop(python.exec("def drop(promise): pass\ndrop"), [Promise.reject(new RangeError("not awaited"))]);
    for (let round = 0; round < 20; round++) await toLoop(python.import("gc").collect);
  });
  assertMatch(left.join(), /not awaited/);
});

test("the test's own failure comes first", async () => {
  const error = new RangeError("its own");
  const fails = isolated(async () => {
    await py.leave();
    throw error;
  });
  assertStrictEquals(await assertRejects(fails), error);
  assertStrictEquals(
    await assertRejects(isolated(() => {
      throw error;
    })),
    error,
  );
});

test("isolated tests that run at once do not see each other's leftovers", async () => {
  const outcomes = await Promise.allSettled([
    isolated(() => py.leave())(),
    isolated(() => py.finish())(),
    isolated(() => py.leave(2))(),
    isolated(() => python.import("asyncio").sleep(0.02))(),
  ]);
  assertEquals(outcomes.map((outcome) => outcome.status === "fulfilled" ? 0 : (outcome.reason as LeftoverError).leftovers.length), [
    1,
    0,
    2,
    0,
  ]);
});

test("the test gets what the runner gives, and looks as if it took nothing", async () => {
  let given: unknown[] = [];
  const fn = isolated((...args: unknown[]) => void (given = args));
  assertEquals(fn.length, 0);
  const context = { name: "context" };
  await fn(context, 5);
  assertStrictEquals(given[0], context);
  assertEquals(given[1], 5);
});

test("the loop option, and misuse", async () => {
  await isolated(async () => assertEquals(py.is_mine(await py.where()), true), { loop: "isolated_loops:make" })();
  for (const wrong of [undefined, 5, "test"]) assertThrows(() => isolated(wrong as never), TypeError, "takes a test function");
  const error = assertThrows(() => isolated(() => {}, { loop: "twisted" }));
  assertInstanceOf(error, TypeError);
});

for (const [runner, args] of [["deno", ["test", "-A", "--no-check"]], ["bun", ["test"]]] as const) {
  const skip = runtime !== runner && `isolated under "${runner} test" is tested on ${runner}`;
  if (skip) console.log(`skip: ${skip}`);
  test(`isolated under "${runner} test"`, { skip }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...args, "./test/children/runner.ts"], {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    const output = stripVTControlCharacters(stdout + stderr);
    assertEquals(status, 1, output);
    assertMatch(
      output,
      /LeftoverError: The test left something behind on its event loop:\n {2}- the task \S+ of sleep \(.*\) is still running/,
    );
    assertMatch(output, /\b1 pass(ed)?\b/);
    assertMatch(output, /\b1 fail(ed)?\b/);
  });
}
