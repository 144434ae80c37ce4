/**
 * Runs the tests: every test/*_test.ts on every runtime, one process per file, two at a time.
 *
 *     node test/run.mjs [--runtime node,deno,bun] [FILTER...]
 *
 * A FILTER keeps the files whose names contain it. A runtime may also be the path of another Node. Deno and Bun
 * run the sources, Node what `node scripts/build.mjs node` made of them. The working directory is the project's.
 *
 * Each runtime writes its results as JUnit XML into a file, where nothing that a test prints can be taken for
 * one. A crash, a time-out, an exit code that no failed test explains and a file without tests are failures.
 * Deno and Bun do not report why a test was skipped, so a test prints it: a line `skip: REASON`.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import { root, runtime } from "../scripts/runtimes.mjs";

const atOnce = 2;
const limit = 600_000; // a hang; the longest file takes three minutes on a quiet machine, and a shared one may be three times as slow

/** The arguments that run a test file on a runtime and put the results into `report`. */
const commands = {
  node: (name, report) => [
    "--expose-gc",
    "--enable-source-maps",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    `.build/test/${name}.js`,
  ],
  deno: (name, report) => [
    "test",
    "--allow-all",
    "--no-check",
    "--v8-flags=--expose-gc",
    "--preload=./test/preload.mjs",
    `--junit-path=${report}`,
    `test/${name}.ts`,
  ],
  bun: (name, report) => [
    "test",
    "--preload=./test/preload.mjs",
    `--timeout=${limit}`,
    "--reporter=junit",
    `--reporter-outfile=${report}`,
    `./test/${name}.ts`,
  ],
};

/** Process groups that are running, to be ended with this process. */
const running = new Set();

function killGroup(pid) {
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
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
      env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
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
      name: unescape(/ name="([^"]*)"/.exec(attributes)?.[1] ?? ""),
      failed: /<(failure|error)\b/.test(body),
      skipped: skipped !== null,
      reason: skipped?.[1] ? unescape(unescape(skipped[1])) : undefined, // Node escapes it twice
    };
  });
  // Deno also lists a test that has steps, or a describe(), as a test: only what is in it counts.
  return tests.filter(({ name }) => !tests.some((other) => other.name.startsWith(`${name} > `)));
}

async function runFile(kind, program, name, folder) {
  const report = join(folder, `${name}.xml`);
  const { output, problem } = await run(program, commands[kind](name, report));
  const tests = readReport(report);
  const skipped = tests.filter((test) => test.skipped);
  const failed = tests.filter((test) => test.failed).length;
  const printed = [...output.matchAll(/^\s*skip: (.+)$/gm)].map((match) => match[1].trim());
  const problems = [];
  // A failed test explains an exit code, but neither a signal nor a time-out.
  if (problem && !(failed > 0 && problem.startsWith("exit code"))) problems.push(problem);
  if (kind === "deno" && /^Uncaught in a test file:/m.test(output)) problems.push("uncaught error");
  if (tests.length === 0) problems.push("no test was run");
  return {
    output,
    wrong: [...(failed > 0 ? [`${failed} failed`] : []), ...problems].join(", "),
    passed: tests.length - skipped.length - failed,
    failed: failed + (problems.length > 0 ? 1 : 0),
    skipped: skipped.length,
    reasons: [...new Set([...skipped.flatMap((test) => test.reason ?? []), ...printed])],
  };
}

function readArguments(args) {
  const filters = [...args];
  const at = filters.indexOf("--runtime");
  const names = at < 0 ? ["node", "deno", "bun"] : filters.splice(at, 2)[1].split(",");
  const runtimes = names.map((name) => {
    const kind = name.includes("/") ? "node" : name;
    const program = name.includes("/") ? name : runtime(name);
    const text = spawnSync(program, ["--version"], { encoding: "utf8" }).stdout;
    return { kind, program, label: `${kind} ${/\d+\.\d+\.\d+/.exec(text)?.[0]}` };
  });
  const files = readdirSync(join(root, "test"))
    .filter((file) => file.endsWith("_test.ts") && filters.every((filter) => file.includes(filter)))
    .map((file) => file.slice(0, -".ts".length))
    .sort();
  return { runtimes, files };
}

const { runtimes, files } = readArguments(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "pyawait-test-"));
process.on("exit", () => {
  running.forEach(killGroup);
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

let passed = 0;
let failed = 0;
for (const { kind, program, label } of runtimes) {
  const results = new Map();
  const waiting = [...files];
  const worker = async () => {
    for (let name; (name = waiting.shift());) {
      const result = await runFile(kind, program, name, mkdtempSync(join(folder, `${kind}-`)));
      results.set(name, result);
      if (result.failed === 0) continue;
      console.log(
        `---- ${label}, test/${name}.ts: ${result.wrong}\n${stripVTControlCharacters(result.output).trimEnd()}\n----`,
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const total = (key) => files.reduce((sum, name) => sum + results.get(name)[key], 0);
  console.log(`${label}: ${total("passed")} passed, ${total("failed")} failed, ${total("skipped")} skipped`);
  for (const name of files) {
    const { skipped, reasons } = results.get(name);
    if (skipped > 0) {
      console.log(`  skipped ${skipped} in ${name}: ${reasons.join("; ") || "no reason printed"}`);
    }
  }
  passed += total("passed");
  failed += total("failed");
}
if (files.length === 0) failed++;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
