// Whether this is a Worker's thread. Its end is not the process's, and it may come without notice.
import { isMainThread } from "node:worker_threads";

/** True in a Worker of node:worker_threads and in a Web Worker; in Deno `isMainThread` is true in the latter. */
export const inWorker: boolean = !isMainThread || "WorkerGlobalScope" in globalThis;
