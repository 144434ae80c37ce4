/**
 * `python.import` and `python.importAsync`: files by path and URL, their names, and what a missing module's error says.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { python, PythonError, run } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { isAtLeast } from "../support/define.ts";
import { windows } from "../support/skip.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-import-")));
after(() => rmSync(root, { recursive: true, force: true }));
const noLinks = windows("Windows makes links for administrators only");

/** Writes a Python file below the test's folder and returns its path. */
function file(name: string, source: string): string {
  const path = join(root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, source);
  return path;
}

const fails = (name: string | URL) => assertThrows(() => python.import(name), PythonError) as PythonError;
const sys = python.import("sys");

test("a file by its path, its URL, and a path from the working directory", () => {
  const path = file("plain/measure.py", "count = 0\ndef next():\n  global count\n  count += 1\n  return count\n");
  const before = sys.path.$toJs();
  const module = python.import(path);
  assertEquals([module.__name__, module.__file__, module.next()], ["measure", path, 1]);
  assertStrictEquals(python.import(pathToFileURL(path)), module);
  assertStrictEquals(python.import(pathToFileURL(path).href), module);
  const fromHere = relative(process.cwd(), path).replaceAll("\\", "/");
  if (fromHere.startsWith("../")) assertStrictEquals(python.import(fromHere), module);
  if (!isAbsolute(fromHere)) assertStrictEquals(python.import(`./${fromHere}`), module); // Windows: it may be on another drive
  assertEquals([module.next(), sys.path.$toJs()], [2, before]);
  assertStrictEquals(python.exec("import measure; measure", { globals: {} }), module);
});

test("a link gives the same module", { skip: noLinks }, () => {
  const path = file("linked/original_file.py", "");
  symlinkSync(path, join(root, "linked", "other_name.py"));
  assertStrictEquals(python.import(join(root, "linked", "other_name.py")), python.import(path));
});

test("a package's folder, whose files import each other", () => {
  file("shapes_package/__init__.py", "from .area import square\nfrom . import area\n");
  file("shapes_package/area.py", "def square(a): return a * a\n");
  const shapes = python.import(join(root, "shapes_package"));
  assertEquals([shapes.__name__, shapes.square(3), shapes.area.__name__], ["shapes_package", 9, "shapes_package.area"]);
  assertStrictEquals(python.import(join(root, "shapes_package", "__init__.py")), shapes);
  assertStrictEquals(python.import(join(root, "shapes_package", "area.py")), shapes.area);
});

test("a name that another module has gets a hash", () => {
  const first = python.import(file("one/twice.py", "where = 1")), second = python.import(file("two/twice.py", "where = 2"));
  assertEquals([first.__name__, first.where, second.where], ["twice", 1, 2]);
  assertMatch(second.__name__, /^twice_[0-9a-f]{8}$/);
  assertStrictEquals(python.import(join(root, "two/twice.py")), second);
  const json = python.import(file("json.py", "mine = True"));
  assertMatch(json.__name__, /^json_[0-9a-f]{8}$/);
  assertEquals(python.import("json").loads("1"), 1);
  assertMatch(python.import(file("wave.py", "")).__name__, /^wave_/); // importable, and not loaded yet
  assertEquals(python.import(file("my-tool v1.2.py", "")).__name__, "my-tool v1_2");
});

test("a file that Python finds by itself is the same module", () => {
  file("on_path/found_by_both.py", "");
  file("on_path/found_later.py", "");
  sys.path.append(join(root, "on_path"));
  try {
    const named = python.import("found_by_both");
    assertStrictEquals(python.import(join(root, "on_path", "found_by_both.py")), named);
    const filed = python.import(join(root, "on_path", "found_later.py"));
    assertEquals(filed.__name__, "found_later");
    assertStrictEquals(python.import("found_later"), filed);
  } finally {
    sys.path.pop();
  }
});

test("importlib.reload and pickle know the module", () => {
  const path = file("reloaded_file.py", "value = 1\nclass Kept: pass\n");
  const module = python.import(path);
  writeFileSync(path, "value = 1234\nclass Kept: pass\n");
  assertStrictEquals(python.import("importlib").reload(module), module);
  assertEquals(module.value, 1234);
  const pickle = python.import("pickle");
  assertEquals(pickle.loads(pickle.dumps(module.Kept())).$type, "Kept");
});

test("a file that raises is imported anew the next time", () => {
  const path = file("breaks_first.py", "raise ValueError('not yet')\n");
  const error = fails(path);
  assertEquals([error.name, error.message], ["ValueError", "not yet"]);
  assertStringIncludes(error.traceback, `File "${path}", line 1`);
  assertThrows(() => python.exec("import breaks_first"), PythonError, "No module named 'breaks_first'");
  writeFileSync(path, "works = True # again\n");
  assertEquals(python.import(path).works, true);
});

test("what cannot be imported says why", () => {
  const missing = fails(join(root, "nothing"));
  assertEquals(missing.name, "ModuleNotFoundError");
  assertStringIncludes(missing.message, "there is no such file");
  file("without_end.py", "");
  assertStringIncludes(fails(join(root, "without_end")).message, `there is ${join(root, "without_end.py")}`);
  mkdirSync(join(root, "no_package"));
  assertStringIncludes(fails(join(root, "no_package")).message, "a folder needs an __init__.py");
  writeFileSync(join(root, "data.txt"), "");
  assertStringIncludes(fails(join(root, "data.txt")).message, "only .py files");
  assertThrows(() => python.import(new URL("https://example.org/x.py")), TypeError, "URLs of files only");
  assertThrows(() => python.import(1 as never), TypeError, "the name of a module");
});

test("the name of a file without its path names the way that works", () => {
  assertStringIncludes(fails("tools_file.py").message, 'python.import("./tools_file.py")');
  assertStringIncludes(fails("folder/tools_file.py").message, 'python.import("./folder/tools_file.py")');
  assertStringIncludes(fails("folder/tools_file").message, 'python.import("./folder/tools_file.py")');
});

test("a sibling that sys.path misses is named with the ways to import it", () => {
  const helper = file("siblings/helper_beside.py", "value = 7");
  const path = file("siblings/needs_helper.py", "import helper_beside\nvalue = helper_beside.value\n");
  const { message } = fails(path);
  assertMatch(message, /^No module named 'helper_beside'\n/);
  assertStringIncludes(message, `python.import("${helper.replaceAll("\\", "\\\\")}")`);
  assertStringIncludes(message, "from . import helper_beside");
  assertStringIncludes(message, `python.configure({ path: ["${join(root, "siblings").replaceAll("\\", "\\\\")}"] })`);
  python.import(helper);
  assertEquals(python.import(path).value, 7);
});

test("a missing module: which Python looked where, and what installs it", () => {
  const error = fails("no_such_module_at_all.part");
  assertEquals([error.name, error.exception.name], ["ModuleNotFoundError", "no_such_module_at_all"]);
  const [first, looked, install, own] = error.message.split("\n");
  assertEquals(first, "No module named 'no_such_module_at_all'");
  assertStringIncludes(looked, `Python ${python.version} (${sys.executable}) has looked in`);
  for (const entry of sys.path.$toJs() as string[]) assertStringIncludes(looked, entry);
  assertMatch(install, /pip install (--python \S+ )?no_such_module_at_all$/);
  assertStringIncludes(own, 'python.import("./no_such_module_at_all.py")');
  assertStringIncludes(own, "python.configure({ executable })");
  assertEquals(error.message, String(error.exception));
  const executed = assertThrows(() => python.exec("import no_such_module_here"), PythonError);
  assertMatch(executed.message, /No module named 'no_such_module_here'\n.*has looked in/);
  assertEquals(fails("json.nothing").message, "No module named 'json.nothing'");
  const name = assertThrows(() => python.exec("raise ModuleNotFoundError('own text')"), PythonError).message;
  assertEquals(name, "own text");
});

test("the project of a module with another name; a module of the standard library", () => {
  const advice = python.exec("import pyawait; pyawait._advice_for", { globals: {} });
  const error = python.exec("ModuleNotFoundError('x', name='x')");
  assertMatch(advice(error, "cv2_missing", "cv2_missing").$toJs()[1], /cv2_missing$/);
  assertEquals(python.exec("import pyawait; pyawait._projects['yaml']", { globals: {} }), "PyYAML");
  if (!isAtLeast(3, 10)) return;
  const loaded = sys.modules.pop("wave", null);
  assertMatch(advice(error, "wave", "wave").$toJs()[1], /built without it/);
  if (loaded) sys.modules.$set("wave", loaded);
});

test("an environment that uv has made is told uv's command", () => {
  const settings = join(root, "pyvenv.cfg");
  writeFileSync(settings, "home = /usr/bin\nuv = 0.4.1\n");
  const command = python.exec("import pyawait; pyawait._install_command", { globals: {} });
  const prefix = sys.prefix;
  sys.prefix = root;
  try {
    assertEquals(command("torch"), `uv pip install --python ${sys.executable} torch`);
  } finally {
    sys.prefix = prefix;
  }
});

test("importAsync imports on Python's main thread, while JavaScript goes on", async () => {
  const path = file(
    "on_main_thread.py",
    "import signal, threading, time\nsignal.getsignal(2)\nthread = threading.current_thread() is threading.main_thread()\nsignal.signal(signal.SIGINT, signal.getsignal(signal.SIGINT) or signal.SIG_DFL)\ntime.sleep(0.2)\n",
  );
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  const module = await python.importAsync(path);
  clearInterval(timer);
  assertEquals(module.thread, true);
  assert(ticks >= 3, String(ticks));
  assertStrictEquals(python.import(path), module);
  assertStrictEquals(await python.importAsync("on_main_thread"), module);
  assertStrictEquals(await python.importAsync("os.path"), python.import("os.path"));
  const other = file("on_main_thread_too.py", "import threading\nthread = threading.current_thread() is threading.main_thread()\n");
  assertEquals(await run(async () => (await python.importAsync(pathToFileURL(other))).thread), true);
});

test("importAsync rejects as import throws", async () => {
  const error = await assertRejects(() => python.importAsync("no_such_module_later"), PythonError);
  assertMatch(error.message, /No module named 'no_such_module_later'\n.*has looked in/);
  await assertRejects(() => python.importAsync(new URL("https://example.org/x.py")), TypeError, "python.importAsync takes");
  const raising = await assertRejects(() => python.importAsync(file("raises_later.py", "1 / 0")), PythonError);
  assertEquals(raising.name, "ZeroDivisionError");
});
