/**
 * Memory faults of WebAssembly and of Python's, with faulthandler enabled: `faults CASE`.
 *
 * The environment may have enabled it (PYTHONFAULTHANDLER); else the cases do.
 */
import process from "node:process";
import { python, toThread } from "../../mod.ts";

const [name, ...args] = process.argv.slice(2);

// (module (memory 1) (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))
// deno-fmt-ignore
const bytes = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 8, 1, 4, 108, 111, 97, 100, 0, 0,
  10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11,
]);

/** As far as it is used here: the types of the DOM, which have it, are not loaded. */
interface Engine {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: { load(address: number): number } };
}

function access(): string {
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;
  const { load } = new Instance(new Module(bytes)).exports;
  let outcome = "";
  for (let i = 0; i < 3; i++) { // a handler that is replaced by a fault is missed by the next one
    try {
      outcome = `read ${load(0x7fff0000)}`;
    } catch (error) {
      outcome = (error as Error).constructor.name;
    }
  }
  return outcome;
}

if (args.includes("before")) access(); // an engine may install its handler with the first module
python.exec(`
  import ctypes, faulthandler, signal
  def enabled(): return faulthandler.is_enabled()`);
const { faulthandler, enabled } = python.import("__main__");

const cases: Record<string, () => unknown> = {
  /** A trap is an exception, while faulthandler is enabled, disabled and enabled again, and where Python has called. */
  trap() {
    const found = [enabled() || args.includes("before"), access()];
    faulthandler.enable();
    found.push(enabled(), access());
    faulthandler.enable();
    found.push(access(), python.exec("access()", { globals: { access } }));
    faulthandler.disable();
    found.push(enabled(), access());
    faulthandler.enable();
    found.push(enabled(), access());
    console.log(found.join(" "));
  },
  /** A signal that a user has registered prints the traceback. */
  register() {
    faulthandler.enable();
    python.exec(`
      import sys
      def registered():
          faulthandler.register(signal.SIGUSR2, file=sys.stdout)
          signal.raise_signal(signal.SIGUSR2)
          print(faulthandler.unregister(signal.SIGUSR2))
      registered()`);
    console.log(access());
  },
  /** Python crashes on JavaScript's thread, after a trap. */
  crash() {
    if (!args.includes("disabled")) faulthandler.enable();
    console.log(access());
    python.exec("ctypes.string_at(1)", { filename: "crashing.py" });
  },
  /** ... and on the loop's thread. */
  async crash_on_loop() {
    if (!args.includes("disabled")) faulthandler.enable();
    console.log(access());
    await python.execAsync("ctypes.string_at(1)", { filename: "crashing.py" });
  },
  /** ... and on another one. */
  async crash_in_thread() {
    if (!args.includes("disabled")) faulthandler.enable();
    console.log(access());
    await toThread(python.exec("lambda: ctypes.string_at(1)", { filename: "crashing.py" }));
  },
};

await cases[name]();
