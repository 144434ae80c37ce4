/**
 * Threads that wait for each other's JavaScript: `waits CASE`.
 */
import process from "node:process";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { python } from "../../mod.ts";

const name = isMainThread && !workerData ? process.argv[2] : "worker";

python.exec(`
  import pyawait, sys, threading, types
  if "shared" not in sys.modules:
      shared = sys.modules["shared"] = types.ModuleType("shared")
      shared.functions = {}
  shared = sys.modules["shared"]
  def set_function(name, function): shared.functions[name] = function
  def call(name, *args): return shared.functions[name](*args)
  def attempt(name, *args):
      try:
          return call(name, *args)
      except RuntimeError as error:
          return "%s: %s" % (type(error).__name__, error)`);
const main = python.import("__main__");

const cases: Record<string, () => unknown> = {
  /** The main thread calls a Worker's function, which calls one of the main thread's. */
  async circle() {
    main.set_function("main", () => "main's");
    const worker = new Worker(new URL(import.meta.url), { workerData: "worker" });
    await new Promise((resolve) => worker.once("message", resolve));
    console.log(main.attempt("worker", "attempt", "main"));
    console.log(main.attempt("worker", "call", "worker"));
    console.log(main.call("main"));
    await worker.terminate();
    console.log("end");
  },
  worker() {
    main.set_function("worker", (how: string, whom: string) => whom === "worker" ? "worker's" : main[how](whom));
    parentPort!.on("message", () => {}); // keeps the Worker alive
    parentPort!.postMessage("ready");
  },
  /** JavaScript joins a thread that waits for JavaScript; a timeout ends it. */
  join() {
    python.exec(`
      def work(function):
          function()
          print("called", flush=True)
      def start(function):
          thread = threading.Thread(target=work, args=(function,), name="caller")
          thread.start()
          return thread
      def join(thread): thread.join(7)
    `);
    python.ref();
    let done = () => {};
    const called = new Promise<void>((resolve) => done = () => setTimeout(() => resolve(python.unref()), 20));
    const thread = main.start(() => done());
    main.join(thread);
    console.log("joined");
    return called;
  },
};

await cases[name]();
