// The commands: `pyawait run` runs a Python script, module or code as `__main__` with JavaScript modules to import;
// `pyawait repl` is Python's prompt (`repl.ts`); `pyawait types` writes declarations of Python modules; `top` and `profile`
// show another process (`processes.ts`); `pyawait doctor` says what keeps Python from opening.
//
// The script runs on Python's main thread, so `asyncio.run(main())` works in it and can await JavaScript, whose event
// loop turns on this thread.
import { existsSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import process from "../../ffi/process.ts";
import { declare } from "./declarations.ts";
import { doctor, doctorHelp, doctorUsage } from "./doctor.ts";
import { processHelp, processUsage, profile, top } from "./processes.ts";
import { replHelp, replUsage, startRepl } from "./repl.ts";
import { PythonError } from "../values/python_error.ts";
import { PythonLoadError, PythonNotFoundError } from "../locate/locate.ts";
import { registerJsModule } from "../js_modules.ts";
import { Promise, then } from "../../ffi/intrinsics.ts";
import { runHelper } from "../async/promise.ts";
import { signalName } from "../async/signals.ts";
import { python } from "../python.ts";

const usage = `Usage: pyawait run SCRIPT.py [--module NAME=FILE]... [ARGUMENT]...
       pyawait run [--module NAME=FILE]... (SCRIPT.py | -m MODULE | -c CODE) [ARGUMENT]...
${replUsage}
       pyawait types [--stubs FOLDER]... MODULE... -o FILE.d.ts
${processUsage}
${doctorUsage}

run: runs a Python script, module or CODE as "python" does, in this JavaScript runtime. Each --module is a JavaScript (or
TypeScript) file that it imports by NAME; it comes before or after SCRIPT.py, and "--" ends the options.

${replHelp}
types: writes TypeScript declarations for Python modules, from their stubs, annotations and signatures; without -o, to
the standard output. The stubs of the standard library are those of a type checker that is installed beside the modules
(mypy, basedpyright, pyright, jedi), or in FOLDER: a typeshed, or other stubs. A line on the standard error says which.

${processHelp}
${doctorHelp}`;

interface RunArguments {
  /** `""`: a script; `-m`: a module; `-c`: code. */
  readonly kind: string;
  readonly target: string;
  readonly modules: [name: string, file: string][];
  readonly args: string[];
}

function parse(args: string[]): RunArguments | string {
  const modules: [string, string][] = [];
  let script: string | undefined;
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at];
    if (script === undefined && (arg === "-m" || arg === "-c")) { // as with python, the rest is the program's
      const target = args[at + 1];
      return target === undefined
        ? `${arg} takes ${arg === "-m" ? "MODULE" : "CODE"}`
        : { kind: arg, target, modules, args: args.slice(at + 2) };
    }
    const given = arg === "--module" ? args[++at] : arg.startsWith("--module=") ? arg.slice("--module=".length) : undefined;
    if (given === undefined && arg !== "--module") {
      if (arg === "--") {
        at++;
        if (script === undefined) script = args[at++];
        break;
      }
      if (script !== undefined) break;
      if (arg.startsWith("-") && arg !== "-") return `Unknown option ${arg}`;
      script = arg;
      continue;
    }
    const module = parseModule(given);
    if (!module) return "--module takes NAME=FILE";
    modules.push(module);
  }
  return script === undefined ? "No script is given" : { kind: "", target: script, modules, args: args.slice(at) };
}

/** What `--module` is given. */
function parseModule(given = ""): [name: string, file: string] | undefined {
  const [name, ...file] = given.split("=");
  return name && file.length > 0 ? [name, file.join("=")] : undefined;
}

/** Registers the files of `--module`; false, with a message, if one does not exist. */
async function registerModules(modules: readonly [string, string][]): Promise<boolean> {
  for (const [name, file] of modules) {
    const path = resolve(file);
    if (!existsSync(path)) {
      process.stderr.write(`pyawait: --module ${name}: there is no file '${path}'\n`);
      return false;
    }
    registerJsModule(name, await import(pathToFileURL(path).href));
  }
  return true;
}

async function run(given: string[]): Promise<number> {
  const parsed = parse(given);
  if (typeof parsed === "string") {
    process.stderr.write(`pyawait: ${parsed}\n\n${usage}`);
    return 2;
  }
  const { kind, target, modules, args } = parsed;
  python.configure({ path: [], args: [kind || target, ...args] });
  if (!await registerModules(modules)) return 2;
  python.ref(); // the script may close the background loop, and with it what keeps the process alive
  return await new Promise((resolve, reject) => {
    const started = runHelper("run_script", [kind, target, args, resolve], { signal: null });
    then(started, undefined, (error) => error instanceof PythonError || reject(error)); // as above: the script goes on
  });
}

async function repl(args: string[]): Promise<number> {
  const modules: [string, string][] = [];
  for (let at = 0; at < args.length; at++) {
    const [option, ...rest] = args[at].split("=");
    const module = option !== "--module" ? undefined : parseModule(rest.length > 0 ? rest.join("=") : args[++at]);
    if (!module) {
      process.stderr.write(`pyawait: repl takes nothing but --module NAME=FILE\n\n${usage}`);
      return 2;
    }
    modules.push(module);
  }
  python.configure({ path: [], args: [""] });
  return await registerModules(modules) ? await startRepl() : 2;
}

function types(args: string[]): number {
  const names: string[] = [], stubs: string[] = [];
  let file: string | undefined;
  let wrong = false;
  for (let at = 0; at < args.length; at++) {
    const [option, ...rest] = args[at].startsWith("--") ? args[at].split("=") : [args[at]];
    if (!option.startsWith("-")) {
      names.push(option);
      continue;
    }
    const given = rest.length > 0 ? rest.join("=") : args[++at];
    if (option === "-o" || option === "--output") file = given;
    else if (option === "--stubs" && given) stubs.push(given);
    else wrong = true;
    wrong ||= given === undefined;
  }
  if (names.length === 0 || wrong) {
    process.stderr.write(`pyawait: types takes the names of modules, --stubs FOLDER and -o FILE\n\n${usage}`);
    return 2;
  }
  const text = declare(names, { stubs, report: (line) => process.stderr.write(`${line}\n`) });
  if (file === undefined) {
    process.stdout.on("error", () => {}); // the reader of a pipe may have ended: `| head`
    process.stdout.write(text);
    return 0;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    process.stderr.write(`pyawait: Cannot write ${file}: ${(error as Error).message}\n`);
    return 1;
  }
  return 0;
}

/**
 * Runs the command line.
 *
 * @returns the exit code; negative if a signal is to end the process, whose number it then is
 */
export async function runCommand(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  try {
    if (rest[0] === "--help" || rest[0] === "-h" || command === "--help" || command === "-h" || command === "help") {
      process.stdout.write(usage);
      return 0;
    }
    if (command === "run") return await run(rest);
    if (command === "repl") return await repl(rest);
    if (command === "types") return types(rest);
    if (command === "top") return await top(rest);
    if (command === "doctor") return await doctor(rest);
    if (command === "profile") return await profile(rest);
    process.stderr.write(`pyawait: ${command === undefined ? "No command is given" : `There is no command "${command}"`}\n\n${usage}`);
    return 2;
  } catch (error) {
    const told = error instanceof PythonNotFoundError || error instanceof PythonLoadError || error instanceof PythonError;
    if (!told) throw error;
    process.stderr.write(`pyawait: ${error instanceof PythonError ? `${error.name}: ` : ""}${error.message}\n`);
    return 1;
  }
}

/** Ends the process by a signal, as its default action does, after everything else that happens at its end. */
export function endBySignal(number: number): never {
  const name = signalName(number)!;
  if (process.platform === "win32") process.exit(0xc000013a); // STATUS_CONTROL_C_EXIT
  process.on("exit", () => {
    process.removeAllListeners(name);
    process.kill(process.pid, name);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000); // the signal may reach another thread first
  });
  process.exit(128 + number);
}
