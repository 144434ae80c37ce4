/**
 * Runs the benchmarks on one runtime after the other, and prints a table:
 *
 *     npm run bench [-- --all] [--quick] [--peers] [--json] [--out PREFIX] [WORD…]
 *
 * On Node; --all: on Node, Deno and Bun (--runtime node,bun: on these). --quick: one short round, to see that it runs: below
 * a minute. --peers: other bridges beside (`peers/`). --json: the reports as a JSON array. --out PREFIX: each report into
 * a file, PREFIX-node.json and so on. WORD…: cases whose name contains one.
 *
 * `run.ts` measures. Cases one at a time are measured twice more, in processes of their own: without spinning, and on one
 * core, where the system has `taskset`.
 */
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { origin, peerTable, table, warning } from "../.build/bench/report.js";
import { root, runtime } from "../scripts/runtimes.mjs";

const { values: options, positionals: words } = parseArgs({
  options: {
    all: { type: "boolean" },
    runtime: { type: "string", default: "node" },
    quick: { type: "boolean" },
    peers: { type: "boolean" },
    json: { type: "boolean" },
    out: { type: "string" },
  },
  allowPositionals: true,
});
const names = options.all ? ["node", "deno", "bun"] : options.runtime.split(",");
const commands = {
  node: [".build/bench/run.js"],
  deno: ["run", "-A", "--no-check", "bench/run.ts"],
  bun: ["bench/run.ts"],
};
/** Without where the results went. */
const command = `npm run bench -- ${process.argv.slice(2).filter((arg, at, all) => arg !== "--out" && all[at - 1] !== "--out").join(" ")}`;
const quick = options.quick ? ["--quick"] : [];
const onOneCore = spawnSync("taskset", ["-c", "0", "true"]).status === 0 ? ["taskset", "-c", "0"] : undefined;

/** A run of `run.ts`: its report. */
function measure(name, args, env = {}, prefix = []) {
  const [program, ...rest] = [...prefix, runtime(name), ...commands[name], ...quick, ...args, ...words];
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => output += text);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`The benchmarks on ${name} ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

async function report(name) {
  const whole = await measure(name, []);
  const others = [await measure(name, ["--single", "`PYAWAIT_SPIN=0`"], { PYAWAIT_SPIN: "0" })];
  if (onOneCore) others.push(await measure(name, ["--single", "one core"], {}, onOneCore));
  else console.error("Nothing is measured on one core: this system has no taskset");
  const more = others.flatMap(({ figures }) => figures);
  const figures = whole.figures.flatMap((figure) => [
    figure,
    ...more.filter((other) => other.group === figure.group && other.name.startsWith(`${figure.name}, `)),
  ]);
  return { ...whole, command: command.trim(), figures };
}

const reports = [], load = loadavg()[0];
for (const name of names) {
  // Of the first runtime's start: later ones see the load of these benchmarks.
  reports.push({ ...await report(name), load });
  if (options.out) writeFileSync(`${options.out}-${name}.json`, `${JSON.stringify(reports.at(-1), null, 1)}\n`);
}
// Not before: it opens Python.
const { measurePeers } = options.peers ? await import("./peers/run.mjs") : {};
const peers = await measurePeers?.(options.quick);
if (peers && options.out) writeFileSync(`${options.out}-peers.json`, `${JSON.stringify(peers, null, 1)}\n`);

if (options.json) console.log(JSON.stringify(peers ? [...reports, peers] : reports));
else {
  for (const each of reports) console.log(`\n${origin(each)}`);
  console.log(`\n${table(reports)}`);
  if (peers) console.log(`\n${peerTable(peers)}`);
}
const busy = warning(reports[0]);
if (busy) console.error(busy);
