/** Microseconds of processor time that an idle process takes in a second, at least 100: `idle.ts python|runtime MILLISECONDS`. */
import process from "node:process";
import { python } from "../../mod.ts";

const [, , what, milliseconds] = process.argv, duration = Math.max(100, Number(milliseconds));
if (what === "python") { for (let n = 0; n < 100; n++) await python.import("asyncio").sleep(0); }
await new Promise((resolve) => setTimeout(resolve, 500)); // the runtime compiles and collects
const before = process.cpuUsage();
await new Promise((resolve) => setTimeout(resolve, duration));
const { user, system } = process.cpuUsage(before);
console.log(Math.max(100, (user + system) * 1000 / duration));
