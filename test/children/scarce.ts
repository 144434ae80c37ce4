/**
 * Opening where something is scarce: `scarce descriptors`, `scarce folders`. What failed can succeed later.
 */
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { python } from "../../mod.ts";

/** Opens files until there is no descriptor left; closes `free` of them, and the others when the result is called. */
function takeDescriptors(free: number): () => void {
  const taken: number[] = [];
  try {
    while (taken.length < 1e5) taken.push(openSync(devNull, "r"));
  } catch {
    // there is none left
  }
  for (const descriptor of taken.splice(0, free)) closeSync(descriptor);
  return () => taken.forEach((descriptor) => closeSync(descriptor));
}

const sleep = (text: string) => python.import("asyncio").sleep(0.001, text);

/** Awaits with fewer and fewer free descriptors: each try has a result or a true error, and at last all is well. */
async function tries(): Promise<string[]> {
  const seen = new Set<string>();
  for (const free of [0, 1, 2, 3, 4, 6]) {
    const giveBack = takeDescriptors(free);
    let promise: Promise<unknown> | undefined;
    try {
      promise = sleep("awaited").then(undefined, (error: unknown) => error);
    } catch (error) {
      promise = Promise.resolve(error);
    }
    // A connection that the runtime cannot accept waits until it has a descriptor for it.
    await Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 1000))]);
    giveBack();
    const result = await Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 10_000, "never settled"))]);
    seen.add(
      result instanceof Error
        ? `${result.constructor.name}: ${/Too many open files|EMFILE/i.test(result.message) || result.message}`
        : String(result),
    );
  }
  seen.add(await sleep("at last"));
  return [...seen];
}

if (!isMainThread) {
  parentPort!.postMessage(await sleep("awaited by a Worker"));
  setInterval(() => {}, 1000); // it must not give its descriptors back yet
} else {
  process.on("SIGUSR2", () => {}); // Deno panics where its first use of signals finds no descriptor
  // The Worker opens Python, which ends the process if it cannot read its files.
  const worker = new Worker(fileURLToPath(import.meta.url));
  console.log(
    await new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    }),
  );
  if (process.argv[2] === "descriptors") console.log(JSON.stringify(await tries()));
  process.exit();
}
