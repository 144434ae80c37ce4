/**
 * Ends in different ways while JavaScript awaits without a pause, so that both sides spin: `node spins.js HOW`.
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { python, toThread } from "../../mod.ts";

const globals = python.builtins.dict();
python.exec(
  `
import os, sys

async def identity(x): return x

def fork_often():
    for i in range(20):
        child = os.fork()
        if not child: os._exit(7)
        assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 7
`,
  { globals },
);
const identity = globals.$get("identity") as (x: number) => PromiseLike<number>;

/** Awaits until it cannot any more. */
async function awaitForEver(): Promise<void> {
  for (;;) await identity(1);
}

async function awaitFor(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await identity(n);
}

if (!isMainThread) {
  await awaitFor(100);
  parentPort!.postMessage("awaits");
  await awaitForEver();
} else {
  const how = process.argv[2];
  await awaitFor(100);
  switch (how) {
    case "itself":
      break;
    case "exit":
      void awaitForEver();
      setTimeout(() => {
        console.log("ended: exit");
        process.exit();
      }, 20);
      break;
    case "close": {
      const ended = awaitForEver().catch((error) => error.name === "PythonClosedError" || console.log(error));
      await new Promise((resolve) => setTimeout(resolve, 20));
      await python.close();
      await ended;
      break;
    }
    case "worker":
      for (let round = 0; round < 5; round++) {
        const worker = new Worker(fileURLToPath(import.meta.url));
        await new Promise((resolve) => worker.once("message", resolve));
        await awaitFor(50);
        await worker.terminate();
        await awaitFor(50);
      }
      break;
    case "fork": {
      let forked = false;
      const forks = toThread(globals.$get("fork_often")).then(() => forked = true);
      while (!forked) await identity(1);
      await forks;
    }
  }
  if (how !== "exit") console.log(`ended: ${how}`);
}
