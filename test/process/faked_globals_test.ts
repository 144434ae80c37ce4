/**
 * Globals that a test runner or another library has replaced or frozen: pyawait works on, also when that happened before
 * it was loaded.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";

const works = "awaited 1 2 ZeroDivisionError 0 1 2 2 22 deferred RangeError\n";
const quiet = { env: { NODE_NO_WARNINGS: "1" } }; // Node 20 calls its mock timers experimental

for (const name of ["faked", "frozen", "timers of the module faked"]) {
  test(`globals that are ${name} before pyawait is loaded`, async () => {
    assertEquals(await prints("faked", `${name} before`.split(" ")), `${works}closed\n`);
  });
}

for (const name of ["faked later", "frozen later", "Promise replaced later", "node:test mock timers"]) {
  test(`globals that are replaced while Python is open: ${name}`, async () => {
    assertEquals(await prints("faked", name.split(" "), quiet), `${works}${works}closed\n`);
  });
}
