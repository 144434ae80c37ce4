/** Microseconds of processor time for an await, and a timer of a millisecond after each: `paced.ts await COUNT`. */
import process from "node:process";
import { python } from "../../mod.ts";

python.configure({ path: [new URL("..", import.meta.url)] });
const { identity } = python.import("called");
const count = Math.max(100, Number(process.argv[3]));

async function paced(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    if (await identity(n) !== n) throw new Error("The answer is wrong");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

await paced(100);
const before = process.cpuUsage();
await paced(count);
const { user, system } = process.cpuUsage(before);
console.log((user + system) / count);
