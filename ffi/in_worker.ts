// Whether this thread is a Worker. A Worker can end without notice, and the process outlives it.
import { isMainThread } from "node:worker_threads";

/**
 * True in a Worker of `node:worker_threads` and in a Web Worker. Deno reports `isMainThread` as true in a Web Worker.
 */
export const inWorker: boolean = !isMainThread || "WorkerGlobalScope" in globalThis;
