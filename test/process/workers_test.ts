/**
 * Workers share the interpreter: how each works and ends while the others go on. Each case is a process of its own: see
 * children/workers.ts.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { child, runtime } from "../support/child.ts";

const ended = "JavaScriptEnded, True: Error: Cannot call into JavaScript: its thread has ended, or is ending with the process";
const unanswered =
  "JavaScriptEnded, True: Error: The JavaScript function did not return: its thread has ended, or is ending with the process";

async function assertPrinted(name: string, lines: string[], exitCode = 0): Promise<void> {
  const { code, signal, stdout, stderr } = await child("workers", [name]);
  assertEquals({ code, signal, lines: stdout.trimEnd().split("\n") }, { code: exitCode, signal: null, lines }, stderr);
}

test("several Workers and the main thread use one Python at once", async () => {
  await assertPrinted("works", ["[[true,true,42],[true,true,42],[true,true,42]]", "[0,0,0] main goes on"]);
});

test("a function of a Worker that has ended raises JsException", async () => {
  await assertPrinted("natural", ["ready 0", ended, ended, ended]);
});

test("terminate: calls and awaits in flight raise, tasks are cancelled, the main thread goes on", async () => {
  await assertPrinted("terminated", [unanswered, `${ended} ${ended}`, "main goes on"]);
});

test("terminate: a thread that waits for a function of the Worker's goes on", async () => {
  if (runtime === "deno") return console.log("skip: Deno does not terminate a Worker that runs a loop");
  await assertPrinted("terminated in a call", [unanswered]);
});

test("terminate: the loop that waits for a function of the Worker's goes on", async () => {
  await assertPrinted("terminated while the loop waits", ["main goes on"]);
});

test("terminate: a Worker that holds the GIL gives it up", async () => {
  await assertPrinted("terminated in attach", ["main goes on"]);
});

test("process.exit in a Worker ends the Worker alone", async () => {
  await assertPrinted("exits", ["ready 3", `${ended} main goes on`]);
});

test("an error that nobody catches ends the Worker alone", async () => {
  await assertPrinted("throws", ['ready 1 ["thrown in the Worker"]', "main goes on"]);
});

test("python.close in a Worker closes Python for all", async () => {
  await assertPrinted("closes", ["ready", "CancelledError CancelledError 0", "true"]);
});

test("terminate: memory that the Worker has seen is unlocked where nobody else can have it by then", async () => {
  await assertPrinted("buffers", ['["locked",50,50]', runtime === "deno" ? "unlocked" : "locked", "locked 7", "unlocked"]);
});

test("terminate: memory that was sent to the main thread stays there", async () => {
  await assertPrinted("moved memory", [
    typeof (ArrayBuffer.prototype as { transfer?: unknown }).transfer === "function" ? "65 65" : "stayed",
  ]);
});

test("terminate: a loop that is idle for ever keeps nothing", async () => {
  await assertPrinted("idle loop", ["100", "0"]);
});

test("terminate: the references that the Worker had are given up", async () => {
  const held = "[1000,true,1010]";
  await assertPrinted("references", [held, held, held, "10 true"]);
});

test("terminate: large values that were on their way are given up", async () => {
  await assertPrinted("large values", ["200000 200000"]);
});

test("one Worker after the other is terminated while it is at work", async () => {
  await assertPrinted("storm", ["survived"]);
});

test("Workers that come and go close no file of anybody else", async () => {
  await assertPrinted("files", ["0"]);
});

test("the process ends while Workers are at work", async () => {
  await assertPrinted("leaves", ["end"], 5);
});
