// Measures the cases on the runtime at hand. `bench/run.mjs` starts it, for one runtime or for all.
//
//     node .build/bench/run.js [--quick] [--check] [--single SUFFIX] [WORD…]      deno run -A bench/run.ts …      bun bench/run.ts …
//
// Prints a report as JSON on stdout, and each figure on stderr when it is there. --quick: one short round, to see that it
// runs. --check: no figures, only that both ways give the same. --single: the cases one at a time, with this suffix to
// their names. WORD…: cases whose name contains one.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { python } from "../mod.ts";
import { allCases } from "./cases/all.ts";
import { type Figure, run } from "./measure.ts";
import { type Report, shown } from "./report.ts";

const { values: { quick, check, single }, positionals: words } = parseArgs({
  options: { quick: { type: "boolean" }, check: { type: "boolean" }, single: { type: "string" } },
  allowPositionals: true,
});
const rounds = quick ? 1 : 7, seconds = quick ? 0.01 : 0.15;

/** The nearest package.json above this file: .build has none. */
function version(): string {
  let url = new URL("package.json", import.meta.url);
  while (!existsSync(url)) url = new URL("../package.json", url);
  return JSON.parse(readFileSync(url, "utf8")).version;
}

/** The commit that was measured, where git knows it. */
function commit(): string | null {
  try {
    const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    // These benchmarks may be measuring another commit (at.mjs).
    return git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "-uno", ":!bench") ? ", changed" : "");
  } catch {
    return null;
  }
}

python.configure({ path: [new URL(".", import.meta.url)] });
const { runtime, version: pythonVersion, platform } = python.info;
const cpus = os.cpus();
const about = {
  pyawait: version(),
  commit: commit(),
  date: new Date().toISOString().slice(0, 10),
  machine: `${platform}, ${cpus.length} × ${cpus[0]?.model.trim() || "unknown CPU"}`,
  runtime,
  python: pythonVersion,
  command: `npm run bench -- ${process.argv.slice(2).join(" ")}`.trim(),
  rounds,
  load: os.loadavg()[0],
};

const cases = (await allCases()).filter((each) =>
  (single === undefined || each.single) && (!words.length || words.some((word) => `${each.group}, ${each.name}`.includes(word)))
);
const figures: Figure[] = [];
for (const each of cases) {
  if (check) {
    await each.check();
    continue;
  }
  const figure = await run({ ...each, name: single ? `${each.name}, ${single}` : each.name }, rounds, seconds);
  figures.push(figure);
  console.error(`${runtime}: ${shown(figure)}`);
}
if (cases.length === 0 && single === undefined) throw new Error(`Cannot find a case named ${words.join(" or ")}`);
console.log(JSON.stringify({ ...about, figures } satisfies Report));
