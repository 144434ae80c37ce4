/**
 * Fake Pythons for the tests that look for one: shell scripts that answer the probe, and libraries that are bare
 * headers, because these tests load nothing. All of it lies under one temporary folder, removed after the tests.
 */
import { assertEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { after } from "node:test";
import { PythonNotFoundError } from "../../src/locate/locate.ts";
import { windows } from "./skip.ts";

export const root: string = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-locate-")));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
/** A new folder. */
export const folder = (): string => make(join(root, `${++count}`));
export const make = (path: string): string => (mkdirSync(path, { recursive: true }), path);

/** What to `skip` for: these fakes need a POSIX system. */
export const posix: string | false = windows("the fake Pythons are shell scripts");
export const otherMachine: string = process.arch === "arm64" ? "x64" : "arm64";
export const libraryName: string = process.platform === "darwin" ? "libpython3.11.dylib" : "libpython3.11.so.1.0";

/** The first bytes of a library for `machine`, in this system's format. */
export function header(machine: string): Uint8Array {
  const view = new DataView(new ArrayBuffer(64));
  if (process.platform === "darwin") {
    view.setUint32(0, 0xcffaedfe);
    view.setUint32(4, machine === "arm64" ? 0x100000c : 0x1000007, true);
  } else {
    view.setUint32(0, 0x7f454c46);
    view.setUint16(4, 0x0201);
    view.setUint16(18, machine === "arm64" ? 183 : 62, true);
  }
  return new Uint8Array(view.buffer);
}

export function library(prefix: string, name: string = libraryName, machine: string = process.arch): string {
  const path = join(make(join(prefix, "lib")), name);
  writeFileSync(path, header(machine));
  return path;
}

/** A program in `prefix`/bin that says what a Python 3.11.7 says, changed by `changes`. */
export function fake(prefix: string, changes: Record<string, unknown> = {}, name = "python3"): string {
  const path = join(make(join(prefix, "bin")), name);
  const answer = {
    implementation: "cpython",
    version: "3.11.7",
    gil: true,
    abi: "",
    bits: 64,
    machine: "linux-x86_64",
    executable: path,
    prefix,
    basePrefix: prefix,
    baseExecPrefix: prefix,
    multiarch: "x86_64-linux-gnu",
    names: [],
    libdir: "/install/lib",
    libpl: "",
    frameworkPrefix: "",
    dll: "",
    ...changes,
  };
  const lines = ["noise from a .pth file", `pyawait probe:${JSON.stringify(answer)}`, "noise from atexit"];
  writeFileSync(path, `#!/bin/sh\n/bin/cat <<'END'\n${lines.join("\n")}\nEND\n`, { mode: 0o755 });
  return path;
}

/** A fake Python with its library. */
export function whole(
  changes: Record<string, unknown> = {},
): { prefix: string; python: string; lib: string } {
  const prefix = folder();
  return { prefix, python: fake(prefix, changes), lib: library(prefix) };
}

export function path(...prefixes: string[]): string {
  return prefixes.map((prefix) => join(prefix, "bin")).join(delimiter);
}

/** Asserts a PythonNotFoundError whose message lists all that it tried, and has `parts`. */
export function refused(fn: () => unknown, ...parts: string[]): PythonNotFoundError {
  const error = assertThrows(fn, PythonNotFoundError);
  assertEquals(error.name, "PythonNotFoundError");
  for (const part of parts) assertStringIncludes(error.message, part);
  for (const { place, problem } of error.tried) assertStringIncludes(error.message, `${place}: ${problem}`);
  return error;
}
