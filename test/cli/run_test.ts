/**
 * `pyawait run` with a module, code, a folder or the standard input, and what Ctrl-C does: as `python` does it.
 */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { runtime } from "../support/child.ts";
import { type Ended, plainPython, pyawait } from "../support/command.ts";
import { windows } from "../support/skip.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-run-")));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the same arguments here and with Python alone: everything has to be the same. */
async function asPython(args: string[], input = ""): Promise<Ended> {
  const [ours, theirs] = await Promise.all([
    pyawait(["run", ...args], folder, { input }),
    plainPython(args, folder, { input }),
  ]);
  assertEquals(ours, theirs);
  return ours;
}

mkdirSync(join(folder, "package"));
writeFileSync(join(folder, "package", "__init__.py"), "print('package')");
writeFileSync(
  join(folder, "package", "tool.py"),
  `
import sys
print(__name__, __spec__.name, __package__, __file__, sys.argv, sys.path[0], sys.orig_argv[1:] if hasattr(sys, "orig_argv") else "")
if sys.argv[1:] == ["fail"]: raise ValueError("text")
sys.exit(len(sys.argv))
`,
);
writeFileSync(join(folder, "package", "__main__.py"), "import sys\nprint(__name__, __package__, sys.argv, sys.path[0])\n1 / 0\n");

test("pyawait run -m", async () => {
  assertEquals((await asPython(["-m", "package.tool", "-v", "--module", "a=b"])).code, 4);
  assertStringIncludes((await asPython(["-m", "package.tool", "fail"])).stderr, "ValueError: text");
  assertStringIncludes((await asPython(["-m", "package"])).stderr, "ZeroDivisionError");
  await asPython(["-m", "json.tool"], '{"a": [1, 2]}');
  assertMatch((await asPython(["-m", "not_there"])).stderr, /No module named not_there/);
});

test("pyawait run -c", async () => {
  assertEquals(
    (await asPython(["-c", "import sys; print(sys.argv, sys.path[0] == '', __name__, __spec__); sys.exit(5)", "-x", "y"])).code,
    5,
  );
  assertStringIncludes((await asPython(["-c", "def f():\n    raise KeyError('text')\nf()"])).stderr, "KeyError");
  assertStringIncludes((await asPython(["-c", "1 +"])).stderr, "SyntaxError");
  assertEquals((await asPython(["-c", "print('a', end='')\nprint('✓')"])).stdout, "a✓\n");
});

test("pyawait run: a folder with a __main__, and the standard input", async () => {
  assertStringIncludes((await asPython([join(folder, "package")])).stdout, "__main__");
  assertEquals((await asPython(["-", "a", "b"], "import sys\nprint(sys.argv, __name__)")).stdout, "['-', 'a', 'b'] __main__\n");
});

test("pyawait run: atexit may await JavaScript", async () => {
  writeFileSync(join(folder, "sleeps.mjs"), "export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms, 'slept'));");
  const code = "import asyncio, atexit, js_sleeps\n" +
    "async def main(): return await js_sleeps.sleep(5)\n" +
    "atexit.register(lambda: print(asyncio.run(main())))\nprint('end')";
  const { code: ended, stdout, stderr } = await pyawait(["run", "--module", "js_sleeps=sleeps.mjs", "-c", code], folder);
  assertEquals({ ended, stdout, stderr }, { ended: 0, stdout: "end\nslept\n", stderr: "" });
});

const skip = windows("Ctrl-C cannot be pressed at a moment of the test's choice");

const interrupted: Record<string, [source: string, stdout: string]> = {
  "in Python code": [
    "import atexit, time\natexit.register(print, 'atexit')\ntry:\n    print('ready', flush=True)\n    while True: pass\nfinally:\n    print('finally')",
    "ready\nfinally\natexit\n",
  ],
  "in time.sleep": [
    "import time\ntry:\n    print('ready', flush=True)\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('caught')",
    "ready\ncaught\n",
  ],
  // Printed when main is suspended: before Python 3.11, Ctrl-C inside main ends it instead of cancelling it.
  "in asyncio.run": [
    "import asyncio\nasync def main():\n    try:\n        asyncio.get_running_loop().call_soon(lambda: print('ready', flush=True))\n        await asyncio.sleep(60)\n    except asyncio.CancelledError:\n        print('cancelled')\n        raise\nasyncio.run(main())",
    "ready\ncancelled\n",
  ],
  "in a handler of its own": [
    "import signal, sys\ndef handle(number, frame):\n    print('handled', number)\n    sys.exit(3)\nsignal.signal(signal.SIGINT, handle)\nprint('ready', flush=True)\nimport time\nwhile True: time.sleep(60)",
    "ready\nhandled 2\n",
  ],
  "with what Python lets the system do": [
    "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nprint('ready', flush=True)\nwhile True: time.sleep(60)",
    "ready\n",
  ],
  "in a loop's signal handler": [
    "import asyncio, signal\nasync def main():\n    done = asyncio.Event()\n    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, done.set)\n    print('ready', flush=True)\n    await done.wait()\n    print('done')\nasyncio.run(main())",
    "ready\ndone\n",
  ],
};

for (const [name, [source, stdout]] of Object.entries(interrupted)) {
  const skip = name === "in a loop's signal handler" && windows("loops of Windows have no signal handlers");
  test(`pyawait run: Ctrl-C ${name}`, { skip }, async () => {
    const path = join(folder, `${name.replaceAll(" ", "_").replace("'", "")}.py`);
    writeFileSync(path, source);
    const ours = await pyawait(["run", path], folder, { interruptAt: "ready" });
    const theirs = await plainPython([path], folder, { interruptAt: "ready" });
    const end = ({ code, signal }: Ended) => signal ?? code;
    assertEquals([ours.stdout, theirs.stdout], [stdout, stdout], ours.stderr);
    assert(
      end(ours) === end(theirs) || (runtime === "deno" && end(ours) === 130 && end(theirs) === "SIGINT"),
      `${end(ours)} ${end(theirs)}`,
    );
    assertEquals(ours.stderr.trimEnd().split("\n").at(-1), theirs.stderr.trimEnd().split("\n").at(-1));
  });
}

test("pyawait run: Ctrl-C that comes before JavaScript has heard that Python has given it up", { skip }, async () => {
  const [source] = interrupted["with what Python lets the system do"];
  const once = async () => { // several at once, so that JavaScript is late
    let sent = false;
    const onText = (child: ChildProcess) => void (sent ||= child.kill("SIGINT"));
    const { code, signal } = await pyawait(["run", "-c", source], folder, { onText });
    return signal === "SIGINT" || code === 130;
  };
  assertEquals(await Promise.all(Array.from({ length: 6 }, once)), Array(6).fill(true));
});

test("pyawait run: Ctrl-C at any moment after the script has begun", { skip }, async () => {
  const source = "import asyncio\nasync def main():\n    try:\n        print('ready', flush=True)\n        await asyncio.sleep(60)\n" +
    "    finally:\n        print('finally')\nasyncio.run(main())";
  for (let wait = 0; wait < 24; wait += 4) { // ms
    let sent = false;
    const onText = (child: ChildProcess, text: string) => {
      if (!sent && (sent = text.startsWith("ready\n"))) setTimeout(() => child.kill("SIGINT"), wait);
    };
    const { stdout, stderr } = await pyawait(["run", "-c", source], folder, { onText });
    assertEquals(stdout, "ready\nfinally\n", `${wait} ms: ${stderr}`);
  }
});

test("the wakeup descriptor for signals is the script's to set, as trio does", async () => {
  const { stdout } = await asPython(["-c", "import signal; print(signal.set_wakeup_fd(-1))"]);
  assertEquals(stdout, "-1\n");
});
