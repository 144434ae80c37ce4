/**
 * Starts the programs of `programs/` on the runtime at hand, as processes of their own: for what concerns a whole process.
 *
 * A program checks its own results, and prints its figure as the last line.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const kind = "Deno" in globalThis ? "deno" : "Bun" in globalThis ? "bun" : "node";
const extension = kind === "node" ? "js" : "ts"; // .build/bench for Node, bench for the others
const plain = { node: [], deno: ["run", "-A", "--no-check"], bun: [] }[kind];
const collecting = { node: ["--expose-gc"], deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc"], bun: ["--expose-gc"] }[kind];

/** Runs a command to its end; gives what it printed and how many microseconds it took. */
export function runCommand(command: string, args: string[], env: Record<string, string> = {}): Promise<{ output: string; time: number }> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve({ output, time: (performance.now() - start) * 1000 });
      else reject(new Error(`${command} ${args.join(" ")} ended with exit code ${code}`));
    });
  });
}

/** The microseconds that a program takes from its start to its end. */
export async function lasts(program: string, env: Record<string, string> = {}): Promise<number> {
  return (await runCommand(process.execPath, [...plain, pathOf(program)], env)).time;
}

/** The figure that a program prints. */
export async function prints(program: string, args: (string | number)[], env: Record<string, string> = {}): Promise<number> {
  const { output } = await runCommand(process.execPath, [...collecting, pathOf(program), ...args.map(String)], env);
  return Number(output.trimEnd().split("\n").at(-1));
}

function pathOf(program: string): string {
  return fileURLToPath(new URL(`programs/${program}.${extension}`, import.meta.url));
}
