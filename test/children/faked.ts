/**
 * A process whose globals are replaced or frozen: `faked CASE`. pyawait has to work all the same, whether that is done
 * before it is loaded or afterwards.
 */
import process from "node:process";
import { mock } from "node:test";
import timers from "node:timers";

// deno-lint-ignore no-explicit-any
const all = globalThis as any;

/** Functions that never run what they are given, as those of fake clocks that nobody advances. */
function fakeClock(): void {
  for (
    const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "requestAnimationFrame", "clearTimeout", "clearInterval"]
  ) {
    all[name] = () => 1;
  }
  all.performance = { now: () => 0 };
  all.Date = class extends Date {
    static override now = () => 0;
  };
  all.structuredClone = () => "cloned";
}

/** What a library does that brings its own Promise. */
function replacePromise(): void {
  const own = ["then", "catch", "finally"] as const;
  for (const name of own) Promise.prototype[name] = () => raise(`Promise.prototype.${name} was used`);
  for (const name of ["resolve", "reject", "race", "all", "allSettled"] as const) {
    Promise[name] = () => raise(`Promise.${name} was used`);
  }
  all.Promise = class {
    constructor() {
      raise("Promise was used");
    }
  };
}

function raise(problem: string): never {
  throw new Error(problem);
}

/** As `node --frozen-intrinsics` and SES do it. */
function freezeIntrinsics(): void {
  const done = new Set<object>();
  const freeze = (value: unknown) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || done.has(value)) return;
    done.add(value);
    Object.freeze(value);
    freeze(Object.getPrototypeOf(value));
    for (const { value: member } of Object.values(Object.getOwnPropertyDescriptors(value))) freeze(member);
  };
  const names =
    "Object Function Array Map Set WeakMap WeakSet WeakRef Promise Error TypeError RangeError Symbol Number String BigInt Boolean " +
    "RegExp Date Math JSON Reflect Proxy ArrayBuffer DataView Uint8Array Float64Array FinalizationRegistry";
  for (const name of names.split(" ")) freeze(all[name]);
}

let loaded: typeof import("../../mod.ts") | undefined; // Node and Bun call Promise.prototype.then of the program when they import

/** A bit of everything that waits for something. */
async function work(): Promise<void> {
  const { asyncIterableIntoPy, intoPromise, promiseIntoPy, python } = loaded ??= await import("../../mod.ts");
  const asyncio = python.import("asyncio");
  const seen: unknown[] = [await asyncio.sleep(0.001, "awaited")];
  const both = [intoPromise(asyncio.sleep(0.001, 1)), intoPromise(asyncio.sleep(0.001, 2))];
  for (const one of both) seen.push(await one);
  for (let n = 0; n < 20; n++) { // so that both sides spin
    if (await asyncio.sleep(0, n) !== n) seen.push(`not ${n}`);
  }
  try {
    await python.execAsync("1 / 0");
  } catch (error) {
    seen.push((error as Error).name);
  }
  const globals = python.exec("{}");
  python.exec(
    `
    import asyncio, threading
    async def items():
        for i in range(3):
            await asyncio.sleep(0)
            yield i
    async def read(items):
        return [item async for item in items]
    async def call(f, g):
        return await f(20) + await asyncio.get_running_loop().run_in_executor(None, g, 1)
    `,
    { globals },
  );
  for await (const item of globals.get("items")()) seen.push(item);
  const source = async function* () {
    yield 1;
    yield 2;
  };
  seen.push((await globals.get("read")(asyncIterableIntoPy(source()))).length);
  const slow = async (n: number) => await intoPromise(asyncio.sleep(0.001, n));
  seen.push(await globals.get("call")(slow, (n: number) => n + 1));
  seen.push(await intoPromise(promiseIntoPy(async () => await asyncio.sleep(0, "deferred"))));
  const controller = new AbortController();
  const cancelled = intoPromise(asyncio.sleep(60), { signal: controller.signal });
  controller.abort(new RangeError("stop"));
  try {
    await cancelled;
  } catch (error) {
    seen.push((error as Error).name);
  }
  console.log(seen.join(" "));
}

const cases: Record<string, () => Promise<void>> = {
  async "faked later"() {
    await work();
    fakeClock();
    await work();
  },
  async "faked before"() {
    fakeClock();
    await work();
  },
  async "timers of the module faked before"() {
    fakeClock();
    for (const name of ["setTimeout", "setInterval", "setImmediate"] as const) timers[name] = all[name];
    await work();
  },
  async "Promise replaced later"() {
    await work();
    replacePromise();
    await work();
  },
  async "frozen later"() {
    await work();
    freezeIntrinsics();
    await work();
  },
  async "frozen before"() {
    freezeIntrinsics();
    await work();
  },
  async "node:test mock timers"() {
    await work();
    mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate"] });
    await work();
  },
};

await cases[process.argv.slice(2).join(" ")]();
await loaded!.python.close();
console.log("closed");
