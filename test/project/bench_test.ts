/**
 * The benchmarks: every case gives what its baseline gives, a quick run makes a report, and a comparison of two reports
 * finds what has become slower. No figure is asserted.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "#std/assert";
import type { Figure } from "../../bench/measure.ts";
import { plot } from "../../bench/plot.ts";
import { type Peers, peerTable, readReport, type Report, table } from "../../bench/report.ts";
import { child, type Ended } from "../support/child.ts";

const folder = mkdtempSync(join(tmpdir(), "pyawait-bench-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function runs(args: string[]): Promise<Report> {
  const { code, signal, stdout, stderr } = await child("../../bench/run", args);
  assert(code === 0 && signal === null, `exit code ${code}, signal ${signal}\n${stdout}\n${stderr}`);
  return JSON.parse(stdout);
}

test("every case gives what its baseline gives", async () => {
  const { figures } = await runs(["--check"]);
  assertEquals(figures, []);
});

test("a quick run reports the cases with a word in their names", async () => {
  const { figures, ...about } = await runs(["--quick", "`noop()`", "idle"]);
  assertEquals(Object.keys(about), ["pyawait", "commit", "date", "machine", "runtime", "python", "command", "rounds", "load"]);
  assert(figures.length >= 2 && figures.every(({ group, name }) => /`noop\(\)`|idle/.test(group + name)), JSON.stringify(figures));
  for (const { name, ours, baseline, ratio, spread } of figures) {
    const values = [ours, baseline, ratio, ...spread];
    assert(values.length === 7 && values.every((value) => value > 0 && Number.isFinite(value)), `${name}: ${values}`);
  }
});

test("a word that no case has is an error", async () => {
  const { code, stderr } = await child("../../bench/run", ["--quick", "no such case"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "Cannot find a case named no such case");
});

/** A report with a case for each of these rounds' ratios. */
function report(cases: Record<string, [number, number, number, number]>, about: Partial<Report> = {}): string {
  const figures = Object.entries(cases).map(([name, spread]): Figure => {
    const ratio = (spread[1] + spread[2]) / 2;
    return { group: "calls", name, beside: "the same", unit: "µs", ours: ratio, baseline: 1, ratio, spread };
  });
  const path = join(folder, `${Math.random()}.json`);
  const origin = {
    pyawait: "1",
    commit: null,
    date: "",
    machine: "m",
    runtime: "node 20",
    python: "3.11",
    command: "",
    rounds: 7,
    load: 0,
  };
  writeFileSync(path, JSON.stringify({ ...origin, ...about, figures } satisfies Report));
  return path;
}

function compares(before: string, after: string): Promise<Ended> {
  return child("../../bench/compare", [before, after]);
}

test("equal results pass", async () => {
  const path = report({ same: [1, 1.1, 1.2, 1.3] });
  const { code, stdout } = await compares(path, path);
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "1 cases, 0 slower");
});

test("figures of a busy machine are compared with a warning", async () => {
  const cases = { same: [1, 1.1, 1.2, 1.3] as [number, number, number, number] };
  const { stderr } = await compares(report(cases), report(cases, { load: 3 }));
  assertStringIncludes(stderr, "The machine was busy when node 20 was measured (load 3.0)");
});

test("a case that has become slower by more than its spread fails", async () => {
  const before = report({ steady: [1, 1.1, 1.2, 1.3], slow: [1, 1.1, 1.2, 1.3], noisy: [1, 1.1, 3, 9], fast: [1, 1.1, 1.2, 1.3] });
  const now = report({ steady: [1, 1.1, 1.3, 1.4], slow: [1.2, 1.5, 1.6, 1.7], noisy: [2, 2.9, 3, 9], fast: [0.4, 0.5, 0.6, 0.7] });
  const { code, stdout } = await compares(before, now);
  assertEquals(code, 1, stdout);
  const verdicts = [...stdout.matchAll(/^\| calls, (\w+) .*\| (\w*) ?\|$/gm)].map(([, name, verdict]) => [name, verdict]);
  assertEquals(verdicts, [["steady", ""], ["slow", "slower"], ["noisy", ""], ["fast", "faster"]]);
});

test("results of different machines, Pythons or runtimes are refused", async () => {
  const cases = { same: [1, 1.1, 1.2, 1.3] as [number, number, number, number] };
  for (const [word, about] of Object.entries({ machines: { machine: "n" }, Pythons: { python: "3.12" }, runtimes: { runtime: "bun 1" } })) {
    const { code, stderr } = await compares(report(cases), report(cases, about));
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, `Cannot compare results of different ${word}: `);
  }
  // Another version of the same runtime is what is often compared.
  assertEquals((await compares(report(cases), report(cases, { runtime: "node 22" }))).code, 0);
});

const peers: Peers = {
  date: "",
  machine: "m",
  runtime: "node 20",
  rounds: 5,
  peers: [
    { name: "pyawait", version: "1", python: "3.11", figures: { call: 0.5, list: 200 } },
    { name: "other", version: "2", python: "3.12", figures: { call: 1, list: null } },
    { name: "third", version: "3", reason: "it cannot be built" },
  ],
};

test("a table shows a spread that is wide, and what a peer cannot do or does wrong", () => {
  const [node, bun] = [report({ one: [1, 2, 2, 3], two: [1, 2, 6, 9] }), report({ one: [1, 1, 1, 1] }, { runtime: "bun 1" })].map(
    readReport,
  );
  assertEquals(table([node, bun]).split("\n"), [
    "| | node 20 | bun 1 | the ratio is to |",
    "| --- | ---: | ---: | --- |",
    "| calls, one | 2.00 µs, 2.00 | 1.00 µs, 1.00 | the same |",
    "| calls, two | 4.00 µs, 4.00 (2.00–6.00) | – | the same |",
  ]);
  assertEquals(peerTable(peers).split("\n").slice(2), [
    "| | pyawait 1, Python 3.11 | other 2, Python 3.12 |",
    "| --- | ---: | ---: |",
    "| call | 0.500 | 1.00 |",
    "| list | 200 | _wrong result_ |",
    "",
    "Without third 3: it cannot be built",
  ]);
});

test("the plot has a mark for each runtime's case, then and now, and a bar for each figure of a peer", () => {
  const now = readReport(report({ "a < b": [1, 1, 1, 1], more: [20, 20, 20, 20] })), before = readReport(report({ "a < b": [2, 2, 2, 2] }));
  const svg = plot([now], [before], peers, () => true);
  assertEquals(svg.match(/<circle class="a "/g)?.length, 3); // two cases, and the legend
  assertEquals(svg.match(/<circle class="a before"/g)?.length, 1);
  assertEquals(svg.match(/<rect class="(a|peer)"/g)?.length, 3);
  assertStringIncludes(svg, "calls, a &#60; b");
  assertStringIncludes(svg, "prefers-color-scheme: dark");
  const tags = [...svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)].reduce((open, [, end, , empty]) => open + (end ? -1 : empty ? 0 : 1), 0);
  assertEquals(tags, 0);
});
