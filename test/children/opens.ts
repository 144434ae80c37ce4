/**
 * How Python opens, and how it does not: `opens CASE [ARGUMENT...]`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { python, type PythonOptions } from "../../mod.ts";

const [name, ...args] = isMainThread ? process.argv.slice(2) : [workerData as string];

/** What comes of a use of Python: its value, or the error by its class and its lines. */
function attempt(fn: () => unknown): string {
  try {
    return String(fn() ?? "done");
  } catch (error) {
    return `${(error as Error).constructor.name}: ${(error as Error).message.replaceAll("\n", " | ")}`;
  }
}
const say = (...texts: unknown[]) => console.log(...texts);
const open = () => python.open();

/** A module with loops of which none comes to run, each for another reason. */
const wrongLoops = `
import asyncio, sys
def not_a_loop(): return {}
def ends(): sys.exit(3)
class NoSignals(asyncio.SelectorEventLoop):
    @property
    def remove_signal_handler(self): raise AttributeError("remove_signal_handler")
class DoesNotRun(asyncio.SelectorEventLoop):
    def run_forever(self): raise NotImplementedError("it does not run")
class Own(asyncio.SelectorEventLoop): pass
`;

function withModule(fn: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "pyawait-opens-"));
  try {
    writeFileSync(join(folder, "wrong_loops.py"), wrongLoops);
    fn(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function inAWorker(name: string): Promise<unknown> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: name, argv: process.argv.slice(2) });
  return new Promise((resolve) => worker.once("message", resolve));
}

const cases: Record<string, () => unknown> = {
  opens: () => say(attempt(open)),
  shim: () => say(attempt(() => python.info.shim)),
  /** In a folder that is gone, then in one that is there. */
  folder() {
    const gone = mkdtempSync(join(tmpdir(), "pyawait-opens-"));
    process.chdir(gone);
    process.cwd();
    rmSync(gone, { recursive: true });
    say(attempt(open));
    say(attempt(() => python.configure({})));
    process.chdir(tmpdir());
    say(attempt(open));
  },
  /** A wrong loop, twice, then one that is right: with the options of the last configure alone. */
  async again() {
    python.configure({ loop: "no_such_mod:thing", path: ["/first"], args: ["first"] });
    say(attempt(open));
    say(attempt(() => python.import("math")));
    python.configure({ executable: "/another/python" });
    say(attempt(open));
    python.configure({ path: ["/second"], args: ["second"], switchInterval: 0.25 });
    say(attempt(open));
    const sys = python.import("sys");
    say([...sys.argv].join(), sys.path[0], [...sys.path].includes("/first"), sys.getswitchinterval(), python.info.loop);
    say(await python.import("asyncio").sleep(0, "awaited"), attempt(() => python.configure({})));
  },
  /** Loops that fail later and later, and then one of one's own. */
  async loops() {
    withModule((folder) => {
      for (const factory of ["not_a_loop", "ends", "NoSignals", "DoesNotRun", "Own"]) {
        python.configure({ loop: `wrong_loops:${factory}`, path: [folder] });
        say(attempt(open).replace(/ \| {3}- .*: (?=\w+: )/, " | ").split(" | ", 2).join(" "));
      }
    });
    const asyncio = python.import("asyncio");
    say(python.exec("import sys; [path for path in sys.path if 'pyawait-opens-' in path].__len__()"));
    say(await python.execAsync("import asyncio; type(asyncio.get_running_loop()).__name__"), await asyncio.sleep(0, "awaited"));
  },
  /** A Worker after this thread has opened Python. */
  async joins() {
    python.configure({ loop: "asyncio:SelectorEventLoop", args: ["x"] });
    python.open();
    say(await inAWorker("joins"));
    say(JSON.stringify(python.info) === await inAWorker("info"));
  },
  /** A Worker after this thread's attempt has failed. */
  async retries() {
    python.configure({ loop: "no_such_mod:thing" });
    say(attempt(open));
    say(await inAWorker("retries"));
    python.configure({});
    say(attempt(open));
  },
  async closed() {
    python.open();
    await python.close();
    say(await inAWorker("retries"));
  },
  /** A Worker whose shim is another one: as another version of pyawait would have it. */
  async foreign() {
    python.open();
    say(await inAWorker("foreign"), await python.import("asyncio").sleep(0, "main"));
  },
  /** Workers that open at the same time, with loops that are wrong and right. */
  async workers() {
    const loops = ["no_such_mod:thing", "asyncio", "no_such_mod:thing", "asyncio"];
    for (const text of await Promise.all(loops.map((loop) => inAWorker(`opens ${loop}`)))) say(text);
    say(await python.import("asyncio").sleep(0, "main"));
  },
};

const inWorker: Record<string, () => unknown> = {
  /** Options that are not the opener's, then those that are. */
  joins() {
    const same = { loop: "asyncio:SelectorEventLoop", args: ["x"] };
    const said = [{ ...same, executable: "/another/python" }, { args: ["y"] }, { ...same, stdout() {} }, same].map(
      (options: PythonOptions) => {
        python.configure(options);
        return attempt(open);
      },
    );
    parentPort!.postMessage(said.join("\n"));
  },
  /** Nothing is configured. */
  info: () => parentPort!.postMessage(JSON.stringify(python.info)),
  retries: () => parentPort!.postMessage(attempt(open)),
  foreign() {
    process.env.PYAWAIT_SHIM = process.argv.at(-1);
    parentPort!.postMessage(attempt(open) + attempt(open).slice(0, 15));
  },
  async "opens asyncio"() {
    python.configure({ loop: "asyncio" });
    parentPort!.postMessage(await python.import("asyncio").sleep(0, "opened"));
  },
  "opens no_such_mod:thing"() {
    python.configure({ loop: "no_such_mod:thing" });
    const text = attempt(open);
    parentPort!.postMessage(/no_such_mod/.test(text) ? "refused or opened" : text);
  },
};

await (isMainThread ? cases : inWorker)[name](...args as []);
