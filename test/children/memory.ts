/**
 * Work of every kind, very often: `memory SYNCHRONOUS ASYNCHRONOUS [FILTER]` prints a line for each kind, which begins
 * with `flat` or with what there is too much of.
 */
import process from "node:process";
import { asyncOperations, backOperations, doOften, syncOperations, tooMuch } from "../support/workload.ts";

const [synchronous, asynchronous, filter = ""] = process.argv.slice(2);
const kinds: [Record<string, () => unknown>, number][] = [[{ ...syncOperations, ...backOperations }, Number(synchronous)], [
  asyncOperations,
  Number(asynchronous),
]];
for (const [operations, times] of kinds) {
  for (const [name, operation] of Object.entries(operations)) {
    if (!name.includes(filter)) continue;
    const start = Date.now(), left = await doOften(operation, times), wrong = tooMuch(left);
    const about = `${left.megabytes.toFixed(1)} MB, ${left.blocks} blocks, ${left.handles} handles`;
    console.log(`${wrong.join(", ") || "flat"}: ${times} ${name} in ${((Date.now() - start) / 1000).toFixed(1)} s: ${about}`);
  }
}
