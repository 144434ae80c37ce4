/**
 * How a process ends with streams: left by `break`, or read while Python is closed.
 */
import process from "node:process";
import { asyncIterableIntoPy, python } from "../../mod.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function left(): Promise<void> {
  const numbers = asyncIterableIntoPy([1, 2, 3]);
  console.log(await python.execAsync("async for x in numbers: break\nx", { globals: { numbers } }));
}

async function read(): Promise<void> {
  let started!: () => void;
  const reading = new Promise<void>((resolve) => started = resolve);
  async function* numbers() {
    try {
      for (;;) {
        started();
        await sleep(5);
        yield 1;
      }
    } finally {
      console.log("closed");
    }
  }
  const source = "async for x in numbers: pass";
  const promise = python.execAsync(source, { globals: { numbers: numbers() } }).catch((error) => console.log(error.name));
  await reading;
  await python.close();
  await promise;
  console.log("end");
}

await (process.argv[2] === "left" ? left() : read());
