/**
 * The streams of children that Python starts: the process's own, blocking, however the runtime has set them. A Python
 * starts the runtime, because its standard streams have to be of a kind, and read slowly. See children/child_streams.ts.
 */
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { assertEquals } from "#std/assert";
import { command } from "../support/child.ts";
import { windows } from "../support/skip.ts";

/**
 * Runs a command with streams of a kind, gives it input in parts and reads its output late. Prints the exit code,
 * how many bytes 0 came on both streams, and what else came.
 */
const launcher = `
import json, os, pty, socket, subprocess, sys, threading, time, tty

def pair():
    "(the child's end, ours)"
    if sys.argv[1] == "pipe": return os.pipe()[::-1]
    if sys.argv[1] == "socket":
        ends = socket.socketpair()
        return ends[0].detach(), ends[1].detach()
    ours, its = pty.openpty()
    tty.setraw(its)
    return its, ours

def read(end):
    time.sleep(0.4)
    parts = []
    while True:
        try: part = os.read(end, 100000)
        except OSError: break  # the terminal's other end is closed
        if not part: break
        parts.append(part)
    got.append(b"".join(parts))

got = []
stdin, feed = pair() if sys.argv[1] != "pipe" else os.pipe()
stdout, reader = pair()
child = subprocess.Popen(sys.argv[3:], stdin=stdin, stdout=stdout, stderr=stdout)
os.close(stdin), os.close(stdout)
reading = threading.Thread(target=read, args=(reader,))
reading.start()
if sys.argv[2] == "input":
    for part in (b"fir", b"st\\n", b"second\\n"):
        time.sleep(0.4)
        try: os.write(feed, part)
        except OSError: break  # it has ended
if sys.argv[1] != "terminal": os.close(feed)  # a terminal's output ends with it
code = child.wait()
reading.join()
print(json.dumps([code, got[0].count(b"\\0"), got[0].replace(b"\\0", b"").decode()]))
`;

const run = promisify(execFile);

async function launch(kind: string, name: string, ...args: string[]): Promise<unknown[]> {
  const [program, rest] = command("child_streams", [name, ...args]);
  const input = name === "input" || name === "exec" ? "input" : "no input";
  const python = process.env.PYAWAIT_PYTHON ?? "python3";
  const { stdout } = await run(python, ["-W", "ignore", "-c", launcher, kind, input, program, ...rest], {
    timeout: 60_000,
    maxBuffer: 1 << 24,
    env: { ...process.env, NO_COLOR: "1", PYTHONWARNINGS: "ignore::DeprecationWarning" },
  });
  return JSON.parse(stdout);
}

const skip = windows("Windows has neither fork nor non-blocking streams");
const kinds = ["pipe", "socket", "terminal"];
const ways = [
  "subprocess",
  "subprocess, stderr=STDOUT",
  "subprocess, stdout=1",
  "subprocess, shell",
  "asyncio",
  "os.system",
  "os.popen",
  "os.posix_spawn",
  "os.posix_spawnp",
  "os.spawnvp",
  "os.fork and exec",
  "C with the GIL",
  "C without the GIL",
  "multiprocessing, spawn",
  "multiprocessing, forkserver",
  "multiprocessing, fork",
];

for (const way of ways) {
  test(`all output of a child arrives: ${way}`, { skip }, async () => {
    for (const kind of kinds) assertEquals([kind, ...await launch(kind, "output", way)], [kind, 0, 2_000_000, "0\n"]);
  });
}

test("all output of a child that JavaScript's thread starts arrives, and JavaScript's own", { skip }, async () => {
  for (const [kind, way] of [["pipe", "subprocess"], ["socket", "os.system"], ["terminal", "os.fork and exec"]]) {
    assertEquals([way, ...await launch(kind, "synchronous", way)], [way, 0, 4_000_000, "0\n"]);
  }
});

test("what a child opens gets another number than its streams", { skip }, async () => {
  for (const kind of kinds) assertEquals([kind, ...await launch(kind, "descriptors")], [kind, 0, 0, "3 3 3\n"]);
});

test("a child waits for input, and JavaScript gets what comes afterwards", { skip }, async () => {
  for (const kind of ["pipe", "socket"]) {
    assertEquals(await launch(kind, "input"), [0, 0, "child got first\nJavaScript got second\n"]);
  }
});

test("a program that replaces this one has its streams", { skip }, async () => {
  for (const kind of ["pipe", "socket"]) {
    assertEquals([kind, ...await launch(kind, "exec")], [kind, 0, 2_000_000, "got first\n"]);
  }
});
