/**
 * What a python says of itself is remembered, and asked again as soon as anything could have changed it.
 *
 * A remembered answer is told from a fresh one by a mark that the test puts into the file.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { python } from "../../mod.ts";
import { probe } from "../../src/locate/probe.ts";
import { assert, assertEquals, assertThrows } from "#std/assert";
import { folder, posix, root } from "../support/fake_python.ts";
import { makeEnvironment, pythonOf } from "../support/virtual_environment.ts";

const { executable } = python.info;
const skip = executable === null ? "the library was named without a python" : false;
if (skip) console.log(`skip: ${skip}`);

/** A new cache, in which `fn` runs. */
function inCache(fn: (files: () => string[], cache: string) => void): void {
  const name = process.platform === "win32" ? "LOCALAPPDATA" : "XDG_CACHE_HOME";
  const before = process.env[name], cache = folder();
  process.env[name] = cache;
  const at = join(cache, "pyawait");
  const files = () => {
    try {
      return readdirSync(at).filter((file) => file.startsWith("python-")).map((file) => join(at, file));
    } catch {
      return []; // the folder was not made
    }
  };
  try {
    fn(files, at);
  } finally {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  }
}

const ask = (path: string, env: Record<string, string | undefined> = process.env) => probe(path, "a python", "x", env, root);

/** Marks what is remembered. */
function mark(files: string[]): void {
  for (const file of files) {
    const { depends, python } = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ depends, python: { ...python, machine: "remembered" } }));
  }
}

test("the same python is asked once", { skip }, () => {
  inCache((files) => {
    const first = ask(executable!);
    assertEquals(files().length, 1);
    mark(files());
    assertEquals(ask(executable!), { ...first, machine: "remembered" });
    assertEquals(files().length, 1);
  });
});

test("a virtual environment is asked again when its pyvenv.cfg is another, and each by itself", { skip }, () => {
  inCache((files) => {
    const at = join(folder(), "venv"), path = pythonOf(at);
    makeEnvironment(executable!, at);
    assertEquals(ask(path).prefix, at);
    mark(files());
    assertEquals(ask(path).machine, "remembered");
    const settings = join(at, "pyvenv.cfg");
    writeFileSync(settings, `${readFileSync(settings, "utf8")}# changed\n`);
    assert(ask(path).machine !== "remembered");
    assert(ask(executable!).prefix !== at);
  });
});

test("what is damaged, or names what is not there any more, is asked again", { skip }, () => {
  inCache((files) => {
    const first = ask(executable!), { depends } = JSON.parse(readFileSync(files()[0], "utf8"));
    const other = (python: unknown, of = depends) => JSON.stringify({ depends: of, python });
    for (
      const content of [
        "",
        "{",
        "null",
        other(undefined),
        other({ executable: "/bin/sh", basePrefix: "/" }),
        other({ ...first, executable: "/nowhere/python" }),
        other({ ...first, machine: "another's" }, "something else"),
      ]
    ) {
      writeFileSync(files()[0], content);
      assertEquals(ask(executable!), first);
    }
  });
});

test("a variable of the system's loader is part of what is remembered", { skip: skip || posix }, () => {
  inCache((files) => {
    ask(executable!);
    mark(files());
    assert(ask(executable!, { ...process.env, LD_LIBRARY_PATH: dirname(executable!) }).machine !== "remembered");
    assertEquals(ask(executable!).machine, "remembered");
  });
});

test("a launcher is asked each time: what it starts depends on more than its file", { skip: skip || posix }, () => {
  inCache((files) => {
    const launcher = join(folder(), "python3");
    writeFileSync(launcher, `#!/bin/sh\nexec '${executable}' "$@"\n`, { mode: 0o755 });
    const first = ask(launcher);
    assertEquals(files(), []);
    assertEquals(ask(launcher), first);
  });
});

test("of pyenv's and asdf's python3 only the python that it chooses is asked for", { skip: skip || posix }, () => {
  inCache((files) => {
    for (const manager of ["pyenv", "asdf"]) {
      const at = folder(), chooser = join(at, manager), shim = join(at, "python3");
      writeFileSync(chooser, `#!/bin/sh\nshift 2\nexec "$CHOSEN" "$@"\n`, { mode: 0o755 });
      writeFileSync(shim, `#!/bin/sh\nexec "${chooser}" exec "\${0##*/}" "$@"\n`, { mode: 0o755 });
      const env = { ...process.env, CHOSEN: executable! };
      assertEquals(ask(shim, env).executable, ask(executable!).executable);
      mark(files());
      assertEquals(ask(shim, env).machine, "remembered");
      assertThrows(() => ask(shim, { ...env, CHOSEN: "/nowhere/python3" }), Error, "is not a python");
      mark(files());
    }
  });
});

test("a program that was replaced, or only touched, is asked again", { skip: skip || posix }, () => {
  inCache((files) => {
    const at = join(folder(), "bin", "python3");
    mkdirSync(dirname(at));
    copyFileSync(executable!, at);
    chmodSync(at, 0o755);
    const home = { ...process.env, LD_LIBRARY_PATH: String(python.info.library ? dirname(python.info.library) : "") };
    const answers = () => {
      try {
        return ask(at, home).machine;
      } catch (error) {
        return (error as Error).name; // a copy alone may not find its standard library
      }
    };
    if (answers() === "PythonNotFoundError") return console.log("skip: a copy of this python does not start");
    mark(files());
    assertEquals(answers(), files().length > 0 ? "remembered" : answers());
    utimesSync(at, new Date(1e12), new Date(1e12));
    assert(answers() !== "remembered");
  });
});

test("a cache into which others may write is not used", { skip: skip || posix }, () => {
  inCache((files, cache) => {
    ask(executable!);
    mark(files());
    chmodSync(cache, 0o777);
    assert(ask(executable!).machine !== "remembered");
    chmodSync(cache, 0o700);
    assertEquals(ask(executable!).machine, "remembered");
  });
});
