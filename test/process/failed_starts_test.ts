/**
 * Attempts to start Python that fail, and what works after them. Each case is a process of its own: see children/opens.ts.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { compile } from "../../ffi/native/binary.ts";
import { prints } from "../support/child.ts";
import { skip, windows } from "../support/skip.ts";

async function lines(args: string[], env: Record<string, string | undefined> = {}): Promise<string[]> {
  return (await prints("opens", args, { env })).trimEnd().split("\n");
}

test("an open that failed in its loop is tried again, with other options", async () => {
  const [first, second, other, third, sys, end] = await lines(["again"]);
  assertMatch(first, /^PythonLoadError: Cannot start Python .*ModuleNotFoundError: No module named 'no_such_mod'/);
  assertStringIncludes(first, "-m pip install no_such_mod");
  assertEquals(second, first);
  assertMatch(other, /^TypeError: .*"\/another\/python".* start a new process/);
  assertEquals([third, sys], ["done", "second /second false 0.25 asyncio"]);
  assertMatch(end, /^awaited TypeError: .*open already/);
});

test("whatever fails before the loop runs leaves nothing behind", async () => {
  const said = await lines(["loops"]);
  const wanted = [
    /^PythonLoadError: .*(TypeError|AssertionError|AttributeError): /,
    /^PythonLoadError: .*SystemExit: 3/,
    /^PythonLoadError: .*AttributeError: remove_signal_handler/,
    /^PythonLoadError: .*NotImplementedError: it does not run/,
    /^done$/,
    /^1$/,
    /^Own awaited$/,
  ];
  assertEquals(said.length, wanted.length, said.join("\n"));
  wanted.forEach((pattern, index) => assertMatch(said[index], pattern));
});

test("Workers open Python at the same time, whichever of them has a wrong loop", async () => {
  const right = "opened", wrong = "refused or opened";
  assertEquals(await lines(["workers"]), [wrong, right, wrong, right, "main"]);
});

const folder = mkdtempSync(join(tmpdir(), "pyawait-start-"));
after(() => rmSync(folder, { recursive: true }));

/** A folder with one module in it. */
function withModule(name: string, text: string): string {
  const path = mkdtempSync(join(folder, "path-"));
  const file = join(path, name);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, text);
  return path;
}

test("variables with which Python would end the process are an error that names them", async () => {
  const cases: [name: string, value: string, said: string][] = [
    ["PYTHONHASHSEED", "abc", "PYTHONHASHSEED must be"],
    ["PYTHONMALLOC", "foo", "unknown allocator"],
    ["PYTHONUTF8", "x", "invalid PYTHONUTF8"],
    ["PYTHONIOENCODING", "foo", "unknown encoding: foo"],
    ["PYTHONPATH", withModule("encodings/__init__.py", "raise RuntimeError('not these')\n"), "RuntimeError: not these"],
    ["PYTHONPATH", withModule("sitecustomize.py", "import sys\nsys.exit(3)\n"), "ended with exit code"],
    ["PYTHONPATH", withModule("sitecustomize.py", "import os\nos._exit(0)\n"), "ends before it has started"],
  ];
  for (const [name, value, said] of cases) {
    const [line, ...more] = await lines(["opens"], { [name]: value, PYTHONWARNINGS: "default" });
    assertEquals(more, []);
    assertMatch(line, /^PythonLoadError: Cannot start Python/);
    assertStringIncludes(line, ` - ${name}: is ${JSON.stringify(value)}`);
    assertStringIncludes(line, said);
    assertStringIncludes(line, process.platform === "win32" ? `"set ${name}="` : `"unset ${name}"`);
    assertEquals(line.includes("PYTHONWARNINGS"), false);
  }
});

test("variables that Python can start with hold", async () => {
  const path = withModule("sitecustomize.py", "print('sitecustomize was here')\n");
  assertEquals(await lines(["opens"], { PYTHONPATH: path, PYTHONHASHSEED: "5" }), ["sitecustomize was here", "done"]);
});

const stays = windows("a folder that is a working directory cannot be removed");

test("a working directory that is gone is an error, not for good", { skip: stays }, async () => {
  const [first, second, third] = await lines(["folder"]);
  for (const line of [first, second]) {
    assertMatch(line, /^PythonLoadError: Cannot start Python here.* - (the working directory|.*pyawait-opens-.*): .*process\.chdir/);
  }
  assertEquals(third, "done");
});

test("a Worker joins the Python that is open; with other options it is told so", async () => {
  const [executable, args, stdout, same, info] = await lines(["joins"]);
  assertMatch(executable, /^TypeError: .*executable is "\/another\/python", but this process has initialised Python/);
  assertMatch(args, /^TypeError: .*open already.*loop is "asyncio:SelectorEventLoop", not "asyncio"; args is \["x"\], not \["y"\]/);
  assertMatch(stdout, /^TypeError: .*open already, with other options \(stdout is "inherit", not "a function"\)/);
  assertEquals([same, info], ["done", "true"]);
});

test("a Worker opens what this thread could not, and then this thread joins", async () => {
  const [first, ...more] = await lines(["retries"]);
  assertMatch(first, /^PythonLoadError/);
  assertEquals(more, ["done", "done"]);
});

test("a Worker that comes when Python has been closed", async () => {
  const [line] = await lines(["closed"]);
  assertMatch(line, /^PythonClosedError: /);
});

test("something else in the process has initialised Python", {
  skip: skip(spawnSync("cc", ["--version"]).status !== 0 && "there is no cc"),
}, async () => {
  const { content, file } = compile();
  const other = join(folder, file);
  writeFileSync(other, content);
  const [line] = await lines(["foreign", other], { PYAWAIT_SHIM: undefined });
  assertMatch(line, /^PythonLoadError: Cannot start Python .*another version of pyawait.* "npm dedupe".*PythonLoadError main$/);
});
