/**
 * Children that Python starts, beside a runtime that has made the standard streams non-blocking: `child_streams CASE`.
 */
import process from "node:process";
import { python } from "../../mod.ts";

// That is what makes them so, on Node and on Bun.
process.stdin;
process.stdout.write("");
process.stderr.write("");

const [name, way] = process.argv.slice(2);

python.exec(`
  import asyncio, ctypes, multiprocessing, os, subprocess, sys
  zeros = "head -c 2000000 /dev/zero"
  shell = ["sh", "-c", zeros]

  async def by_asyncio():
      child = await asyncio.create_subprocess_exec(*shell)
      return await child.wait()

  def by_c(libc):
      # as an extension that forks and executes
      arguments = (ctypes.c_char_p * 4)(b"sh", b"-c", zeros.encode(), None)
      execute = ctypes.PyDLL(None).execvp
      child = libc.fork()
      if not child: execute(b"sh", arguments)
      return os.waitpid(child, 0)[1]

  def by_fork():
      child = os.fork()
      if not child: os.execvp("sh", shell)
      return os.waitpid(child, 0)[1]

  def by_process(method):
      # os.system, because a function of this program cannot be found by a new Python
      context = multiprocessing.get_context(method)
      child = context.Process(target=os.system, args=(zeros,))
      child.start()
      child.join()
      return child.exitcode

  ways = {
      "subprocess": lambda: subprocess.call(shell),
      "subprocess, stderr=STDOUT": lambda: subprocess.call(["sh", "-c", zeros + " >&2"], stderr=subprocess.STDOUT),
      "subprocess, stdout=1": lambda: subprocess.call(shell, stdout=1, close_fds=False),
      "subprocess, shell": lambda: subprocess.call(zeros, shell=True, start_new_session=True),
      "os.system": lambda: os.system(zeros),
      "os.popen": lambda: os.popen(zeros + " >&2", "w").close() or 0,
      "os.posix_spawn": lambda: os.waitpid(os.posix_spawn("/bin/sh", shell, os.environ), 0)[1],
      "os.posix_spawnp": lambda: os.waitpid(os.posix_spawnp("sh", shell, os.environ, file_actions=[]), 0)[1],
      "os.spawnvp": lambda: os.spawnvp(os.P_WAIT, "sh", shell),
      "os.fork and exec": by_fork,
      "C with the GIL": lambda: by_c(ctypes.PyDLL(None)),
      "C without the GIL": lambda: by_c(ctypes.CDLL(None)),
      "multiprocessing, spawn": lambda: by_process("spawn"),
      "multiprocessing, forkserver": lambda: by_process("forkserver"),
      "multiprocessing, fork": lambda: by_process("fork"),
  }
  async def on_loop(way): return ways[way]()`);
const { ways, on_loop, by_asyncio } = python.import("__main__");

const cases: Record<string, () => unknown> = {
  /** More than a pipe holds, from a child that takes EAGAIN for a failure. */
  async output() {
    const result = way === "asyncio" ? await by_asyncio() : await on_loop(way);
    process.stderr.write(`${result}\n`);
  },
  /** The same, started on JavaScript's thread, which writes as much afterwards. */
  synchronous() {
    const result = ways.__getitem__(way)();
    process.stdout.write("\0".repeat(2_000_000), () => process.stderr.write(`${result}\n`));
  },
  /** A child has all three streams, so what it opens gets another number. */
  descriptors() {
    python.exec(`
      code = "import os, sys; sys.exit(os.open(os.devnull, os.O_RDONLY))"
      os.environ["PYTHON"], os.environ["CODE"] = sys.executable, code
      status = os.system('"$PYTHON" -c "$CODE"') >> 8
      child = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
      print(subprocess.call([sys.executable, "-c", code]), status, os.waitpid(child, 0)[1] >> 8, file=sys.stderr)`);
  },
  /** A child waits for input; what comes afterwards is JavaScript's. */
  async input() {
    await python.execAsync(`
      import subprocess
      subprocess.call(["sh", "-c", "read line; echo child got $line"])`);
    process.stdin.setEncoding("utf8");
    let text = "";
    for await (const more of process.stdin) text += more;
    process.stdout.write(`JavaScript got ${text}`);
  },
  /** The program that replaces this process has the streams. */
  exec() {
    python.exec(`
      import os
      os.execvp("sh", ["sh", "-c", "read line; echo got $line; head -c 2000000 /dev/zero"])`);
  },
};

await cases[name]();
