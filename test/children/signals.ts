/**
 * Signals and processes with Python's loop thread, in a process of their own: `signals CASE`.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { python, toJs, toLoop, toThread } from "../../mod.ts";

const [name] = process.argv.slice(2);
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const kill = (signal: NodeJS.Signals) => process.kill(process.pid, signal);
const outcome = (promise: PromiseLike<unknown>) => promise.then((value) => String(value), (error: Error) => error.name);

const define = () => {
  python.exec(`
    import asyncio, os, signal, threading, time
    got = []
    def handle(number, frame):
        got.append((signal.Signals(number).name, threading.current_thread() is threading.main_thread()))
    def listen(name): signal.signal(getattr(signal, name), handle)
    def add(name): asyncio.get_running_loop().add_signal_handler(getattr(signal, name), got.append, (name, "loop"))
    def remove(name): return asyncio.get_running_loop().remove_signal_handler(getattr(signal, name))
    def spin(seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end: pass
    def spin_until_got():
        end = time.monotonic() + 20
        while not got and time.monotonic() < end: pass
        return len(got)`);
  return python.import("__main__");
};

/** What Python's handlers got, when it is so much. */
async function received(got: unknown, count: number): Promise<string> {
  while ((toJs(got) as unknown[]).length < count) await sleep(2);
  return (toJs(got) as unknown[]).map(String).join(" ");
}

/** KeyboardInterrupt reaches a busy loop and an idle one. */
async function interruptBoth(): Promise<string> {
  const busy = outcome(python.execAsync("while True: pass"));
  await sleep(80);
  python.interrupt();
  const first = await busy;
  // The loop is idle, and woken by the interrupt alone: what it does then is seen by a timer that is late otherwise.
  const asyncio = python.import("asyncio");
  const asleep = outcome(asyncio.sleep(0.1, "slept"));
  await sleep(30);
  python.interrupt();
  return [first, await asleep, await asyncio.sleep(0, "goes on")].join(" ");
}

const cases: Record<string, () => unknown> = {
  /** A handler of signal.signal runs on the loop's thread, whether the loop is idle or busy. */
  async handlers() {
    const { listen, got, spin } = define();
    await toLoop(listen, ["SIGUSR2"]);
    await sleep(30);
    kill("SIGUSR2");
    console.log(await received(got, 1));
    const busy = toLoop(spin, [0.2]);
    await sleep(50);
    kill("SIGUSR2");
    await busy;
    console.log(await received(got, 2));
  },
  /** A signal and interrupt() end a call that blocks in C, and reach a busy loop at once. */
  async blocking() {
    const { spin_until_got, listen } = define();
    python.exec(`
    class Stop(Exception): pass
    def stop(number, frame): raise Stop
    def alarm_and_sleep():
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        time.sleep(1000)
    def pause():
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        signal.pause()
        return "awake"`);
    const { alarm_and_sleep, pause } = python.import("__main__");
    console.log(await outcome(toLoop(alarm_and_sleep)), await outcome(toLoop(pause)));
    await toLoop(listen, ["SIGUSR2"]);
    const spinning = toLoop(spin_until_got);
    await sleep(50);
    kill("SIGUSR2");
    console.log(await spinning);
    const asleep = outcome(toLoop(python.import("time").sleep, [1000]));
    await sleep(100);
    python.interrupt();
    console.log(await asleep, await python.import("asyncio").sleep(0, "goes on"));
  },
  /** A handler that is added and removed leaves everything as it was. */
  async added_and_removed() {
    const { add, remove, listen, got } = define();
    for (let round = 1; round < 3; round++) {
      await toLoop(add, ["SIGUSR2"]);
      await sleep(20);
      kill("SIGUSR2");
      console.log(await received(got, round), await toLoop(remove, ["SIGUSR2"]), await toLoop(remove, ["SIGUSR2"]));
      console.log(await interruptBoth());
    }
    await toLoop(listen, ["SIGUSR2"]);
    await sleep(30);
    kill("SIGUSR2"); // the idle loop is woken for handlers of signal.signal as well
    console.log(await received(got, 3));
  },
  /** SIGINT that Python took for a while is the runtime's again. */
  async sigint_back() {
    const { add, remove, got } = define();
    await toLoop(add, ["SIGINT"]);
    await sleep(20);
    kill("SIGINT");
    console.log(await received(got, 1), await toLoop(remove, ["SIGINT"]));
    console.log("again");
    await sleep(5000);
    console.log("still alive");
  },
  /** SIGINT comes from outside. */
  async unheard() {
    await python.import("asyncio").sleep(0);
    console.log("ready");
    await sleep(5000);
    console.log("still alive");
  },
  async given_up() {
    const { listen, got, signal } = define();
    await toLoop(listen, ["SIGINT"]);
    console.log("ready");
    console.log(await received(got, 1), (await toLoop(signal.signal, [signal.SIGINT, signal.SIG_DFL])).__name__);
    console.log("again");
    await sleep(5000);
    console.log("still alive");
  },
  async sigint_listener() {
    const { add, remove, got } = define();
    let count = 0;
    process.on("SIGINT", () => count++);
    await toLoop(add, ["SIGINT"]);
    await sleep(20);
    kill("SIGINT");
    for (let i = 0; i < 500 && count === 0; i++) await sleep(2);
    console.log(await received(got, 1), count, await toLoop(remove, ["SIGINT"]));
    kill("SIGINT");
    for (let i = 0; i < 500 && count === 1; i++) await sleep(2);
    console.log(count);
  },
  /** multiprocessing with spawn, a pool of processes on the loop, and children of JavaScript's at once. */
  async multiprocessing() {
    const folder = mkdtempSync(join(tmpdir(), "pyawait-signals-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(
      join(folder, "squares.py"),
      `
import asyncio, concurrent.futures, multiprocessing
def square(n): return n * n
def pool():
    with multiprocessing.get_context("spawn").Pool(2) as pool: return pool.map(square, range(5))
async def executor():
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*(loop.run_in_executor(pool, square, n) for n in range(5)))
def process():
    queue = multiprocessing.get_context("spawn").Queue()
    process = multiprocessing.get_context("spawn").Process(target=queue.put, args=(42,))
    process.start()
    value = queue.get()
    process.join()
    return value, process.exitcode
`,
    );
    python.configure({ path: [folder] });
    const { pool, executor, process: one } = python.import("squares");
    const ours = () =>
      new Promise((resolve) =>
        execFile(
          process.platform === "win32" ? "cmd" : "sh",
          [process.platform === "win32" ? "/c" : "-c", "exit 4"],
          (error) => resolve(error?.code),
        )
      );
    for (let round = 0; round < 2; round++) {
      const all = await Promise.all([toThread(pool).then(toJs), executor().then(toJs), toThread(one).then(toJs), ours(), ours()]);
      console.log(JSON.stringify(all));
    }
  },
};

await cases[name]();
