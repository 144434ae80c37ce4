/**
 * The command `pyawait`, and `python` beside it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime } from "./child.ts";
import { plainLines, unsigned } from "./printed.ts";
import { onWindows } from "./skip.ts";
import { inConsole } from "./windows_console.ts";

/** How a program has ended, and what it has printed. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a program reads, and what is called with all that it has printed so far. */
export interface Talk {
  /** Variables to set; `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  readonly onText?: (child: ChildProcess, text: string) => void;
  /** Presses Ctrl-C when this line, the first, has been printed. */
  readonly interruptAt?: string;
}

function start(program: string, args: string[], cwd: string, talk: Talk): Promise<Ended> {
  const { input = "", onText, interruptAt, env } = talk;
  if (onWindows && interruptAt !== undefined) [program, ...args] = inConsole([interruptAt], [program, ...args]);
  const all = Object.entries({ ...process.env, NO_COLOR: "1", ...env }).filter(([, value]) => value !== undefined);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: Object.fromEntries(all), stdio: "pipe" });
    let stdout = "", stderr = "", interrupted = onWindows;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout = plainLines(stdout + text);
      onText?.(child, stdout);
      if (!interrupted && interruptAt !== undefined && stdout.startsWith(`${interruptAt}\n`)) interrupted = child.kill("SIGINT");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => stderr = plainLines(stderr + text));
    child.stdin.on("error", () => {}); // it may have ended before it has read that
    child.stdin.end(input);
    const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      const code = unsigned(status);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

const cli = fileURLToPath(new URL(`../../cli.${runtime === "node" ? "js" : "ts"}`, import.meta.url));
const before = { node: [cli], deno: ["run", "-A", "--no-check", cli], bun: [cli] }[runtime];

/** The program and the arguments that run `pyawait ARGS` on this runtime. */
export const commandLine = (args: string[]): [string, ...string[]] => [process.execPath, ...before, ...args];

/** Runs `pyawait ARGS` on this runtime, in a folder. */
export function pyawait(args: string[], folder: string, talk: Talk = {}): Promise<Ended> {
  return start(process.execPath, [...before, ...args], folder, talk);
}

/** Runs `python ARGS`, with the encoding that pyawait uses for its streams on Windows. */
export function plainPython(args: string[], folder: string, talk: Talk = {}): Promise<Ended> {
  const env = { ...(onWindows && { PYTHONIOENCODING: "utf-8" }), ...talk.env };
  return start(process.env.PYAWAIT_PYTHON ?? "python3", args, folder, { ...talk, env });
}
