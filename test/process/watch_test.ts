/**
 * Watch and hot modes: the changed program uses Python again, in the process of the old one or in a new one, and what the
 * old one has started ends.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { runtime } from "../support/child.ts";
import { killTree, removeFolder } from "../support/processes.ts";
import { onWindows } from "../support/skip.ts";

const entry = new URL(`../../mod.${runtime === "node" ? "js" : "ts"}`, import.meta.url).href;

/** The program, as it is at the `version`-th start. */
const program = (version: number) => `
import { python } from ${JSON.stringify(entry)};
python.configure({ stdout: (text) => console.log("Python: " + text.trim()) });
const starts = python.exec(\`
import asyncio, builtins
async def serve():
    try:
        await asyncio.sleep(600)
    finally:
        print("cleaned up")
builtins.starts = getattr(builtins, "starts", 0) + 1
builtins.starts\`);
const builtins = python.import("builtins");
let old = "none";
try {
  if (starts > 1) old = builtins.old();
} catch (error) {
  old = error.name;
}
builtins.old = () => "called";
python.exec("serve")().then(() => {}, () => {});
console.log("version ${version}: " + (starts > 1 ? "the same" : "a new") + " process, old function: " + old + ", " + await python.import("asyncio").sleep(0.01, "awaited"));
setInterval(() => {}, 1000);
`;

/** Runs three versions of the program, one after the other; what they print. */
async function watch(flags: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "pyawait-watch-"));
  const file = join(folder, "program.mjs");
  writeFileSync(file, program(1));
  const env = { ...process.env, NO_COLOR: "1" };
  const child = spawn(process.execPath, [...flags, file], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"], detached: !onWindows });
  let stdout = "", stderr = "", ended = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve(void (ended = true))));
  const limit = Date.now() + 120_000; // a hang
  try {
    for (const version of [1, 2, 3]) {
      // A change is missed before the runtime watches the file, so it is made again.
      for (let rounds = 0; !stdout.includes(`version ${version}: `); rounds++) {
        if (ended || Date.now() > limit) throw new Error(`no version ${version}\n${stdout}\n${stderr}`);
        if (version > 1 && rounds % 100 === 0) writeFileSync(file, `${program(version)}// ${rounds}\n`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  } finally {
    // Node's watch mode runs the program in a process of its own, which would keep the pipes open.
    if (!ended) killTree(child.pid!);
    await closed;
    await removeFolder(folder);
  }
  // The runtimes' own remarks, and versions that were started twice, do not count.
  return [...new Set(stdout.split("\n").filter((line) => /^(version|Python)/.test(line)))];
}

const inNewProcess = [1, 2, 3].map((version) => `version ${version}: a new process, old function: none, awaited`);

const cases: Record<typeof runtime, [flags: string[], printed: string[]][]> = {
  node: [[["--watch"], inNewProcess]],
  deno: [
    [["run", "-A", "--no-check", "--watch"], [
      "version 1: a new process, old function: none, awaited",
      "Python: cleaned up",
      "version 2: the same process, old function: JavaScriptEnded, awaited",
      "version 3: the same process, old function: JavaScriptEnded, awaited",
    ]],
    [["run", "-A", "--no-check", "--watch-hmr"], [
      "version 1: a new process, old function: none, awaited",
      "version 2: the same process, old function: JavaScriptEnded, awaited",
      "version 3: the same process, old function: JavaScriptEnded, awaited",
    ]],
  ],
  bun: [
    [["--watch"], inNewProcess],
    [["--hot"], [ // the old program's JavaScript goes on: Bun keeps its timers too
      "version 1: a new process, old function: none, awaited",
      "version 2: the same process, old function: called, awaited",
      "version 3: the same process, old function: called, awaited",
    ]],
  ],
};

for (const [flags, printed] of cases[runtime]) {
  test(`${runtime} ${flags.join(" ")}`, async () => {
    assertEquals(await watch(flags), printed);
  });
}
