/**
 * A PythonError that no code catches: `uncaught KIND PLACE`. KIND is a function of the Python code below, or `wrapped`.
 */
import process from "node:process";
import { Worker, workerData } from "node:worker_threads";
import { python, toLoop, toThread } from "../../mod.ts";

const [kind, place] = (workerData as string[] | null) ?? process.argv.slice(2);

python.exec(`
import asyncio

def sync(): inner()
def inner(): raise KeyError("nobody catches this")

def failed(n):
    try: leaf(n)
    except ValueError as error: return error
def leaf(n): raise ValueError("leaf %d" % n)

def group(): raise ExceptionGroup("several", [failed(1), ExceptionGroup("more", [failed(2)])])

def chain():
    try: leaf(3)
    except ValueError as error:
        error.add_note("a note on the leaf")
        outer = KeyError("outer")
        outer.add_note("first note\\nits second line")
        raise outer from error

def hinted(): asyncio.get_running_loop()`);
const main = python.import("__main__");

function calls(): void {
  if (kind !== "wrapped") return void main[kind]();
  try {
    main.chain();
  } catch (error) {
    throw new Error("wrapped", { cause: error });
  }
}

async function awaits(): Promise<void> {
  if (place === "thread") await toThread(main[kind]);
  else await toLoop(main[kind]);
}

if (place === "worker") new Worker(new URL(import.meta.url), { workerData: [kind, "timer"] });
else if (place === "timer") setTimeout(() => calls(), 1);
else if (place === "call") calls();
else if (place === "rejection") void awaits();
else await awaits();
