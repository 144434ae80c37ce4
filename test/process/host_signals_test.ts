/**
 * Signals belong to both: what Python sets, asks for and puts back takes nothing from JavaScript's listeners, and the
 * other way round. Each case is a process of its own: children/host_signals.ts.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { child, prints } from "../support/child.ts";
import { windows } from "../support/skip.ts";

const skip = windows("Windows has no signals");

const lines = async (name: string) => (await prints("host_signals", [name])).trimEnd().split("\n");

test("what signal.signal returns can be put back, and the signal is the runtime's again", { skip }, async () => {
  const { signal, code, stdout } = await child("host_signals", ["put_back"]);
  assertEquals(stdout.trimEnd().split("\n"), [
    "SIGTERM SIG_DFL SIG_DFL handle handle",
    "SIGINT default_int_handler default_int_handler handle handle",
    "SIGHUP SIG_DFL SIG_DFL handle handle",
    "SIGUSR2 SIG_DFL SIG_DFL handle handle",
    "SIG_DFL SIG_DFL default_int_handler",
    "SIG_DFL",
    "true",
    "handle",
  ]);
  assertEquals(signal === "SIGTERM" || code === 143, true, `${signal} ${code}`);
});

test("a signal reaches Python's handler and JavaScript's listeners, whichever came first", { skip }, async () => {
  assertEquals(await lines("both"), [
    "JavaScript 1, Python 1",
    "JavaScript 1, Python 2",
    "JavaScript 2, Python 3",
    "JavaScript 3, Python 3",
    "JavaScript 4, Python 3",
  ]);
});

test("a listener to another signal leaves Python's handlers in place", { skip }, async () => {
  assertEquals(await lines("other_listener"), ["JavaScript 0, Python 1", "JavaScript 0, Python 2"]);
});

test("process.once beside a handler of Python's, for the signals that end a process", { skip }, async () => {
  assertEquals(await lines("late"), [1, 2, 3, 4, 5, 6].map((sent) => `JavaScript ${Math.ceil(sent / 2)}, Python ${sent}`));
});

test("a handler that is set and given back around each signal gets every one", { skip }, async () => {
  assertEquals(await lines("at_once"), ["200"]);
});

test("listeners that come and go take no signal from Python", { skip }, async () => {
  assertEquals(await lines("in_turns"), ["JavaScript 50, Python 50"]);
});

test("a server that captures signals and raises them again ends as under python", { skip }, async () => {
  const { signal, code, stdout } = await child("host_signals", ["server"]);
  assertEquals([stdout, signal === "SIGTERM" || code === 143], ["served\n", true], `${signal} ${code}`);
});

test("removed listeners leave the signal to Python, and afterwards to its default", { skip }, async () => {
  const { signal, code, stdout } = await child("host_signals", ["remove_all"]);
  assertEquals([stdout, signal === "SIGTERM" || code === 143], ["JavaScript 0, Python 1\n", true], `${signal} ${code}`);
});

test("SIGPIPE stays as the runtime needs it", { skip }, async () => {
  assertEquals(await lines("broken_pipe"), ["SIG_IGN SIG_DFL", "BrokenPipeError"]);
});

test("Python in a Worker alone leaves the main thread's listeners working", { skip }, async () => {
  assertEquals(await lines("worker"), ["JavaScript 1"]);
});

test("a handler of Python's in a Worker alone gets the process's signals", { skip }, async () => {
  assertEquals(await lines("worker_handles"), ["JavaScript 0, Python 1"]);
});
