/**
 * Values that change while they are converted, and conversions that are looked at while they run.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";

const lines = async (name: string) => (await prints("hostile", [name])).trimEnd().split("\n");

test("memory that another thread lets grow has one length per message", async () => {
  assertEquals(await lines("growing"), ["0 true"]);
});

test("the length of an Array, a Proxy or a typed array is read once, and is one that an Array can have", async () => {
  assertEquals(await lines("lengths"), ["2002", "2002", "2000", "2000", "2000", "2002", "2002", "2002", "2000"]);
});

test("gc.get_objects() never sees a list or tuple that is half filled", async () => {
  const printed = (await lines("half_filled")).join(" ").replaceAll(/\s+/g, " ");
  // Seen are: the list when it is complete, from the tuple; both from the third value; and that one, from a dict in it.
  assertEquals(printed, "[ 1234, 1234, 4, 0, 0, true, true, true, true, false ] [ 1234, 1234, 1234, [ false, false, true, true ] ]");
});
