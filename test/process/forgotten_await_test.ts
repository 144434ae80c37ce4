/**
 * Coroutines that were never awaited when the process, a Worker or Python ends: no finalizer runs then. Each case is a
 * process of its own: see children/forgotten.ts.
 */
import { test } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { child, prints, runtime } from "../support/child.ts";

const place = /[\\/]forgotten\.(ts|js):\d+: RuntimeWarning: coroutine 'commit' was never awaited\n {2}(.*)\n/g;

/** The lines of JavaScript in the warnings. */
const linesIn = (stderr: string) => [...stderr.matchAll(place)].map(([, , line]) => line);
const count = (stderr: string) => stderr.split("coroutine 'commit' was never awaited").length - 1;

const forget = /^const forget = .*main\.commit\(\)/, commit = /^main\.commit\(\);/;
const ends: [name: string, code: number, line: RegExp][] = [
  ["natural", 0, forget],
  ["exit", 3, forget],
  ["exit in the same turn", 3, commit],
  ["exit in a synchronous call", 3, forget],
  ["throw", 1, forget],
  ["reject", 1, forget],
  ["close", 0, forget],
  ["worker", 0, forget],
  ["worker that exits", 0, commit],
  ["worker that throws", 0, forget],
];

for (const [name, code, line] of ends) {
  const skip = runtime === "deno" && code === 1 && "Deno ends without a word to its program on an error that nobody catches";
  if (skip) console.log(`skip: ${skip}`);
  test(`warned of at the end, with the line: ${name}`, { skip }, async () => {
    const ended = await child("forgotten", [name]);
    assertEquals([ended.code, count(ended.stderr)], [code, 1], ended.stderr);
    assertEquals(linesIn(ended.stderr).length, 1, ended.stderr);
    assertMatch(linesIn(ended.stderr)[0], line);
  });
}

test("no warning: awaited late or just before the end, destroyed, given to Python", async () => {
  assertEquals(await prints("forgotten", ["none"], { env: { PYTHONWARNINGS: "always" } }), "");
});

test("the first calls of a function have their line, and all in asyncio's debug mode", async () => {
  const usual = await child("forgotten", ["many"], { env: { PYTHONWARNINGS: "always" } });
  assertEquals([usual.code, count(usual.stderr), linesIn(usual.stderr).length], [0, 6, 4], usual.stderr);
  assertStringIncludes(usual.stderr, "<javascript>:1: RuntimeWarning: coroutine 'commit' was never awaited");
  const debug = await child("forgotten", ["many"], { env: { PYTHONWARNINGS: "always", PYTHONASYNCIODEBUG: "1" } });
  assertEquals([debug.code, count(debug.stderr), linesIn(debug.stderr).length], [0, 6, 6], debug.stderr);
  const tracing = await child("forgotten", ["many"], { env: { PYTHONWARNINGS: "always", PYTHONTRACEMALLOC: "1" } });
  assertEquals([tracing.code, count(tracing.stderr), linesIn(tracing.stderr).length], [0, 6, 6], tracing.stderr);
});

test("Python's filters apply: once for a line, never, or as an error that cannot be raised", async () => {
  const once = await child("forgotten", ["many"], { env: { PYTHONWARNINGS: undefined, PYTHONASYNCIODEBUG: "1" } });
  assertEquals([once.code, count(once.stderr)], [0, 1], once.stderr);
  assertEquals(await prints("forgotten", ["many"], { env: { PYTHONWARNINGS: "ignore::RuntimeWarning" } }), "");
  const error = await child("forgotten", ["natural"], { env: { PYTHONWARNINGS: "error" } });
  assertEquals(error.code, 0);
  assertMatch(error.stderr, /Exception ignored (in:|while finalizing coroutine) <coroutine object commit at/);
  assertMatch(error.stderr, /RuntimeWarning: coroutine 'commit' was never awaited/);
});
