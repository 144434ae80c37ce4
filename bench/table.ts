// Makes one table of several runs: the one in README.md.
//
//     node .build/bench/table.js node.json deno.json bun.json [pinned-node.json pinned-deno.json pinned-bun.json]
//
// Each file is the output of run.ts with --json. The second three are runs on one core, of the cases one at a time.
import { readFileSync } from "node:fs";
import process from "node:process";
import type { Report } from "./run.ts";

const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8")) as Report);
const runs = reports.slice(0, 3), pinned = reports.slice(3);

const time = (value: number) => `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} µs`;
const title = (group: string, name: string) => group === "values" ? name : `${group}, ${name}`;

function row(from: Report[], name: string, shown: string, range: boolean): string {
  const cells = from.map(({ figures }) => {
    const { ours, ratio, ratios } = figures.find((figure) => title(figure.group, figure.name) === name)!;
    return `${time(ours)}, ${range ? ratios.map((each) => each.toFixed(2)).join("–") : ratio.toFixed(2)}`;
  });
  const { beside } = from[0].figures.find((figure) => title(figure.group, figure.name) === name)!;
  return `| ${[shown, ...cells, beside].join(" | ")} |`;
}

console.log(`| | ${runs.map(({ runtime }) => runtime).join(" | ")} | the ratio is to |`);
console.log(`| --- |${" ---: |".repeat(runs.length)} --- |`);
for (const { group, name } of runs[0].figures) {
  const full = title(group, name), single = name.includes("one at a time");
  console.log(row(runs, full, full, single));
  if (single && pinned.length > 0) console.log(row(pinned, full, "the same, on one core", false));
}
