/**
 * Python's standard streams: in the order of JavaScript's output, into functions, and as pipes, which Node and Bun set
 * non-blocking while Python's streams wait. Each case is a process of its own: see children/works.ts and children/stdio.ts.
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { assertEnd, child, command, prints } from "../support/child.ts";
import { windows } from "../support/skip.ts";

test("output of Python and JavaScript is in order", async () => {
  const { code, stdout, stderr } = await child("works", ["output"]);
  const rounds = [0, 1, 2];
  assertEquals(code, 0);
  assertEquals(stdout, rounds.map((i) => `JavaScript ${i}\nPython ${i}\nloop ${i}\n`).join("") + "ünïcödé ✓");
  assertEquals(stderr, rounds.map((i) => `error ${i}\nJavaScript error ${i}\n`).join(""));
});

test("stdout and stderr functions get all text, in batches", async () => {
  assertEquals(await prints("works", ["functions"]), "true true true\ntrue true\ntrue\n");
  assertEquals(await prints("works", ["functions", "close"]), "true true true\ntrue true\ntrue\n");
});

test("a stdout function that throws loses nothing", async () => {
  assertMatch(await prints("works", ["throwing"]), /^(uncaught in stdout\n){2,}"1 2 "\n$/);
});

/** `actual` may be megabytes: a failure shows its length. */
function assertText(actual: string, expected: string): void {
  assert(actual === expected, `${actual.length} characters, expected ${expected.length}; it ends in ${actual.slice(-200)}`);
}

const lines = Array.from({ length: 20_000 }, (_, i) => `${i}\n`).join("");

for (const [title, env] of [["buffered", { PYTHONUNBUFFERED: undefined }], ["unbuffered", { PYTHONUNBUFFERED: "1" }]] as const) {
  test(`no output is lost: ${title}`, async () => {
    const { code, stdout, stderr } = await child("stdio", ["output"], { env });
    assertText(stdout, `${"x".repeat(3_000_000)}\n${lines}${"b".repeat(500_000)}\n`);
    assertText(stderr, `${"t".repeat(500_000)}\n`);
    assertEquals(code, 0);
  });

  test(`no output of the end is lost: ${title}`, async () => {
    const { code, stdout, stderr } = await child("stdio", ["output_at_exit"], { env });
    assertText(stdout, "y".repeat(100) + "x".repeat(1_000_000));
    assertEquals([code, stderr], [3, ""]);
  });

  test(`input is waited for: ${title}`, async () => {
    const text = await child("stdio", ["input"], { env, input: ["one\n", "tw", "o\n", "thr", "ee", "✓"] });
    assertEquals([text.code, text.stdout, text.stderr], [0, "'one'\n'two\\n'\n'three✓'\n", ""]);
    const bytes = await child("stdio", ["bytes"], { env, input: ["t", "hr", "ee", "✓"] });
    assertEquals([bytes.code, bytes.stdout, bytes.stderr], [0, "b'thr' b'ee\\xe2\\x9c\\x93'\n", ""]);
  });

  test(`the streams are what they are without JavaScript: ${title}`, async () => {
    for (const encoding of [undefined, "latin-1:replace"]) {
      const { code, stdout, stderr } = await child("stdio", ["streams"], {
        env: { ...env, PYTHONIOENCODING: encoding },
        input: [],
      });
      assertEquals([code, stderr], [0, ""]);
      const [here, alone] = stdout.split("\n");
      assertEquals(here, alone);
    }
  });
}

/** Runs a command in a terminal of its own, types when it says "ready", and prints what is on the screen. */
const typist = `
import os, pty, sys
process, terminal = pty.fork()
if not process:
    os.execv(sys.argv[1], sys.argv[1:])
screen = b""
typed = False
while True:
    try:
        shown = os.read(terminal, 1000)
    except OSError:
        break
    screen += shown
    if not shown:
        break
    if b"ready" in screen and not typed:
        typed = True
        os.write(terminal, b"one\\ntwo\\nthree\\n")
os.waitpid(process, 0)
print(screen.decode())
`;

test("input() in a terminal waits", { skip: windows("Windows has no pty") }, () => {
  const [program, first] = command("stdio", []);
  const screen = execFileSync(process.env.PYAWAIT_PYTHON ?? "python3", ["-c", typist, program, ...first, "terminal"], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assertStringIncludes(screen, "got 'one' 'two' 'three\\n'");
});

test("a pipe that nobody reads holds up the exit for two seconds at most", {
  skip: windows("Windows has no non-blocking pipes"),
}, async () => {
  assertEnd(await child("stdio", ["unread"]), 0, null, 3500);
});
