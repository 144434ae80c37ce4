/**
 * Starts a script of test/children/ on the runtime that runs the test, as a process of its own: what ends a process
 * can be tested only from outside of it.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "#std/assert";
import { plainLines, unsigned } from "./printed.ts";
import { onWindows } from "./skip.ts";
import { inConsole } from "./windows_console.ts";

/** How a child ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds between the last line `end` that it printed and its end; from its start where it printed none. */
  readonly lasted: number;
}

export interface ChildOptions {
  /** Variables to set; `undefined` removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Signals to send, each when this line has been printed. On Windows SIGINT alone, which is Ctrl-C. */
  readonly signals?: Readonly<Record<string, NodeJS.Signals>>;
  /** When this line has been printed, nobody reads its output any more, and stdin ends. */
  readonly leaves?: string;
  /** What stdin gives, in parts with a pause before each; without it, stdin is empty. */
  readonly input?: readonly string[];
}

/** "node", "deno" or "bun": the runtime that this is. */
export const runtime: "node" | "deno" | "bun" = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";

const limit = 60_000; // a hang: a loaded machine may take half of that for a case of a few seconds
const extension = runtime === "node" ? "js" : "ts"; // .build/test/ for Node, test/ for the others
const before = { node: ["--expose-gc"], deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"], bun: ["--expose-gc"] }[runtime];

async function feed(stdin: Writable, parts: readonly string[]): Promise<void> {
  stdin.on("error", () => {}); // the child may have ended
  for (const part of parts) {
    await new Promise((resolve) => setTimeout(resolve, 600));
    stdin.write(part);
  }
  stdin.end();
}

/** The program and the arguments that run test/children/`script`. */
export function command(script: string, args: readonly string[], flags: readonly string[] = before): [string, string[]] {
  const path = fileURLToPath(new URL(`../children/${script}.${extension}`, import.meta.url));
  return [process.execPath, [...flags, path, ...args]];
}

/** Runs test/children/`script` to its end; rejects if that takes longer than `limit`. */
export function child(
  script: string,
  args: readonly string[] = [],
  options: ChildOptions = {},
): Promise<Ended> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...process.env, NO_COLOR: "1", ...options.env })) {
    if (value !== undefined) env[name] = value;
  }
  return new Promise((resolve, reject) => {
    let start = Date.now(), stdout = "", stderr = "", late = false;
    const signals = Object.entries(options.signals ?? {}), waiting = new Map(onWindows ? [] : signals);
    const [program, ...rest] = onWindows && signals.length > 0
      ? inConsole(signals.map(([line]) => line), command(script, args).flat())
      : command(script, args).flat();
    const started = spawn(program, rest, {
      env,
      stdio: [options.input || options.leaves ? "pipe" : "ignore", "pipe", "pipe"],
    });
    if (options.input) void feed(started.stdin!, options.input);
    started.stdout!.setEncoding("utf8").on("data", (text: string) => {
      stdout = plainLines(stdout + text);
      if (/(^|\n)end\n/.test(text)) start = Date.now();
      if (options.leaves && stdout.includes(`${options.leaves}\n`)) {
        start = Date.now();
        for (const stream of started.stdio) stream?.destroy();
      }
      for (const [line, signal] of waiting) {
        if (!stdout.split("\n").slice(0, -1).includes(line)) continue;
        waiting.delete(line);
        start = Date.now();
        process.kill(started.pid!, signal); // Deno's child.kill() sends one signal and no other
      }
    });
    started.stderr!.setEncoding("utf8").on("data", (text: string) => stderr = plainLines(stderr + text));
    const timer = setTimeout(() => {
      late = true;
      process.kill(started.pid!, "SIGKILL");
    }, limit);
    started.on("error", reject);
    started.on("close", (status, signal) => {
      clearTimeout(timer);
      const code = unsigned(status);
      if (!late) return resolve({ code, signal, stdout, stderr, lasted: Date.now() - start });
      reject(new Error(`${script} ${args.join(" ")} not done after ${limit / 1000} s\n${stdout}\n${stderr}`));
    });
  });
}

/** Runs children/`script`, which has to end with exit code 0 and print nothing on stderr; gives what it printed on stdout. */
export async function prints(script: string, args: readonly string[] = [], options: ChildOptions = {}): Promise<string> {
  const { code, signal, stdout, stderr } = await child(script, args, options);
  assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" }, stdout + stderr);
  return stdout;
}

/** Milliseconds that an end may take that waits for nothing: the machine may be loaded. */
export const soon: number = 1500;

/** Throws unless a child ended in this way and so soon. Under Wine a runtime takes two seconds to start. */
export function assertEnd(ended: Ended, code: number | null, signal: string | null, milliseconds: number): void {
  const { stdout, stderr, lasted } = ended, within = onWindows ? 2 * milliseconds : milliseconds;
  assertEquals({ code: ended.code, signal: ended.signal }, { code, signal }, `${stdout}\n${stderr}`);
  assert(lasted < within, `ended ${lasted} ms later, expected less than ${within}\n${stdout}\n${stderr}`);
}

/** Runs children/exits.ts: what is in flight, how it ends, and the exit code that this has to give. */
export async function ends(load: string, end: string, code: number, within: number = soon): Promise<Ended> {
  const ended = await child("exits", [load, end]);
  assertEnd(ended, code, null, within);
  if (code !== 1) assertEquals(ended.stderr, "");
  return ended;
}
