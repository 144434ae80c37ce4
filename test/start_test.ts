/**
 * Starting Python: attempts that fail and what can be done after them. Each case is a process of its own:
 * children/opens.ts.
 */
import { test } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { child } from "./child.ts";

async function lines(args: string[], env: Record<string, string | undefined> = {}): Promise<string[]> {
  const { code, signal, stdout, stderr } = await child("opens", args, { env });
  assertEquals([code, signal, stderr], [0, null, ""], stdout);
  return stdout.trimEnd().split("\n");
}

test("an open that failed in its loop is tried again, with other options", async () => {
  const [first, second, other, third, sys, end] = await lines(["again"]);
  assertMatch(first, /^PythonLoadError: Cannot start Python .*ModuleNotFoundError: No module named 'no_such_mod'/);
  assertStringIncludes(first, "-m pip install no_such_mod");
  assertEquals(second, first);
  assertMatch(other, /^TypeError: .*"\/another\/python".* start a new process/);
  assertEquals([third, sys], ["done", "second /second false 0.25 asyncio"]);
  assertMatch(end, /^awaited TypeError: .*open already/);
});

test("whatever fails before the loop runs leaves nothing behind", async () => {
  const said = await lines(["loops"]);
  const wanted = [
    /^PythonLoadError: .*(TypeError|AssertionError|AttributeError): /,
    /^PythonLoadError: .*SystemExit: 3/,
    /^PythonLoadError: .*AttributeError: add_signal_handler/,
    /^PythonLoadError: .*NotImplementedError: it does not run/,
    /^done$/,
    /^1$/,
    /^Own awaited$/,
  ];
  assertEquals(said.length, wanted.length, said.join("\n"));
  wanted.forEach((pattern, index) => assertMatch(said[index], pattern));
});

test("Workers open Python at the same time, whichever of them has a wrong loop", async () => {
  const right = "opened", wrong = "refused or opened";
  assertEquals(await lines(["workers"]), [wrong, right, wrong, right, "main"]);
});
