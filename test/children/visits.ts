/**
 * JavaScript threads that wait for an event loop's thread, and what ends meanwhile: `visits CASE`.
 */
import process from "node:process";
import { Worker } from "node:worker_threads";
import { python, scope, TaskLocals, toJs, toLoop, withLoop } from "../../mod.ts";

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
def call_shared(name): return shared[name]()
def stop_soon(loop):
    loop.call_soon_threadsafe(lambda: (started.set(), time.sleep(0.2), loop.stop()))
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
