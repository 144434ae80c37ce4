/** Resident memory after the garbage of both languages has been collected. */
import process from "node:process";
import { python } from "../../mod.ts";

/** Bytes of resident memory. */
export async function resident(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    (globalThis as { gc?(): void }).gc?.();
    (globalThis as { Bun?: { gc(full: boolean): void } }).Bun?.gc(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    python.import("gc").collect();
  }
  return process.memoryUsage().rss;
}
