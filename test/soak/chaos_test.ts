/**
 * Everything at once and at random, for a few seconds; test/soak/chaos.mjs does the same for as long as it is told.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { child } from "../support/child.ts";

for (const seed of [1, 2]) {
  test(`everything at random: no crash, no hang, no fault of ours (seed ${seed})`, async () => {
    const { code, signal, stdout, stderr } = await child("chaos", [String(seed), "4"], { env: { PYTHONMALLOC: "debug" } });
    const said = stdout.split("\n").filter((line) => /survived|fault|Worker ended/.test(line));
    assertEquals({ code, signal, said }, { code: 0, signal: null, said: [`survived ${seed}`] }, `${stdout}\n${stderr}`);
  });
}
