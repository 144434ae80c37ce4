/**
 * How a PythonError that no code catches is shown: Python's frames first, then the program's, with what the error carries,
 * and nothing of pyawait's inside.
 */
import { test } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { child, runtime } from "../support/child.ts";
import { isAtLeast } from "../support/define.ts";

const noGroups = isAtLeast(3, 11) ? false : "ExceptionGroup and notes need Python 3.11";
if (noGroups) console.log(`skip: ${noGroups}`);

/** What the runtime prints, from the first line of the error on; Node says before where the error was thrown. */
async function shown(kind: string, place: string): Promise<string> {
  const { code, stderr } = await child("uncaught", [kind, place]);
  assertEquals(code, 1, stderr);
  let text = stderr.slice(stderr.search(/^.*(error\]?|ExceptionGroup):/im));
  // Bun shows last where an error was thrown in a callback, which is in pyawait.
  if (runtime === "bun" && place === "timer") text = text.replace(/\n\n\d+ \| [^]*$/, "");
  assertEquals(/[\\/](src|ffi)[\\/][\w\\/]+\.(ts|js)|ext:core|_PythonError|reference:|\[Getter/.exec(text)?.[0], undefined, stderr);
  return text;
}

for (const [place, fn] of [["call", "calls"], ["await", "awaits"], ["timer", "calls"], ["rejection", "awaits"], ["thread", "awaits"]]) {
  test(`Python's frames come first, then JavaScript's: ${place}`, async () => {
    const text = await shown("sync", place);
    assertMatch(text, /KeyError.*nobody catches this.*\n\s+at inner \(<exec.*>:5.*\n\s+at sync \(<exec.*>:4/);
    // JavaScriptCore has no frame of a function whose last act is the call, and of none in a timer
    if (runtime !== "bun" || fn === "awaits") assertMatch(text, new RegExp(`at (async )?${fn} \\(.*uncaught\\.[jt]s:\\d+`));
  });
}

for (const place of ["call", "await", "timer", "rejection"]) {
  test(`the members of a group, with their frames: ${place}`, { skip: noGroups }, async () => {
    const text = await shown("group", place);
    assertStringIncludes(text, "ExceptionGroup: several (2 sub-exceptions)");
    assertStringIncludes(text, "ExceptionGroup: more (1 sub-exception)");
    for (const n of [1, 2]) assertMatch(text, new RegExp(`ValueError.*: leaf ${n}\\n\\s+at leaf \\(<exec.*>:10`));
  });

  test(`causes and notes, with their frames: ${place}`, { skip: noGroups }, async () => {
    const text = await shown("chain", place);
    assertMatch(
      text,
      /KeyError.*'outer'[^]*first note(\\n|\n\s*)its second line[^]*at chain \(<exec.*>:20[^]*ValueError.*: leaf 3[^]*a note on the leaf[^]*at leaf \(<exec.*>:10/,
    );
  });
}

test("the PythonError that is the cause of the program's own error", { skip: noGroups }, async () => {
  const text = await shown("wrapped", "call");
  assertMatch(text, /wrapped[^]*KeyError.*'outer'[^]*at chain \(<exec.*>:20[^]*ValueError.*: leaf 3[^]*at leaf \(<exec.*>:10/);
});

test("a hint", async () => {
  for (const place of ["call", "timer"]) assertStringIncludes(await shown("hinted", place), "withLoop(() => ...)");
});

test("in a Worker", { skip: noGroups }, async () => {
  const { stderr } = await child("uncaught", ["chain", "worker"]);
  assertStringIncludes(stderr, "'outer'");
  assertMatch(stderr, /at chain \(<exec.*>:20/);
});
