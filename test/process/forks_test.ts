/**
 * Forked children, in which there is no JavaScript: their signals, JavaScript's values that die there, and what they
 * cannot do. Each case is a process of its own, and forks on each kind of thread: see children/forks.ts.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";
import { windows } from "../support/skip.ts";

const skip = windows("Windows has no fork");
const threads = ["javascript", "loop", "another"];

async function printsOnEach(name: string, expected: string): Promise<void> {
  for (const thread of threads) assertEquals(`${thread}: ${await prints("forks", [name, thread])}`, `${thread}: ${expected}`);
}

test("a forked child obeys a signal that Python handles", { skip }, async () => {
  await printsOnEach("terminate", "7\n");
});

test("JavaScript's values die in a forked child, and the parent does not hear of it", { skip }, async () => {
  await printsOnEach("drop", "['dropped']\ndropped\nrings 0 true\n");
});

test("what needs JavaScript in a forked child says why it fails", { skip }, async () => {
  const refused = "RuntimeError: Cannot call into JavaScript from a forked child: it is not in there; use multiprocessing's spawn\n";
  await printsOnEach("use", refused.repeat(4));
});

test("a forked child can run a loop of its own", { skip }, async () => {
  await printsOnEach("loop", "slept\n");
});

test("a forked child prints to the stream, where JavaScript has a function", { skip }, async () => {
  await printsOnEach("print", "from the child\nNone \n");
});
