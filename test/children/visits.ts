/**
 * JavaScript threads that wait for an event loop's thread, and what ends meanwhile: `visits CASE`.
 */
import process from "node:process";
import { Worker } from "node:worker_threads";
import { attach, python, scope, TaskLocals, toJs, toLoop, withLoop } from "../../mod.ts";

const [name] = process.argv.slice(2);
const asyncio = python.import("asyncio");

const define = () => {
  python.exec(`
import asyncio, threading, time
started, results, shared = threading.Event(), [], {}
def block(seconds):
    started.set()
    time.sleep(seconds)
def hold_and_call(f):
    started.set()
    time.sleep(0.3)
    try:
        results.append(f())
    except Exception as error:
        results.append(str(error)[:40])
def submit_and_wait(executor, f):
    started.set()
    time.sleep(0.2)
    return executor.submit(f).result()
def keep_gil():
    ended = threading.Event()
    def keep():
        while not ended.is_set(): sum(range(5_000_000))  # C, which gives up no GIL
    threading.Thread(target=keep).start()
    return ended.set
def call(f): return f()
def call_shared(name): return shared[name]()
def stop_soon(loop):
    loop.call_soon_threadsafe(lambda: (started.set(), time.sleep(0.2), loop.stop()))
class Slow:
    def __init__(self): time.sleep(0.005)
    def __await__(self): yield
class CallsInLoop:
    def __init__(self, f): f()
    def __await__(self): yield
class Counter:
    def __init__(self):
        self.ticks, self.ends, self.loop = 0, False, asyncio.get_running_loop()
        self.tick()
    def __aiter__(self): return self
    def tick(self):
        self.ticks += 1
        if not self.ends: self.loop.call_soon(self.tick)
def call_later(seconds, f): threading.Timer(seconds, f).start()
def fork():
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop
`);
  return python.import("__main__");
};

/** Lets this turn's work reach the loop, and waits until a callback of the loop has begun. */
async function begun({ started }: ReturnType<typeof define>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  started.wait();
}

const worker = (argument: string) => {
  const made = new Worker(new URL(import.meta.url), { argv: [argument] });
  return { made, message: () => new Promise((resolve) => made.once("message", resolve)) };
};
const post = async (text: unknown) => (await import("node:worker_threads")).parentPort!.postMessage(text);

/** Calls `fn` for ever in a call of Python's, until this Worker is ended. */
function endless(call: (fn: () => void) => void, fn: () => void): void {
  void post("calls").then(() =>
    call(() => {
      const until = Date.now() + 3000; // Deno does not end a Worker that is busy
      while (Date.now() < until) fn();
    })
  );
}

function spin(): void {
  const until = Date.now() + 50;
  while (Date.now() < until);
}

const cases: Record<string, () => unknown> = {
  /** The process exits in a JavaScript function that is served in the wait. */
  async exit() {
    const main = define();
    const called = toLoop(main.hold_and_call, [() => {
      console.log("served");
      process.exit(3);
    }]);
    await begun(main);
    asyncio.Event(); // waits for the callback that the loop is in, which calls the function
    await called;
    console.log("still here");
  },
  /** ... and in `withLoop`. */
  exit_in_stay() {
    withLoop(() => process.exit(4));
  },
  /** A Worker is ended while it waits; the others go on. */
  async terminate() {
    const main = define();
    const { made, message } = worker("visits");
    await message();
    const blocked = toLoop(main.block, [0.5]);
    await begun(main);
    made.postMessage("go");
    await new Promise((resolve) => setTimeout(resolve, 100)); // it waits for the loop now
    await made.terminate();
    await blocked;
    console.log(asyncio.Event().is_set(), await asyncio.sleep(0, "slept"));
  },
  async visits() {
    const { parentPort } = await import("node:worker_threads");
    parentPort!.once("message", () => asyncio.Event());
    parentPort!.postMessage("ready");
  },
  /** A Worker is ended in a function that it serves in the wait: the loop, which waits for the answer, goes on. */
  async terminate_in_call() {
    const main = define();
    const { made, message } = worker("serves");
    await message();
    const called = toLoop(main.hold_and_call, [main.shared.$get("spin")]);
    await begun(main);
    const spins = message();
    made.postMessage("go");
    await spins;
    await made.terminate();
    await called;
    const [result] = toJs(main.results); // Deno may let the function go on to its end
    console.log(result === null || result.startsWith("Error: The JavaScript function did not r"), await asyncio.sleep(0, "slept"));
  },
  async serves() {
    const { parentPort } = await import("node:worker_threads");
    python.import("__main__").shared.$set("spin", () => {
      parentPort!.postMessage("spins");
      const until = Date.now() + 5000;
      while (Date.now() < until);
    });
    parentPort!.once("message", () => asyncio.Event());
    parentPort!.postMessage("ready");
  },
  /** A Worker is ended while the loop stands still for it. */
  async terminate_stay() {
    define();
    const { made, message } = worker("stays");
    await message();
    await made.terminate();
    console.log(await asyncio.sleep(0, "slept"), asyncio.Event().is_set());
  },
  stays() {
    withLoop(() => {
      asyncio.Event();
      void post("standing");
      const until = Date.now() + 3000;
      while (Date.now() < until) asyncio.Event();
    });
  },
  /** Python is closed while a Worker waits. */
  async close() {
    const main = define();
    const { made, message } = worker("visits_late");
    await message();
    const blocked = toLoop(main.block, [0.4]).catch(() => {});
    await begun(main);
    const answer = message();
    made.postMessage("go");
    await new Promise((resolve) => setTimeout(resolve, 100));
    await python.close();
    console.log("closed", await answer);
    await blocked;
    await made.terminate();
  },
  async visits_late() {
    const { parentPort } = await import("node:worker_threads");
    parentPort!.once("message", () => {
      let said = "made";
      try {
        for (;;) asyncio.Event();
      } catch (error) {
        said = (error as Error).name;
      }
      parentPort!.postMessage(said === "PythonClosedError" || /Closed|JavaScriptEnded|RuntimeError/.test(said) ? "ended" : said);
    });
    parentPort!.postMessage("ready");
  },
  /** The loop stops before it has come to the call. */
  stop() {
    const main = define();
    const loop = main.fork();
    while (!loop.is_running());
    main.stop_soon(loop);
    main.started.wait();
    console.log(loop.create_future().done(), loop.is_running());
    loop.close();
    console.log(scope(new TaskLocals(loopOfNow()), () => asyncio.Event()).is_set());
  },
  /** The loop's thread calls this thread, which waits for a Worker, which waits for the loop: a circle. */
  async circle() {
    const main = define();
    const { made, message } = worker("shares");
    await message();
    const held = toLoop(main.hold_and_call, [() => "answered"]);
    await begun(main);
    console.log(main.call_shared("visit"));
    await held;
    console.log(toJs(main.results)[0]);
    await made.terminate();
  },
  async shares() {
    python.import("__main__").shared.$set("visit", () => asyncio.Event().is_set());
    setInterval(() => {}, 1000);
    await post("ready");
  },
  /** A function that Python calls in a synchronous call runs once, though it waits for the loop. */
  once() {
    const main = define();
    let runs = 0;
    for (let i = 0; i < 10; i++) main.call(() => (runs++, main.Slow(), 1));
    for (let i = 0; i < 100; i++) main.call(() => withLoop(() => {}));
    console.log(runs);
  },
  /** A Worker is ended in a visit, in `attach` and in `withLoop`, each in a function that Python calls. */
  async terminate_in_function() {
    for (const kind of ["visit", "attach", "attach_in_visit", "stay"]) {
      const { made, message } = worker(`in_function_${kind}`);
      await message();
      await made.terminate();
    }
    console.log(asyncio.Event().is_set(), await asyncio.sleep(0, "slept"));
  },
  in_function_visit() {
    endless(define().call, () => asyncio.Event());
  },
  in_function_attach() {
    endless(define().call, () => attach(() => spin()));
  },
  in_function_attach_in_visit() {
    endless(define().CallsInLoop, () => attach(() => spin()));
  },
  in_function_stay() {
    endless(define().call, () => withLoop(() => asyncio.Event()));
  },
  /** A function that is served while a stay is waited for makes a visit: the loop makes it where it stands. */
  async stay_and_call() {
    const main = define();
    for (const keep of [withLoop, attach]) {
      const blocked = toLoop(main.block, [0.2]);
      await begun(main);
      main.call_later(0.05, () => console.log(asyncio.Event().is_set()));
      keep(() => asyncio.Event());
      await blocked;
      main.started.clear();
    }
  },
  /** The loop's callback calls a function that visits, while this thread visits. */
  async both_ways() {
    const main = define(), queue = asyncio.Queue();
    for (let i = 0; i < 100; i++) {
      const put = toLoop(main.call, [() => queue.put_nowait(i)]);
      await null, await null, await null;
      const until = performance.now() + 2;
      while (performance.now() < until);
      queue.qsize();
      await put;
    }
    console.log(queue.qsize());
  },
  /** ... and another thread keeps the GIL for longer than a visitor waits before it looks whether the loop still runs. */
  async slowly() {
    const main = define(), queue = asyncio.Queue();
    const stop = main.keep_gil();
    for (let i = 0; i < 5; i++) await toLoop(main.call, [() => queue.put_nowait(i)]);
    stop();
    console.log(queue.qsize());
  },
  /** The loop stands still, although its thread was waiting in a call when the stay began. */
  async stands() {
    const main = define(), counter = main.Counter();
    for (const keep of [withLoop, attach]) {
      const called = toLoop(main.call, [() => {}]);
      await null, await null, await null;
      const until = performance.now() + 20;
      while (performance.now() < until);
      const ticks = keep(() => {
        asyncio.Event();
        const before = counter.ticks;
        for (let i = 0; i < 10; i++) asyncio.Event();
        return counter.ticks - before;
      });
      console.log(ticks);
      await called;
    }
    counter.ends = true;
  },
  /** Calls of other threads, too, are served in the wait. */
  async others() {
    const main = define();
    const executor = python.import("concurrent.futures").ThreadPoolExecutor(1);
    const result = toLoop(main.submit_and_wait, [executor, () => "from a thread"]);
    await begun(main);
    console.log(asyncio.Event().is_set()); // waits for the loop, which waits for the thread, which waits for this one
    console.log(await result);
  },
};

const loopOfNow = () => asyncio.get_running_loop();
await cases[name]();
