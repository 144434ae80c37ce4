/** The result of a run, and how it is shown. One run is of one runtime. */
import { readFileSync } from "node:fs";
import type { Figure } from "./measure.ts";

/** What `run.ts` prints, and what `bench/results/` keeps. */
export interface Report {
  /** The version, and the commit where it is known. */
  pyawait: string;
  commit: string | null;
  date: string;
  machine: string;
  /** The runtime's name and version. */
  runtime: string;
  python: string;
  command: string;
  rounds: number;
  /** How many programs wanted a processor in the minute before: on a busy machine the figures are of others' work. */
  load: number;
  figures: Figure[];
}

/** What `peers/run.mjs` gives. */
export interface Peers {
  date: string;
  machine: string;
  runtime: string;
  rounds: number;
  peers: {
    name: string;
    version: string;
    /** Why there are no figures. */
    reason?: string;
    python?: string;
    /** Microseconds; `null` where the result was wrong, none where the peer cannot do it. */
    figures?: Record<string, number | null>;
  }[];
}

/** A report from a file. */
export function readReport(path: string): Report {
  const report = JSON.parse(readFileSync(path, "utf8"));
  if (!Array.isArray(report.figures)) throw new Error(`${path} is no result of the benchmarks: it has no figures`);
  return report;
}

/** The name of a case, as the tables have it. */
export function title({ group, name }: Pick<Figure, "group" | "name">): string {
  return `${group}, ${name}`;
}

/** A number with three digits that count. */
export function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

/** A value with its unit. */
export function amount(value: number, unit: string): string {
  return unit === "µs" && value >= 10_000 ? `${number(value / 1000)} ms` : `${number(value)} ${unit}`;
}

/** One figure as a line. */
export function shown(figure: Figure): string {
  const { unit, ours, beside, baseline, ratio, spread } = figure;
  const range = `${number(spread[0])} – ${number(spread[3])}`;
  return `${title(figure)}: ${amount(ours, unit)}; ${beside}: ${amount(baseline, unit)}; ${number(ratio)} × (${range})`;
}

/** All that has to be known of where a report is from. */
export function origin({ pyawait, commit, runtime, python, machine, date, command, rounds }: Report): string {
  const version = `pyawait ${pyawait}${commit ? ` (${commit})` : ""}`;
  return `${version}; ${runtime}; Python ${python}; ${machine}; ${date}; \`${command}\`, medians of ${rounds} rounds`;
}

/** A warning for figures that other programs have slowed down. */
export function warning({ runtime, load }: Report): string | undefined {
  if (load > 0.7) return `The machine was busy when ${runtime} was measured (load ${load.toFixed(1)}): do not trust these figures`;
}

/** Reports of several runtimes as one table in Markdown; with `keep`, only these cases. */
export function table(reports: Report[], keep: (title: string) => boolean = () => true): string {
  const rows = reports[0].figures.filter((figure) => keep(title(figure))).map((figure) => {
    const cells = reports.map(({ figures }) => {
      const found = figures.find((other) => title(other) === title(figure));
      if (!found) return "–";
      const { ours, unit, ratio, spread } = found;
      const range = spread[2] > 1.5 * spread[1] ? ` (${number(spread[1])}–${number(spread[2])})` : "";
      return `${amount(ours, unit)}, ${number(ratio)}${range}`;
    });
    return `| ${[title(figure), ...cells, figure.beside].join(" | ")} |`;
  });
  return [
    `| | ${reports.map(({ runtime }) => runtime).join(" | ")} | the ratio is to |`,
    `| --- |${" ---: |".repeat(reports.length)} --- |`,
    ...rows,
  ].join("\n");
}

/** The other bridges' figures as a table in Markdown. */
export function peerTable({ date, machine, runtime, rounds, peers }: Peers): string {
  const cell = (value: number | null | undefined) => value === undefined ? "–" : value === null ? "_wrong result_" : number(value);
  const there = peers.flatMap(({ name, version, python, figures }) => figures ? [{ name, version, python, figures }] : []);
  return [
    `Microseconds; ${runtime}; ${machine}; ${date}, medians of ${rounds} rounds in turns.`,
    "",
    `| | ${there.map(({ name, version, python }) => `${name} ${version}, Python ${python}`).join(" | ")} |`,
    `| --- |${" ---: |".repeat(there.length)}`,
    ...Object.keys(there[0].figures).map((name) => `| ${[name, ...there.map(({ figures }) => cell(figures[name]))].join(" | ")} |`),
    ...peers.flatMap(({ name, version, reason }) => reason ? [`\nWithout ${name} ${version}: ${reason}`] : []),
  ].join("\n");
}
