/**
 * A PythonError that nobody catches: `uncaught sync` or `uncaught async`.
 */
import process from "node:process";
import { python } from "../../mod.ts";

python.exec(`
def outer(): inner()
def inner(): raise KeyError("nobody catches this")`);

function calls(): void {
  python.import("__main__").outer();
}

async function awaits(): Promise<void> {
  await python.execAsync("outer()");
}

if (process.argv[2] === "sync") calls();
else await awaits();
