/**
 * Memory faults: WebAssembly's are exceptions while Python's faulthandler is enabled, and Python's end the process with
 * its traceback. Each case is a process of its own: see children/faults.ts.
 */
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "#std/assert";
import { child, prints } from "../support/child.ts";
import { windows } from "../support/skip.ts";

const skip = windows("Windows has no signals for faults");
const enabling: Record<string, Record<string, string>> = {
  "faulthandler.enable()": {},
  PYTHONFAULTHANDLER: { PYTHONFAULTHANDLER: "1" },
  PYTHONDEVMODE: { PYTHONDEVMODE: "1" },
};

for (const [title, env] of Object.entries(enabling)) {
  test(`a wrong access of WebAssembly is a RuntimeError: ${title}`, { skip }, async () => {
    const enabled = Object.keys(env).length > 0;
    const error = "RuntimeError";
    const expected = `true ${error} ${error} ${error} false ${error} true ${error}\n`;
    assertEquals(await prints("faults", ["trap"], { env }), `${enabled} ${error} ${expected}`);
    assertEquals(await prints("faults", ["trap", "before"], { env }), `true ${error} ${expected}`);
  });
}

test("a crash of Python prints its traceback and ends the process, also after a trap", { skip }, async () => {
  for (const name of ["crash", "crash_on_loop", "crash_in_thread"]) {
    const { signal, stdout, stderr } = await child("faults", [name]);
    assertEquals([name, stdout, signal], [name, "RuntimeError\n", "SIGSEGV"]);
    assertStringIncludes(stderr, "Fatal Python error: Segmentation fault");
    assertStringIncludes(stderr, 'File "crashing.py", line 1');
  }
});

test("a crash of Python without faulthandler ends the process as before", { skip }, async () => {
  for (const name of ["crash", "crash_on_loop", "crash_in_thread"]) {
    const { signal, stdout, stderr } = await child("faults", [name, "disabled"]);
    assertEquals([name, stdout, signal, stderr.includes("Fatal Python error")], [name, "RuntimeError\n", "SIGSEGV", false]);
  }
});

test("faulthandler.register prints the traceback", { skip }, async () => {
  const printed = await prints("faults", ["register"]);
  assertStringIncludes(printed, "in registered\n");
  assertStringIncludes(printed, "True\nRuntimeError\n");
});
