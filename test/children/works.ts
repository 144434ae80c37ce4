/**
 * What Python does in a process that it shares with a JavaScript runtime: `works CASE [ARGUMENT...]`.
 */
import { execFile, spawn } from "node:child_process";
import process from "node:process";
import { intoPromise, python } from "../../mod.ts";

const [name, ...args] = process.argv.slice(2);
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const outcome = (promise: PromiseLike<unknown>) => promise.then((value) => String(value), (error: Error) => error.name);

const cases: Record<string, () => unknown> = {
  /** Python's output and JavaScript's go to the same places, in the order in which they were made. */
  async output() {
    for (let i = 0; i < 3; i++) {
      console.log(`JavaScript ${i}`);
      python.exec(`print("Python ${i}")`);
      await python.execAsync(`import sys\nprint("loop ${i}")\nprint("error ${i}", file=sys.stderr)`);
      console.error(`JavaScript error ${i}`);
    }
    python.exec("print('ünïcödé ✓', end='')");
  },
  /** Output goes to functions; what is printed while Python ends arrives too. */
  async functions() {
    const got = { stdout: "", stderr: "" };
    let calls = 0;
    python.configure({
      stdout: (text) => (calls++, got.stdout += text),
      stderr: (text) => got.stderr += text,
    });
    python.exec("import sys, atexit, asyncio\nprint('one', 'two')\nprint('error ✓', file=sys.stderr)");
    python.exec("for i in range(1000): print(i)"); // this thread is busy meanwhile
    const whole = `one two\n${Array.from({ length: 1000 }, (_, i) => `${i}\n`).join("")}`;
    for (let i = 0; i < 200 && (got.stdout !== whole || got.stderr === ""); i++) await wait(10);
    console.log(got.stdout === whole, got.stderr === "error ✓\n", calls < 20 || `${calls} calls`);
    python.exec(`
      import threading
      thread = threading.Thread(target=print, args=("from a thread",))
      thread.start()
      thread.join()
      def fail(): raise KeyError("in a thread")
      thread = threading.Thread(target=fail)
      thread.start()
      thread.join()
      atexit.register(print, "atexit")`);
    for (let i = 0; i < 200 && !(got.stdout.endsWith("from a thread\n") && got.stderr.includes("KeyError")); i++) await wait(10);
    console.log(got.stdout.endsWith("from a thread\n"), got.stderr.includes("KeyError: 'in a thread'"));
    if (args[0] === "close") {
      await python.close();
      console.log(got.stdout.endsWith("atexit\n"));
    } else process.on("exit", () => console.log(got.stdout.endsWith("atexit\n")));
  },
  /** A function of the user's that throws loses no output and no other record. */
  async throwing() {
    let text = "";
    process.on("uncaughtException", (error) => console.log("uncaught", error.message));
    python.configure({
      stdout(more) {
        text += more;
        throw new Error("in stdout");
      },
    });
    await python.execAsync("print(1)");
    await wait(20);
    await python.execAsync("print(2)");
    await wait(20);
    console.log(JSON.stringify(text.replace(/\n+/g, " ")));
  },
  /** A listener for SIGINT in JavaScript is still called. */
  async listener() {
    python.exec("import asyncio, signal");
    let count = 0;
    const asleep = python.import("asyncio").sleep(0.1, "slept");
    process.on("SIGINT", () => console.log("SIGINT", ++count));
    console.log("ready");
    while (count < 1) await wait(5);
    console.log("again");
    while (count < 2) await wait(5);
    console.log(await asleep);
  },
  /** KeyboardInterrupt stops a loop that is stuck; the loop goes on. */
  async interrupt() {
    const asyncio = python.import("asyncio");
    const stuck = outcome(python.execAsync("while True: pass"));
    const other = outcome(asyncio.sleep(0.2, "other"));
    await wait(100);
    python.interrupt();
    console.log(await stuck, await other, await asyncio.sleep(0, "goes on"));
  },
  /** An idle loop is interrupted at once, too, and goes on. */
  async interrupt_idle() {
    const asyncio = python.import("asyncio");
    const asleep = outcome(asyncio.sleep(0.2, "slept"));
    await wait(50);
    python.interrupt();
    await wait(50);
    console.log(await asleep, await asyncio.sleep(0, "goes on"));
  },
  /** Many at once, while the loop works. */
  async interrupts() {
    const asyncio = python.import("asyncio");
    for (let round = 0; round < 50; round++) {
      const works = Array.from({ length: 5 }, () => outcome(asyncio.sleep(0.001, "done")));
      for (let i = 0; i < 10; i++) python.interrupt();
      for (const text of await Promise.all(works)) {
        if (text !== "done" && text !== "KeyboardInterrupt") console.log(text);
      }
    }
    await wait(20);
    console.log(await outcome(asyncio.sleep(0, "goes on")));
  },
  /** Subprocesses of both, at once: each gets the exit codes of its own. */
  async subprocesses() {
    python.exec(`
      import asyncio, os, sys
      def shell(code):
          if os.name == "nt": return "cmd", "/c", f"echo {code}& exit {code}"
          return "sh", "-c", f"sleep 0.0{code % 7}; echo {code}; exit {code}"
      async def run(code):
          child = await asyncio.create_subprocess_exec(*shell(code), stdout=-1)
          out, _ = await child.communicate()
          return (child.returncode, int(out))`);
    const { run } = python.import("__main__");
    const ours = (code: number) =>
      new Promise((resolve) => {
        const shell: [string, string[]] = process.platform === "win32"
          ? ["cmd", ["/c", `exit ${code}`]]
          : ["sh", ["-c", `sleep 0.0${code % 5}; exit ${code}`]];
        execFile(...shell, (error) => resolve(error ? error.code : 0));
      });
    const killed = new Promise((resolve) => {
      const child = spawn(python.info.executable!, ["-c", "import time; time.sleep(20)"]);
      child.on("exit", (code, signal) => resolve(`${code} ${signal}`));
      setTimeout(() => child.kill(), 50);
    });
    const codes = Array.from({ length: 20 }, (_, i) => i + 1);
    const [theirs, own] = await Promise.all([
      Promise.all(codes.map((code) => run(code).then((result: Iterable<number>) => [...result].join(" ")))),
      Promise.all(codes.map(ours)),
    ]);
    console.log(theirs.join() === codes.map((code) => `${code} ${code}`).join() || theirs.join());
    console.log(own.join() === codes.join() || own.join());
    console.log(await killed);
  },
  signal_handler() {
    python.exec(`
      import asyncio, signal, os
      async def main():
          got = asyncio.get_running_loop().create_future()
          asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, got.set_result, "SIGUSR2")
          os.kill(os.getpid(), signal.SIGUSR2)
          return await got`);
    return intoPromise(python.exec("main()")).then(console.log);
  },
  /** What is said of the interpreter and of its environment, as JSON. */
  environment() {
    const code = `
      import sys, os, json, site, asyncio
      json.dumps([sys.executable, sys.prefix, sys.stdout.encoding, sys.getfilesystemencoding(), len(os.environ) > 2,
        [path for path in sys.path if path.endswith("site-packages")], sys.argv, sys.flags.utf8_mode])`;
    console.log(python.exec(code));
    python.exec("print('✓')");
  },
  modules() {
    for (const module of args) {
      try {
        python.import(module);
        console.log(module);
      } catch (error) {
        console.log(module, String(error));
      }
    }
    if (args.includes("ssl")) {
      python.exec(
        "import ssl, hashlib\nssl.create_default_context()\nhashlib.new('sha256', b'x').hexdigest()",
      );
    }
    if (args.includes("sqlite3")) {
      console.log(
        python.exec("import sqlite3\nsqlite3.connect(':memory:').execute('select 6 * 7').fetchone()[0]"),
      );
    }
    if (args.includes("ctypes")) {
      console.log(python.exec("import ctypes\nctypes.pythonapi.PyLong_AsLong(ctypes.py_object(42))"));
    }
  },
  default_path() {
    const before = process.cwd();
    python.open();
    process.chdir("/");
    python.configure({});
    python.configure({ path: [before] });
    try {
      python.configure({ path: ["/"] });
    } catch (error) {
      console.log(python.import("sys").path[0] === before, /open already/.exec((error as Error).message)?.[0]);
    }
  },
  async open_errors() {
    try {
      console.log(python.version);
    } catch (error) {
      console.log((error as Error).name);
      console.log((error as Error).message);
    }
  },
};

await cases[name]();
