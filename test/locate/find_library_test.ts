/** The shared library of a Python: where it is found, and what is said when it is missing or for another machine. */
import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "#std/assert";
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { locate, PythonLoadError } from "../../src/locate/locate.ts";
import { fake, folder, header, library, make, otherMachine, path, posix, refused, whole } from "../support/fake_python.ts";

test("locate() names the command that adds the library", { skip: posix }, () => {
  const hint = (at: string, changes = {}) => {
    return refused(() => locate({ executable: fake(make(at), changes) }, {}), "no shared library").hint;
  };
  const pyenv = hint(join(folder(), ".pyenv", "versions", "3.11.7"));
  assertStringIncludes(pyenv, '"PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install --force 3.11.7"');
  assertStringIncludes(pyenv, "set PYAWAIT_LIBRARY to the path of its libpython");
  assertStringIncludes(hint(join(folder(), "uv", "python", "x")), '"uv python install --reinstall 3.11"');
  const conda = folder();
  make(join(conda, "conda-meta"));
  assertStringIncludes(hint(conda), "conda install");
  assertStringIncludes(hint(folder()), "--enable-shared");
  if (existsSync("/etc/debian_version")) {
    const usr = { basePrefix: "/usr", baseExecPrefix: "/usr", version: "3.99.1" };
    assertStringIncludes(hint(folder(), usr), '"sudo apt install libpython3.99"');
  }
});

test("locate() tells both machines when the library is for another one", { skip: posix }, () => {
  const { prefix, python, lib } = whole();
  library(prefix, undefined, otherMachine);
  const error = assertThrows(() => locate({ executable: python }, {}), PythonLoadError);
  assertEquals(error.name, "PythonLoadError");
  assertMatch(error.message, new RegExp(`is for ${otherMachine}, but this \\w+ is for ${process.arch}`));
  assertStringIncludes(error.message, `Install a Python for ${process.arch}`);
  assertThrows(() => locate({ library: lib }, {}), PythonLoadError, otherMachine);
  assertThrows(() => locate({}, { PATH: path(prefix) }, folder()), PythonLoadError, otherMachine);
  const pe = new Uint8Array(256);
  pe.set([0x4d, 0x5a]);
  pe.set([64], 60);
  pe.set([0x50, 0x45, 0, 0, 0x64, 0xaa], 64);
  writeFileSync(lib, pe);
  assertThrows(() => locate({ library: lib }, {}), PythonLoadError, "is a PE file for arm64");
  writeFileSync(lib, "INPUT(libpython3.11.so.1.0)");
  assertThrows(() => locate({ library: lib }, {}), PythonLoadError, "is not a library");
});

test("locate() refuses what is not a libpython", { skip: posix }, () => {
  const at = folder();
  const option = (name: string) => () => locate({ library: library(at, name) }, {}, at);
  refused(
    () => locate({ library: join(at, "gone.so") }, {}),
    "does not exist",
    "Set the option library to the path",
  );
  refused(() => locate({}, { PYAWAIT_LIBRARY: at }), "is a folder, not a library", "Set PYAWAIT_LIBRARY");
  refused(option("libpython3.11.a"), "is a static library");
  refused(option("libpython3.so"), "is only the front of the stable ABI");
  refused(option("python3.11"), "is a python, not its library");
  refused(option("libpypy3.11-c.so"), "is PyPy");
  refused(option("libpython3.7m.so.1.0"), "is for Python 3.7, which is too old");
  refused(option("embedded.so"), "does not tell its version by its name");
});

test(
  "locate() finds the library of each build and layout",
  { skip: posix || process.platform !== "linux" },
  () => {
    const at = (name: string, changes: Record<string, unknown>, below = "lib") => {
      const prefix = folder();
      const lib = join(make(join(prefix, below)), name);
      writeFileSync(lib, header(process.arch));
      assertEquals(
        locate({ executable: fake(prefix, { ...changes, libdir: join(prefix, "libdir") }) }, {}).library,
        lib,
      );
    };
    at("libpython3.11.so", {});
    at(
      "libpython3.11.so.1.0",
      { names: ["libpython3.11.so.1.0", "libpython3.11.so"] },
      "lib/x86_64-linux-gnu",
    );
    at("libpython3.11.so.1.0", {}, "lib64");
    at("libpython3.11.so.1.0", {}, "libdir");
    at("libpython3.13t.so.1.0", { version: "3.13.1", gil: false, abi: "t" });
    at("libpython3.11d.so.1.0", { abi: "d" });
    at("odd.so", { names: ["odd.so"] });
  },
);

test("locate() finds a framework's library on macOS", { skip: posix }, () => {
  const prefix = join(folder(), "Python.framework", "Versions", "3.11");
  const names = ["Python.framework/Versions/3.11/Python"];
  const python = fake(prefix, { names, frameworkPrefix: join(prefix, "../../..") });
  const lib = join(prefix, "Python");
  const universal = new DataView(new ArrayBuffer(64));
  const codes = [0xcafebabe, 2, 0x1000007, 0, 0, 0, 0, 0x100000c];
  codes.forEach((code, i) => universal.setUint32(i * 4, code));
  writeFileSync(lib, new Uint8Array(universal.buffer));
  // A process that says it is a Mac, because the format is chosen when the module is loaded.
  const source = new URL(`../../src/locate/locate${import.meta.url.slice(-3)}`, import.meta.url);
  const script = join(prefix, "script.mjs");
  writeFileSync(
    script,
    `import process from "node:process";
Object.defineProperty(process, "platform", { value: "darwin" });
const { locate } = await import(${JSON.stringify(source.href)});
for (const options of ${JSON.stringify([{ executable: python }, { library: lib }])}) {
  const { library, executable, version } = locate(options, {});
  console.log(JSON.stringify([library, executable, version]));
}
`,
  );
  const flags = process.versions.deno === undefined ? [] : ["run", "--allow-all"];
  const ran = spawnSync(process.execPath, [...flags, script], { encoding: "utf8" });
  assertEquals(ran.stderr, "");
  const [first, second] = ran.stdout.trim().split("\n").map((line) => JSON.parse(line) as unknown);
  assertEquals(first, [lib, python, "3.11.7"]);
  assertEquals(second, [lib, python, "3.11.7"]);
});
