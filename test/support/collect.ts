/**
 * Garbage collection on demand: Node and Deno have `gc()` by a flag that the runner gives, Bun by the preload.
 */

/** Collects, and lets finalizers run. */
export async function collect(): Promise<void> {
  (globalThis as unknown as { gc(): void }).gc();
  await new Promise((resolve) => setTimeout(resolve, 0));
}
