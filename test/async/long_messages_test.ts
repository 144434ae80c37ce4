/**
 * Messages that are too long for their 32-bit lengths, with a limit of 3 MB instead of 2 GiB, and memory that is missing:
 * an error of that call, and of nothing else.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";

test("a message that would be too long is an error of its call, in both directions", async () => {
  const out = "ValueError: Cannot convert this to JavaScript: its message would have 2 GiB or more";
  const into =
    "RangeError: Cannot pass this to Python: its message would have 2 GiB or more; pass it in parts, or by a file or a shared buffer";
  assertEquals((await prints("hostile", ["long"])).trimEnd().split("\n"), [
    out, // toJs
    `${into} 2`, // a call, which lends arguments and copies what is in them
    `${into} 1 1`,
    into, // an await
    "1 1 1", // a long turn goes in parts
    "1000000 1000000 1000000", // so does a long batch
    `JsException: ${into}`, // what JavaScript answers
    `2000000 JsException: ${into} ${out}`,
    "2000000 2000000", // calls from a thread, and from a synchronous call
    "2000000 2000000",
    `${out} ${out}`,
    `JsException: ${into} JsException: ${into}`,
    `1, ${out}`, // an item of a stream
    "2",
  ]);
});

test("where there is no memory for a record it is an error, and a submission waits", async () => {
  assertEquals((await prints("hostile", ["no_memory"])).trimEnd().split("\n"), [
    "RangeError: Array buffer allocation failed small",
    "200000",
    "waits true",
  ]);
});
