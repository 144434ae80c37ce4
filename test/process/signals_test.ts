/**
 * Signals, interrupts and child processes in a process that Python shares with a JavaScript runtime. Each case is a process
 * of its own: see children/works.ts and children/signals.ts.
 */
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "#std/assert";
import { child, type Ended, prints } from "../support/child.ts";
import { windows } from "../support/skip.ts";
import { endedByCtrlC } from "../support/windows_console.ts";

const skip = windows("Windows has no signals");

const signals = async (name: string) => (await prints("signals", [name])).trimEnd().split("\n");

test("a SIGINT listener in JavaScript is called", async () => {
  const stdout = await prints("works", ["listener"], { signals: { ready: "SIGINT", again: "SIGINT" } });
  assertEquals(stdout, "ready\nSIGINT 1\nagain\nSIGINT 2\nslept\n");
});

/** Whether a process was ended by SIGINT, or by Ctrl-C on Windows. */
const interrupted = ({ code, signal }: Ended) => signal === "SIGINT" || code === 130 || code === endedByCtrlC;

test("SIGINT ends a process that has opened Python and does not listen", async () => {
  const ended = await child("signals", ["unheard"], { signals: { ready: "SIGINT" } });
  assertEquals([interrupted(ended), ended.stdout, ended.stderr], [true, "ready\n", ""], `${ended.code} ${ended.signal}`);
});

test("SIGINT goes to Python's handler, and ends the process when that was given up", async () => {
  const ended = await child("signals", ["given_up"], { signals: { ready: "SIGINT", again: "SIGINT" } });
  assertEquals([interrupted(ended), ended.stderr], [true, ""], `${ended.code} ${ended.signal}`);
  assertEquals(ended.stdout, "ready\nSIGINT,true handle\nagain\n");
});

test("python.interrupt() stops a busy loop, and the loop goes on", async () => {
  assertEquals(await prints("works", ["interrupt"]), "KeyboardInterrupt other goes on\n");
});

test("python.interrupt() of an idle loop", async () => {
  assertEquals(await prints("works", ["interrupt_idle"]), "slept goes on\n");
});

test("many interrupts", async () => {
  assertEquals(await prints("works", ["interrupts"]), "goes on\n");
});

test("subprocesses of asyncio and of node:child_process at once", async () => {
  assertEquals(await prints("works", ["subprocesses"]), "true\ntrue\nnull SIGTERM\n");
});

test("add_signal_handler works", { skip }, async () => {
  assertEquals(await prints("works", ["signal_handler"]), "SIGUSR2\n");
});

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
  const ended = await child("signals", ["sigint_back"], { signals: { again: "SIGINT" } });
  assertEquals([interrupted(ended), ended.stderr], [true, ""], `${ended.code} ${ended.signal} ${ended.stdout}`);
  assertStringIncludes(ended.stdout, "SIGINT,loop true\nagain\n");
});

test("SIGINT that a loop handles goes to JavaScript's listener too, and to it alone once the handler is removed", { skip }, async () => {
  assertEquals(await signals("sigint_listener"), ["SIGINT,loop 1 true", "2"]);
});

test("multiprocessing with spawn, in both ways, beside children of JavaScript's, twice", async () => {
  const round = "[[0,1,4,9,16],[0,1,4,9,16],[42,0],4,4]";
  assertEquals(await signals("multiprocessing"), [round, round]);
});
