/**
 * Errors that no code handles: what Python's hooks are told of JavaScript's, and what is no unhandledRejection.
 */
import process from "node:process";
import { test } from "node:test";
import { python, toJs, toLoop, toThread } from "../../mod.ts";
import { assertEquals, assertMatch, assertRejects } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define } from "../support/define.ts";

const asyncio = python.import("asyncio");

const py = define(`
import asyncio, gc, threading

handled = []

def watch(debug=False):
    loop = asyncio.get_running_loop()
    loop.set_debug(debug)
    loop.slow_callback_duration = 3600
    loop.set_exception_handler(lambda loop, context: handled.append("%s: %r" % (context["message"], context.get("exception"))))

async def settle_handled():
    for _ in range(3):
        gc.collect()
        await asyncio.sleep(0)
    result = handled[:]
    handled.clear()
    return result

def drop(promise): pass

async def caught(f):
    try: await f()
    except BaseException as error: return [type(error).__name__, str(error), error]
    return ["nothing"]

async def caught_later(awaitable):
    await asyncio.sleep(0.01)  # turns of JavaScript in which it is not awaited
    return await caught(lambda: awaitable)
`);

test("errors of callbacks and threads that nobody awaits go where Python sends them", async () => {
  await toLoop(py.watch);
  const fail = () => {
    throw new RangeError("in a callback");
  };
  const loop = await toLoop(asyncio.get_running_loop);
  loop.call_soon_threadsafe(fail);
  let told: string[] = [];
  for (let round = 0; round < 100 && told.length === 0; round++) told = toJs(await py.settle_handled()) as string[];
  assertEquals(told.length, 1);
  assertMatch(told[0], /Exception in callback.*in a callback/s);
  const seen: unknown[] = [];
  const { threading } = py, before = threading.excepthook;
  threading.excepthook = (args: { exc_value: unknown }) => void seen.push(String(args.exc_value));
  const thread = threading.Thread(null, fail);
  thread.start();
  await toThread(thread.join);
  threading.excepthook = before;
  assertEquals(seen.length, 1);
  assertMatch(String(seen[0]), /in a callback/);
});

test("a rejected Promise that was given to Python and never awaited is reported to the loop's exception handler", async () => {
  await toLoop(py.watch);
  await toLoop(py.drop, [Promise.reject(new RangeError("never awaited"))]);
  py.drop(Promise.reject(new RangeError("never awaited, from a call")));
  py.drop(Promise.reject(Symbol("never awaited"))); // which has no counterpart in Python
  const told: string[] = [];
  for (let round = 0; round < 100 && told.length < 3; round++) {
    await collect();
    told.push(...toJs(await py.settle_handled()) as string[]);
  }
  assertEquals(told.map((text) => /never awaited: JsException\(.*never awaited/.test(text)), [true, true, true], told.join("\n"));
  const awaited = Promise.reject(new RangeError("awaited"));
  await assertRejects(() => python.execAsync("await promise", { globals: { promise: awaited } }), RangeError, "awaited");
  for (let round = 0; round < 5; round++) await collect();
  assertEquals(toJs(await py.settle_handled()), []);
});

test("a rejected Promise that Python holds is Python's to handle", async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", listen);
  const [name, text] = await py.caught_later(Promise.reject(new RangeError("held")));
  process.off("unhandledRejection", listen);
  assertEquals([name, text, unhandled], ["JsException", "RangeError: held", []]);
});
