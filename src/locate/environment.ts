/**
 * Checks whether Python starts with this process's environment variables, by starting its executable with them.
 *
 * An error inside Py_InitializeEx (a wrong PYTHONHASHSEED, an `encodings` that raises, a sitecustomize that exits) ends
 * the process. The probe ignores the variables, so this runs the executable once more, but only if a variable is set
 * that can matter; in most processes none is.
 *
 * @module
 */
import { delimiter, join } from "node:path";
import process from "../../ffi/process.ts";
import { lookup } from "./candidates.ts";
import { PythonLoadError } from "./errors.ts";
import { exists, realpath } from "./files.ts";
import { type Environment, type Location, minor } from "./location.ts";
import { type Ran, runProgram } from "./probe.ts";

/** Variables that cannot keep Python from starting. Containers often set the first two. */
const harmless = /^PYTHON(UNBUFFERED|DONTWRITEBYTECODE|NOUSERSITE|OPTIMIZE|STARTUP|BREAKPOINT|FAULTHANDLER|INSPECT)$/i;

/** Written once Python has started; `os._exit` then skips the exit handlers of the user's modules. */
const marker = "pyawait: started";
const script = `import os; os.write(1, b"${marker}"); os._exit(0)`;

/** The Python variables in `env` that can matter. */
function variables(env: Environment): string[] {
  try {
    return Object.keys(env).filter((name) => /^PYTHON/i.test(name) && env[name] && !harmless.test(name)).sort();
  } catch {
    return []; // Deno without --allow-env: no variable may be read
  }
}

/**
 * Checks that Python starts with these variables.
 *
 * @throws {PythonLoadError} if it would end this process instead; names the variables at fault
 */
export function checkEnvironment(env: Environment, cwd: string, { executable, version }: Location): void {
  const names = variables(env);
  if (names.length === 0 || executable === null) return;
  const run = (without: string[]) => {
    const rest = Object.fromEntries(without.map((name) => [name, ""])); // to Python an empty variable is unset; Deno cannot leave one out
    return runProgram(executable, ["-c", script], { ...env, ...rest }, cwd, 30_000);
  };
  const ran = run([]);
  if (ran.stdout.includes(marker) || ran.forbidden) return;
  const summary = `Cannot start Python ${version}: it would end this process`;
  const problem = problemOf(ran);
  if (!run(names).stdout.includes(marker)) {
    const hint = `Correct what '"${executable}" -c pass' says, or set PYAWAIT_PYTHON to another Python`;
    throw new PythonLoadError(summary, [{ place: executable, problem }], hint);
  }
  const alone = names.filter((name) => run([name]).stdout.includes(marker));
  const guilty = alone.length > 0 ? alone : names;
  const tried = guilty.map((name) => ({ place: name, problem: `is ${JSON.stringify(env[name])}, with which "${executable}" ${problem}` }));
  throw new PythonLoadError(summary, tried, hint(guilty, alone.length > 0));
}

/** How the program ended, with Python's own error line and the exception behind it. */
function problemOf({ problem, stderr }: Ran): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter(Boolean);
  const fatal = lines.find((line) => /^(Fatal Python )?error\b/i.test(line)) ?? lines.at(-1);
  const exception = lines.filter((line) => /^[\w.]+(Error|Exception|Exit)\b/.test(line)).at(-1);
  const said = [...new Set([fatal, exception])].filter((line) => line !== undefined).map((line) => JSON.stringify(line.slice(0, 300)));
  return [problem ?? "ends before it has started", ...said].join(", ");
}

function hint(names: string[], each: boolean): string {
  const commands = names.map((name) => process.platform === "win32" ? `"set ${name}="` : `"unset ${name}"`);
  return `Run ${commands.join(each ? " or " : " and ")} first, or correct what it says`;
}

/**
 * Checks that PYTHONHOME belongs to this Python: Py_Initialize ends the process otherwise.
 *
 * @throws {PythonLoadError} if it names another Python's folder
 */
export function checkPythonHome(env: Record<string, string | undefined>, location: Location): void {
  const value = lookup(env, "PYTHONHOME");
  if (value === undefined) return;
  const [home] = value.split(delimiter) as [string];
  if (realpath(home) === realpath(location.basePrefix)) return;
  // The prefix of a library without an executable is a guess; PYTHONHOME is how the user corrects it.
  const lib = process.platform === "win32" ? "Lib" : join("lib", `python${minor(location.version)}`);
  if (location.executable === null && exists(join(home, lib, "os.py"))) return;
  const problem = `is "${value}", but Python ${location.version} has its files in ` +
    `"${location.basePrefix}" and would end this process`;
  throw new PythonLoadError(
    `Cannot load "${location.library}"`,
    [{ place: "PYTHONHOME", problem }],
    `Run "${process.platform === "win32" ? "set PYTHONHOME=" : "unset PYTHONHOME"}" first`,
  );
}
