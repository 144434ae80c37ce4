/**
 * Every record answers: what JavaScript cannot read of a message is the answer to it, and no Promise, task, thread or stream
 * waits for ever.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";

const lines = async (name: string) => (await prints("hostile", [name])).trimEnd().split("\n");

test("an int that is too large for a bigint: as result, argument, keyword and item", async () => {
  const error = "RangeError: Maximum BigInt size exceeded";
  assertEquals(await lines("unreadable"), [
    error,
    error,
    `JsException: ${error} | JsException: ${error}`,
    `JsException: ${error} | JsException: ${error}`,
    "null 1",
    `1, ${error}`,
    `1, ${error}`,
    "still alive",
  ]);
});

test("the real limit of the runtime", async () => {
  assertEquals(await lines("huge"), ["true", "still alive"]);
});

test("frozen prototypes, Promises with an odd `then` or species, and a thrown Proxy whose traps throw", async () => {
  assertEquals(await lines("frozen"), [
    'constructor,1 toString,2 __proto__,3 plain,4 [["constructor",1],["toString",[2]],["__proto__",3]]',
    "value 5",
    "JsException: Error: reason",
    "JsException: Error: no species",
    "JsException: Error: trap JsException: Error: trap",
    "still alive",
  ]);
});
