/**
 * Signals that Python and JavaScript share, in a process of their own: `host_signals CASE`.
 */
import process from "node:process";
import { Worker } from "node:worker_threads";
import { python, toJs, toLoop } from "../../mod.ts";

const [name] = process.argv.slice(2);
const kill = (signal: NodeJS.Signals) => process.kill(process.pid, signal);

let heard = 0;
const hear = () => heard++;

/** Waits until `what` gives `expected`; prints what it gives at last. */
async function settle(what: () => string, expected: string): Promise<void> {
  for (let i = 0; i < 1000 && what() !== expected; i++) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, 20)); // for what comes too much
  console.log(what());
}

const define = () => {
  python.exec(`
    import asyncio, os, signal
    got = []
    def handle(number, frame): got.append(signal.Signals(number).name)
    def take(name): return name_of(signal.signal(getattr(signal, name), handle))
    def put(name, handler="SIG_DFL"): return name_of(signal.signal(getattr(signal, name), getattr(signal, handler)))
    def ask(name): return name_of(signal.getsignal(getattr(signal, name)))
    def name_of(handler): return getattr(handler, "name", None) or getattr(handler, "__name__", None) or repr(handler)`);
  const main = python.import("__main__");
  const call = (fn: string, ...args: unknown[]) => toLoop(main[fn], args);
  const counts = () => `JavaScript ${heard}, Python ${(toJs(main.got) as unknown[]).length}`;
  return { call, counts, main };
};

const cases: Record<string, () => unknown> = {
  /** What signal.signal returns can be put back, and getsignal never gives None. */
  async put_back() {
    const { call } = define();
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"]) {
      console.log(signal, await call("ask", signal), await call("take", signal), await call("ask", signal), await call("put", signal));
    }
    console.log(await call("ask", "SIGTERM"), await call("put", "SIGINT", "default_int_handler"), await call("ask", "SIGINT"));
    console.log(await call("take", "SIGTERM"));
    console.log(
      await python.execAsync(`
        old = signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGTERM, old) is handle`),
    );
    console.log(await call("put", "SIGTERM"));
    kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 5000));
    console.log("still alive");
  },
  /** A listener to one signal makes Deno handle SIGTERM and SIGINT too, in front of Python's handlers and for good. */
  async other_listener() {
    const { call, counts } = define();
    await call("take", "SIGTERM");
    await call("take", "SIGINT");
    process.on("SIGUSR2", hear);
    process.off("SIGUSR2", hear);
    kill("SIGTERM");
    await settle(counts, "JavaScript 0, Python 1");
    kill("SIGINT");
    await settle(counts, "JavaScript 0, Python 2");
  },
  /** Both sides get a signal, whichever came first, until each gives it up. */
  async both() {
    const { call, counts } = define();
    process.on("SIGUSR2", hear);
    await call("take", "SIGUSR2");
    kill("SIGUSR2");
    await settle(counts, "JavaScript 1, Python 1");
    process.off("SIGUSR2", hear);
    kill("SIGUSR2");
    await settle(counts, "JavaScript 1, Python 2");
    process.on("SIGUSR2", hear);
    kill("SIGUSR2");
    await settle(counts, "JavaScript 2, Python 3");
    await call("put", "SIGUSR2");
    kill("SIGUSR2");
    await settle(counts, "JavaScript 3, Python 3");
    await call("put", "SIGUSR2", "SIG_IGN");
    kill("SIGUSR2");
    await settle(counts, "JavaScript 4, Python 3");
  },
  /** A program that listens once, late, and for every signal in turn. */
  async late() {
    const { call, counts } = define();
    let sent = 0;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      await call("take", signal);
      process.once(signal, hear);
      for (let i = 0; i < 2; i++) {
        kill(signal);
        sent++;
        await settle(counts, `JavaScript ${Math.ceil(sent / 2)}, Python ${sent}`);
      }
    }
  },
  /** Without listeners of JavaScript's, a signal that Python handles does nothing else; set and sent at once. */
  async at_once() {
    define();
    console.log(
      await python.execAsync(`
        for i in range(200):
            signal.signal(signal.SIGTERM, handle)
            os.kill(os.getpid(), signal.SIGTERM)
            while len(got) <= i:
                await asyncio.sleep(0)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        len(got)`),
    );
  },
  /** Listeners come and go while Python gets signals. */
  async in_turns() {
    const { call, counts } = define();
    await call("take", "SIGUSR2");
    for (let i = 1; i <= 50; i++) {
      process.on("SIGUSR2", hear);
      kill("SIGUSR2");
      while (!counts().endsWith(`Python ${i}`)) await new Promise((resolve) => setTimeout(resolve, 1));
      while (heard < i) await new Promise((resolve) => setTimeout(resolve, 1));
      process.off("SIGUSR2", hear);
    }
    console.log(counts());
  },
  /** Every listener is removed while Python has the signal. */
  async remove_all() {
    const { call, counts } = define();
    await call("take", "SIGUSR2");
    process.on("SIGUSR2", hear);
    process.removeAllListeners("SIGUSR2");
    await new Promise((resolve) => setTimeout(resolve, 20));
    kill("SIGUSR2");
    await settle(counts, "JavaScript 0, Python 1");
    process.on("SIGTERM", hear);
    await call("take", "SIGTERM");
    process.off("SIGTERM", hear);
    await call("put", "SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 20));
    kill("SIGTERM");
    await new Promise((resolve) => setTimeout(resolve, 5000));
    console.log("still alive");
  },
  /** A server that handles signals while it runs and raises them again afterwards, as uvicorn does. */
  async server() {
    define();
    console.log(
      await python.execAsync(`
        async def serve(send):
            captured = []
            numbers = (signal.SIGINT, signal.SIGTERM)
            before = {number: signal.signal(number, lambda number, _: captured.append(number)) for number in numbers}
            try:
                if send:
                    os.kill(os.getpid(), signal.SIGTERM)
                    while not captured:
                        await asyncio.sleep(0)
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)
            for number in captured:
                signal.raise_signal(number) if hasattr(signal, "raise_signal") else os.kill(os.getpid(), number)
        await serve(False)
        "served"`),
    );
    await python.execAsync("await serve(True)").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 5000));
    console.log("still alive");
  },
  /** What Node ignores stays ignored: JavaScript's sockets would end the process. */
  async broken_pipe() {
    const { call } = define();
    console.log(await call("put", "SIGPIPE"), await call("ask", "SIGPIPE"));
    console.log(
      await python.execAsync(`
        reader, writer = os.pipe()
        os.close(reader)
        try:
            os.write(writer, b"x")
        except BrokenPipeError as error:
            answer = type(error).__name__
        os.close(writer)
        answer`),
    );
  },
  /** Python in a Worker alone, which cannot listen to signals. */
  async worker() {
    const worker = new Worker(new URL(import.meta.url), { argv: ["in_worker"] });
    await new Promise((resolve) => worker.once("message", resolve));
    process.on("SIGUSR2", hear);
    kill("SIGUSR2");
    await settle(() => `JavaScript ${heard}`, "JavaScript 1");
    await worker.terminate();
  },
  /** A handler that Python took for a Worker alone gets what is sent to the process. */
  async worker_handles() {
    const worker = new Worker(new URL(import.meta.url), { argv: ["in_handling_worker"] });
    const message = () => new Promise((resolve) => worker.once("message", resolve));
    await message();
    kill("SIGUSR2");
    console.log(await message());
    await worker.terminate();
  },
  async in_handling_worker() {
    const { call, counts } = define();
    await call("take", "SIGUSR2");
    const { parentPort } = await import("node:worker_threads");
    parentPort!.postMessage("ready");
    while (counts() !== "JavaScript 0, Python 1") await new Promise((resolve) => setTimeout(resolve, 2));
    parentPort!.postMessage(counts());
  },
  async in_worker() {
    const { call } = define();
    await call("take", "SIGUSR1");
    await call("put", "SIGUSR1");
    const { parentPort } = await import("node:worker_threads");
    parentPort!.postMessage("ready");
  },
};

await cases[name]();
