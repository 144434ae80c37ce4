/**
 * Everything at once and at random: `chaos SEED SECONDS` passes objects to and fro, gives them up at the worst moment,
 * lets go of buffers, cancels, throws, collects on both sides and ends Workers, and prints `survived SEED` when every
 * call has come to its end. Errors are part of it, but for those that only a fault of ours makes. Run with
 * PYTHONMALLOC=debug, memory that was freed too early does not look like an object any more.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  attach,
  buffer,
  enterAsync,
  intoAsyncIterable,
  intoPromise,
  kw,
  promiseIntoPy,
  type PyBuffer,
  python,
  PythonClosedError,
  tidy,
  toJs,
  toLoop,
  toPy,
  toThread,
  withLoop,
} from "../../mod.ts";
import { define } from "../support/define.ts";

const [seed, seconds] = isMainThread ? process.argv.slice(2).map(Number) : workerData as number[];

/** Random numbers from a seed (mulberry32, Tommy Ettinger). */
let state = seed;
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
}
const one = <T>(of: readonly T[]): T => of[random(of.length)];

const asyncio = python.import("asyncio");
const py = define(`
import array, asyncio, contextlib, functools, gc, warnings
warnings.simplefilter("ignore", RuntimeWarning)  # of coroutines that are never awaited

class Thing:
    def __init__(self, *args, **kwargs): self.args = args
    def method(self, *args): return args
    def __len__(self): return len(self.args)
    def __getitem__(self, index): return self.args[index]
class Failure(Exception): pass

def make(kind):
    return [lambda: [1, [2], {"a": Thing()}], lambda: {"k": Thing(), 1: [b"x"]}, lambda: Thing(Thing(), "text"),
            lambda: bytearray(100), lambda: array.array("d", range(20)), lambda: {1, 2, "three"}, lambda: (i for i in range(5)),
            lambda: functools.partial(identity, 1), lambda: Failure("made", Thing()), lambda: later(Thing(), 0),
            lambda: numbers(5), lambda: memoryview(bytearray(64)), lambda: object(), lambda: (Thing(),) * 3][kind % 14]()

def identity(*args, **kwargs): return args[0] if args else kwargs
def call(js, *args): return js(*args)
def call_and_keep(js, *args):
    kept.append(js(*args))
    del kept[:-20]
    return kept[-1]
def raise_it(error): raise error if isinstance(error, BaseException) else Failure(error)
def nested(js, depth, *args): return js(*args) if depth == 0 else nested(js, depth - 1, *args)
kept = []
async def later(value, seconds):
    await asyncio.sleep(seconds)
    return value
async def ask(js, *args): return await js(*args)
async def ask_often(js, *args):
    return await asyncio.gather(*(js(*args) for _ in range(3)), return_exceptions=True)
async def give_up(js, *args):
    with contextlib.suppress(asyncio.TimeoutError): return await asyncio.wait_for(js(*args), 0.001)
def run_here(js, *args): return asyncio.run(ask(js, *args))
def run_often_here(js, *args): return asyncio.run(ask_often(js, *args))
async def numbers(count):
    for i in range(count):
        yield [i, Thing()]
        if i % 2: await asyncio.sleep(0)
async def read_some(source, count):
    found = []
    async for each in source:
        found.append(each)
        if len(found) >= count: break
    return found
@contextlib.asynccontextmanager
async def manager(value):
    yield value
`);
// deno-lint-ignore no-explicit-any
type Value = any;
const gc = (globalThis as { gc?(): void }).gc ?? (() => {});
const pool: Value[] = [];

/** Keeps a value for later steps, instead of another. */
function keep<T>(value: T): T {
  if (pool.length < 60) pool.push(value);
  else pool[random(pool.length)] = value;
  return value;
}

const make = (): Value => py.make(random(14));
const value = (depth = 0): Value => {
  const kind = random(depth > 2 ? 6 : 12);
  if (kind < 3 && pool.length > 0) return one(pool);
  if (kind === 3) return make();
  if (kind === 4) return one([null, 1, -1.5, 2n ** 70n, "text", "\u{1f600}", new Float64Array(3), new Date(0), new Map([[1, 2]])]);
  if (kind === 5) return one([answer, answerLater]);
  if (kind < 8) return Array.from({ length: random(4) }, () => value(depth + 1));
  if (kind < 10) return { a: value(depth + 1), b: value(depth + 1) };
  return one([Promise.resolve(one(pool) ?? 1), new Error("given"), function* () {}(), new Set([1]), one(pool)]);
};
const args = () => Array.from({ length: 1 + random(3) }, () => value());

const isProxy = (each: Value): boolean => typeof each?.$destroy === "function";

/** Gives one up now, soon or later in the turn. */
function drop(): void {
  const at = random(pool.length || 1), each = pool[at];
  if (!isProxy(each)) return;
  const now = () => each.$destroy();
  if (random(3) > 0) pool.splice(at, 1);
  one([now, () => queueMicrotask(now), () => void Promise.resolve().then(() => {}).then(now), () => void setTimeout(now, random(3))])();
}

/** What Python calls: answers with this or that, and may take away what it was given. */
function answer(...given: Value[]): Value {
  if (random(4) === 0) drop();
  if (random(6) === 0) { for (const each of given) if (isProxy(each)) queueMicrotask(() => each.$destroy()); }
  if (random(12) === 0) throw one([new Error("thrown"), "text", make(), 5]);
  const result = one([() => given[0], make, () => value(1), () => keep(make()), () => [make(), given], () => py.identity(given)])();
  if (isProxy(result) && random(4) === 0) queueMicrotask(() => result.$destroy());
  return result;
}
async function answerLater(...given: Value[]): Promise<Value> {
  if (random(2)) await new Promise((resolve) => setTimeout(resolve, random(3)));
  return answer(...given);
}
async function* items() {
  for (let i = 0; i < random(6); i++) yield i % 2 ? answer(i) : i;
}

/** Aborts now and then. */
function signal(): AbortSignal | undefined {
  if (random(4) > 0) return undefined;
  const controller = new AbortController();
  setTimeout(() => controller.abort(), random(4));
  return controller.signal;
}

async function leaveEarly(): Promise<void> {
  let left = random(5);
  for await (const each of intoAsyncIterable(py.numbers(4), { highWaterMark: one([0, 2, 10]), signal: signal() })) {
    keep(each);
    if (left-- === 0) break;
  }
}

function seeMemory(): void {
  const exporter = one([py.make(3), py.make(4), py.make(11)]), view = exporter.$getBuffer() as PyBuffer & { data: Uint8Array };
  view.data[1] = 7;
  if (random(2)) keep(random(2) ? view.data.subarray(1) : view);
  if (random(2)) exporter.$destroy();
  if (random(2)) view.release();
  else py.identity(view);
  for (const each of pool) if (each instanceof Uint8Array && each.length > 0) each[0]++;
}

const callees = () => one([answer, answerLater, one(pool) ?? answer]);

const steps: (() => unknown)[] = [
  () => keep(make()),
  () => keep(py.identity(...args())),
  () => keep(py.identity(kw({ a: value(), b: value() }))),
  drop,
  drop,
  () => keep(py.call(answer, ...args())),
  () => py.call_and_keep(callees(), ...args()),
  () => py.nested(answer, random(20), ...args()),
  () => keep(toJs(one(pool), { depth: random(4) })),
  () => keep(toPy(value(), { depth: random(3) })),
  () => tidy(() => py.identity([make(), make()])),
  () => attach(() => py.identity(make())),
  () => py.raise_it(value()),
  () => [...(one(pool) ?? [])].forEach(keep),
  () => String(one(pool)),
  () => keep(one(pool)?.args),
  seeMemory,
  () => keep(buffer(Float64Array, random(9)).data),
  () => intoPromise(py.later(value(), random(2) / 1000), { signal: signal() }).then(keep),
  () => py.later(value(), 0).then(keep),
  () => toLoop(callees(), args(), { signal: signal() }).then(keep),
  () => toThread(py.call, [callees(), ...args()], { signal: signal() }).then(keep),
  () => toThread(py.run_here, [answerLater, ...args()]).then(keep),
  () => toThread(py.run_often_here, [answerLater, ...args()]).then(keep),
  () => py.ask(answerLater, ...args()).then(keep),
  () => py.ask_often(answerLater, ...args()).then(keep),
  () => py.give_up(answerLater, ...args()).then(keep),
  () => intoPromise(promiseIntoPy(answerLater(value()))).then(keep),
  () => py.read_some(items(), random(5)).then(keep),
  () => enterAsync(py.manager(value()), (given) => py.later(given, 0)).then(keep),
  leaveEarly,
  () => keep(asyncio.Event()),
  () => keep(asyncio.ensure_future(py.later(value(), 0))),
  () => void asyncio.get_running_loop().call_soon(answer, ...args()),
  () => withLoop(() => keep(py.identity(make()))),
  () => attach(() => asyncio.Queue().put_nowait(value())),
  () => withLoop(() => py.call(answer, ...args())),
  () => python.execAsync("await f(x)", { globals: { f: answerLater, x: value() }, signal: signal() }).then(keep),
  () => void pool.splice(0, random(20)),
  gc,
  () => py.gc.collect(random(3)),
];

let ended = false; // a Worker cannot tell: on Deno it goes on with its turn when it has been ended

/** Whether it is what only a fault of ours says. */
const isOurs = (error: unknown) =>
  error instanceof PythonClosedError && !ended && isMainThread ||
  error instanceof Error && /malformed|src\/py|pyawait:/.test(error.message);

let faults = 0;
function caught(error: unknown): void {
  if (!isOurs(error)) return;
  faults++;
  console.log("a fault of ours:", error);
}

/** Waits for it, but not for ever. */
async function inTime(promise: Promise<unknown>, step: () => unknown): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => timer = setTimeout(() => (console.log("late:", String(step)), resolve()), 3000));
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

async function endWorkers(until: number): Promise<void> {
  for (let at = 1; Date.now() < until; at++) {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: [seed + 1000 * at, seconds] });
    worker.on("error", (error) => (faults++, console.log("a Worker ended:", error)));
    await new Promise((resolve) => (worker.once("message", resolve), worker.once("exit", resolve)));
    await new Promise((resolve) => setTimeout(resolve, random(300)));
    await worker.terminate();
  }
}

process.on("unhandledRejection", caught);
const until = Date.now() + 1000 * seconds;
const workers = isMainThread ? endWorkers(until) : parentPort!.postMessage("ready");
while (Date.now() < until) {
  const pending: Promise<unknown>[] = [];
  for (let i = random(40); i >= 0; i--) {
    try {
      const step = one(steps), result = step();
      if (result instanceof Promise) pending.push(inTime(result.catch(caught), step));
    } catch (error) {
      caught(error);
    }
  }
  if (random(3)) await Promise.all(pending);
  else await new Promise((resolve) => setTimeout(resolve, random(2)));
}
await workers;
await intoPromise(py.later(0, 0.05));
ended = true; // a function that Python has called may go on while the process ends, and then finds Python closed
console.log(faults === 0 ? `survived ${seed}` : `${faults} faults ${seed}`);
if (faults > 0) process.exitCode = 1;
