/**
 * Forked children of a process with JavaScript in it: `forks CASE THREAD`, where THREAD says which one forks.
 */
import process from "node:process";
import { python, toLoop, toThread } from "../../mod.ts";
import { readCounters } from "../../src/interpreter/counters.ts";

const [name, thread] = process.argv.slice(2);

const printed: string[] = [];
if (name === "print") python.configure({ stdout: (text) => void printed.push(text) });

python.exec(`
  import asyncio, gc, multiprocessing, os, signal, sys, time, warnings
  warnings.simplefilter("ignore", DeprecationWarning)

  def stop(number, frame): os._exit(7)
  def listen(): signal.signal(signal.SIGTERM, stop)
  def sleep(ready):
      ready.set()
      time.sleep(1000)
  def terminate():
      context = multiprocessing.get_context("fork")
      ready = context.Event()
      child = context.Process(target=sleep, args=(ready,), daemon=True)
      child.start()
      ready.wait()
      time.sleep(0.3)  # Python 3.13 misses a signal between two calls in such a child, also without JavaScript
      child.terminate()
      child.join(20)
      return child.exitcode

  def run_in_child(function):
      "What the function returns in a forked child, as text; or how the child has ended."
      reader, writer = os.pipe()
      child = os.fork()
      if not child:
          try:
              try: text = str(function())
              except BaseException as error: text = "%s: %s" % (type(error).__name__, error)
              os.write(writer, text.encode())
          finally: os._exit(0)
      os.close(writer)
      with open(reader) as file: text = file.read()
      status = os.waitpid(child, 0)[1]
      return "status %d" % status if status else text

  def drop(values):
      def in_child():
          del values[:]
          gc.collect()
          return "dropped"
      return in_child

  def drop_in_children(make):
      return sorted({run_in_child(drop([make() for _ in range(5)])) for _ in range(50)})

  def in_new_loop(function):
      async def main(): return await function()
      return lambda: asyncio.run(main())

  def use_in_child(function, wait, value):
      uses = [function, lambda: value.name, lambda: setattr(value, "name", 1), in_new_loop(wait)]
      return [run_in_child(use) for use in uses]

  def child_prints():
      return run_in_child(lambda: print("from the child", flush=True))

  async def slept(): return await asyncio.sleep(0.01, "slept")
  def run_loop_in_child(): return run_in_child(lambda: asyncio.run(slept()))`);
const main = python.import("__main__");
// deno-lint-ignore no-explicit-any -- a function of Python's
const run = async (fn: any, ...args: unknown[]) =>
  thread === "javascript" ? fn(...args) : thread === "loop" ? await toLoop(fn, args) : await toThread(fn, args);

class Some {
  name = "value";
}

const cases: Record<string, () => unknown> = {
  /** Python's handler of a signal runs in a child, on the thread that has forked. */
  async terminate() {
    await toLoop(main.listen);
    console.log(await run(main.terminate));
  },
  /** JavaScript's values die in a child. */
  async drop() {
    const make = () => new Some();
    console.log(String(await run(main.drop_in_children, make)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { takes } = readCounters();
    const dropOne = main.drop([new Some()]); // keeps it alive here
    console.log(main.run_in_child(dropOne));
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log("rings", readCounters().takes - takes, String(dropOne).length > 0);
  },
  /** What needs JavaScript says why it fails. */
  async use() {
    const results = await run(main.use_in_child, () => 1, async () => await 1, new Some());
    for (const each of results) console.log(String(each));
  },
  /** What a child prints goes to the stream, not to the parent's function. */
  async print() {
    console.log(await run(main.child_prints), printed.join());
  },
  /** A child's own loop works. */
  async loop() {
    console.log(await run(main.run_loop_in_child));
  },
};

await cases[name]();
