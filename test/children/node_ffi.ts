// Opens Python on the main thread and then in a Worker, with a warning of its own on each.
import process from "node:process";
import { isMainThread, Worker } from "node:worker_threads";
import { python } from "../../mod.ts";

const name = isMainThread ? "main" : "worker";
await python.import("asyncio").sleep(0.01);
process.emitWarning(`${name}'s own warning`);
console.log(`${name} slept`);
if (isMainThread) new Worker(new URL(import.meta.url));
