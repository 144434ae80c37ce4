/**
 * What test/run.mjs loads before a test file on Deno and Bun, to make them behave as Node does there.
 */
if ("Bun" in globalThis) {
  // Node and Deno have gc() by a flag.
  globalThis.gc = () => Bun.gc(true);
}

if ("Deno" in globalThis) {
  // With node:test Deno passes over errors that are thrown outside of a test; run.mjs looks for these lines.
  const report = (error) => console.error("Uncaught in a test file:", error);
  addEventListener("error", (event) => report(event.error));
  addEventListener("unhandledrejection", (event) => report(event.reason));
}
