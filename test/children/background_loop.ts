/**
 * Python code that treats the running background loop as its own.
 */
import process from "node:process";
import { python, toLoop } from "../../mod.ts";

const asyncio = python.import("asyncio");
console.log(
  await python.execAsync(`
    import asyncio
    loop, errors = asyncio.get_running_loop(), []
    for attempt in (loop.close, lambda: loop.run_until_complete(loop.create_future())):
        try:
            attempt()
        except RuntimeError as error:
            errors.append(type(error).__name__)
    " ".join(errors)`),
);
for (let i = 0; i < 100; i++) await python.execAsync("asyncio.get_running_loop().stop()");
console.log("stopped 100 times");
console.log(await asyncio.sleep(0.01, "slept"));
if (process.platform !== "win32") {
  python.exec(`
    import signal
    handled = []
    def handler(number, frame):
        handled.append(number)
        raise ValueError("in the handler")`);
  const { handled, handler } = python.import("__main__"), { len } = python.import("builtins");
  await toLoop(python.import("signal").signal, [python.import("signal").SIGUSR2, handler]);
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 150)); // the loop is idle
    process.kill(process.pid, "SIGUSR2");
    while (len(handled) === i) await new Promise((resolve) => setTimeout(resolve, 5)); // the next could be one with it
  }
}
console.log(await asyncio.sleep(0.01, "after handlers that raise"));
// From Python 3.12 on this ends before the loop finds out, so JavaScript's next call is sent to that loop: it is rejected
// if the loop has read it, else the new loop has to find it.
await python.execAsync("asyncio.get_running_loop()._selector.close()").catch(() => {});
const next = await asyncio.sleep(0.01, "slept").catch((error: Error) => error.name);
console.log(["slept", "RuntimeError"].includes(next), await asyncio.sleep(0.01, "after a closed selector"));
const broken = await python.execAsync(`
    await asyncio.sleep(0)
    asyncio.get_running_loop()._selector.close()`).then(() => "closed", (error: Error) => error.name);
console.log(broken, await asyncio.sleep(0.01, "after another"));
await python.close();
console.log("end");
