/** What real Pythons answer, and what happens when there is no answer. */
import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "#std/assert";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { locate, type Location, PythonNotFoundError } from "../../src/locate/locate.ts";
import { probe } from "../../src/locate/probe.ts";
import { folder, posix, root } from "../support/fake_python.ts";
import { onWindows, skip, windows } from "../support/skip.ts";
import { makeEnvironment, pythonOf } from "../support/virtual_environment.ts";

test("probe() gives up after its time limit", { skip: posix }, () => {
  const slow = join(folder(), "python");
  writeFileSync(slow, "#!/bin/sh\nsleep 20\n", { mode: 0o755 });
  const started = Date.now();
  assertThrows(
    () => probe(slow, "slow", "x", process.env, root, 300),
    PythonNotFoundError,
    "no answer within 0.3 s",
  );
  assert(Date.now() - started < 5000);
});

const real = (() => {
  try {
    return locate({}, { ...process.env, VIRTUAL_ENV: "", PYAWAIT_PYTHON: "", PYAWAIT_LIBRARY: "" }, root);
  } catch {
    return null;
  }
})();
const noReal = skip(real === null && "there is no python3 with a shared library on the path");

function venv(at: string): string {
  makeEnvironment(real!.executable!, at);
  return pythonOf(at);
}

test("locate() keeps a virtual environment's own python, in any locale", { skip: noReal }, () => {
  const at = join(folder(), "földer ü", ".venv");
  const python = venv(at);
  const foreign = {
    PYTHONHOME: "/nowhere",
    PYTHONPATH: "/nowhere",
    PYTHONSTARTUP: "/nowhere",
    LC_ALL: "C",
    LANG: "C",
  };
  for (const env of [process.env, { ...process.env, ...foreign }]) {
    const found = locate({}, { ...env, VIRTUAL_ENV: "", PYAWAIT_PYTHON: "" }, dirname(at));
    const library = onWindows ? found.library : real!.library; // a virtual environment there may have a copy
    assertEquals(found, { ...real!, library, executable: python, prefix: at, source: `.venv in ${dirname(at)}` });
    assertEquals(basename(found.library), basename(real!.library));
  }
});

const child = skip(
  process.versions.bun !== undefined ? "Bun cannot be forbidden to run programs" : noReal || posix,
);

test("locate() reads files where it may run no program", { skip: child }, () => {
  const at = join(folder(), ".venv");
  const python = venv(at);
  const script = join(dirname(at), "script.mjs");
  const source = new URL(`../../src/locate/locate${import.meta.url.slice(-3)}`, import.meta.url);
  const lines = `import { locate } from ${JSON.stringify(source.href)};\nconsole.log(JSON.stringify(locate()));\n`;
  writeFileSync(script, lines);
  const node = [
    process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission",
  ];
  const flags = process.versions.deno === undefined
    ? [...node, "--allow-fs-read=*"]
    : ["run", "--no-prompt", "--allow-read", "--allow-env"];
  const ran = spawnSync(process.execPath, [...flags, script], {
    cwd: dirname(at),
    env: { ...process.env, VIRTUAL_ENV: "", PYAWAIT_PYTHON: "", PYAWAIT_LIBRARY: "" },
    encoding: "utf8",
  });
  assertEquals(ran.status, 0, ran.stderr);
  const found = JSON.parse(ran.stdout) as Location;
  assertEquals(realpathSync(found.library), realpathSync(real!.library));
  assertEquals([found.executable, found.prefix, found.version], [python, at, real!.version]);
});

const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
const pyenv = existsSync(versions) ? readdirSync(versions).filter((name) => /^\d+\.\d+\.\d+$/.test(name)) : [];

test(
  "locate() finds or refuses each pyenv Python",
  { skip: windows("pyenv is for other systems") || skip(pyenv.length === 0 && "no pyenv here") },
  () => {
    for (const version of pyenv) {
      const prefix = join(versions, version);
      try {
        const found = locate({ executable: prefix }, process.env);
        assertEquals([found.version, found.prefix], [version, prefix]);
        assert(found.library.startsWith(prefix), found.library);
      } catch (error) {
        assertInstanceOf(error, PythonNotFoundError);
        assertMatch(
          (error as Error).message,
          new RegExp(`${version}, which is too old|has no shared library`),
        );
      }
    }
  },
);
