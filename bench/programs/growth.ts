/** By how many megabytes the process grows while it does something often, at least 10: `growth.ts WHAT TIMES`. */
import { deepStrictEqual } from "node:assert";
import process from "node:process";
import { python, run, toJs, toThread } from "../../mod.ts";
import { resident } from "./resident.ts";

python.configure({ path: [new URL("..", import.meta.url)] });
const { same, size, size_of_json, identity, runs } = python.import("called");
const { dumps } = python.import("json");
const record = { id: 1, name: "Ada", tags: ["alpha", "beta"] };
const proxy = same(record);
deepStrictEqual(toJs(proxy), record);

const kinds: Record<string, (times: number) => unknown> = {
  async conversions(times) {
    for (let n = 0; n < times; n++) {
      size(record), toJs(proxy);
      if (n % 10_000 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  },
  async json(times) {
    for (let n = 0; n < times; n++) {
      size_of_json(JSON.stringify(record)), JSON.parse(dumps(proxy));
      if (n % 10_000 === 0) await new Promise((resolve) => setTimeout(resolve));
    }
  },
  async loops(times) {
    for (let n = 0; n < times; n++) deepStrictEqual(await run(() => identity(n)), n);
  },
  "asyncio.run": (times) => toThread(runs, [times]),
};

const [, , what, times] = process.argv;
await kinds[what](Math.ceil(Number(times) / 10)); // what is made once
const before = await resident();
await kinds[what](Number(times));
console.log(Math.max(10, (await resident() - before) / 1e6));
