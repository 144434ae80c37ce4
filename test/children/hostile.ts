/**
 * Inputs at which the core has failed once, in a process of their own: `hostile CASE`. Limits are lowered, so that
 * kilobytes stand in for gigabytes.
 */
import process from "node:process";
import { Worker } from "node:worker_threads";

const [name] = process.argv.slice(2);
const longestBigint = 30; // the most bits that a bigint has, as a power of 2, on V8 and JavaScriptCore

if (name === "unreadable") {
  const RealBigInt = BigInt;
  const fake = (value: string | number) => {
    if (typeof value === "string" && value.length > 1000) throw new RangeError("Maximum BigInt size exceeded");
    return RealBigInt(value);
  };
  globalThis.BigInt = Object.assign(fake, {
    asIntN: RealBigInt.asIntN,
    asUintN: RealBigInt.asUintN,
    prototype: RealBigInt.prototype,
  }) as typeof BigInt;
}
if (name === "frozen") { for (const each of [Object.prototype, Array.prototype, Error]) Object.freeze(each); }

const { asyncDef, intoAsyncIterable, intoPromise, promiseIntoPy, python, TaskLocals, toJs, toThread, tuple } = await import("../../mod.ts");
const { backend } = await import("../../ffi/mod.ts");
const { exchange } = await import("../../src/async/outbox.ts");
const { countHandles } = await import("../../src/interpreter/js_handles.ts");
const { heap } = await import("../../src/interpreter/heap.ts");
const { limits } = await import("../../src/wire/codec.ts");

// deno-lint-ignore no-explicit-any
type Any = any;

function define(source: string): Any {
  return python.exec(`import asyncio, gc, sys, threading, time\n${source}\nsys.modules["__main__"]`);
}

const described = (error: Any) => `${error.name}: ${String(error.message).split("\n")[0]}`;
const outcome = (promise: PromiseLike<unknown>) => promise.then((value) => String(value).slice(0, 40), described);
const thrown = (fn: () => unknown) => {
  try {
    return String(fn()).slice(0, 40);
  } catch (error) {
    return described(error);
  }
};

/** How a stream ends, and after which items. */
async function readAll(source: unknown, highWaterMark: number): Promise<string> {
  const items: unknown[] = [];
  try {
    for await (const item of intoAsyncIterable(source, { highWaterMark })) items.push(item);
    return `${items.join(" ")}, end`;
  } catch (error) {
    return `${items.join(" ")}, ${described(error)}`;
  }
}

/** Collects the garbage of both, as an error in JavaScript keeps Python's frames, and those keep JavaScript's values. */
async function collect(): Promise<void> {
  (globalThis as Any).gc?.();
  (globalThis as Any).Bun?.gc(true);
  await new Promise((resolve) => setTimeout(resolve, 10));
  python.import("gc").collect();
  await python.import("asyncio").sleep(0);
}

/** Nothing of JavaScript's is left in Python. */
async function allGivenBack(): Promise<void> {
  while (countHandles() > 0) await collect();
}

const cases: Record<string, () => unknown> = {
  /** Another thread lets memory grow while it is converted. */
  async growing() {
    const { seen } = define("def seen(data, after): return [len(memoryview(data).cast('B')), after]");
    const code = `
      const { parentPort } = require("node:worker_threads");
      parentPort.on("message", (memory) => {
        for (let n = memory.byteLength; n <= memory.maxByteLength; n += 64) memory.grow(n);
        parentPort.postMessage("grown");
      });
      parentPort.postMessage("ready");`;
    const worker = new Worker(code, { eval: true });
    const message = () => new Promise((resolve) => worker.once("message", resolve));
    await message();
    let wrong = 0, rounds = 0;
    const views = [
      (memory: SharedArrayBuffer) => memory,
      (memory: SharedArrayBuffer) => new Uint8Array(memory),
      (memory: SharedArrayBuffer) => new Uint16Array(memory),
      (memory: SharedArrayBuffer) => new DataView(memory),
    ];
    for (const view of views) {
      const memory = new (SharedArrayBuffer as Any)(64, { maxByteLength: 1 << 20 }) as SharedArrayBuffer & { maxByteLength: number };
      const grown = message();
      worker.postMessage(memory);
      for (const given = view(memory); memory.byteLength < memory.maxByteLength; rounds++) {
        const before = memory.byteLength, [length, after] = toJs(seen(given, 7)) as [number, number];
        if (after !== 7 || length % 64 !== 0 || length < before || length > memory.byteLength) wrong++;
      }
      await grown;
    }
    await worker.terminate();
    console.log(wrong, rounds > 0);
  },

  /** Lengths that are not what they were a moment ago, and that no Array has. */
  lengths() {
    const { count } = define("def count(*values): return len(values) * 1000 + len(values[0])");
    const proxied = (length: unknown) =>
      new Proxy([1, 2, 3], { get: (target, key) => key === "length" ? length : Reflect.get(target, key) });
    for (const length of [2.5, "2", -1, NaN, undefined, { valueOf: () => 2 }, 2]) console.log(count(proxied(length), 1));
    const grows: unknown[] = [0, 1];
    Object.defineProperty(grows, 0, { get: () => grows.push(5), enumerable: true });
    console.log(count(grows, 1));
    class Lying extends Uint8Array {
      override get byteLength() {
        return undefined as unknown as number;
      }
    }
    console.log(count(new Lying(4), 1));
  },

  /** Code that runs while values are converted looks at every list and tuple that it can find. */
  half_filled() {
    const main = define(`
seen = []
def look(frame, event, arg):
    if event != "call" or frame.f_code.co_name != "wrap_js": return
    for each in gc.get_objects():
        if type(each) in (list, tuple) and len(each) == 1234: seen.append(len([item for item in each]))
        # Python 3.14 shows the dict of all interned strings, too, which has "whole" for "whole".
        if type(each) is dict and type(each.get("whole")) is list: seen.append([item is None for item in each["whole"]])
def start(): sys.setprofile(look)
def stop():
    sys.setprofile(None)
    return seen
def take(*values): return [len(value) for value in values] + [gc.is_tracked(value) for value in values]
`);
    const items: unknown[] = new Array(1234).fill(1), whole: unknown[] = [1];
    items[5] = () => {};
    whole.push({ whole }, () => {}, 2);
    main.start();
    console.log(toJs(main.take(items, tuple(items), whole, [], tuple([]))));
    console.log(toJs(main.stop()));
  },

  /** A late CANCEL arrives when another Promise, on another loop, has the same number. */
  async late_cancel() {
    const main = define(`
gate, started = threading.Event(), threading.Event()
async def first(): return "first"
async def second():
    started.set()
    await asyncio.sleep(0.05)
    return "second"
def hold(loop): loop.call_soon_threadsafe(gate.wait)
other = asyncio.new_event_loop()
threading.Thread(target=other.run_forever, daemon=True).start()
`);
    await main.first();
    const background = await python.execAsync("asyncio.get_running_loop()");
    const controller = new AbortController();
    const first = intoPromise(main.first(), { signal: controller.signal });
    await null; // it is submitted
    main.time.sleep(0.1); // its DONE is in the outbox
    main.hold(background);
    const cancelled = new Promise<void>((resolve) => setTimeout(resolve));
    controller.abort();
    exchange(); // submits the CANCEL, takes the DONE
    const second = intoPromise(main.second(), { locals: new TaskLocals(main.other) });
    await cancelled;
    main.started.wait();
    main.gate.set();
    console.log(await first, await outcome(second));
    main.other.call_soon_threadsafe(main.other.stop);
  },

  /** A loop ends with a result on its way, and JavaScript hears of its end before. */
  async result_before_end() {
    const main = define(`
other, ended = asyncio.new_event_loop(), threading.Event()
async def first(): return "first"
async def echo(x): return x
def run():
    other.run_forever()
    other.close()
    ended.set()
threading.Thread(target=run, daemon=True).start()
`);
    await main.echo(1);
    const controller = new AbortController();
    const first = intoPromise(main.first(), { locals: new TaskLocals(main.other), signal: controller.signal });
    await null;
    main.time.sleep(0.1);
    main.other.call_soon_threadsafe(main.other.stop);
    main.ended.wait();
    controller.abort(); // a CANCEL that is refused
    await null;
    const second = main.echo("second"); // on the background loop
    console.log(await outcome(first), await outcome(second));
  },

  /** A cancelled await ends after its late answer, when another request has its slot. */
  async late_abort() {
    const main = define(`
import pyawait
async def main(js, answer):
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(js(i)) for i in range(16)]  # as many as there are slots
    await asyncio.sleep(0.2)
    result = loop.create_future()
    def at_once():
        answer()
        time.sleep(0.3)  # the answer to the first is in the inbox
        new = asyncio.ensure_future(js(16))  # asks before the first one's task goes on
        tasks[0].cancel()
        pyawait._connections[loop].take()
        result.set_result(new)
    loop.call_soon(at_once)
    new = await result
    for task in tasks[1:]: task.cancel()
    return await asyncio.wait_for(new, 5)
`);
    let resolve!: (value: unknown) => void;
    const js = (i: number) => i === 0 ? new Promise((done) => resolve = done) : i === 16 ? later(50) : new Promise(() => {});
    const later = (ms: number) => new Promise((done) => setTimeout(() => done("new"), ms));
    console.log(await outcome(toThread(main.asyncio.run, [main.main(asyncDef(js), () => resolve(0))])));
  },

  /** Each part of a message is short enough, and their sum is not. */
  async long() {
    const main = define(`
part = chr(0x1f600) * 500_000  # 2,000,000 bytes in a message, through which large bytes do not pass
def parts(): return [part, part]
def take(*args): return len(args)
async def echo(*args): return len(args)
async def make(): return part
async def wide(): return [part, part]
async def fetch(js, times=0):
    try: return len(await js(*[part] * times))
    except Exception as error: return type(error).__name__ + ": " + str(error)
def call(js, times=0):
    try: return len(js(*[part] * times))
    except Exception as error: return type(error).__name__ + ": " + str(error)
async def stream():
    yield 1
    yield part * 2
`);
    const part = new Uint8Array(2_000_000), text = "x".repeat(1_900_000);
    await main.echo();
    limits.message = 3_000_000;
    heap.python!.shim.pyawait_limit_messages(3_000_000);
    console.log(thrown(() => toJs(main.parts())));
    console.log(thrown(() => main.take([part], [part])), thrown(() => main.take(part, part)));
    console.log(thrown(() => main.take(text, text)), thrown(() => main.take(part)), thrown(() => main.take(text)));
    console.log(await outcome((async () => await main.echo(() => {}, part, part))()));
    console.log((await Promise.all([1, 2, 3].map(() => main.echo(part)))).join(" "));
    console.log((await Promise.all([1, 2, 3].map(() => main.make()))).map((bytes: Any) => bytes.length).join(" "));
    const twice = asyncDef(async () => [part, part]);
    console.log(await main.fetch(twice));
    console.log(await main.fetch(asyncDef(async () => part)), await main.fetch(twice, 1), await main.fetch(twice, 2));
    for (const times of [0, 1, 2]) console.log(await toThread(main.call, [() => part, times]), main.call(() => part, times));
    console.log(await toThread(main.call, [() => [part, part]]), main.call(() => [part, part]));
    console.log(await readAll(main.stream(), 4));
    limits.message = 0x7fff_ffff;
    heap.python!.shim.pyawait_limit_messages(0x7fff_ffff);
    console.log(await main.echo(1, 2));
    await allGivenBack();
  },

  /** There is no memory for a record, or for a submission. */
  async no_memory() {
    const main = define("async def echo(x): return x");
    await main.echo(1);
    const { allocate } = backend, part = "x".repeat(200_000);
    const lazy = main.echo(part), small = main.echo("small");
    (backend as Any).allocate = (size: number) => {
      if (size > 100_000) throw new RangeError("Array buffer allocation failed");
      return allocate(size);
    };
    const failed = outcome(lazy), others = outcome(small);
    console.log(await failed, await others);
    (backend as Any).allocate = allocate;
    console.log((await main.echo(part)).length);
    const python_ = heap.python!, { shim } = python_;
    let refusals = 2;
    const pyawait_submit: typeof shim.pyawait_submit = (...args) => refusals-- > 0 ? -2 : shim.pyawait_submit(...args);
    (heap as Any).python = { ...python_, shim: { ...shim, pyawait_submit } };
    console.log(await main.echo("waits"), refusals < 0);
  },

  /** What cannot be read is the answer to its record. */
  async unreadable() {
    const main = define(`
huge = 1 << 8000
async def result(): return huge
async def nested(js): return await js([1], huge, {1: 2})
def described(error): return type(error).__name__ + ": " + str(error)
async def argument(js):
    try: return await js([1], huge, {1: 2})
    except Exception as error: return described(error)
async def keyword(js):
    try: return await js(key=huge)
    except Exception as error: return described(error)
def call(js):
    try: return js([1], huge, {1: 2})
    except Exception as error: return described(error)
async def ahead():
    yield 1
    yield huge
    while True:
        yield 3
        await asyncio.sleep(0)
async def step():
    yield 1
    yield huge
def raises(): raise ValueError(huge)
class Tracked: pass
`);
    const js = asyncDef(async (...args: unknown[]) => args.length), sync = (...args: unknown[]) => args.length;
    console.log(await outcome(main.result()));
    console.log(await outcome(main.nested(js)));
    console.log(await main.argument(js), "|", await main.keyword(js));
    console.log(main.call(sync), "|", await toThread(main.call, [sync]));
    console.log(await outcome(toThread(main.time.sleep, [0])), await outcome(toThread(() => 1 as Any)));
    console.log(await readAll(main.step(), 0));
    console.log(await readAll(main.ahead(), 4));
    console.log(await outcome(main.asyncio.sleep(0, "still alive")));
    await allGivenBack();
  },

  /** The real limit of this runtime. */
  async huge() {
    const main = define(`async def result(): return 1 << (1 << ${longestBigint})`);
    console.log(await main.result().then(String, (error: Error) => error.constructor === RangeError || error.constructor === SyntaxError));
    console.log(await main.asyncio.sleep(0, "still alive"));
  },

  /** JavaScript whose prototypes are frozen, whose Promises are odd, and that throws what cannot be described. */
  async frozen() {
    const main = define(`
async def give(js): return await js(constructor=1, toString=2, __proto__=3, plain=4)
async def wait(promise):
    try: return await promise
    except Exception as error: return type(error).__name__ + ": " + str(error)
data = {"constructor": 1, "toString": [2], "__proto__": 3}
`);
    const keys = asyncDef(async (given: Record<string, unknown>) => Object.entries(given).join(" "));
    console.log(await main.give(keys), JSON.stringify(Object.entries(toJs(main.data))));
    const odd = Object.defineProperty(Promise.resolve("value"), "then", { value: 42 });
    console.log(await main.wait(odd), await main.wait(promiseIntoPy(Object.defineProperty(Promise.resolve(5), "then", { value: 1 }))));
    console.log(await main.wait(Object.defineProperty(Promise.reject(new Error("reason")), "then", { value: null })));
    const species = class extends Promise<unknown> {
      static override get [Symbol.species](): PromiseConstructor {
        throw new Error("no species");
      }
    };
    console.log(await outcome(main.wait(new species((resolve) => resolve("value")))));
    const trap = () => {
      throw new Error("trap");
    };
    const hostile = new Proxy({}, { get: trap, getPrototypeOf: trap, has: trap, ownKeys: trap });
    const throws = asyncDef(async () => {
      throw hostile;
    });
    console.log(await main.wait(throws()), await main.wait(promiseIntoPy(() => Promise.reject(hostile))));
    console.log(await outcome(main.asyncio.sleep(0, "still alive")));
  },
};

await cases[name]();
