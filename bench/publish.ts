// Makes of results what readers see: the tables of README.md and docs/performance.md, and docs/performance.svg.
//
//     node .build/bench/publish.js bench/results/0.1.0-after [bench/results/0.1.0-before]
//
// The arguments are what `--out` was given: a file for each runtime, and one for the other bridges. Run it in the project's
// folder, and `npm run format` after it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { plot } from "./plot.ts";
import { origin, type Peers, peerTable, readReport, type Report, table, warning } from "./report.ts";

/** The cases that the README shows. */
const main = [
  /^coroutine → Promise, one at a time/,
  /^coroutine → Promise, 1,000 in flight/,
  /^Promise → awaitable, async function, one at a time$/,
  /^Promise → awaitable, `gather`/,
  /^async generator → async iterable, lock-step$/,
  /^async generator → async iterable, `highWaterMark/,
  /^other threads, a Python thread calls a JavaScript function and waits$/,
  /^JavaScript's timers/,
  /^synchronous call/,
  /^synchronous read, `thing\.x`/,
  /^values, (list|JSON)/,
  /^bulk, 16 MiB/,
  /^start/,
  /^memory, per pending/,
];
const isMain = (title: string) => main.some((pattern) => pattern.test(title));

/** Replaces what stands between `<!-- NAME -->` and `<!-- end -->`. */
function replace(path: string, parts: Record<string, string>): void {
  let text = readFileSync(path, "utf8");
  for (const [name, content] of Object.entries(parts)) {
    const from = text.indexOf(`<!-- ${name} -->`), to = text.indexOf("<!-- end -->", from);
    if (from < 0 || to < 0) throw new Error(`Cannot find <!-- ${name} --> … <!-- end --> in ${path}`);
    text = `${text.slice(0, from)}<!-- ${name} -->\n\n${content}\n\n${text.slice(to)}`;
  }
  writeFileSync(path, text);
}

const [now, before] = process.argv.slice(2);
const read = (prefix: string | undefined, name: string): Report | undefined => {
  const path = `${prefix}-${name}.json`;
  return prefix && existsSync(path) ? readReport(path) : undefined;
};
const runtimes = ["node", "deno", "bun"].filter((name) => read(now, name));
const reports = runtimes.map((name) => read(now, name)!);
if (reports.length === 0) throw new Error(`Cannot find results: there is no ${now}-node.json, -deno.json or -bun.json`);
const peers: Peers | undefined = existsSync(`${now}-peers.json`) ? JSON.parse(readFileSync(`${now}-peers.json`, "utf8")) : undefined;
const { pyawait, python, machine, date, rounds } = reports[0];
const busy = reports.flatMap((report) => warning(report) ?? []).map((line) => `\n\n**${line}.**`).join("");

const from = `pyawait ${pyawait}, CPython ${python}, ${machine}, ${date}; medians of ${rounds} rounds.`;
const cells = "Each cell: the time, and its ratio to the baseline's (the middle half of the rounds, where they differ).";

replace("README.md", { "benchmark: the main cases": `${from} ${cells}${busy}\n\n${table(reports, isMain)}` });
replace("docs/performance.md", {
  "benchmark: all cases": `${reports.map((report) => `- ${origin(report)}`).join("\n")}${busy}\n\n${table(reports)}`,
  ...(peers ? { "benchmark: other bridges": peerTable(peers) } : {}),
});
writeFileSync("docs/performance.svg", plot(reports, runtimes.map((name) => read(before, name)), peers, isMain));
