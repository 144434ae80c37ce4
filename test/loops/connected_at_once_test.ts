/**
 * Two threads that meet one loop at the same time: the loop's own awaits JavaScript, JavaScript awaits a coroutine on it.
 */
import { readdirSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { intoPromise, python, TaskLocals } from "../../mod.ts";
import { assert, assertEquals } from "#std/assert";

const main = python.exec(
  `
    import asyncio, concurrent.futures, sys, threading, types

    def new_loop(): return asyncio.new_event_loop()

    def run(loop, started, js):
        async def both():
            started.set()
            return await js()
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(asyncio.wait_for(both(), 30))
        finally:
            loop.run_until_complete(asyncio.sleep(0.002))
            loop.close()

    def start(loop, js):
        """Runs it on a thread of its own, and returns when the loop is about to await JavaScript."""
        started, result = threading.Event(), concurrent.futures.Future()
        threading.Thread(target=lambda: result.set_result(run(loop, started, js))).start()
        started.wait()
        return result

    async def result_of(future): return await asyncio.wrap_future(future)
    async def answer(): return "from Python"

    def with_interval(seconds):
        before = sys.getswitchinterval()
        sys.setswitchinterval(seconds)
        return before

    types.SimpleNamespace(**locals())
`,
  { globals: {} },
);

const descriptors = () => process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;

test("a loop that two threads connect at once has one inbox", async () => {
  const interval = main.with_interval(1e-6);
  try {
    const round = async () => {
      const loop = main.new_loop();
      const running = main.start(loop, async () => await Promise.resolve("from JavaScript"));
      const answer = intoPromise(main.answer(), { locals: new TaskLocals(loop) });
      const results = await main.result_of(running);
      assertEquals([results, await answer], ["from JavaScript", "from Python"]);
    };
    await round();
    const before = descriptors();
    for (let i = 0; i < 100; i++) await round();
    assert(descriptors() <= before + 4, `${before} descriptors, then ${descriptors()}`);
  } finally {
    main.with_interval(interval);
  }
});
