/**
 * Workers that use Python beside the main thread: `node workers.js CASE`. The main thread prints what it sees, each
 * Worker runs `inWorker[CASE]`.
 */
import { closeSync, fstatSync, openSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { attach, intoPromise, type PyBuffer, python, PythonClosedError, registerJsModule, toLoop, toThread } from "../../mod.ts";

const code = `
import asyncio, builtins, gc, sys, weakref

if not hasattr(builtins, "shared_by_workers"):
    builtins.shared_by_workers = {"cancelled": 0}
shared = builtins.shared_by_workers

def keep(name, value): shared[name] = value
def call(name, *args):
    try: return shared[name](*args)
    except Exception as error: return describe(error)
async def call_later(name, *args):
    try: return await shared[name](*args)
    except Exception as error: return describe(error)
def describe(error):
    import pyawait
    return "%s, %s: %s" % (type(error).__name__, isinstance(error, pyawait.JsException), error)
async def until_cancelled():
    try: await asyncio.sleep(1000)
    except asyncio.CancelledError: shared["cancelled"] += 1; raise
async def identity(value): await asyncio.sleep(0); return value
def has(name): return name in shared
def pop(name): del shared[name]
def cancelled(): return shared["cancelled"]
class Thing: pass
def things(count):
    made = [Thing() for _ in range(count)]
    shared.setdefault("things", weakref.WeakSet()).update(made)
    return tuple(made)
def living(): gc.collect(); return len(shared.get("things", ()))
def run_once(js):
    shared["loop"] = asyncio.new_event_loop()  # it is never closed
    shared["loop"].run_until_complete(js())
def large(): return shared.setdefault("large", (bytes(200_000), "\\u0436" * 200_000))
async def give_large(n): await asyncio.sleep(0); return large()[n % 2]
def large_references(): return str([sys.getrefcount(value) for value in large()])
def memory(name): return shared.setdefault(name, bytearray(1000))
def state(name):
    try: shared[name].append(0); shared[name].pop()
    except BufferError: return "locked"
    return "unlocked"
`;
// deno-lint-ignore no-explicit-any
let py: any;
const load = () => {
  const globals = python.builtins.dict();
  python.exec(code, { globals });
  py = python.import("types").SimpleNamespace(...[]);
  for (
    const name of [
      "keep",
      "call",
      "call_later",
      "until_cancelled",
      "identity",
      "has",
      "pop",
      "cancelled",
      "memory",
      "state",
      "things",
      "living",
      "run_once",
      "give_large",
      "large_references",
    ]
  ) {
    py[name] = globals.$get(name);
  }
};

const forever = () => new Promise<never>(() => {});
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const post = (message: unknown) => parentPort!.postMessage(message);

/** What a Worker does; a message of it is an event for the main thread. */
const inWorker: Record<string, () => Promise<void>> = {
  async works() {
    const all = Array.from({ length: 200 }, (_, n) => n);
    const values = await Promise.all(all.map((n) => py.identity(n)));
    const called = await Promise.all(
      all.map((n) => python.execAsync("await f(n)", { globals: { f: async (m: number) => (await later(1), 2 * m), n } })),
    );
    const synchronous = await toThread((n: number) => n + 1, [41]);
    post([values.join() === all.join(), called.join() === all.map((n) => 2 * n).join(), synchronous]);
  },
  async natural() {
    py.keep("sync", () => "from a Worker");
    py.keep("async", async () => "from a Worker");
    post(await py.identity("ready"));
  },
  async terminated() {
    py.keep("sync", () => 1);
    py.keep("async", forever);
    intoPromise(py.until_cancelled()).catch(() => {});
    await py.identity(0);
    post("ready");
    await forever();
  },
  async "terminated in a call"() {
    py.keep("sync", () => {
      post("called");
      for (;;); // it never answers
    });
    toThread(py.call, ["sync"]).catch(() => {});
    await forever();
  },
  async "terminated while the loop waits"() {
    toLoop(() => 1).catch(() => {});
    await undefined; // it is sent
    post("ready");
    for (const end = Date.now() + 500; Date.now() < end;);
    await forever();
  },
  async "terminated in attach"() {
    attach(() => {
      post("ready");
      for (const end = Date.now() + 500; Date.now() < end;);
      py.has("x");
    });
    await forever();
  },
  async exits() {
    intoPromise(py.until_cancelled()).catch(() => {});
    py.keep("async", forever);
    await py.identity(0);
    post("ready");
    await later(20);
    process.exit(3);
  },
  async throws() {
    intoPromise(py.until_cancelled()).catch(() => {});
    await py.identity(0);
    post("ready");
    await later(20);
    throw new Error("thrown in the Worker");
  },
  async closes() {
    post("ready");
    await python.close();
    post("closed");
  },
  async buffers() {
    const views = Array.from({ length: 100 }, () => py.memory("seen").$getBuffer() as PyBuffer);
    const parts = views.splice(0, 50).map(({ data }) => (data as Uint8Array).subarray(1));
    await py.identity("ready");
    post([py.state("seen"), views.length, parts.length]);
    for (;;) await later(1), parts[0][0] = views[0].data[0] as number;
  },
  async references() {
    const kept = [...py.things(1000)], again = [...python.builtins.list(kept)];
    await py.identity(kept[1]);
    post([kept.length, again[5] === kept[5], py.living()]);
    for (;;) await py.identity(kept[Math.floor(1000 * Math.random())]).catch(() => {});
  },
  /** Bytes and text that JavaScript copies from where they lie. */
  async "large values"() {
    for (let round = 0;; round++) {
      await Promise.all(Array.from({ length: 20 }, (_, n) => py.give_large(n)));
      if (round === 1) post("ready");
    }
  },
  async "moved memory"() {
    const { transfer } = ArrayBuffer.prototype as { transfer?(this: unknown): ArrayBuffer };
    const moved = transfer?.call((python.exec("memoryview(b'A' * 5_000_000)").$getBuffer() as PyBuffer).data.buffer);
    moved ? parentPort!.postMessage(moved, [moved]) : post("stayed");
    await forever();
  },
  async "idle loop"() {
    const kept = [...py.things(100)];
    await toThread(py.run_once, [async () => 1]);
    post(kept.length);
    await forever();
  },
  async busy() {
    post("ready");
    for (;;) {
      const values = await Promise.all(Array.from({ length: 50 }, (_, n) => py.identity(n)));
      if (values.length !== 50) throw new Error("lost");
      python.exec("sum(range(1000))");
    }
  },
};

interface Run {
  worker: Worker;
  message: Promise<unknown>;
  exit: Promise<number>;
  errors: string[];
}

function start(name: string): Run {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: name });
  const errors: string[] = [];
  worker.on("error", (error) => errors.push(error.message));
  return {
    worker,
    errors,
    message: new Promise((resolve) => worker.once("message", resolve)),
    exit: new Promise((resolve) => worker.once("exit", resolve)),
  };
}

const say = (...parts: unknown[]) => console.log(...parts.map((part) => typeof part === "string" ? part : JSON.stringify(part)));

/** What the main thread does. */
const inMain: Record<string, () => Promise<void>> = {
  async works() {
    const workers = [start("works"), start("works"), start("works")];
    registerJsModule("of_main", { value: 1 });
    say(await Promise.all(workers.map(({ message }) => message)));
    say(await Promise.all(workers.map(({ exit }) => exit)), await py.identity("main goes on"));
  },
  async natural() {
    const { message, exit } = start("natural");
    say(await message, await exit);
    say(py.call("sync"));
    say(await py.call_later("async"));
    say(await toThread(py.call, ["sync"]));
  },
  async terminated() {
    const { worker, message } = start("terminated");
    await message;
    const waiting = intoPromise(py.call_later("async"));
    await later(50);
    await worker.terminate();
    say(await waiting);
    say(await py.call_later("async"), await toThread(py.call, ["sync"]));
    while (py.cancelled() === 0) await later(5);
    say(await py.identity("main goes on"));
  },
  async "terminated in a call"() {
    const { worker, message } = start("terminated in a call");
    await message;
    const waiting = toThread(py.call, ["sync"]);
    await later(50);
    await worker.terminate();
    say(await waiting);
  },
  async "terminated while the loop waits"() {
    const { worker, message } = start("terminated while the loop waits");
    await message;
    await worker.terminate();
    say(await py.identity("main goes on"));
  },
  async "terminated in attach"() {
    const { worker, message } = start("terminated in attach");
    await message;
    await worker.terminate();
    say(await py.identity("main goes on"));
  },
  async exits() {
    const { message, exit } = start("exits");
    say(await message, await exit);
    while (py.cancelled() === 0) await later(5);
    say(await py.call_later("async"), await py.identity("main goes on"));
  },
  async throws() {
    const { message, exit, errors } = start("throws");
    say(await message, await exit, errors);
    while (py.cancelled() === 0) await later(5);
    say(await py.identity("main goes on"));
  },
  async closes() {
    const { message, exit } = start("closes");
    const pending = intoPromise(py.until_cancelled()).catch((error) => error.name);
    const unheard = toLoop(forever).catch((error) => error.name);
    say(await message);
    say(await pending, await unheard, await exit);
    for (;;) { // it is told by its bell
      try {
        python.exec("1");
      } catch (error) {
        return say(error instanceof PythonClosedError);
      }
      await later(1);
    }
  },
  /** What it has seen of Python's memory when it ends. */
  async buffers() {
    const own = py.memory("own").$getBuffer() as PyBuffer;
    const { worker, message } = start("buffers");
    say(await message);
    await worker.terminate();
    for (let i = 0; i < 30 && py.state("seen") === "locked"; i++) await later(10);
    say(py.state("seen"));
    own.data[0] = 7;
    say(py.state("own"), py.memory("own")[0]);
    own.release();
    say(py.state("own"));
  },
  /** What it held of Python's objects is given up when it has ended, and nothing else. */
  async references() {
    const own = [...py.things(10)];
    for (let round = 0; round < 3; round++) {
      const { worker, message } = start("references");
      say(await message);
      await worker.terminate();
      while (py.living() > 10) await later(5);
    }
    say(py.living(), own.every((each) => each.$type === "Thing"));
  },
  async "large values"() {
    const before = py.large_references();
    for (let round = 0; round < 5; round++) {
      const { worker, message } = start("large values");
      await message;
      await later(10 * Math.random());
      await worker.terminate();
      while (py.large_references() !== before) await later(5);
    }
    say((await py.give_large(0)).length, (await py.give_large(1)).length);
  },
  async "moved memory"() {
    const { worker, message } = start("moved memory");
    const memory = await message;
    await worker.terminate();
    for (let i = 0; i < 10; i++) await py.identity(i), await later(10);
    say(typeof memory === "string" ? memory : [...new Uint8Array(memory as ArrayBuffer).subarray(4_999_998)].join(" "));
  },
  async "idle loop"() {
    const { worker, message } = start("idle loop");
    say(await message);
    await worker.terminate();
    for (let i = 0; i < 100 && py.living() > 0; i++) await later(10);
    say(py.living());
  },
  /** Ends one Worker after the other while each is at work. */
  async storm() {
    for (let round = 0; round < 15; round++) {
      const { worker, message, exit } = start("busy");
      await message;
      await later(10 * Math.random());
      worker.terminate();
      await exit;
      if (await py.identity(round) !== round) throw new Error("lost");
    }
    say("survived");
  },
  /**
   * Files are opened and closed all the time while Workers come and go, which open and close their bells. This thread is
   * busy meanwhile, so a Worker starts slowly on a loaded machine: fewer rounds are done then.
   */
  async files() {
    let problems = 0;
    const begun = Date.now();
    for (let round = 0; round < 60 && (round < 10 || Date.now() - begun < 15_000); round++) {
      const { worker, message } = start("natural");
      let ready = false;
      message.then(() => ready = true);
      while (!ready) {
        for (const end = Date.now() + 3; Date.now() < end;) {
          try {
            const files = [1, 2].map(() => openSync(fileURLToPath(import.meta.url), "r"));
            for (let i = 0; i < 6; i++) fstatSync(files[i % 2]);
            files.forEach(closeSync);
          } catch {
            problems++;
          }
        }
        await later(0);
      }
      await worker.terminate();
    }
    say(problems);
  },
  /** The process ends while Workers are at work. */
  async leaves() {
    const workers = [start("busy"), start("busy")];
    await Promise.all(workers.map(({ message }) => message));
    await later(20);
    say("end");
    process.exit(5);
  },
};

if (isMainThread) {
  load();
  await inMain[process.argv[2]]();
} else {
  load();
  await inWorker[workerData as string]();
}
