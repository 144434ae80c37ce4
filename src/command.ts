// `pyawait run SCRIPT.py`: a Python script as `__main__`, with JavaScript modules to import.
//
// The one thing to know: the script runs on Python's main thread, so `asyncio.run(main())` in it works and awaits
// JavaScript, whose event loop turns on this thread.
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { PythonLoadError, PythonNotFoundError } from "./locate.ts";
import { registerJsModule } from "./module.ts";
import { runHelper } from "./promise.ts";
import { python } from "./python.ts";

const usage = `Usage: pyawait run SCRIPT.py [--module NAME=FILE]... [ARGUMENT]...

Runs a Python script as __main__ in this JavaScript runtime. Each --module is a JavaScript (or TypeScript) file that
the script imports by NAME; it comes before or after SCRIPT.py, and "--" ends the options.
`;

interface RunArguments {
  readonly script: string;
  readonly modules: [name: string, file: string][];
  readonly args: string[];
}

function parse(args: string[]): RunArguments | string {
  const modules: [string, string][] = [];
  let script: string | undefined;
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at];
    const given = arg === "--module" ? args[++at] : arg.startsWith("--module=") ? arg.slice("--module=".length) : undefined;
    if (given === undefined && arg !== "--module") {
      if (arg === "--") {
        at++;
        if (script === undefined) script = args[at++];
        break;
      }
      if (script !== undefined) break;
      if (arg.startsWith("-")) return `Unknown option ${arg}`;
      script = arg;
      continue;
    }
    const [name, ...file] = (given ?? "").split("=");
    if (!name || file.length === 0) return "--module takes NAME=FILE";
    modules.push([name, file.join("=")]);
  }
  return script === undefined ? "No script is given" : { script, modules, args: args.slice(at) };
}

async function run(args: string[]): Promise<number> {
  const parsed = parse(args);
  if (typeof parsed === "string") {
    process.stderr.write(`pyawait: ${parsed}\n\n${usage}`);
    return 2;
  }
  python.configure({ path: [], args: [parsed.script, ...parsed.args] });
  for (const [name, file] of parsed.modules) registerJsModule(name, await import(pathToFileURL(resolve(file)).href));
  return await runHelper("run_script", [parsed.script], { signal: null }) as number;
}

/**
 * Does what the command line says.
 *
 * @returns the exit code
 */
export async function runCommand(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  try {
    if (command === "run") return await run(rest);
    if (command === "--help" || command === "-h" || command === "help") {
      process.stdout.write(usage);
      return 0;
    }
    process.stderr.write(`pyawait: ${command === undefined ? "No command is given" : `There is no command "${command}"`}\n\n${usage}`);
    return 2;
  } catch (error) {
    if (!(error instanceof PythonNotFoundError || error instanceof PythonLoadError)) throw error;
    process.stderr.write(`pyawait: ${error.message}\n`);
    return 1;
  }
}
