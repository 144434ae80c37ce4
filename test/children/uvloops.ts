/**
 * uvloop in a process of its own: `uvloops CASE`.
 */
import { execFile, spawn } from "node:child_process";
import process from "node:process";
import { getCurrentLoop, getCurrentSignal, intoPromise, python, run, toJs, toLoop } from "../../mod.ts";

const [name] = process.argv.slice(2);
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const py = () => {
  python.exec(`
    import asyncio
    def kind(): return type(asyncio.get_running_loop()).__module__.partition(".")[0]
    async def where(): return kind()
    async def call(function, *args): return await function(*args)
    async def forever(): await asyncio.sleep(3600)
    async def count(n):
        for i in range(n): yield i
    async def run_child(code):
        child = await asyncio.create_subprocess_exec("sh", "-c", "sleep 0.0%d; echo %d; exit %d" % (code % 7, code, code), stdout=-1)
        out, _ = await child.communicate()
        return (child.returncode, int(out))
    async def kill_child():
        child = await asyncio.create_subprocess_exec("sleep", "20")
        await asyncio.sleep(0.02)
        child.kill()
        return await child.wait()
    async def shell(): return await (await asyncio.create_subprocess_shell("exit 3")).wait()`);
  return python.import("__main__");
};

const exits = (code: number) =>
  new Promise<number>((resolve) => {
    execFile("sh", ["-c", `sleep 0.0${code % 5}; exit ${code}`], (error) => resolve(error ? error.code as number : 0));
  });
const killed = () =>
  new Promise<string>((resolve) => {
    const child = spawn("sleep", ["20"]);
    child.on("exit", (code, signal) => resolve(`${code} ${signal}`));
    setTimeout(() => child.kill(), 30);
  });

/** Children of Python's and of JavaScript's at once: whether each got the exit codes of its own. */
async function childrenOfBoth(): Promise<string> {
  const { run_child, kill_child, shell } = py();
  const codes = Array.from({ length: 15 }, (_, index) => index + 1);
  const [theirs, ours, [shellCode, killCode], kill] = await Promise.all([
    Promise.all(codes.map((code) => run_child(code).then(toJs))),
    Promise.all(codes.map(exits)),
    Promise.all([shell(), kill_child()]),
    killed(),
  ]);
  return [theirs.join() === codes.map((code) => [code, code]).join(), ours.join() === codes.join(), shellCode, killCode, kill].join(" ");
}

const cases: Record<string, () => unknown> = {
  /** A child gets the environment that it was given, and no other, on a loop that JavaScript never meets. */
  async environment() {
    process.env.OF_PARENT = "yes";
    await python.execAsync(`
      import asyncio, threading, uvloop
      code = 'echo "$OF_CHILD:$OF_PARENT"'
      async def child(**options):
          process = await asyncio.create_subprocess_exec("/bin/sh", "-c", code, stdout=-1, **options)
          print((await process.communicate())[0].decode().strip())
      def main():
          loop = uvloop.new_event_loop()
          loop.run_until_complete(child(env={"OF_CHILD": "given"}))
          loop.run_until_complete(child(env={b"OF_CHILD": b"bytes"}, preexec_fn=lambda: None))
          loop.run_until_complete(child(env={}))
          loop.close()
      await asyncio.get_running_loop().run_in_executor(None, main)`);
  },
  /** The background loop stays asyncio's; `run` has uvloop's, which is closed afterwards. */
  async run() {
    // deno-lint-ignore no-explicit-any -- what Python defines
    const { where, call, forever, count } = py() as Record<string, (...args: unknown[]) => any>;
    console.log(await where());
    for (let round = 0; round < 2; round++) {
      const loop = await run(async () => {
        console.log(await where(), await call(async () => (await sleep(1), await where())));
        let aborted = false;
        const cancelled = await intoPromise(forever(), { signal: AbortSignal.timeout(10) }).catch((reason) => reason.name);
        const timeOut = await toLoop(python.import("asyncio").wait_for, [
          call(async () =>
            await new Promise<void>((resolve) => getCurrentSignal()!.addEventListener("abort", () => (aborted = true, resolve())))
          ),
          0.01,
        ]).catch((error: Error) => error.name);
        const items: unknown[] = [];
        for await (const item of count(5)) items.push(item);
        console.log(cancelled, timeOut, aborted, items.join(""));
        return getCurrentLoop();
      }, { loop: "uvloop" });
      console.log(loop.is_closed(), await where());
    }
    python.exec("import warnings\nwarnings.simplefilter('ignore')");
    console.log(python.exec("loop = asyncio.new_event_loop()\nloop.close()\ntype(loop).__module__").split(".")[0]); // no policy was set
  },
  async background() {
    python.configure({ loop: "uvloop" });
    for (let round = 0; round < 3; round++) console.log(await childrenOfBoth());
    console.log((await Promise.all([exits(7), killed()])).join(" "));
  },
  async subprocesses_in_run() {
    for (let round = 0; round < 2; round++) {
      console.log(await run(() => childrenOfBoth(), { loop: "uvloop" }));
      console.log(await exits(9), await killed());
    }
    console.log(await childrenOfBoth());
  },
  async signals() {
    python.configure({ loop: "uvloop" });
    python.exec(`
      import asyncio, os, signal
      async def main():
          loop, got = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
          loop.add_signal_handler(signal.SIGUSR2, got.set_result, "SIGUSR2")
          os.kill(os.getpid(), signal.SIGUSR2)
          return await got, loop.remove_signal_handler(signal.SIGUSR2)`);
    const { main } = python.import("__main__");
    console.log(String(toJs(await main())), String(toJs(await main())));
    const stuck = python.execAsync("while True: pass").catch((error: Error) => error.name);
    await sleep(100);
    python.interrupt();
    console.log(await stuck, await python.import("asyncio").sleep(0, "goes on"));
  },
  async close() {
    python.configure({ loop: "uvloop" });
    const { forever } = py();
    const pending = intoPromise(forever()).catch((error: Error) => error.name);
    await sleep(5);
    await python.close();
    console.log(await pending);
  },
  /** A child has stdout as it is without JavaScript: it waits. */
  async streams() {
    process.stdout.write(""); // makes it non-blocking
    python.configure({ loop: "uvloop" });
    python.exec(`
      import asyncio
      async def write_zeros():
          child = await asyncio.create_subprocess_exec("head", "-c", "2000000", "/dev/zero")
          return await child.wait()`);
    process.stderr.write(`${await python.import("__main__").write_zeros()}\n`);
  },
};

await cases[name]();
