// The smallest round trip in each direction: Python's coroutine awaited here, a function from here awaited in Python.
import { python } from "../mod.ts";

const asyncio = python.import("asyncio");
console.log("JavaScript awaits Python:", await asyncio.sleep(0, "slept"));

const double = async (n: number) => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  return 2 * n;
};
console.log("Python awaits JavaScript:", await python.execAsync("await double(21)", { globals: { double } }));
console.log(`${python.info.runtime}, Python ${python.version}, ${python.info.platform}`);
