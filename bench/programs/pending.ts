/** The memory of one await that is pending, or of one task of asyncio's, in bytes: `pending.ts awaits|tasks COUNT`. */
import process from "node:process";
import { intoPromise, python } from "../../mod.ts";
import { resident } from "./resident.ts";

python.configure({ path: [new URL("..", import.meta.url)] });
const { wait_for, pending_tasks } = python.import("called");
const [, , what, times] = process.argv, count = Number(times);
const future = (await python.execAsync("import asyncio; asyncio.get_running_loop()")).create_future;
// Python's allocators and JavaScript's heap are in use before.
const first = future();
const warm = Array.from({ length: 100 }, () => intoPromise(wait_for(first)));
first.set_result(1);
await Promise.all(warm);

const last = future(), before = await resident();
let all: Promise<unknown[]>;
if (what === "awaits") all = Promise.all(Array.from({ length: count }, () => intoPromise(wait_for(last))));
else all = intoPromise(pending_tasks(last, count));
await python.import("asyncio").sleep(0.1);
console.log(Math.max(1, (await resident() - before) / count));
last.set_result(1);
if ((await all).length !== count) throw new Error("Not all of them were answered");
