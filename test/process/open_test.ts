/**
 * Opening Python: its options, the messages about wrong ones, and `python.info`. A case that could end the process runs in
 * one of its own.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "#std/assert";
import { type ExecOptions, python, PythonLoadError, PythonNotFoundError } from "../../mod.ts";
import { prints, runtime } from "../support/child.ts";
import { skip } from "../support/skip.ts";

/** What a process of its own says when it opens Python with these variables. */
async function opens(env: Record<string, string | undefined>): Promise<{ name: string; message: string }> {
  const [name, ...message] = (await prints("works", ["open_errors"], { env })).trimEnd().split("\n");
  return { name, message: message.join("\n") };
}

// The tests that need Python closed come first: there is one per process.

test("python.configure: what is wrong with an option is said", () => {
  const wrong = (options: unknown) => () => python.configure(options as Record<string, never>);
  for (
    const [options, text] of [
      [{ exectuable: "x" }, '"exectuable"'],
      [{ executable: 5 }, "executable"],
      [{ library: {} }, "library"],
      [{ loop: "twisted" }, '"asyncio", "uvloop" or "module:factory"'],
      [{ path: [5] }, "path"],
      [{ path: "folder" }, "path is folder, but has to be an Array"],
      [{ path: null }, "path is null, but has to be an Array"],
      [{ args: "text" }, "args is text, but has to be an Array"],
      [{ args: null }, "args is null, but has to be an Array"],
      [{ stdout: "nowhere" }, "stdout"],
      [{ stderr: 1 }, "stderr"],
      [null, "the options are null, but have to be an object; there are executable"],
      [5, "the options are 5"],
    ] as const
  ) assertThrows(wrong(options), TypeError, text);
  for (const switchInterval of [0, -1, NaN, Infinity, 1e300, 3601, "1", null]) {
    assertThrows(wrong({ switchInterval }), RangeError, "switchInterval");
  }
});

test("python.exec, execAsync and close: what is wrong with their options is said", async () => {
  const wrong: [options: unknown, text: string][] = [
    [null, "the options are null, but have to be an object; there are globals, filename"],
    ["x.py", "the options are x.py"],
    [{ globls: {} }, 'there is no option "globls"; there are globals, filename'],
    [{ filename: 5 }, "filename is 5"],
  ];
  for (const [options, text] of wrong) {
    assertThrows(() => python.exec("1", options as ExecOptions), TypeError, text);
    await assertRejects(() => python.execAsync("1", options as ExecOptions), TypeError, text);
  }
  const close = (options: unknown) => () => python.close(options as { timeout: number });
  await assertRejects(close(null), TypeError, "the options are null, but have to be an object; there are timeout");
  await assertRejects(close({ timout: 1 }), TypeError, 'no option "timout"');
  for (const timeout of ["abc", NaN, -5, null]) {
    await assertRejects(close({ timeout }), RangeError, `timeout is ${timeout}, but has to be a number of milliseconds`);
  }
});

test("an open that fails can be configured anew", () => {
  python.configure({ executable: join(tmpdir(), "no such python") });
  const error = assertThrows(() => python.open(), PythonNotFoundError);
  assertStringIncludes(error.message, "no such python");
  python.configure({});
});

const folder = mkdtempSync(join(tmpdir(), "pyawait-open-"));
writeFileSync(join(folder, "only_here.py"), "value = 'äöü'\n");
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const print = (_: string) => {};

test("python.configure: again with equal options, and with others before Python is open", () => {
  python.configure({ switchInterval: 0.1 });
  python.configure({
    args: ["script", "ünï", ""],
    path: [pathToFileURL(folder), process.cwd()],
    switchInterval: 0.001,
    stdout: print,
  });
});

test("two opens are one, and the options hold", () => {
  python.open();
  python.open();
  const sys = python.import("sys");
  assertEquals(sys.argv.$toJs(), ["script", "ünï", ""]);
  assertEquals(sys.path.$toJs().slice(0, 2), [folder, process.cwd()]);
  assertEquals(python.import("only_here").value, "äöü");
  assert(Math.abs(sys.getswitchinterval() - 0.001) < 1e-6);
});

test("python.configure after the open: equal options pass, others throw", () => {
  python.configure({
    args: ["script", "ünï", ""],
    path: [folder, process.cwd()],
    switchInterval: 0.001,
    stdout: print,
  });
  assertThrows(() => python.configure({}), TypeError, "open already");
  assertThrows(
    () =>
      python.configure({
        args: ["script", "ünï", ""],
        path: [folder, process.cwd()],
        switchInterval: 0.001,
        stdout: () => {},
      }),
    TypeError,
    "open already",
  );
});

test("python.configure: the default of path is the working directory of the time when Python was opened", async () => {
  assertEquals(await prints("works", ["default_path"]), "true open already\n");
});

test("python.info", () => {
  const { info } = python;
  const sys = python.import("sys");
  assertEquals(info.version, sys.version.split(" ")[0].replace(/[+a-z].*/, ""));
  assertEquals(python.version, info.version);
  assertEquals([info.executable, info.prefix, info.basePrefix], [
    sys.executable,
    sys.prefix,
    sys.base_prefix,
  ]);
  assertEquals([info.implementation, info.loop], ["cpython", "asyncio"]);
  assertEquals(info.platform, `${process.platform}-${process.arch}`);
  assert(info.library.includes("python3"), info.library);
  assertMatch(info.runtime, new RegExp(`^${runtime} \\d+\\.\\d+\\.\\d+`));
  assertEquals([typeof info.gil, process.env.PYAWAIT_SHIM ? "PYAWAIT_SHIM" : "prebuilt"], [
    "boolean",
    info.shim,
  ]);
});

test("a foreign PYTHONHOME is an error, not the end of the process", async () => {
  const { name, message } = await opens({ PYTHONHOME: folder });
  assertEquals(name, "PythonLoadError");
  assertStringIncludes(message, "PYTHONHOME");
  assertStringIncludes(message, folder);
});

test("PYAWAIT_LIBRARY: no library, a text, a library of something else", async () => {
  const text = join(folder, "libpython3.11.so");
  writeFileSync(text, "no library\n");
  for (const library of [join(folder, "missing.so"), text, folder]) {
    const { name, message } = await opens({ PYAWAIT_LIBRARY: library });
    assertMatch(name, /^Python(NotFound|Load)Error$/);
    assertStringIncludes(message, library);
    assertStringIncludes(message, "PYAWAIT_LIBRARY");
  }
});

const libc = "/lib/x86_64-linux-gnu/libm.so.6";
test("PYAWAIT_LIBRARY: a library that is no Python", {
  skip: skip((process.platform !== "linux" || process.arch !== "x64") && "for Linux x64"),
}, async () => {
  const { name, message } = await opens({ PYAWAIT_LIBRARY: libc });
  assertMatch(name, /^Python(NotFound|Load)Error$/);
  assertStringIncludes(message, libc);
});

test("a failed open throws PythonLoadError again and again", async () => {
  const { name } = await opens({ PYTHONHOME: folder, PYAWAIT_PYTHON: process.platform === "win32" ? "python" : "python3" });
  assertEquals(name, PythonLoadError.name);
});
