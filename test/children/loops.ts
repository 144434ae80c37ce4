/**
 * Event loops, in a process of their own: `loops CASE`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { intoPromise, python, TaskLocals, toLoop } from "../../mod.ts";

const [name] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "pyawait-loops-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The class of the background loop, twice, and of the policy. */
const describe = `
import asyncio, warnings
warnings.simplefilter("ignore")
def describe():
    kind = type(asyncio.get_event_loop_policy()) if hasattr(asyncio, "get_event_loop_policy") else None
    default = type(asyncio.DefaultEventLoopPolicy()) if kind else None
    return "%s %s %s" % (type(asyncio.get_running_loop()).__name__, kind.__module__.partition(".")[0] if kind else "asyncio", kind is default)
describe
`;

const cases: Record<string, () => unknown> = {
  async factory() {
    writeFileSync(join(folder, "my_loops.py"), "import asyncio\nclass Mine(asyncio.SelectorEventLoop): pass\ndef make(): return Mine()\n");
    python.configure({ loop: "my_loops:make", path: [folder] });
    const described = await toLoop(python.exec(describe));
    console.log(python.exec("import asyncio, my_loops\nmy_loops.Mine.__name__"), described);
  },
  failing_factory() {
    try {
      python.configure({ loop: "no_such_module_here:make" });
      python.open();
      console.log("opened");
    } catch (error) {
      console.log((error as Error).name, (error as Error).message.replaceAll("\n", " "));
    }
  },
  /** A Promise on a loop that never runs keeps nothing alive. */
  never_runs() {
    const loop = python.import("asyncio").new_event_loop();
    intoPromise(python.import("asyncio").sleep(0), { locals: new TaskLocals(loop) }).then(console.log, console.log);
    console.log("waits");
  },
  /** A Promise on a loop that begins to run later does, from then on. */
  runs_later() {
    const loop = python.import("asyncio").new_event_loop();
    intoPromise(python.import("asyncio").sleep(0.3, "settled"), { locals: new TaskLocals(loop) }).then((value) => {
      console.log(value);
      loop.call_soon_threadsafe(loop.stop);
    });
    const start = python.exec("import threading\nlambda loop: threading.Thread(target=loop.run_forever, daemon=True).start()");
    start(loop);
    console.log("waits");
  },
};

await cases[name]();
