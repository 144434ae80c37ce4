/**
 * Runs the tests: every file `*_test.ts` below test/ on every runtime, one process per file, two at a time.
 *
 *     node test/run.mjs [--runtime node,deno,bun] [--no-koffi] [--only "part of a test's title"] [FILTER...]
 *
 * A FILTER keeps the files whose path contains it, and several keep those that contain any of them: `cancel`,
 * `test/async/`, `proxy/json_test.ts`. `--only` runs the tests whose title contains the text, taken literally; a
 * file without such a test does not fail then, but a run in which none matches does. A runtime may also be a version
 * (`node@26`, `deno@2.8.1`), which scripts/runtimes.mjs downloads, or the path of another Node. With
 * `--no-koffi` Node finds no koffi, and so uses node:ffi, which it has from 26.10 on. Deno and Bun run the sources, Node runs what `node scripts/build.mjs node` made of them. The
 * working directory of the tests is the project's. PYAWAIT_TEST_TITLES=FILE writes a line for each test that matched,
 * with its runtime, file and title, so that two commits can be compared.
 *
 * Each runtime writes its results as JUnit XML into a file, where nothing that a test prints can be taken for
 * one. A crash, a time-out, an exit code that no failed test explains and a file without tests are failures.
 * Deno and Bun do not report why a test was skipped, so a test prints it: a line `skip: REASON`.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { kindOf, root, runtime } from "../scripts/runtimes.mjs";

const atOnce = 2;
const withoutKoffi = `--disable-warning=ExperimentalWarning --require="${
  join(root, "test/support/without_koffi.cjs").replaceAll("\\", "\\\\")
}"`;
const limit = 600_000; // a hang; the longest file takes three minutes on a quiet machine, and a shared one may be three times as slow

/** The arguments that run the tests of a file whose titles match `pattern`, if there is one, and put the results into `report`. */
const commands = {
  node: (name, report, pattern) => [
    "--expose-gc",
    "--enable-source-maps",
    ...(pattern ? [`--test-name-pattern=${pattern}`] : []),
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    `.build/test/${name}.js`,
  ],
  deno: (name, report, pattern) => [
    "test",
    "--allow-all",
    "--no-check",
    "--v8-flags=--expose-gc",
    "--preload=./test/support/preload.mjs",
    ...(pattern ? [`--filter=/${pattern}/`] : []),
    `--junit-path=${report}`,
    `test/${name}.ts`,
  ],
  bun: (name, report, pattern) => [
    "test",
    "--preload=./test/support/preload.mjs",
    `--timeout=${limit}`,
    ...(pattern ? [`--test-name-pattern=${pattern}`] : []),
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    `./test/${name}.ts`,
  ],
};

/** Process groups that are running, to be ended with this process. */
const running = new Set();

function killGroup(pid) {
  if (process.platform === "win32") {
    spawnSync("taskkill", ["/F", "/T", "/PID", String(pid)], { stdio: "ignore" });
    return;
  }
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Runs a program to its end: its output, and in words how it ended if not well. */
function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: root,
      detached: process.platform !== "win32",
      env: { ...process.env, ...(noKoffi && { NODE_OPTIONS: withoutKoffi }), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let problem;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => output += text);
    }
    const timer = setTimeout(() => {
      problem = `not done after ${limit / 1000} s`;
      killGroup(child.pid);
    }, limit);
    running.add(child.pid);
    child.on("error", (error) => problem = error.message);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      if (code !== 0) problem ??= signal ? `killed by ${signal}` : `exit code ${code}`;
      // What the test left running would hold the pipes open.
      setTimeout(() => killGroup(child.pid), 1000).unref();
    });
    child.on("close", () => {
      clearTimeout(timer);
      killGroup(child.pid);
      running.delete(child.pid);
      resolve({ output, problem });
    });
  });
}

function unescape(text) {
  const names = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => names[name]);
}

/** The tests in a JUnit file: what each is called and what came of it. */
function readReport(path) {
  if (!existsSync(path)) return [];
  const xml = readFileSync(path, "utf8");
  const cases = [...xml.matchAll(/<testcase((?:\s+[\w:]+="[^"]*")*)\s*(?:\/>|>([^]*?)<\/testcase>)/g)];
  const tests = cases.map(([, attributes, body = ""]) => {
    const skipped = /<skipped(?:[^>]*? message="([^"]*)")?/.exec(body);
    return {
      name: unescape(unescape(/ name="([^"]*)"/.exec(attributes)?.[1] ?? "")), // Node escapes it twice
      failed: /<(failure|error)\b/.test(body),
      skipped: skipped !== null,
      reason: skipped?.[1] ? unescape(unescape(skipped[1])) : undefined,
    };
  });
  // Deno also lists a test that has steps, or a describe(), as a test: only what is in it counts.
  return tests.filter(({ name }) => !tests.some((other) => other.name.startsWith(`${name} > `)));
}

async function runFile(kind, program, name, folder) {
  const report = join(folder, "results.xml");
  const pattern = only?.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const start = Date.now();
  const { output, problem } = await run(program, commands[kind](name, report, pattern));
  // The runtimes list tests whose titles do not match as skipped.
  const tests = readReport(report).filter((test) => only === undefined || test.name.includes(only));
  const skipped = tests.filter((test) => test.skipped);
  const failed = tests.filter((test) => test.failed).length;
  const printed = [...output.matchAll(/^\s*skip: (.+)$/gm)].map((match) => match[1].trim());
  const problems = [];
  // A failed test explains an exit code, but neither a signal nor a time-out. Bun has one for a file without a match.
  const explained = failed > 0 || (only !== undefined && /^error: regex .* matched 0 tests/m.test(output));
  if (problem && !(explained && problem.startsWith("exit code"))) problems.push(problem);
  if (kind === "deno" && /^Uncaught in a test file:/m.test(output)) problems.push("uncaught error");
  if (tests.length === 0 && only === undefined) problems.push("no test was run");
  return {
    output,
    seconds: Math.round((Date.now() - start) / 1000),
    titles: tests.map((test) => test.name),
    wrong: [...(failed > 0 ? [`${failed} failed`] : []), ...problems].join(", "),
    passed: tests.length - skipped.length - failed,
    failed: failed + (problems.length > 0 ? 1 : 0),
    skipped: skipped.length,
    reasons: [...new Set([...skipped.flatMap((test) => test.reason ?? []), ...printed])],
  };
}

/** A runtime by its name: what it is, its program and its name with its version. */
function findRuntime(name) {
  const kind = kindOf(name), program = runtime(name);
  const text = spawnSync(program, ["--version"], { encoding: "utf8" }).stdout;
  return { kind, program, label: `${kind} ${/\d+\.\d+\.\d+/.exec(text)?.[0]}${noKoffi ? " without koffi" : ""}` };
}

/** Folders and files whose tests take longest come first: what is begun last should not take long. */
const longest = ["soak/", "project/", "loops/uvloop", "native/shim_file"];

/** The paths of the test files below test/ without their ending. */
function findFiles(filters) {
  const first = (name) => longest.some((long) => name.startsWith(long)) ? 0 : 1;
  return readdirSync(join(root, "test"), { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith("_test.ts"))
    .filter((path) => filters.length === 0 || filters.some((filter) => `test/${path}`.includes(filter)))
    .map((path) => path.slice(0, -".ts".length))
    .sort((a, b) => first(a) - first(b) || (a < b ? -1 : 1));
}

const { values: { runtime: names, only, "no-koffi": noKoffi }, positionals: filters } = parseArgs({
  options: {
    runtime: { type: "string", default: "node,deno,bun" },
    only: { type: "string" },
    "no-koffi": { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const runtimes = names.split(",").map(findRuntime);
const files = findFiles(filters);
const folder = mkdtempSync(join(tmpdir(), "pyawait-test-"));
process.on("exit", () => {
  running.forEach(killGroup);
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

let passed = 0;
let failed = 0;
let skipped = 0;
const titles = [];
for (const { kind, program, label } of runtimes) {
  const results = new Map();
  const waiting = [...files];
  const worker = async () => {
    for (let name; (name = waiting.shift());) {
      const result = await runFile(kind, program, name, mkdtempSync(join(folder, `${kind}-`)));
      results.set(name, result);
      for (const title of result.titles) titles.push(`${kind}\t${name}\t${title}\n`);
      if (result.failed === 0) continue;
      console.log(
        `---- ${label}, test/${name}.ts: ${result.wrong}\n${stripVTControlCharacters(result.output).trimEnd()}\n----`,
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const total = (key) => files.reduce((sum, name) => sum + results.get(name)[key], 0);
  console.log(`${label}: ${total("passed")} passed, ${total("failed")} failed, ${total("skipped")} skipped`);
  const slowest = files.toSorted((a, b) => results.get(b).seconds - results.get(a).seconds).slice(0, 8);
  console.log(`  slowest: ${slowest.map((name) => `${name} ${results.get(name).seconds} s`).join(", ")}`);
  for (const name of files) {
    const result = results.get(name);
    if (result.skipped > 0) {
      console.log(`  skipped ${result.skipped} in ${name}: ${result.reasons.join("; ") || "no reason printed"}`);
    }
  }
  passed += total("passed");
  failed += total("failed");
  skipped += total("skipped");
}
if (process.env.PYAWAIT_TEST_TITLES) writeFileSync(process.env.PYAWAIT_TEST_TITLES, titles.sort().join(""));
if (passed + failed + skipped === 0) {
  console.log(`There is no such test: ${process.argv.slice(2).join(" ")}`);
  failed++;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
