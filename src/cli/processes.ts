// `pyawait top` and `pyawait profile`: what the Python in another process does.
//
// Python's own tools read the other process's memory, so they run in a Python of exactly its version. That is looked for
// beside the library that the process has loaded, where the system tells (Linux); else it is the Python that would run
// here.
import process from "../../ffi/process.ts";
import { Promise } from "../../ffi/intrinsics.ts";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { locate } from "../locate/locate.ts";
import { pythonText } from "../interpreter/python_text.ts";

export const processUsage = `       pyawait top [PID] [--once]
       pyawait profile PID [OPTION]...`;

export const processHelp =
  `top: shows the tasks of a process, what awaits what, through both languages (Python 3.14); with --once, or where the
output is not a terminal, once. Without PID, lists this user's processes that run pyawait (Linux).

profile: samples what a process's Python does (Python 3.15), for ten seconds if no -d SECONDS is given. The other options
are those of "python -m profiling.sampling attach".
`;

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended, or is another user's
  }
}

/** The libpython that a process has loaded, as far as this system tells. */
function libraryIn(pid: string): { path: string; version: string } | undefined {
  const [path, version] = /\/\S*libpython(3\.\d+)\S*\.so\S*/.exec(read(`/proc/${pid}/maps`)) ?? [];
  return path === undefined ? undefined : { path, version };
}

/** Whether there is a process of this number, whoever's. */
function exists(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** A python of the version that a process has, beside its library; else the one that would run here. */
function pythonFor(pid: string): { executable: string; version: string } {
  const loaded = libraryIn(pid);
  if (loaded && process.env.PYAWAIT_PYTHON === undefined) {
    for (let folder = dirname(loaded.path); folder !== dirname(folder); folder = dirname(folder)) {
      const executable = join(folder, "bin", `python${loaded.version}`);
      if (existsSync(executable)) return { executable, version: loaded.version };
    }
  }
  const { executable, version } = locate();
  return { executable: executable ?? "python3", version: loaded?.version ?? version };
}

/** Why this process cannot be looked at, if that can be told. */
function problemOf(pid: string): string | undefined {
  if (!exists(pid)) return `There is no process ${pid}`;
  const maps = read(`/proc/${pid}/maps`);
  return maps !== "" && !libraryIn(pid) ? `Process ${pid} has no Python in it` : undefined;
}

/** Whether this version has what was added in Python 3.`minor`. */
function has(version: string, minor: number): boolean {
  return Number(version.split(".")[1]) >= minor;
}

function fail(message: string, code = 1): number {
  process.stderr.write(`pyawait: ${message}\n`);
  return code;
}

/** Runs Python with this terminal and gives its exit code. */
function runPython(executable: string, args: string[]): Promise<number> {
  const ignore = () => {}; // Ctrl-C is for Python, which ends and so ends this process
  process.on("SIGINT", ignore);
  return new Promise((resolve, reject) => {
    const child = spawn(executable, args, { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) => {
      process.off("SIGINT", ignore);
      resolve(code ?? 1);
    });
  });
}

/** This user's processes in which a JavaScript runtime has loaded Python. */
function list(): number {
  if (process.platform !== "linux") return fail("top needs the PID of a process on this system", 2);
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
  const found = pids.flatMap((pid) => {
    const library = libraryIn(pid);
    if (!library) return [];
    let program = "";
    try {
      program = basename(readlinkSync(`/proc/${pid}/exe`));
    } catch {
      return []; // it has ended
    }
    if (!/^(node|deno|bun)/.test(program) && !/\/pyawait\b/.test(read(`/proc/${pid}/maps`))) return [];
    const command = read(`/proc/${pid}/cmdline`).split("\0").join(" ").trim();
    return [`${pid.padStart(7)}  Python ${library.version}  ${command}`];
  });
  process.stdout.write(found.length > 0 ? `${found.join("\n")}\n` : "No process of this user runs pyawait.\n");
  return 0;
}

/** Implements `pyawait top`. */
export async function top(args: string[]): Promise<number> {
  const rest = args.filter((arg) => arg !== "--once");
  if (rest.length === 0) return list();
  const [pid] = rest;
  if (rest.length > 1 || !/^\d+$/.test(pid)) return fail("top takes the PID of a process, and --once", 2);
  const problem = problemOf(pid);
  if (problem) return fail(problem);
  const { executable, version } = pythonFor(pid);
  if (!has(version, 14)) return fail(`Process ${pid} runs Python ${version}, whose tasks cannot be seen from outside: that came with 3.14`);
  const again = process.stdout.isTTY && rest.length === args.length;
  return await runPython(executable, ["-I", "-c", pythonText("cli/py/top.py"), pid, ...(again ? ["again"] : [])]);
}

/** Implements `pyawait profile`. */
export async function profile(args: string[]): Promise<number> {
  const [pid, ...options] = args;
  if (!/^\d+$/.test(pid ?? "")) return fail("profile takes the PID of a process, and then options", 2);
  const problem = problemOf(pid);
  if (problem) return fail(problem);
  const { executable, version } = pythonFor(pid);
  if (!has(version, 15)) return fail(`Process ${pid} runs Python ${version}, which has no sampling profiler: that came with 3.15`);
  const timed = options.some((option) => /^(-d|--duration|--live)/.test(option));
  return await runPython(executable, ["-m", "profiling.sampling", "attach", ...(timed ? [] : ["-d", "10"]), ...options, pid]);
}
