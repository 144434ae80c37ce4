/** Python's other threads: they call JavaScript, and have event loops of their own. */
import { intoPromise, type PyProxy, python, run, TaskLocals, toThread } from "../../mod.ts";
import { assertSame, type Case, timed, type Way } from "../measure.ts";
import { threadsafe } from "./awaits.ts";

const count = 1000;

/** `count` coroutines at once over this many loops, each on a thread of its own. */
function manyLoops(size: number): Case {
  const plain = python.import("plain"), { identity } = python.import("called");
  const onLoops = (measure: (loops: PyProxy) => Promise<number>): Promise<number> => {
    const loops = plain.start_loops(size);
    return measure(loops).finally(() => plain.stop_loops(loops));
  };
  const start = async (loops: PyProxy) => {
    const locals = [...loops].map((loop) => new TaskLocals(loop));
    return () => Promise.all(Array.from({ length: count }, (_, n) => intoPromise(identity(n), { locals: locals[n % size] })));
  };
  return {
    group: "1,000 in flight over several loops",
    name: size === 1 ? "1 loop" : `${size} loops`,
    beside: "`run_coroutine_threadsafe` for all, then all results",
    check: () =>
      onLoops(async (loops) => {
        const results = await (await start(loops))();
        assertSame("identity on other loops", results, results.map((_, n) => n));
        return 0;
      }),
    ours: (seconds) => onLoops(async (loops) => timed(await start(loops), count)(seconds)),
    baseline: (seconds) => onLoops((loops) => toThread(plain.spread, [loops, count, seconds])),
  };
}

export async function threads(): Promise<Case[]> {
  const plain = python.import("plain"), { identity } = python.import("called");
  const asyncio = python.import("asyncio");
  const event = await python.execAsync("import asyncio; asyncio.Event()");
  const calls: Way = (seconds) => toThread(plain.thread_calls, [(n: number) => n, seconds]);
  return [
    {
      group: "other threads",
      name: "a Python thread calls a JavaScript function and waits",
      beside: "`run_coroutine_threadsafe(…).result()`",
      single: true,
      check: () => calls(0),
      ours: calls,
      baseline: await threadsafe(),
    },
    {
      group: "other threads",
      name: "`event.set()`, which is made on the loop's thread",
      beside: "`run_coroutine_threadsafe(…).result()`",
      single: true,
      check: () => assertSame("event.set()", [event.set(), event.is_set()], [null, true]),
      ours: timed(() => event.set()),
      baseline: await threadsafe(),
    },
    {
      group: "other threads",
      name: "`run(main)`: a loop is made, and ends",
      beside: "`asyncio.run(main())` on a Python thread",
      check: async () => assertSame("run", await run(() => identity(1)), await toThread(asyncio.run, [identity(1)])),
      ours: timed(() => run(() => identity(1))),
      baseline: (seconds) => toThread(plain.runs, [seconds]),
    },
    ...[1, 4, 16].map(manyLoops),
  ];
}
