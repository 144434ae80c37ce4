// `pyawait repl`: Python's prompt with top-level `await` on the background loop, and `js`, which is `globalThis`.
//
// The prompt is `py/repl.py`. JavaScript's thread stays free, so Promises settle while Python reads a line or runs one.
import { inspect } from "node:util";
import process from "../../ffi/process.ts";
import { Promise, then } from "../../ffi/intrinsics.ts";
import { intoPromise } from "../async/promise.ts";
import { backend } from "../../ffi/mod.ts";
import { pythonText } from "../interpreter/python_text.ts";
import { runtimeName } from "../locate/locate.ts";
import { python } from "../python.ts";
import { version } from "./version.ts";

export const replUsage = "       pyawait repl [--module NAME=FILE]...";

export const replHelp =
  `repl: Python's prompt in this JavaScript runtime, with "await" on the event loop. "js" is JavaScript's globalThis: its
functions and classes can be called, and its Promises awaited. Ctrl-C ends the running line, Ctrl-D or exit() the prompt.
`;

function banner(): string {
  const [, runtime] = backend.runtime.split(" ");
  return `pyawait ${version}: Python ${python.version} in ${runtimeName()} ${runtime} on ${process.platform}\n` +
    '"await" works at the prompt, asyncio is imported, and js is JavaScript\'s globalThis.\n' +
    'Type "help", "copyright", "credits" or "license" for more information.\n';
}

/** An error that nothing in JavaScript has caught is shown, as at the runtimes' own prompts; the process goes on. */
function showUncaughtErrors(): void {
  const show = (error: unknown) => void process.stderr.write(`Uncaught ${inspect(error)}\n`);
  process.on("uncaughtException", show);
  process.on("unhandledRejection", show);
}

/** Runs the prompt to its end; gives the exit code. */
export async function startRepl(): Promise<number> {
  const globals = python.builtins.dict();
  globals.$set("__name__", "pyawait_repl");
  python.exec(pythonText("cli/py/repl.py"), { globals, filename: "<pyawait/repl.py>" });
  python.ref();
  return await new Promise((resolve, reject) => {
    const started = intoPromise(globals.$get("start_repl")(globalThis, banner(), resolve));
    then(started, showUncaughtErrors, reject);
  });
}
