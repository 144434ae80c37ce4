/**
 * The demo, as a process of its own: it ends by itself and prints what it should.
 */
import { test } from "node:test";
import { assert, assertEquals, assertMatch } from "#std/assert";
import { child, type Ended } from "../support/child.ts";

function assertDone({ code, signal, stdout, stderr }: Ended): void {
  assert(code === 0 && signal === null, `exit code ${code}, signal ${signal}\n${stdout}\n${stderr}`);
}

test("the demo does its six steps", async () => {
  const ended = await child("../../examples/demo");
  assertDone(ended);
  const { stdout, stderr } = ended;
  assertEquals(stderr, "");
  assertEquals(stdout.match(/^\d\. /gm), ["1. ", "2. ", "3. ", "4. ", "5. ", "6. "]);
  for (
    const line of [
      /^pyawait on (node|deno|bun) [\d.]+ with Python 3\.\d+\.\d+$/m,
      /^ {2}sent "one line from javascript", got "ONE LINE FROM JAVASCRIPT"$/m,
      /^ {2}100 clients at once: HÉLLO, WÖRLD, CLIENT 0, …$/m,
      /^ {2}process \d+ hashed the \d+ bytes of this file: [0-9a-f]{16}…$/m,
      /^ {2}third round: [\d,]+ coroutines per second$/m,
      /^ {2}Python fetched 20 pages of http:\/\/127\.0\.0\.1:\d+: \/page\/0, \/page\/1, …$/m,
      /^ {2}JavaScript aborted: "JavaScript changed its mind", Python cleaned up, the fetch was aborted$/m,
      /^ {2}Python's wait_for ran out: Python stopped waiting, the fetch was aborted$/m,
      /^ {4}ValueError: cannot start$/m,
      /^ {4}RangeError: no file app\.toml\n\s+at .*readConfig/m,
      /^All of it went right, in [\d.]+ s\.$/m,
    ]
  ) assertMatch(stdout, line);
});
