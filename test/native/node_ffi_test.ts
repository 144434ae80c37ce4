/**
 * `node:ffi`, which Node has from 26.1 on, takes the place of koffi where that is not installed. `node test/run.mjs
 * --runtime node@26 --no-koffi` runs all other tests with it.
 */
import { spawnSync } from "node:child_process";
import module from "node:module";
import { resolve } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { child, runtime } from "../support/child.ts";
import { commandLine } from "../support/command.ts";
import { skip as skipFor } from "../support/skip.ts";

const withoutKoffi = { NODE_OPTIONS: `--require=${JSON.stringify(resolve("test/support/without_koffi.cjs"))}` };
const isNode = runtime === "node", known = isNode && process.allowedNodeEnvironmentFlags.has("--experimental-ffi");

const skip = skipFor((!isNode || !module.isBuiltin("node:ffi")) && "node:ffi is part of Node from 26.10 on");
const skipOthers = skipFor(!isNode && "koffi and node:ffi are for Node");

/** What `pyawait doctor` says of the FFI without koffi, on a Node with these flags. */
function examine(...flags: string[]): { detail: string; status: string } {
  const [program, ...args] = commandLine(["doctor", "--json"]);
  const env = { ...process.env, ...withoutKoffi };
  const { stdout, stderr } = spawnSync(program, [...flags, ...args], { env, encoding: "utf8" });
  assertMatch(stdout, /^\{.*\}\n$/, stderr);
  return JSON.parse(stdout).checks.find(({ name }: { name: string }) => name === "ffi");
}

/** Runs the program of children/ on a Node with these flags, without koffi. */
function start(...flags: string[]): ReturnType<typeof child> {
  return child("node_ffi", [], { env: { NODE_OPTIONS: [...flags, withoutKoffi.NODE_OPTIONS].join(" ") } });
}

/** What a program prints on stderr that cannot open Python on a Node with these flags. */
async function failure(...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await start(...flags);
  assertEquals([code, stdout], [1, ""], stderr);
  return stderr;
}

test("node:ffi is used where koffi is not there", { skip }, () => {
  const { detail, status } = examine();
  assertEquals([status, detail], ["ok", "node:ffi"]);
});

test("Node's warning of node:ffi is printed once, also with Workers, and others are not hidden", { skip }, async () => {
  const { code, stdout, stderr } = await start();
  assertEquals([code, stdout], [0, "main slept\nworker slept\n"], stderr);
  assertEquals(stderr.match(/ExperimentalWarning: .*/g)?.map((line) => line.replace(/ is .*/, "")), ["ExperimentalWarning: FFI"], stderr);
  assertEquals(stderr.match(/(main|worker)'s own warning/g), ["main's own warning", "worker's own warning"], stderr);
});

test("where Node has no node:ffi either, the error names both ways", { skip: skipOthers }, async () => {
  const text = await failure(...known ? ["--no-experimental-ffi"] : []);
  assertStringIncludes(text, 'Cannot find koffi, which pyawait needs on Node: run "npm install koffi"');
  assertStringIncludes(text, known ? "or start node with --experimental-ffi, without --no-experimental-ffi" : "or use Node 26.10 or newer");
});

test("under the permission model the flags that are missing are named", { skip }, async () => {
  const flags = ["--permission", ...["fs-read=*", "fs-write=*", "child-process", "worker", "addons"].map((name) => `--allow-${name}`)];
  assertStringIncludes(
    await failure(...flags),
    "Cannot use node:ffi, which pyawait needs where koffi is not installed: start node with --allow-ffi",
  );
  assertStringIncludes(await failure(...flags, "--allow-ffi"), "Start the program with --allow-net");
  const { code, stdout, stderr } = await start(...flags, "--allow-ffi", "--allow-net");
  assertEquals([code, stdout], [0, "main slept\nworker slept\n"], stderr);
});
