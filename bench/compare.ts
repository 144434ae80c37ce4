// Compares two results of one machine, case by case, and fails if one has become slower:
//
//     node .build/bench/compare.js BEFORE.json AFTER.json [--threshold 0.1]
//
// What is compared is each case's ratio to its baseline, as the machine is never twice the same. A case is slower if its
// ratio has grown by more than the threshold, and the middle half of its rounds' ratios lies above that of the other
// result. Exit code 1: something is slower. 2: the results cannot be compared.
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { amount, number, origin, readReport, type Report, title, warning } from "./report.ts";

/** A case that both results have. */
export interface Change {
  readonly title: string;
  readonly before: string;
  readonly after: string;
  /** The later ratio to the baseline divided by the earlier one: above 1, it takes more time. */
  readonly factor: number;
  readonly verdict: "slower" | "faster" | "";
}

/** Why two results cannot be compared, or undefined. */
export function incomparable(before: Report, after: Report): string | undefined {
  const kind = ({ runtime }: Report) => runtime.split(" ")[0];
  const facts: [string, string, string][] = [
    ["machines", before.machine, after.machine],
    ["Pythons", before.python, after.python],
    ["runtimes", kind(before), kind(after)],
  ];
  const different = facts.find(([, one, other]) => one !== other);
  return different && `Cannot compare results of different ${different[0]}: ${different[1]} and ${different[2]}`;
}

/** The cases that both results have, in the order of the second. */
export function compare(before: Report, after: Report, threshold: number): Change[] {
  const old = new Map(before.figures.map((figure) => [title(figure), figure]));
  return after.figures.flatMap((now) => {
    const then = old.get(title(now));
    if (!then) return [];
    const factor = now.ratio / then.ratio;
    const [, thenLower, thenUpper] = then.spread, [, nowLower, nowUpper] = now.spread;
    const slower = factor > 1 + threshold && nowLower > thenUpper, faster = factor < 1 / (1 + threshold) && nowUpper < thenLower;
    const show = ({ ours, unit, ratio }: typeof now) => `${amount(ours, unit)}, ${number(ratio)}`;
    return { title: title(now), before: show(then), after: show(now), factor, verdict: slower ? "slower" : faster ? "faster" : "" };
  });
}

function main(): void {
  const { values: { threshold }, positionals } = parseArgs({
    options: { threshold: { type: "string", default: "0.1" } },
    allowPositionals: true,
  });
  if (positionals.length !== 2) throw new Error("Cannot compare: two results are wanted, BEFORE.json and AFTER.json");
  const [before, after] = positionals.map(readReport);
  const problem = incomparable(before, after);
  if (problem) {
    console.error(problem);
    process.exitCode = 2;
    return;
  }
  for (const each of [before, after]) if (warning(each)) console.error(warning(each));
  const changes = compare(before, after, Number(threshold));
  console.log(`before: ${origin(before)}\nafter:  ${origin(after)}\n`);
  console.log("| | before: figure, ratio to its baseline | after | after ÷ before | |\n| --- | ---: | ---: | ---: | --- |");
  for (const each of changes) {
    console.log(`| ${each.title} | ${each.before} | ${each.after} | ${each.factor.toFixed(2)} | ${each.verdict} |`);
  }
  const slower = changes.filter(({ verdict }) => verdict === "slower");
  console.log(`\n${changes.length} cases, ${slower.length} slower`);
  if (changes.length === 0) throw new Error("The two results have no case in common");
  if (slower.length > 0) process.exitCode = 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) main();
