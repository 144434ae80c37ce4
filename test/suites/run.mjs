/**
 * Runs other projects' tests in `pyawait run` and in plain Python, and compares the sets of tests that pass: each that
 * passes there has to pass here.
 *
 *     node test/suites/run.mjs [--part] [--bounce] [--runtime node,deno,bun] [--python PATH] [--only SUITE[/FILE],...]
 *
 * `--part` is the part that CI runs. `--bounce` sends every task's coroutine through JavaScript and back. `--only asyncio`
 * or `--only asyncio/test_tasks` keeps suites and files. `--verbose` prints what the processes print.
 *
 * Several of these tests fail by chance or depend on time. So a difference is run again, alone, in both, up to three
 * times; it counts if it never passes here while it passes there. The table shows how many passed only then. Which
 * tests may differ, and why, is in known.mjs. A suite that cannot be installed, or that this Python does not ship, is
 * left out, with a line `skip: REASON`. The exit code is 1 if a test fails here only, or if nothing is asked for.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { kindOf, root, runtime } from "../../scripts/runtimes.mjs";
import { suites } from "./catalog.mjs";
import { reasonFor } from "./known.mjs";
import { ask, prepare } from "./places.mjs";

const limit = 900_000; // a hang; the longest file takes two minutes on a quiet machine
const attempts = 3;
const atOnce = 2;

const { values: options } = parseArgs({
  options: {
    part: { type: "boolean", default: false },
    bounce: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
    runtime: { type: "string", default: "node" },
    python: { type: "string", default: process.env.PYAWAIT_PYTHON ?? "python3" },
    only: { type: "string" },
  },
});
const only = options.only?.split(",").map((each) => each.split("/"));
const here = join(root, "test/suites");

/** The command line of `pyawait run` on a runtime. */
const commands = {
  node: [join(root, ".build/cli.js")],
  deno: ["run", "--allow-all", "--no-check", join(root, "cli.ts")],
  bun: [join(root, "cli.ts")],
};

/** Runs a program to its end, with what it started; says how it ended if not by itself. */
function execute(program, args, cwd, env) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = [];
    let problem;
    const end = () => {
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    };
    const timer = setTimeout(() => {
      problem = `not done after ${limit / 1000} s`;
      end();
    }, limit);
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => output.push(data));
    child.on("error", (error) => problem = error.message);
    child.on("exit", (_, signal) => {
      if (signal) problem ??= `killed by ${signal}`;
      setTimeout(end, 1000).unref(); // what it left running would hold the pipes open
    });
    child.on("close", () => {
      clearTimeout(timer);
      end();
      resolve({ output: Buffer.concat(output).toString(), problem });
    });
  });
}

/**
 * What came of each test of a file, or of some tests: `passed`, `failed`, `skipped`, or `started` if the process died.
 * What a test that ended the process kept from running is run after it.
 */
async function outcomes(job, side, tests) {
  const found = await runOnce(job, side, tests);
  const expected = tests ?? [...job.plain?.keys() ?? []];
  for (let rest; (rest = expected.filter((id) => !found.has(id))).length > 0 && [...found.values()].includes("started");) {
    const more = await runOnce(job, side, rest);
    if (!rest.some((id) => more.has(id))) break;
    for (const [id, outcome] of more) found.set(id, outcome);
  }
  return found;
}

/** The same in one process. */
async function runOnce(job, side, tests) {
  const { suite, file, place } = job;
  const results = mkdtempSync(join(tmpdir(), "pyawait-suite-"));
  const log = join(results, "results.jsonl");
  const bounces = options.bounce && side !== "python";
  const env = {
    SUITES_RESULTS: log,
    SUITES_HANG: options.bounce ? "30" : "180", // the longest test takes half a minute on a quiet machine, without bouncing
    PYTHONPATH: join(here, "py"),
    PYTHONDONTWRITEBYTECODE: "1",
    PYAWAIT_PYTHON: place.python,
    ...(bounces && { SUITES_BOUNCE: suite.bounces ?? "coroutines" }),
  };
  const isUnittest = suite.version === undefined || suite.unittest;
  const module = suite.version === undefined ? `test.test_asyncio.${file}` : `tests.${file}`;
  const path = file ? `tests/${file}.py` : "tests";
  const python = isUnittest ? [join(here, "py/suite_results.py"), ...(tests ?? [module])] : [
    ...["-m", "pytest", "-q", "-p", "suite_results", "-p", "no:cacheprovider"],
    ...(bounces ? ["-p", "suite_bounce"] : []),
    ...suite.args,
    ...(tests ?? [path]),
  ];
  const bounce = kindOf(side) === "node" ? join(root, ".build/test/suites/bounce.js") : join(here, "bounce.ts");
  const modules = bounces ? [`--module=suite_bounce_js=${bounce}`] : [];
  const [program, args] = side === "python"
    ? [place.python, python]
    : [runtime(side), [...commands[kindOf(side)], "run", ...modules, ...python]];
  try {
    const { output, problem } = await execute(program, args, place.folder, env);
    const found = new Map();
    const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n").filter((line) => line !== "") : [];
    for (const line of lines) found.set(...JSON.parse(line));
    found.skipped = /^skip: |^1 skipped in /m.test(output); // the whole file, which has said why
    if (options.verbose || problem || (found.size === 0 && !found.skipped)) {
      console.log(`--- ${suite.name}/${file} on ${side}: ${problem ?? "ended"}, ${found.size} tests; the end of what it printed:`);
      console.log(options.verbose ? output : output.slice(-3000));
    }
    return found;
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

const passing = (found) => [...found].filter(([, outcome]) => outcome === "passed").map(([id]) => id);

/** Compares one file on one runtime with plain Python. */
async function compare(job, side) {
  job.plain ??= await outcomes(job, "python");
  const there = passing(job.plain);
  const found = await outcomes(job, side);
  const ours = new Set(passing(found));
  let differing = there.filter((id) => !ours.has(id));
  const first = differing.length;
  const explained = differing.filter((id) => reasonFor(job.suite.name, id, options.bounce));
  differing = differing.filter((id) => !explained.includes(id));
  const unexplained = differing.length;
  // What hung or crashed comes last, or the others would not run this time either.
  differing.sort((left, right) => Number(found.get(left) === "started") - Number(found.get(right) === "started"));
  for (let attempt = 0; attempt < attempts && differing.length > 0; attempt++) {
    const again = [await outcomes(job, "python", differing), await outcomes(job, side, differing)];
    const [plainAgain, oursAgain] = again.map((found) => new Set(passing(found)));
    differing = differing.filter((id) => plainAgain.has(id) && !oursAgain.has(id));
  }
  // A process that dies takes the tests after this one with it, even if this one passes when it is run again.
  differing.push(...there.filter((id) => found.get(id) === "started" && !explained.includes(id) && !differing.includes(id)));
  if (there.length === 0 && !job.plain.skipped) differing.push("nothing passes in plain Python");
  for (const id of differing) console.log(`DIFFERS ${job.suite.name} on ${side}: ${id}`);
  return { there: there.length, here: there.length - first, later: Math.max(0, unexplained - differing.length), explained, differing };
}

function wanted(suite, file) {
  return only === undefined || only.some(([name, part]) => name === suite.name && (part === undefined || part === file));
}

async function filesOf(suite, python) {
  const { part = [], bounce = [], bouncedPart = [], files } = suite;
  const chosen = options.bounce ? (options.part ? bouncedPart : bounce) : options.part ? part : files;
  if (suite.version !== undefined) return chosen;
  // What the interpreter ships: older ones lack some.
  const folder = await ask(python, "__import__('test.test_asyncio').test_asyncio.__path__[0]");
  const shipped = readdirSync(folder).filter((name) => /^test_.*\.py$/.test(name)).map((name) => name.slice(0, -3)).sort();
  return (chosen ?? shipped).filter((name) => shipped.includes(name));
}

/** Takes jobs from a list until it is empty. */
async function work(jobs, sides, rows) {
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
    for (const side of sides) {
      const start = Date.now();
      const result = await compare(job, side);
      rows.push({ suite: job.suite, file: job.file, side, ...result });
      const { there, here, later, explained, differing } = result;
      console.log(
        `${differing.length ? "FAILED" : "ok    "}  ${job.suite.name}/${job.file} on ${side}: ${there} pass in Python, ${here} here, ` +
          `${later} alone, ${explained.length} known, ${differing.length} differ (${Math.round((Date.now() - start) / 1000)} s)`,
      );
    }
  }
}

function table(rows) {
  const lines = [
    "| Suite | Runtime | Files | Pass in Python | Pass here too | Only when run again | Known to differ | Differ |",
    "| --- | --- | --: | --: | --: | --: | --: | --: |",
  ];
  for (const suite of suites) {
    for (const side of options.runtime.split(",")) {
      const own = rows.filter((row) => row.suite === suite && row.side === side);
      if (own.length === 0) continue;
      const sum = (pick) => own.reduce((total, row) => total + pick(row), 0);
      const name = suite.version ? `${suite.name} ${suite.version}` : suite.name;
      const counts = [own.length, sum((r) => r.there), sum((r) => r.here), sum((r) => r.later), sum((r) => r.explained.length)];
      lines.push(`| ${[name, side, ...counts, sum((r) => r.differing.length)].join(" | ")} |`);
    }
  }
  return lines.join("\n");
}

const version = await ask(options.python, "sys.version.split()[0]");
console.log(`Python ${version}, ${process.platform} ${release()} ${process.arch}, ${cpus().length} processors, ${options.runtime}`);
const sides = options.runtime.split(",");
for (const side of sides) {
  const { stdout } = spawnSync(runtime(side), ["--version"], { encoding: "utf8" });
  console.log(`${side}: ${stdout.split("\n")[0]}`);
}

const jobs = [];
let missing = 0;
for (const suite of suites) {
  let files = [];
  try {
    files = (await filesOf(suite, options.python)).filter((file) => wanted(suite, file));
    if (files.length === 0) continue;
    const place = await prepare(suite, options.python);
    for (const file of files) jobs.push({ suite, file, place });
  } catch (error) {
    missing++;
    // pip's and Python's last line says what is wrong.
    console.log(`skip: ${suite.name} is left out: ${(error.stderr || error.message).trim().split("\n").at(-1)}`);
  }
}
const rows = [];
await Promise.all(Array.from({ length: atOnce }, () => work(jobs, sides, rows)));

console.log(`\n${table(rows)}\n`);
for (const { differing, explained, side, suite } of rows) {
  for (const id of explained) console.log(`known   ${suite.name} on ${side}: ${id}: ${reasonFor(suite.name, id, options.bounce)}`);
  for (const id of differing) console.log(`FAILED  ${suite.name} on ${side}: ${id}`);
}
if (missing > 0) console.log(`skip: ${missing} suites were left out, see above`);
const failed = rows.reduce((total, row) => total + row.differing.length, 0);
const passed = rows.reduce((total, row) => total + row.here + row.later, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || (rows.length === 0 && missing === 0) ? 1 : 0);
