/**
 * Signals and child processes on the loop's thread, beyond what process_test.ts has. Each case is a process of its own:
 * see children/signals.ts.
 */
import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "#std/assert";
import { child, type ChildOptions } from "../support/child.ts";

const skip = process.platform === "win32" && "Windows has no signals";
if (skip) console.log(`skip: ${skip}`);

async function signals(name: string, options: ChildOptions = {}): Promise<string[]> {
  const { code, signal, stdout, stderr } = await child("signals", [name], options);
  assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" }, stdout + stderr);
  return stdout.trimEnd().split("\n");
}

test("a handler of signal.signal runs on Python's main thread, with the loop idle and busy", { skip }, async () => {
  assertEquals(await signals("handlers"), ["SIGUSR2,true", "SIGUSR2,true SIGUSR2,true"]);
});

test("a signal and interrupt() end a call that blocks in C, and reach a busy loop at once", { skip }, async () => {
  assertEquals(await signals("blocking"), ["Stop awake", "1", "KeyboardInterrupt goes on"]);
});

test("a loop's signal handler that is added and removed leaves interrupt() and other handlers working", { skip }, async () => {
  const interrupted = "KeyboardInterrupt slept goes on", got = "SIGUSR2,loop";
  assertEquals(await signals("added_and_removed"), [
    `${got} true false`,
    interrupted,
    `${got} ${got} true false`,
    interrupted,
    `${got} ${got} SIGUSR2,true`,
  ]);
});

test("SIGINT that a loop's handler took ends the process again once that is removed", { skip }, async () => {
  const { code, signal, stdout, stderr } = await child("signals", ["sigint_back"], { signals: { again: "SIGINT" } });
  assertEquals([code === 130 || signal === "SIGINT", stderr], [true, ""], `${code} ${signal} ${stdout}`);
  assertStringIncludes(stdout, "SIGINT,loop true\nagain\n");
});

test("SIGINT that a loop's handler took goes to JavaScript's listener again once that is removed", { skip }, async () => {
  assertEquals(await signals("sigint_listener"), ["SIGINT,loop 0 true", "1"]);
});

test("multiprocessing with spawn, in both ways, beside children of JavaScript's, twice", { skip }, async () => {
  const round = "[[0,1,4,9,16],[0,1,4,9,16],[42,0],4,4]";
  assertEquals(await signals("multiprocessing"), [round, round]);
});
