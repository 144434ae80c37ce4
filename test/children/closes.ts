/**
 * A process that ends Python by python.close(): `closes CASE`.
 */
import process from "node:process";
import { inspect } from "node:util";
import { attach, intoPromise, type PyBuffer, python, toLoop, toThread } from "../../mod.ts";

const outcome = (promise: PromiseLike<unknown>) => promise.then((value) => String(value), (error: Error) => error.name);

// deno-lint-ignore no-explicit-any
function define(code: string): any {
  return python.exec(`import asyncio, atexit, sys, threading, time\n${code}\nsys.modules['__main__']`);
}

const cases: Record<string, () => Promise<void>> = {
  /** atexit calls and awaits JavaScript, reports what fails, and shows JavaScript values. */
  async atexit() {
    const main = define(`
def at_exit(call, sleep, fail):
    atexit.register(lambda: print(asyncio.run(awaits(sleep))))
    atexit.register(lambda: print(call(2)))
    atexit.register(fail)
    atexit.register(print, fail)
async def awaits(sleep): return await sleep(5)`);
    const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms, "slept"));
    const fail = function fail() {
      throw new RangeError("from JavaScript");
    };
    main.at_exit((x: number) => x * 2, async (ms: number) => await sleep(ms), fail);
    await python.close();
    console.log("closed");
  },

  /** Tasks are cancelled, their cleanup awaits JavaScript, atexit runs, Promises settle. */
  async cleanup() {
    const main = define(`
async def work(name, js):
    try:
        await asyncio.sleep(60)
    finally:
        print(name, await js(name))
atexit.register(lambda: print("atexit"))`);
    const log = async (name: string) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return await main.asyncio.sleep(0, `${name} cleaned up`);
    };
    const promises = ["a", "b"].map((name) => outcome(main.work(name, log)));
    const never = outcome(
      main.asyncio.get_running_loop ? python.execAsync("await asyncio.Event().wait()") : Promise.resolve(),
    );
    await main.asyncio.sleep(0.02);
    await python.close();
    console.log("closed");
    console.log((await Promise.all([...promises, never])).join(" "));
  },
  /** The console shows what is left of Python. */
  async shown() {
    const list = python.builtins.list([1]);
    await python.close();
    console.log(inspect([list]));
  },
  /** What JavaScript sees of Python's memory stays readable, and can be released. */
  async buffers() {
    const [one, two] = [1, 2].map((n) => python.builtins.bytearray(new Uint8Array([n])).$getBuffer() as PyBuffer);
    await python.close();
    one.release();
    console.log(one.data.length, two.data[0]);
  },
  /** A loop that is stuck is interrupted. */
  async spinning() {
    const main = define("def spin():\n  while True: pass");
    const spinning = outcome(toLoop(main.spin));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await python.close({ timeout: 100 });
    console.log(await spinning, "closed");
  },
  /** Every use afterwards says that Python is closed. */
  async later() {
    const main = define(`
class C:
    x = 1
async def f(): pass
async def wait(promise): await promise
async def call(js): await js()
def g(): pass
__import__("warnings").simplefilter("ignore", RuntimeWarning)  # of what is never awaited, on purpose
list_ = [1]
coroutine = f()
error = KeyError("k")`);
    const { f, g, list_, coroutine, error, C } = main;
    const item = list_[Symbol.iterator]();
    // deno-lint-ignore no-explicit-any
    let thrown: any;
    try {
      python.exec("{}['missing']");
    } catch (error) {
      thrown = error;
    }
    const unstarted = f();
    // What Python waited for may settle later.
    const late = (settle: (value: number) => void) => setTimeout(settle, 30, 1);
    main.wait(new Promise((resolve) => late(resolve))).catch(() => {});
    main.call(async () => await new Promise((_, reject) => late(reject))).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 5));
    await python.close();
    await python.close();
    const uses: Record<string, () => unknown> = {
      import: () => python.import("math"),
      exec: () => python.exec("1"),
      open: () => python.open(),
      info: () => python.info,
      version: () => python.version,
      builtins: () => python.builtins,
      ref: () => python.ref(),
      interrupt: () => python.interrupt(),
      attach: () => attach(() => 1),
      call: () => g(),
      construct: () => new C(),
      attribute: () => C.x,
      assign: () => (C.x = 2),
      delete: () => delete C.x,
      in: () => "x" in C,
      item: () => list_[0],
      $get: () => list_.$get(0),
      next: () => item.next(),
      string: () => String(error),
      keys: () => Reflect.ownKeys(C),
      toJs: () => list_.$toJs(),
      traceback: () => thrown.traceback,
      execAsync: () => python.execAsync("1"),
      intoPromise: () => intoPromise(coroutine),
      then: () => coroutine.then(() => {}),
      lazy: () => unstarted.then(() => {}),
      toLoop: () => toLoop(g),
      toThread: () => toThread(g),
    };
    const wrong = [];
    for (const [name, use] of Object.entries(uses)) {
      let got: unknown;
      try {
        got = await use();
      } catch (error) {
        got = (error as Error).name;
      }
      if (got !== "PythonClosedError") wrong.push(`${name}: ${String(got)}`);
    }
    console.log(wrong.join("\n") || "all closed");
    // What tells nothing of Python still works: a log of old values must not throw.
    console.log(typeof thrown.stack, typeof `${thrown}`);
    list_.$destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
  },
  /** A task that will not be cancelled, and a thread that will not end, are waited for no longer than the timeout. */
  async stuck() {
    const main = define(`
async def stubborn():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass`);
    const promises = [outcome(main.stubborn()), outcome(toThread(main.time.sleep, [20]))];
    await main.asyncio.sleep(0.02);
    const start = Date.now();
    await python.close({ timeout: 300 });
    const lasted = Date.now() - start;
    console.log(lasted < 2500 ? "in time" : `lasted ${lasted} ms`);
    console.log((await Promise.all(promises)).join(" "));
  },
  async unopened() {
    await python.close();
    try {
      python.open();
    } catch (error) {
      console.log((error as Error).name);
    }
  },
  /** JavaScript functions that Python threads wait for, and a busy thread. */
  async threads() {
    const main = define(`
def call_always(js):
    while True:
        js(1)
def spin():
    while True:
        pass
def thread(function, *args):
    threading.Thread(target=function, args=args, daemon=True).start()`);
    main.thread(main.spin);
    for (let i = 0; i < 3; i++) main.thread(main.call_always, (n: number) => n);
    await main.asyncio.sleep(0.05);
    await python.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log("closed");
  },
  /** Two at once are one. */
  async twice() {
    const main = define(`atexit.register(lambda: print("atexit"))`);
    main.asyncio.sleep(60).catch(() => {});
    await Promise.all([python.close(), python.close()]);
    console.log("closed");
  },
  async exit_meanwhile() {
    const main = define(`
async def work(js):
    try:
        await asyncio.sleep(60)
    finally:
        await js()
atexit.register(lambda: print("atexit"))`);
    main.work(async () => process.exit(3)).catch(() => {});
    await main.asyncio.sleep(0.02);
    await python.close();
  },
  /** What is asked of Python while it closes is refused; the functions that its cleanup calls are served. */
  async refuses() {
    const main = define(`
async def work(js):
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.05)
        print(js("sync"), await asyncio.wait_for(js_async("async"), 1))`);
    main.js_async = async (text: string) => text;
    const work = outcome(main.work((text: string) => text));
    await main.asyncio.sleep(0.02);
    const closing = python.close();
    console.log(await outcome(main.asyncio.sleep(0, "new work")));
    await closing;
    console.log(await work);
  },
};

await cases[process.argv[2]]();
console.log("end");
