/**
 * The command `pyawait`: `run` behaves as `python` does and adds JavaScript modules; `types` writes declarations.
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { assert, assertEquals, assertMatch } from "#std/assert";
import { runtime } from "../support/child.ts";
import { type Ended, plainPython, pyawait as run } from "../support/command.ts";
import { onWindows } from "../support/skip.ts";
import { problemsOf, root } from "../support/typescript.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-command-")));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const pyawait = (args: string[], input = "") => run(args, folder, { input });
const python = (args: string[], input = "") => plainPython(args, folder, { input });

/** Runs a script here and with Python alone: everything has to be the same. */
async function asPython(name: string, source: string, args: string[] = [], input = ""): Promise<Ended> {
  const path = write(name, source);
  const [ours, theirs] = await Promise.all([pyawait(["run", path, ...args], input), python([path, ...args], input)]);
  assertEquals(ours, theirs);
  return ours;
}

/** The largest exit code, which is that of -1 as well. Bun gives the lowest 8 bits. */
const largest = onWindows && runtime !== "bun" ? 0xffff_ffff : 255;

const ends: Record<string, [source: string, code: number]> = {
  "the end": ["print('done')", 0],
  "sys.exit()": ["import sys\nsys.exit()", 0],
  "sys.exit(7)": ["import sys\nsys.exit(7)", 7],
  "sys.exit(-1)": ["import sys\nsys.exit(-1)", largest],
  "sys.exit(True)": ["import sys\nsys.exit(True)", 1],
  "sys.exit() of more than an exit code can be": ["import sys\nsys.exit(2 ** 33 + 5)", onWindows ? largest : 5],
  "a closed stdout": ["import sys\nprint('out', flush=True)\nsys.stdout.close()\nsys.exit(2)", 2],
  "no stdout and no stderr": ["import sys\nsys.stdout = sys.stderr = None\nsys.exit(3)", 3],
  "a stdout that cannot be flushed": [
    "import sys\nclass Broken:\n    def write(self, text): pass\n    def flush(self): raise OSError('full')\nsys.stdout, sys.stderr = Broken(), None\n",
    120,
  ],
  'sys.exit("text")': ["import sys\nprint('out')\nsys.exit('text')", 1],
  "SystemExit in asyncio.run": ["import asyncio, sys\nasync def main(): sys.exit(3)\nasyncio.run(main())", 3],
  "an exception": ["def f():\n    raise ValueError('text')\nf()", 1],
  "an exception with a cause": ["try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('text') from error", 1],
  "an exception in asyncio.run": [
    "import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    raise ValueError('text')\nasyncio.run(main())",
    1,
  ],
  "an excepthook": [
    "import sys\nsys.excepthook = lambda *args: print('hook', args[0].__name__, args[2] is args[1].__traceback__)\n1 / 0",
    1,
  ],
  "an excepthook that raises": [
    "import sys\ndef hook(*args): raise KeyError('in the hook')\nsys.excepthook = hook\ndef f(): 1 / 0\nf()",
    1,
  ],
  "an excepthook that exits": ["import sys\nsys.excepthook = lambda *args: sys.exit(9)\n1 / 0", 9],
  "no excepthook": ["import sys\ndel sys.excepthook\n1 / 0", 1],
  "sys.last_value": ["import atexit, sys\natexit.register(lambda: print(repr(sys.last_value)))\n1 / 0", 1],
  "a syntax error": ["print('not printed')\ndef f(:\n    pass", 1],
  "threads that are still running": [
    "import threading, time\ndef body():\n    time.sleep(0.8)\n    print('thread')\nthreading.Thread(target=body).start()\nprint('main')",
    0,
  ],
  "much output": ["import atexit\natexit.register(print, 'y' * 500_000)\nfor i in range(3): print('x' * 500_000)", 0],
  "atexit": ["import atexit\natexit.register(print, 'atexit')\nprint('main', end='')", 0],
};

for (const [name, [source, code]] of Object.entries(ends)) {
  test(`pyawait run ends as python does: ${name}`, async () => {
    assertEquals((await asPython("ends.py", source)).code, code);
  });
}

test("pyawait run: the exit code of sys.exit() with more than C's long can be", async () => {
  const path = write("large.py", "import sys\nsys.exit(10 ** 30)");
  const [ours, theirs] = await Promise.all([pyawait(["run", path]), python([path])]);
  assertEquals(ours, { code: largest, signal: null, stdout: "", stderr: "" });
  assertEquals(theirs.code, ours.code); // 3.13 also prints that its own shutdown has seen the OverflowError
});

test("pyawait run: sys.argv, __main__, sys.path[0], stdin and stdout are those of python", async () => {
  const source = `
import os, sys
print(sys.argv[1:], os.path.basename(sys.argv[0]), __name__, os.path.abspath(__file__), sys.path[0])
print(getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:] == sys.argv)
import beside
print(beside.value, sys.stdin.readline(), input(), sys.stdin.read())
print("error", file=sys.stderr)
`;
  write("beside.py", "value = 'beside'");
  const { stdout } = await asPython("all.py", source, ["-v", "--", "ünï", ""], "one\ntwo\nthree ✓\nfour");
  assertMatch(stdout, /beside one\n two three ✓\nfour/);
  const path = join(folder, "all.py");
  const { stdout: given } = await pyawait(["run", "--", path, "--module", "a=b"], "1\n2\n3");
  assert(given.startsWith("['--module', 'a=b'] all.py __main__"), given);
});

test("pyawait run: asyncio.run(main()), twice, awaits JavaScript modules", async () => {
  write(
    "my_async_module.mjs",
    `
    export const js_sleep = async (ms) => { await new Promise((resolve) => setTimeout(resolve, ms)); return ms; };
    export class Counter { count = 0; next() { return ++this.count; } }
    export const version = "1.0";
    export const fail = async () => { throw new RangeError("from JavaScript"); };
  `,
  );
  write("other.mjs", "export default 5; export const twice = (x) => 2 * x;");
  const script = write(
    "main.py",
    `
import asyncio, sys, threading
from my_async_module import js_sleep, Counter, version, fail
import other.one as other

assert threading.current_thread() is threading.main_thread()

async def main():
    counter = Counter()
    slept = await asyncio.gather(*(js_sleep(n) for n in range(5)))
    try:
        await fail()
    except Exception as error:
        print(type(error).__name__, error)
    try:
        await asyncio.wait_for(js_sleep(60_000), 0.01)
    except asyncio.TimeoutError:
        print("timeout")
    print(slept, counter.next(), counter.next(), version, other.twice(21), other.default)

asyncio.run(main())
asyncio.run(main())
sys.exit(len(sys.argv))
`,
  );
  const { code, stdout, stderr } = await pyawait([
    "run",
    "--module",
    "my_async_module=./my_async_module.mjs",
    `--module=other.one=${join(folder, "other.mjs")}`,
    script,
    "argument",
  ]);
  const round = "JsException RangeError: from JavaScript\ntimeout\n[0, 1, 2, 3, 4] 1 2 1.0 42 5\n";
  assertEquals({ code, stdout, stderr }, { code: 2, stdout: round + round, stderr: "" });
});

test("pyawait run: an exception of JavaScript's that nobody catches has both sides' frames and none of ours", async () => {
  write("failing.mjs", "export function fail() { throw new RangeError('from JavaScript'); }\n");
  const script = write("calls.py", "import failing\ndef call():\n    failing.fail()\ncall()\n");
  const { code, stderr } = await pyawait(["run", "--module", "failing=failing.mjs", script]);
  assertEquals(code, 1);
  assertMatch(stderr, /^Traceback \(most recent call last\):\n {2}File ".*calls\.py", line 4, in <module>/);
  assertMatch(stderr, /calls\.py", line 3, in call/);
  assertMatch(stderr, /failing\.mjs/);
  assertMatch(stderr, /from JavaScript\n$/);
  assertEquals(stderr.match(/modules\.py|main\.py|chapter|run_as_main|run_script/), null, stderr);
});

test("pyawait run: an uncaught error of JavaScript's ends the script", async () => {
  write(
    "uncaught.mjs",
    `
    export const fail = () => void setTimeout(() => { throw new RangeError("nobody catches it"); });
    export const reject = () => void Promise.reject(new RangeError("nobody catches it"));
    export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  `,
  );
  const script = write(
    "goes_on.py",
    "import asyncio, sys, uncaught\nasync def main():\n    getattr(uncaught, sys.argv[1])()\n    await uncaught.sleep(20_000)\n    print('after')\nasyncio.run(main())\n",
  );
  for (const how of ["fail", "reject"]) {
    const { code, stdout, stderr } = await pyawait(["run", "--module", "uncaught=uncaught.mjs", script, how]);
    assertEquals([code, stdout], [1, ""], stderr);
    assertMatch(stderr, /RangeError: nobody catches it/);
  }
});

test("pyawait run: a script that is not there, as python says it", async () => {
  const [ours, theirs] = await Promise.all([pyawait(["run", "missing.py"]), python(["missing.py"])]);
  assertEquals([ours.code, ours.stdout], [theirs.code, theirs.stdout]);
  assertMatch(ours.stderr, /^pyawait: can't open file '.*missing\.py': \[Errno 2\] No such file or directory\n$/);
  assertMatch(theirs.stderr, /can't open file '.*missing\.py': \[Errno 2\] No such file or directory\n$/);
});

test("pyawait: usage", async () => {
  const wrong: [string[], RegExp][] = [
    [[], /No command is given/],
    [["fly"], /There is no command "fly"/],
    [["run"], /No script is given/],
    [["run", "--module", "a=b.mjs"], /No script is given/],
    [["run", "--fast", "x.py"], /Unknown option --fast/],
    [["run", "x.py", "--module"], /--module takes NAME=FILE/],
    [["run", "-m"], /-m takes MODULE/],
    [["run", "--module", "a=b.mjs", "-c"], /-c takes CODE/],
    [["run", "--module", "nofile", "x.py"], /--module takes NAME=FILE/],
    [["types"], /types takes the names of modules/],
    [["types", "json", "-o"], /types takes the names of modules/],
    [["types", "json", "--stubs"], /types takes the names of modules, --stubs FOLDER and -o FILE/],
    [["types", "json", "--unknown", "x"], /types takes the names of modules/],
  ];
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await pyawait(args);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, message);
    assertMatch(stderr, /Usage: pyawait run SCRIPT\.py/);
  }
  for (const args of [["--help"], ["run", "--help"], ["top", "-h"]]) {
    const { code, stdout, stderr } = await pyawait(args);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^Usage: pyawait run SCRIPT\.py/);
  }
  const missing = await pyawait(["run", "--module", "a=missing.mjs", "-c", "1"]);
  assertEquals([missing.code, missing.stdout], [2, ""]);
  assertMatch(missing.stderr, /^pyawait: --module a: there is no file '.*missing\.mjs'\n$/);
});

test("pyawait types: a module that is not there, and a file that cannot be written", async () => {
  const missing = await pyawait(["types", "json", "not_there"]);
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertMatch(missing.stderr, /^pyawait: ModuleNotFoundError: No module named 'not_there'\nPython .* has looked in /);
  const unwritable = await pyawait(["types", "json", "-o", join(folder, "no", "folder", "x.d.ts")]);
  assertEquals([unwritable.code, unwritable.stdout], [1, ""]);
  assertMatch(unwritable.stderr, /^types of json: .*\npyawait: Cannot write .*x\.d\.ts: .*\n$/);
});

test("pyawait types --stubs: names where the types come from, and refuses a folder that is not there", async () => {
  mkdirSync(join(folder, "stub_folder"));
  write("stub_folder/given_stubs.pyi", "def area(width: int) -> int: ...\n");
  write("given_stubs.py", "def area(width): return width\n");
  const stubs = join(folder, "stub_folder");
  for (const option of [["--stubs", stubs], [`--stubs=${stubs}`]]) {
    const { code, stdout, stderr } = await pyawait(["types", ...option, "given_stubs"]);
    assertEquals([code, stderr], [0, `types of given_stubs: stubs in ${stubs}\n`]);
    assertMatch(stdout, /area: PyFunction & \{ \(width: number \| bigint/);
  }
  const missing = await pyawait(["types", "--stubs", join(folder, "nowhere"), "given_stubs"]);
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertMatch(missing.stderr, /^pyawait: NotADirectoryError: --stubs takes a folder with stubs: there is no folder '.*nowhere'/);
});

test("pyawait types: what a module prints is no declaration", async () => {
  const { code, stdout, stderr } = await pyawait(["types", "this"]);
  assertEquals([code, stdout.split("\n").filter((line) => line.includes("Zen of Python,"))], [0, []]);
  assertMatch(stderr, /^The Zen of Python,/);
  assertMatch(stdout, /PythonModules/);
});

test("pyawait types: what it writes compiles, and says what the module has", async () => {
  write(
    "typed_module.py",
    `
"""Things with types."""
import asyncio
from typing import Dict, List, Optional

VERSION: str = "1.0"

class Point:
    """A point."""
    x: int
    def __init__(self, x: int, y: float = 0.0) -> None: self.x = x
    def norm(self) -> float: return 0.0
    async def moved(self, by: int) -> "Point": return self

def greet(name: str, *, loud: bool = False) -> str: return name
def names(count: int) -> List[str]: return []
def maybe(key: str) -> Optional[int]: return None
def untyped(a, b=1): return a
def table() -> Dict[str, int]: return {}
async def fetch(url: str) -> bytes: return b""
`,
  );
  const output = join(folder, "typed.d.ts");
  const { code, stderr } = await pyawait(["types", "typed_module", "-o", output]);
  assertEquals([code, stderr], [0, "types of typed_module: the running module, which has no stubs\n"]);
  const text = readFileSync(output, "utf8");
  const path = write(
    "uses.ts",
    `
import { python } from ${JSON.stringify(`${root}mod.ts`)};
const module = python.import("typed_module");
export const version: string = module.VERSION;
export const text: string = module.greet("name");
export const bytes: Promise<Uint8Array> = (async () => await module.fetch("url"))();
export const norm: number = new module.Point(1).norm();
// @ts-expect-error -- a string is no number
export const wrong: number = module.greet("name");
// @ts-expect-error -- it takes a string
module.greet(5);
`,
  );
  write("package.json", '{ "type": "module" }');
  writeFileSync(output, text.replaceAll('"pyawait"', JSON.stringify(`${root}mod.ts`)));
  assertEquals(problemsOf([path, output]), [], text);
});
