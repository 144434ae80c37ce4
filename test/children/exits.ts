/**
 * A process with Python in it that ends: `exits LOAD END`. What is in flight meanwhile, and how it ends, are chosen
 * freely; test/process/exit_test.ts and test/soak/exits.mjs do. Python is opened at its first use here, because a Worker
 * may be opening it when the process ends.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { attach, type PyBuffer, python, PythonClosedError, toLoop } from "../../mod.ts";

const [load = "idle", end = "natural"] = process.argv.slice(2);
/** A pending Promise would hold a process that is to end by itself. */
const byItself = ["natural", "worker_end", "worker_terminate", "terminate_opening", "sys_exit", "fork"].includes(end);

const source = `
  import asyncio, atexit, ctypes, os, sys, threading, time, warnings
  warnings.simplefilter("ignore", DeprecationWarning)  # of a fork beside threads
  kept = []

  async def keep(awaitable):
      kept.append(asyncio.ensure_future(awaitable))

  async def tidy():
      try:
          await asyncio.sleep(60)
      finally:
          await asyncio.sleep(0.01)
          print("finally")
          sys.stdout.write("no newline")

  async def stuck():
      try:
          await asyncio.sleep(60)
      finally:
          time.sleep(60)

  async def stubborn():
      while True:
          try:
              await asyncio.sleep(60)
          except asyncio.CancelledError:
              pass

  async def turn():
      while True:
          await asyncio.sleep(0.01)

  async def ask(js):
      await js()

  async def call(js):
      js()

  async def fly(js):
      for _ in range(500):
          kept.append(asyncio.ensure_future(turn()))
          kept.append(asyncio.ensure_future(ask(js)))

  def thread(function, *args):
      threading.Thread(target=function, args=args, daemon=True).start()

  def spin():
      while True:
          pass

  def call_always(js):
      while True:
          js(1)

  large, len = [bytes(200_000), "\\u0436" * 200_000], len

  def call_with(js, values):
      while True:
          for value in values:
              js(value)

  async def later_large(value):
      await asyncio.sleep(0)
      return large[len(value) % 2]

  async def later(js):
      await asyncio.sleep(0.4)
      js()

  async def tidy_slowly():
      try:
          await asyncio.sleep(60)
      finally:
          await asyncio.sleep(0.3)

  def hold(milliseconds):
      "Sleeps in C again and again, without giving the GIL away meanwhile."
      if os.name == "nt":
          sleep, unit = ctypes.PyDLL("kernel32").Sleep, 1
      else:
          sleep, unit = ctypes.PyDLL(None).usleep, 1000
      while True:
          sleep(milliseconds * unit)

  def soon(function, *args):
      threading.Timer(0.05, function, args).start()

  def fork():
      child = os.fork()
      if not child:
          os._exit(len([value for value in kept if value is None]))
      if os.waitpid(child, 0)[1] != 0:
          os._exit(9)

  atexit.register(lambda: print("atexit"))
  sys.modules["__main__"]
`;
// deno-lint-ignore no-explicit-any
let opened: any;
function main() {
  return opened ??= python.exec(source);
}

function oncePerCall(js: (n: number) => unknown): unknown {
  return python.builtins.list(python.builtins.map(js, [1]));
}

/** Starts a Worker that opens Python, or joins it, awaits a coroutine and ends. */
function useInWorker(workerData?: string): Worker {
  return new Worker(fileURLToPath(import.meta.url), { workerData });
}

const seen: unknown[] = (globalThis as { seen?: unknown[] }).seen = [];
const never = () => new Promise(() => {});
const loads: Record<string, () => unknown> = {
  idle() {},
  /** JavaScript in atexit. */
  atexit() {
    main().atexit.register(function at_exit() {});
  },
  async tidy() {
    await toLoop(main().keep, [main().tidy()]);
  },
  async stuck() {
    await toLoop(main().keep, [main().stuck()]);
  },
  async stubborn() {
    await toLoop(main().keep, [main().stubborn()]);
  },
  /** Memory that JavaScript sees until the very end: whole, in part, moved away, and some that was released. */
  buffers() {
    for (let i = 0; i < 100; i++) {
      const view = python.builtins.bytearray(1000).$getBuffer() as PyBuffer & { data: Uint8Array };
      seen.push(i % 2 ? view : view.data.subarray(3));
      if (i % 5 === 0) view.release();
      else if (i % 7 === 0) seen.push((view.data.buffer as { transfer?(): ArrayBuffer }).transfer?.());
    }
  },
  executor() {
    if (!byItself) {
      python.execAsync("await asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)").catch(
        () => {},
      );
    } else return toLoop(main().asyncio.get_event_loop).then((loop) => void loop.run_in_executor(null, main().time.sleep, 60));
  },
  /** A thread that is being started when the process ends. */
  limbo() {
    python.exec("import threading; thread = threading.Thread(target=print); threading._limbo[thread] = thread");
  },
  /** Python ends already, and its tasks take a moment for it. */
  async closing() {
    await toLoop(main().keep, [main().tidy_slowly()]);
    python.close();
  },
  opening() {
    useInWorker();
  },
  /** C calls that hold the GIL, each for a fifth of a second. */
  holding() {
    main().thread(main().hold, 200);
  },
  /** One that does not give it back. */
  held() {
    main().soon(main().hold, 60_000);
    return wait(100);
  },
  /** Workers in Python that does not come back: it computes, or waits in C without the GIL. */
  lost() {
    useInWorker("while True: pass");
    useInWorker("import time; time.sleep(60)");
    return wait(500);
  },
  busy() {
    for (let i = 0; i < 2; i++) main().thread(main().spin);
  },
  calling() {
    for (let i = 0; i < 3; i++) main().thread(main().call_always, (n: number) => n + 1);
  },
  /** Bytes and text that do not pass through a message's memory, in both directions, all the time. */
  large() {
    const bytes = new Uint8Array(200_000), text = "\u0436".repeat(200_000);
    for (let i = 0; i < 3; i++) main().thread(main().call_with, (value: string | Uint8Array) => value.length, main().large);
    const pass = () => {
      for (const value of [bytes, text]) if (main().len(value) !== value.length) throw new Error("it is cut off");
      main().later_large(bytes).catch(() => {});
      setTimeout(pass, 1).unref();
    };
    pass();
  },
  async flying() {
    await toLoop(main().fly, [async () => await never()]);
    if (byItself) return;
    for (let i = 0; i < 1000; i++) main().asyncio.sleep(60).catch(() => {});
  },
};

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function terminateWorkers(when: (worker: Worker) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 5; i++) {
    const worker = useInWorker("import time; time.sleep(0.1)");
    await when(worker);
    await worker.terminate();
  }
  console.log("end");
}

function stay(): void {
  setTimeout(() => {}, 60_000);
}

/** Awaits a coroutine that does not end, unless Python is being opened or closed. */
function awaitSleep(): void {
  if (!["opening", "closing", "held"].includes(load)) main().asyncio.sleep(60).then(() => {});
}

function exit(): void {
  console.log("end");
  process.exit(3);
}

function denoExit(): void {
  console.log("end");
  (globalThis as unknown as { Deno: { exit(code: number): never } }).Deno.exit(3);
}

const ends: Record<string, () => unknown> = {
  natural: () => console.log("end"),
  exit,
  exit_mid_await() {
    awaitSleep();
    setTimeout(exit, 20);
  },
  exit_in_sync: () => oncePerCall(exit),
  exit_in_loop: () => main().call(exit).then(() => {}),
  exit_in_async: () => main().ask(async () => (await wait(5), exit())).then(() => {}),
  exit_in_thread() {
    main().thread(exit);
    return wait(60_000);
  },
  exit_in_attach: () => attach(() => (python.builtins.list([1]), exit())),
  exit_in_nested: () => attach(() => oncePerCall(() => attach(() => oncePerCall(exit)))),
  deno_exit() {
    awaitSleep();
    setTimeout(denoExit, 20);
  },
  deno_exit_in_sync: () => oncePerCall(denoExit),
  throw() {
    awaitSleep();
    setTimeout(() => {
      console.log("end");
      throw new Error("nobody catches this");
    }, 20);
  },
  reject() {
    awaitSleep();
    setTimeout(() => {
      console.log("end");
      Promise.reject(new Error("nobody catches this"));
    }, 20);
  },
  reject_of_python() {
    awaitSleep();
    console.log("end");
    python.execAsync("raise KeyError('nobody catches this')");
  },
  signal() {
    stay();
    console.log("ready");
  },
  /** Whoever started this has gone: nobody reads what it prints, and stdin ends. */
  parent_gone() {
    process.stdout.on("error", () => {});
    process.stdin.on("error", () => {}).on("end", exit).resume();
    console.log("ready");
  },
  async worker_end() {
    await new Promise((resolve) => useInWorker().on("exit", resolve));
    console.log("end");
  },
  worker_terminate: () => terminateWorkers((worker) => new Promise((resolve) => worker.on("message", resolve).on("exit", resolve))),
  terminate_opening: () => terminateWorkers(() => wait(Math.random() * 80)),
  os_exit: stay,
  sys_exit: () => wait(100),
  fork: () => wait(100),
  pending: () => void main().asyncio.sleep(0.5, "settled").then((text: string) => console.log(text)),
  ref() {
    python.ref();
    python.ref();
    python.unref();
    toLoop(main().keep, [main().later(() => (console.log("unref"), python.unref()))]);
  },
  /** An `exit` listener that comes after pyawait's still uses Python. */
  use_at_exit() {
    const some = main().kept;
    process.on("exit", () => {
      for (
        const use of [
          () => python.import("math"),
          () => some.append(1),
          () => attach(() => 1),
          () => python.info,
          () => python.interrupt(),
        ]
      ) {
        try {
          use();
          console.log("used");
        } catch (error) {
          console.log((error as Error).name);
        }
      }
    });
  },
};

/** What ends the process from a thread of Python's, which is told before Python is busy. */
const armed: Record<string, () => unknown> = {
  os_exit: () => main().soon(main().os._exit, 3),
  sys_exit: () => main().soon(main().sys.exit, 5),
  fork: () => main().soon(main().fork),
};

if (isMainThread) {
  if (load !== "opening") main();
  armed[end]?.();
  await loads[load]();
  await wait(load === "opening" ? Math.random() * 150 : 30);
  await ends[end]();
} else {
  try {
    await python.import("asyncio").sleep(0.001);
    parentPort!.postMessage("it is open");
    if (workerData) python.exec(workerData);
  } catch (error) {
    if (!(error instanceof PythonClosedError)) throw error; // the main thread closes Python
  }
}
