/**
 * JavaScript and Python call each other until there is no more stack: `recursion PLACE LIMIT WORK`. PLACE: `main`, `worker`,
 * `loop` (a function called from the loop's thread), `thread` (from another thread of Python's). LIMIT: Python's recursion
 * limit, 0 as it is. WORK: what Python does at each level, `none` or `repr` (recursion in C).
 */
import process from "node:process";
import { Worker, workerData } from "node:worker_threads";
import { python, toLoop, toThread } from "../../mod.ts";

const [place, limit, work] = (workerData as string[] | null) ?? process.argv.slice(2);

python.exec(`
import sys
nested = []
for _ in range(900): nested = [nested]

def visit(n, function):
    if "${work}" == "repr":
        try: repr(nested)
        except RecursionError: pass
    return function(n)

def call(function): return function(0)

def caught(function):
    try: function(0)
    except BaseException as error: return type(error).__name__
`);
if (Number(limit) > 0) python.import("sys").setrecursionlimit(Number(limit));
const { visit, call, caught } = python.import("__main__");

let deepest = 0;
// Not as a last act: JavaScriptCore gives up the frame of a function before such a call.
function descend(n: number): number {
  deepest = Math.max(deepest, n);
  return 1 + visit(n + 1, descend);
}

async function begin(): Promise<unknown> {
  if (place === "loop") return await toLoop(call, [descend]);
  if (place === "thread") return await toThread(call, [descend]);
  return descend(0);
}

async function run(): Promise<void> {
  for (let round = 0; round < 2; round++) { // the program goes on as before
    deepest = 0;
    try {
      await begin();
    } catch (error) {
      const { name, message, hint } = error as Error & { hint?: string };
      console.log(JSON.stringify({ deepest, name, message, hint }));
    }
  }
  console.log(caught(descend), visit(1, (n: number) => n + 1), await toThread(visit, [2, (n: number) => n + 1]));
}

if (place === "worker") new Worker(new URL(import.meta.url), { workerData: ["main", limit, work] });
else await run();
