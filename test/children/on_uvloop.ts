/**
 * Test files again, with uvloop as the background loop: their paths are in PYAWAIT_TEST_FILES. Run as a test file.
 */
import process from "node:process";
import { test } from "node:test";
import { python, toLoop } from "../../mod.ts";
import { assertEquals } from "#std/assert";

python.configure({ loop: "uvloop" });

test("the background loop is uvloop's", async () => {
  const kind = await toLoop(python.exec("import asyncio\nlambda: type(asyncio.get_running_loop()).__module__"));
  assertEquals([kind, python.info.loop], ["uvloop", "uvloop"]);
});

for (const file of process.env.PYAWAIT_TEST_FILES!.split(" ")) await import(file);
