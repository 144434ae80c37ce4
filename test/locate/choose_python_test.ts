/** Every way of choosing a Python, in their order, and what is said where none can be used. */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "#std/assert";
import { chownSync, lchownSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { checkPythonHome, locate, type Location, PythonLoadError } from "../../src/locate/locate.ts";
import { runtime } from "../support/child.ts";
import { fake, folder, library, libraryName, make, path, posix, refused, whole } from "../support/fake_python.ts";

test("locate() takes the option before the variable, and that before the rest", { skip: posix }, () => {
  const [option, variable, venv, near, onPath] = Array.from({ length: 5 }, () => whole());
  const cwd = make(join(folder(), "a", "b"));
  const settings = join(dirname(cwd), ".venv");
  symlinkSync(near.prefix, settings);
  writeFileSync(join(near.prefix, "pyvenv.cfg"), "");
  fake(near.prefix, {}, "python");
  const env: Record<string, string> = {
    PYAWAIT_PYTHON: variable.python,
    VIRTUAL_ENV: venv.prefix,
    PATH: path(onPath.prefix),
  };
  const found: Location = locate({ executable: option.python }, env, cwd);
  assertEquals(found, {
    executable: option.python,
    library: option.lib,
    version: "3.11.7",
    implementation: "cpython",
    gil: true,
    prefix: option.prefix,
    basePrefix: option.prefix,
    source: "option executable",
  });
  assertEquals(locate({}, env, cwd).source, "PYAWAIT_PYTHON");
  env.PYAWAIT_PYTHON = "";
  assertEquals(locate({}, env, cwd).source, "VIRTUAL_ENV");
  delete env.VIRTUAL_ENV;
  assertEquals(locate({}, env, cwd).source, `.venv in ${dirname(cwd)}`);
  rmSync(settings);
  assertEquals(locate({}, env, cwd).source, "python3 on the path");
  assertEquals(locate({}, env, cwd).executable, onPath.python);
});

const onlyRoot = posix || (process.getuid?.() !== 0 && "only root can give a folder away");

test("locate() does not run a .venv of another user's", { skip: onlyRoot }, () => {
  const [near, onPath] = [whole(), whole()];
  const parent = folder(), cwd = make(join(parent, "a")), venv = join(parent, ".venv");
  fake(near.prefix, {}, "python");
  make(venv), symlinkSync(join(near.prefix, "bin"), join(venv, "bin"));
  writeFileSync(join(venv, "pyvenv.cfg"), "");
  const env = { PATH: path(onPath.prefix) };
  assertEquals(locate({}, env, cwd).source, `.venv in ${parent}`);
  chownSync(venv, 65534, 65534);
  assertMatch(locate({}, env, cwd).source, /^python3 on the path; passed over: \.venv in .*, which belongs to another user \(uid 65534\)/);
  refused(() => locate({}, { PATH: "" }, cwd), `.venv in ${parent}`, "belongs to another user", `Set PYAWAIT_PYTHON to "${venv}"`);
  assertEquals(locate({}, { ...env, VIRTUAL_ENV: venv }, cwd).source, "VIRTUAL_ENV"); // named by the user
  chownSync(cwd, 65534, 65534); // the working directory's owner is trusted: the user has gone there
  assertEquals(locate({}, env, cwd).source, `.venv in ${parent}`);
  chownSync(cwd, 0, 0), rmSync(venv, { recursive: true });
  symlinkSync(near.prefix, venv), lchownSync(venv, 65534, 65534);
  assertEquals(locate({}, env, cwd).executable, onPath.python);
});

test("locate() takes a folder, a relative path and a name on the path", { skip: posix }, () => {
  const { prefix, python, lib } = whole();
  assertEquals(locate({ executable: prefix }, {}).library, lib);
  assertEquals(locate({ executable: "bin/python3" }, {}, prefix).executable, python);
  assertEquals(locate({}, { PYAWAIT_PYTHON: "python3", PATH: path(prefix) }).executable, python);
});

test("locate() takes a conda environment, and its base only at the end", { skip: posix }, () => {
  const [conda, other] = [whole(), whole()];
  const env = { CONDA_PREFIX: conda.prefix, CONDA_DEFAULT_ENV: "work", PATH: path(other.prefix) };
  const cwd = folder();
  assertEquals(locate({}, env, cwd).source, "CONDA_PREFIX");
  assertEquals(locate({}, { ...env, CONDA_DEFAULT_ENV: "base" }, cwd).source, "python3 on the path");
  assertEquals(locate({}, { ...env, CONDA_DEFAULT_ENV: "base", PATH: "" }, cwd).source, "CONDA_PREFIX");
  assertEquals(locate({}, { ...env, CONDA_PREFIX: folder() }, cwd).source, "python3 on the path");
});

test("locate() passes over pythons on the path that cannot be used, and lists them", { skip: posix }, () => {
  const [bare, broken, good, pypy] = [folder(), folder(), whole(), whole({ implementation: "pypy" })];
  fake(bare, { names: ["libpython3.11.a"] });
  writeFileSync(
    join(make(join(broken, "bin")), "python3"),
    "#!/bin/sh\necho no such version >&2\nexit 127\n",
    {
      mode: 0o755,
    },
  );
  const cwd = folder();
  const PATH = path(folder(), bare, broken, pypy.prefix);
  assertEquals(locate({}, { PATH: `${PATH}${delimiter}${path(good.prefix)}` }, cwd).library, good.lib);
  const error = refused(
    () => locate({}, { PATH }, cwd),
    "is Python 3.11.7 for linux-x86_64 (64 bit) and has no shared library: no libpython3.11",
    `in ${join(bare, "lib")}`,
    'is not a python: ended with exit code 127, "no such version"',
    "is pypy 3.11.7: only CPython",
    "or set PYAWAIT_PYTHON to another python",
  );
  assertEquals(error.tried.length, 3);
  const command = { node: "npx pyawait", deno: "deno run -A npm:pyawait", bun: "bunx --bun pyawait" }[runtime];
  assertEquals(error.message.split("\n").slice(-2), [error.hint, `Run "${command} doctor" to check everything that pyawait needs`]);
  refused(() => locate({}, { PATH: folder() }, cwd), "PATH: has no python3 and no python", "PYAWAIT_PYTHON");
});

test("locate() prefers python3 and does not ask one file twice", { skip: posix }, () => {
  const [first, second] = [folder(), whole()];
  fake(first, {}, "python");
  const env = { PATH: path(first, second.prefix, second.prefix) };
  assertEquals(locate({}, env, folder()).executable, second.python);
  rmSync(second.lib);
  assertEquals(refused(() => locate({}, env, folder())).tried.length, 2);
});

test("locate() refuses what was named and is not a usable Python", { skip: posix }, () => {
  const at = folder();
  const [text, loud] = [join(at, "text"), join(at, "loud")];
  writeFileSync(text, "hello\n", { mode: 0o644 });
  writeFileSync(loud, "#!/bin/sh\necho hello\n", { mode: 0o755 });
  symlinkSync(join(at, "gone"), join(at, "link"));
  const option = (executable: string) => () => locate({ executable }, { PATH: "" });
  const end = 'Set the option executable to a python (such as "/usr/bin/python3")';
  refused(option(join(at, "gone")), `option executable "${join(at, "gone")}": does not exist`, end);
  refused(option(text), "is not executable", end);
  refused(option(loud), "is not a python: it does not answer as one", end);
  refused(option(at), "is a folder without a python (neither bin/python3 nor bin/python)", end);
  refused(option(join(at, "link")), "is a broken link to", end);
  refused(option(join(text, "python")), 'python": ');
  refused(() => locate({ library: join(text, "libpython3.11.so") }, {}), "Set the option library");
  refused(() => locate({}, { PATH: text }, at), "PATH: has no python3");
  refused(option(""), "is a folder without a python");
  refused(() => locate({}, { PYAWAIT_PYTHON: join(at, "gone") }), "PYAWAIT_PYTHON", "does not exist");
  const good = whole();
  const env = { VIRTUAL_ENV: join(at, "gone"), PATH: path(good.prefix) };
  refused(() => locate({}, env), "Set VIRTUAL_ENV to a python");
  const venv = make(join(at, ".venv"));
  assertEquals(locate({}, { PATH: env.PATH }, at).library, good.lib); // a folder of that name, no more
  writeFileSync(join(venv, "pyvenv.cfg"), "");
  refused(() => locate({}, { PATH: env.PATH }, at), `.venv in ${at}`, "neither bin/python nor bin/python3");
});

test("locate() refuses Pythons that are too old, by their version", { skip: posix }, () => {
  const old = whole({ version: "3.7.16" });
  refused(
    () => locate({ executable: old.python }, {}),
    "is Python 3.7.16, which is too old: 3.8 is the oldest",
    "Install CPython 3.8 or newer",
  );
  const two = join(folder(), "python");
  const lines = '#!/bin/sh\n[ "$1" = -V ] && echo Python 2.7.18 >&2 || echo Unknown option: -I >&2\n';
  writeFileSync(two, lines, { mode: 0o755 });
  refused(() => locate({ executable: two }, {}), "is Python 2.7.18, which is too old");
});

test("locate() takes a library by its path and looks for its python", { skip: posix }, () => {
  const [own, other, old] = [whole(), whole(), whole({ version: "3.10.1" })];
  const cwd = folder();
  const found = locate({ library: own.lib }, { PATH: path(other.prefix) }, cwd);
  assertEquals([found.executable, found.source], [own.python, "option library and the python beside it"]);
  rmSync(own.python);
  const env = { PYAWAIT_LIBRARY: own.lib, PATH: path(old.prefix, other.prefix) };
  const second = locate({}, env, cwd);
  assertEquals([second.executable, second.library], [other.python, own.lib]);
  assertEquals(second.source, "PYAWAIT_LIBRARY and python3 on the path");
  assertEquals(
    locate({}, { ...env, VIRTUAL_ENV: other.prefix }, cwd).source,
    "PYAWAIT_LIBRARY and VIRTUAL_ENV",
  );
  assertEquals(locate({}, { ...env, VIRTUAL_ENV: old.prefix }, cwd).executable, other.python);
  const none = locate({}, { PYAWAIT_LIBRARY: own.lib, PATH: path(old.prefix) }, cwd);
  assertEquals([none.executable, none.version, none.gil, none.basePrefix], [null, "3.11", true, own.prefix]);
  const clash = () => locate({ executable: old.python }, { PYAWAIT_LIBRARY: own.lib });
  assertThrows(clash, PythonLoadError, "is for Python 3.11, but option executable");
  assertEquals(locate({ executable: other.python }, { PYAWAIT_LIBRARY: own.lib }).library, own.lib);
  const free = library(own.prefix, libraryName.replace("3.11", "3.13t"));
  assertEquals(locate({ library: free }, {}, cwd).gil, false);
});

test("checkPythonHome() refuses the home of another Python", { skip: posix }, () => {
  const [{ prefix, python, lib }, other] = [whole(), folder()];
  const location = locate({ executable: python }, {});
  for (const home of [undefined, "", prefix, `${prefix}${delimiter}${prefix}`]) {
    checkPythonHome({ PYTHONHOME: home }, location);
  }
  const error = assertThrows(() => checkPythonHome({ PYTHONHOME: other }, location), PythonLoadError);
  assertEquals(error.tried[0].place, "PYTHONHOME");
  assertStringIncludes(error.message, 'Run "unset PYTHONHOME" first');
  writeFileSync(join(make(join(other, "lib", "python3.11")), "os.py"), "");
  checkPythonHome({ PYTHONHOME: other }, { ...location, executable: null, library: lib });
});
