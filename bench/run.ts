// Runs the benchmarks: each case beside its baseline, in turns.
//
//     npm run bench [-- --quick] [-- --json] [-- WORD…]      deno run -A bench/run.ts …      bun bench/run.ts …
//
// --quick: one short round, to see that it runs. --json: the figures as JSON. WORD…: cases whose name contains one.
// README.md beside this file says how to read the result.
import os from "node:os";
import process from "node:process";
import { python } from "../mod.ts";
import { type Case, prepare } from "./cases.ts";

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg.startsWith("-") && arg !== "--quick" && arg !== "--json");
if (unknown) throw new Error(`Cannot run with ${unknown}: the options are --quick and --json`);
const quick = args.includes("--quick"), json = args.includes("--json");
const words = args.filter((arg) => !arg.startsWith("-"));
const rounds = quick ? 1 : 7, seconds = quick ? 0.01 : 0.15;

/** The figures of one case. */
export interface Figure extends Omit<Case, "ours" | "baseline"> {
  /** Microseconds per operation: the medians of the rounds. */
  ours: number;
  baseline: number;
  /** The median of the rounds' ratios, and their range. */
  ratio: number;
  ratios: [least: number, most: number];
}

/** The output of `--json`. */
export interface Report {
  date: string;
  machine: string;
  runtime: string;
  python: string;
  command: string;
  rounds: number;
  figures: Figure[];
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Runs both ways in turns, alternating which is first, so that a slow minute of the machine affects both. */
async function run({ ours, baseline, ...about }: Case): Promise<Figure> {
  const our: number[] = [], base: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) our.push(await ours(seconds));
    base.push(await baseline(seconds));
    if (round % 2 === 1) our.push(await ours(seconds));
  }
  const ratios = our.map((time, round) => time / base[round]);
  return {
    ...about,
    ours: median(our),
    baseline: median(base),
    ratio: median(ratios),
    ratios: [Math.min(...ratios), Math.max(...ratios)],
  };
}

const number = (value: number) => value >= 100 ? value.toFixed(0) : value.toPrecision(3);
const say = (text: string) => json ? undefined : console.log(text);

python.configure({ path: [new URL(".", import.meta.url)] });
const { runtime, version, platform } = python.info;
const cpus = os.cpus();
const about = {
  date: new Date().toISOString().slice(0, 10),
  machine: `${platform}, ${cpus.length} × ${cpus[0]?.model.trim() || "unknown CPU"}`,
  runtime,
  python: version,
  command: `bench/run ${args.join(" ")}`.trim(),
  rounds,
};
say(`pyawait on ${runtime} with Python ${version}, ${about.machine}`);

const cases = (await prepare()).filter(({ group, name }) => !words.length || words.some((word) => `${group} ${name}`.includes(word)));
if (cases.length === 0) throw new Error(`Cannot find a case named ${words.join(" or ")}`);
const figures: Figure[] = [];
for (const each of cases) {
  const figure = await run(each);
  figures.push(figure);
  const { group, name, beside, ours, baseline, ratio, ratios } = figure;
  say(
    `${group}, ${name}: ${number(ours)} µs; ${beside}: ${number(baseline)} µs; ${number(ratio)} × (${ratios.map(number).join(" – ")})`,
  );
}

if (json) console.log(JSON.stringify({ ...about, figures } satisfies Report, null, 2));
else {
  console.log(`
${about.machine}; ${runtime}; Python ${version}; ${about.date}; \`${about.command}\`, medians of ${rounds} rounds

| | | pyawait, µs | beside | µs | ratio |
| --- | --- | ---: | --- | ---: | ---: |`);
  for (const { group, name, beside, ours, baseline, ratio } of figures) {
    console.log(
      `| ${group} | ${name} | ${number(ours)} | ${beside} | ${number(baseline)} | ${number(ratio)} |`,
    );
  }
}
