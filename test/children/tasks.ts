/**
 * Tasks that wait for each other through both languages, to be looked at from outside. Prints "ready"; when its input
 * ends it cancels the tasks, and ends by itself.
 */
import process from "node:process";
import { intoPromise, python } from "../../mod.ts";

python.exec(`
  import asyncio
  async def leaf(): await asyncio.sleep(1000)
  async def ticks():
      while True: await asyncio.sleep(0.01)
  async def main(function, ready):
      tasks = [
          asyncio.create_task(function(), name="through JavaScript"),
          asyncio.create_task(leaf(), name="direct"),
          asyncio.create_task(ticks(), name="ticks"),
      ]
      await asyncio.sleep(0.05)
      ready()
      await asyncio.gather(*tasks)`);
const { main, leaf } = python.import("__main__");

const ending = new AbortController();
process.stdin.on("end", () => ending.abort("ended")).resume();
async function inJavaScript(): Promise<void> {
  await leaf();
}
await intoPromise(main(inJavaScript, () => console.log("ready")), { signal: ending.signal }).catch(console.log);
