/**
 * A process, or a Worker, that ends with coroutines that were never awaited: `forgotten CASE`. Python warns on stderr.
 */
import process from "node:process";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { python, tidy } from "../../mod.ts";

const [name] = isMainThread ? process.argv.slice(2) : [workerData as string];

// deno-lint-ignore no-explicit-any
const main: any = python.exec(`
  import asyncio, sys

  async def commit(value=None): return value

  sys.modules["__main__"]
`);

/** What is kept is not collected. */
const kept: unknown[] = (globalThis as { kept?: unknown[] }).kept = [];
const forget = () => void kept.push(main.commit());
const later = (ms = 20) => new Promise<void>((resolve) => setTimeout(resolve, ms));

async function inWorker(end: string): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: end });
  worker.on("error", () => {});
  await new Promise((resolve) => worker.on("exit", resolve));
}

const cases: Record<string, () => unknown> = {
  async natural() {
    forget();
    await later();
  },
  async exit() {
    forget();
    await later();
    process.exit(3);
  },
  "exit in the same turn"() {
    main.commit();
    process.exit(3);
  },
  "exit in a synchronous call"() {
    forget();
    python.builtins.list(python.builtins.map(() => process.exit(3), [1]));
  },
  throw() {
    forget();
    throw new Error("nobody catches this");
  },
  async reject() {
    forget();
    await later();
    Promise.reject(new Error("nobody catches this"));
  },
  async close() {
    forget();
    await later();
    await python.close();
    console.log("closed");
  },
  worker: () => inWorker("natural"),
  "worker that exits": () => inWorker("exit in the same turn"),
  "worker that throws": () => inWorker("throw"),
  /** More calls than keep their line. */
  async many() {
    for (let at = 0; at < 6; at++) {
      forget();
      await later(0);
    }
  },
  /** What is no forgotten await. */
  async none() {
    const { asyncio } = main, first = main.commit(1), second = main.commit(2);
    await later(0);
    await Promise.all([first, second, main.commit(3)]);
    main.commit().$destroy();
    const made = main.commit();
    kept.push(made.cr_code);
    made.$destroy();
    tidy(() => {
      kept.push(main.commit());
      const looked = main.commit();
      return looked.cr_code.co_name;
    });
    asyncio.run_coroutine_threadsafe(main.commit(), asyncio.get_running_loop()).result();
    main.commit(4).then(() => {});
    void (async () => await main.commit(5))();
    void Promise.all([main.commit(6)]);
    process.exit(0); // the last two have not called `then` yet
  },
};

await cases[name]();
