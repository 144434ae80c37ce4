/**
 * Python code that treats the running background loop as its own.
 */
import { python } from "../../mod.ts";

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
console.log("end");
