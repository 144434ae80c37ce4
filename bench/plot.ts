/**
 * The plot of docs/performance.md: each case's time over its baseline's, and the other bridges' times, both on logarithmic
 * axes. Its colours follow the reader's light or dark scheme.
 */
import type { Figure } from "./measure.ts";
import { number, type Peers, type Report, title } from "./report.ts";

const width = 1080, left = 560, right = 50, row = 22;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 14px; font-weight: 600 }
  .faint { fill: #57606a }
  .grid { stroke: #d0d7de }
  .one { stroke: #57606a; stroke-dasharray: 4 3 }
  .a { fill: #0969da; stroke: #0969da } .b { fill: #1a7f37; stroke: #1a7f37 } .c { fill: #bc4c00; stroke: #bc4c00 }
  .before { fill: none }
  .peer { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .faint { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .one { stroke: #9198a1 }
    .a { fill: #58a6ff; stroke: #58a6ff } .b { fill: #3fb950; stroke: #3fb950 } .c { fill: #f0883e; stroke: #f0883e }
    .before { fill: none }
    .peer { fill: #6e7681 }
  }`;

const escaped = (text: string) => text.replaceAll("`", "").replace(/[<>&]/g, (found) => `&#${found.codePointAt(0)};`);
const text = (x: number, y: number, words: string, more = "") => `<text x="${x.toFixed(1)}" y="${y}" ${more}>${escaped(words)}</text>`;

/** A logarithmic axis over these values, with lines at the powers of ten. */
function axis(values: number[], top: number, bottom: number, unit: string): { x: (value: number) => number; lines: string[] } {
  const low = Math.floor(Math.log10(Math.min(...values))), high = Math.ceil(Math.log10(Math.max(...values)));
  const x = (value: number) => left + (Math.log10(value) - low) / (high - low) * (width - left - right);
  const powers = Array.from({ length: high - low + 1 }, (_, n) => 10 ** (low + n));
  const lines = powers.flatMap((power) => [
    `<line class="grid" x1="${x(power)}" x2="${x(power)}" y1="${top}" y2="${bottom}"/>`,
    text(x(power), bottom + 16, `${Number(power.toPrecision(1)).toLocaleString("en-US")}${unit}`, 'class="faint" text-anchor="middle"'),
  ]);
  return { x, lines };
}

/** A circle, a square and a triangle, for Node, Deno and Bun. */
const markers = [
  (x: number, y: number, kind: string) => `<circle class="a ${kind}" cx="${x.toFixed(1)}" cy="${y}" r="5"/>`,
  (x: number, y: number, kind: string) => `<rect class="b ${kind}" x="${(x - 4.5).toFixed(1)}" y="${y - 4.5}" width="9" height="9"/>`,
  (x: number, y: number, kind: string) => `<path class="c ${kind}" d="M${x.toFixed(1)} ${y - 5.5}l5.5 10h-11z"/>`,
];

/** Each case's ratio to its baseline: filled now, hollow before. */
function ratios(now: Report[], before: (Report | undefined)[], keep: (title: string) => boolean, top: number): [string[], number] {
  const cases = now[0].figures.filter((figure) => keep(title(figure)));
  const of = (report: Report | undefined, wanted: Figure) => report?.figures.find((figure) => title(figure) === title(wanted))?.ratio;
  const values = cases.flatMap((figure) => [...now, ...before].flatMap((report) => of(report, figure) ?? [])), first = top + 34;
  const bottom = first + cases.length * row, { x, lines } = axis(values, first - 8, bottom, " ×");
  const out = [text(10, top, "Time over the baseline's: left of the dashed line pyawait is faster", 'class="title"'), ...lines];
  out.push(`<line class="one" x1="${x(1)}" x2="${x(1)}" y1="${first - 8}" y2="${bottom}"/>`);
  let at = left;
  for (const [index, { runtime }] of now.entries()) {
    out.push(markers[index](at, top + 14, ""), text(at + 10, top + 18, runtime));
    at += 130;
  }
  if (before.some(Boolean)) out.push(text(at, top + 18, "hollow: before", 'class="faint"'));
  for (const [index, figure] of cases.entries()) {
    const y = first + 6 + index * row;
    out.push(text(left - 12, y + 4, title(figure), 'text-anchor="end"'));
    const place = (reports: (Report | undefined)[], kind: string) =>
      reports.flatMap((report, runtime) => {
        const ratio = of(report, figure);
        return ratio === undefined ? [] : [markers[runtime](x(ratio), y, kind)];
      });
    out.push(...place(before, "before"), ...place(now, ""));
  }
  return [out, bottom + 50];
}

/** A group of bars for each case that at least one other bridge has. */
function bars({ peers }: Peers, top: number): [string[], number] {
  const there = peers.flatMap(({ name, figures }) => figures ? [{ name, figures }] : []);
  const groups = Object.keys(there[0].figures).map((name) => ({
    name,
    bars: there.flatMap(({ name: peer, figures }) => typeof figures[name] === "number" ? [{ peer, time: figures[name] }] : []),
  }));
  const values = groups.flatMap(({ bars }) => bars.map(({ time }) => time));
  const first = top + 24, bottom = first + groups.reduce((sum, { bars }) => sum + bars.length * 16 + 10, 0);
  const { x, lines } = axis([...values, Math.min(...values) / 2], first - 8, bottom, " µs");
  const out = [text(10, top, "Beside other bridges: microseconds", 'class="title"'), ...lines];
  let y = first;
  for (const { name, bars } of groups) {
    out.push(text(10, y + 9, name));
    for (const { peer, time } of bars) {
      const end = x(time);
      out.push(
        text(left - 12, y + 9, peer, 'text-anchor="end" class="faint"'),
        `<rect class="${peer === "pyawait" ? "a" : "peer"}" x="${left}" y="${y}" width="${(end - left).toFixed(1)}" height="11"/>`,
        end > width - 90 ? "" : text(end + 5, y + 10, number(time)),
      );
      y += 16;
    }
    y += 10;
  }
  return [out, bottom + 30];
}

/** The plot as SVG: of reports of one machine, each beside an earlier one where that is there. */
export function plot(now: Report[], before: (Report | undefined)[], peers: Peers | undefined, keep: (title: string) => boolean): string {
  const [upper, end] = ratios(now, before, keep, 24);
  const [lower, bottom] = peers ? bars(peers, end + 10) : [[], end];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom}" role="img" aria-label="Benchmark results">
<style>${style}
</style>
${[...upper, ...lower].filter(Boolean).join("\n")}
</svg>
`;
}
