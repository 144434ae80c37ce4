/**
 * A process with Python in it that ends: `exits LOAD END`. What is in flight meanwhile, and how it ends, are chosen
 * freely; test/process/exit_test.ts and test/soak/exits.mjs do.
 */
import process from "node:process";
import { attach, type PyBuffer, python, toLoop } from "../../mod.ts";

const [load = "idle", end = "natural"] = process.argv.slice(2);

// deno-lint-ignore no-explicit-any
const main: any = python.exec(`
  import asyncio, atexit, sys, threading, time
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

  atexit.register(lambda: print("atexit"))
  sys.modules["__main__"]
`);

const { list, map } = python.builtins;
const seen: unknown[] = (globalThis as { seen?: unknown[] }).seen = [];
const never = () => new Promise(() => {});
const loads: Record<string, () => unknown> = {
  idle() {},
  /** JavaScript in atexit. */
  atexit() {
    main.atexit.register(function at_exit() {});
  },
  async tidy() {
    await toLoop(main.keep, [main.tidy()]);
  },
  async stuck() {
    await toLoop(main.keep, [main.stuck()]);
  },
  async stubborn() {
    await toLoop(main.keep, [main.stubborn()]);
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
    if (end !== "natural") {
      python.execAsync("await asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)").catch(
        () => {},
      );
    } else return toLoop(main.asyncio.get_event_loop).then((loop) => void loop.run_in_executor(null, main.time.sleep, 60));
  },
  /** A thread that is being started when the process ends. */
  limbo() {
    python.exec("import threading; thread = threading.Thread(target=print); threading._limbo[thread] = thread");
  },
  busy() {
    for (let i = 0; i < 2; i++) main.thread(main.spin);
  },
  calling() {
    for (let i = 0; i < 3; i++) main.thread(main.call_always, (n: number) => n + 1);
  },
  /** Bytes and text that do not pass through a message's memory, in both directions, all the time. */
  large() {
    const bytes = new Uint8Array(200_000), text = "\u0436".repeat(200_000);
    for (let i = 0; i < 3; i++) main.thread(main.call_with, (value: string | Uint8Array) => value.length, main.large);
    const pass = () => {
      for (const value of [bytes, text]) if (main.len(value) !== value.length) throw new Error("it is cut off");
      main.later_large(bytes).catch(() => {});
      setTimeout(pass, 1).unref();
    };
    pass();
  },
  async flying() {
    await toLoop(main.fly, [async () => await never()]);
    if (end === "natural") return; // a pending Promise would hold the process
    for (let i = 0; i < 1000; i++) main.asyncio.sleep(60).catch(() => {});
  },
};

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
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
    main.asyncio.sleep(60).then(() => {});
    setTimeout(exit, 20);
  },
  exit_in_sync: () => list(map(exit, [1])),
  exit_in_loop: () => main.call(exit).then(() => {}),
  exit_in_async: () => main.ask(async () => (await wait(5), exit())).then(() => {}),
  exit_in_thread() {
    main.thread(exit);
    return wait(60_000);
  },
  exit_in_attach: () => attach(() => (list([1]), exit())),
  exit_in_nested: () => attach(() => list(map(() => attach(() => list(map(exit, [1]))), [1]))),
  deno_exit() {
    main.asyncio.sleep(60).then(() => {});
    setTimeout(denoExit, 20);
  },
  deno_exit_in_sync: () => list(map(denoExit, [1])),
  throw() {
    main.asyncio.sleep(60).then(() => {});
    setTimeout(() => {
      console.log("end");
      throw new Error("nobody catches this");
    }, 20);
  },
  reject() {
    main.asyncio.sleep(60).then(() => {});
    setTimeout(() => {
      console.log("end");
      Promise.reject(new Error("nobody catches this"));
    }, 20);
  },
  reject_of_python() {
    main.asyncio.sleep(60).then(() => {});
    console.log("end");
    python.execAsync("raise KeyError('nobody catches this')");
  },
  signal() {
    main.asyncio.sleep(60).then(() => {});
    console.log("ready");
  },
  pending: () => void main.asyncio.sleep(0.5, "settled").then((text: string) => console.log(text)),
  ref() {
    python.ref();
    python.ref();
    python.unref();
    toLoop(main.keep, [main.later(() => (console.log("unref"), python.unref()))]);
  },
  /** An `exit` listener that comes after pyawait's still uses Python. */
  use_at_exit() {
    const some = main.kept;
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

await loads[load]();
await wait(30);
await ends[end]();
