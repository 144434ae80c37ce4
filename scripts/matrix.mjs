/**
 * Runs the tests on every Python that is found, times every runtime, and prints a table.
 *
 *     npm run matrix -- [--python 3.8,3.13,/path/to/python3] [--runtime node,deno,bun,/path/to/node] [--logs FOLDER] [FILTER...]
 *
 * Without `--python`: every CPython that pyawait can load, of pyenv, uv, conda, PATH, PYAWAIT_PYTHON and PYAWAIT_TEST_PYTHONS
 * (paths, separated as in PATH); what is found and cannot be loaded is listed with the reason. A version takes each build of it,
 * a path that one. FILTER keeps test files, as in test/run.mjs, which runs once per cell and whose output is kept in
 * FOLDER, `.matrix` by default. A cell is `passed/failed/skipped`. The last line is `N passed, N failed`; the exit code
 * is 1 if a test failed or a cell passed none, and 2 for a wrong argument.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { survey } from "../.build/src/locate/locate.js";
import { root } from "./runtimes.mjs";

const { env } = process;
const { compare } = new Intl.Collator("en", { numeric: true });

/** Ends with an explanation. */
function refuse(problem) {
  console.error(problem);
  process.exit(2);
}

/** The names in a folder; none if there is no such folder. */
function list(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Pythons that may be there: of the tools that install several, then on PATH. */
function* paths() {
  const home = homedir();
  const folders = [
    join(env.PYENV_ROOT ?? join(home, ".pyenv"), "versions"),
    env.UV_PYTHON_INSTALL_DIR ?? join(env.XDG_DATA_HOME ?? join(home, ".local/share"), "uv/python"),
    ...["anaconda3", "miniconda3", "miniforge3"].map((name) => join(home, name, "envs")),
  ];
  for (const folder of folders) {
    for (const name of list(folder)) yield join(folder, name);
  }
  yield* (env.PYAWAIT_TEST_PYTHONS ?? "").split(delimiter).filter(Boolean);
  for (const folder of (env.PATH ?? "").split(delimiter)) {
    // pyenv's shims are scripts for what is in its versions.
    if (folder === join(env.PYENV_ROOT ?? join(home, ".pyenv"), "shims")) continue;
    for (const name of list(folder)) if (/^python3\.\d+t?(-dbg)?(\.exe)?$/.test(name)) yield join(folder, name);
  }
}

/** What pyawait says of a Python: where it is and its build, or why it cannot be loaded. */
function describe({ candidate, found }) {
  if (found instanceof Error) return { path: candidate.path, problem: found.tried[0].problem };
  const { executable, library, version, gil } = found;
  const kinds = [...(gil ? [] : ["free-threaded"]), ...(/\dt?_?d\b/.test(library) ? ["debug"] : [])];
  return { path: executable, version, library: realpathSync(library), label: [version, ...kinds].join(" ") };
}

const examine = (path) => describe(survey({ executable: path }).next().value);

/** Every Python, each library once. */
function findPythons() {
  const found = new Map();
  for (const python of [...[...paths()].map(examine), ...[...survey()].map(describe)]) {
    const key = python.library ?? python.path;
    if (!found.has(key)) found.set(key, python);
  }
  return [...found.values()].sort((a, b) => compare(a.label ?? "", b.label ?? ""));
}

/** The Pythons that the user names, or all that can be loaded. */
function choosePythons(names) {
  const all = findPythons();
  if (names === undefined) {
    for (const { path, problem } of all) if (problem) console.log(`left out: ${path} ${problem}`);
    return all.filter((python) => !python.problem);
  }
  return names.split(",").flatMap((name) => {
    const matching = /^\d+(\.\d+)*$/.test(name) ? all.filter(({ version }) => `${version}.`.startsWith(`${name}.`)) : [examine(name)];
    if (matching.length === 0) refuse(`There is no Python ${name} here that can be loaded`);
    for (const { path, problem } of matching) if (problem) refuse(`${path} ${problem}`);
    return matching;
  });
}

/** Runs the tests in one cell: what came of them, as test/run.mjs counts it. */
async function runCell(python, runtime, number) {
  const log = join(options.logs, `${number} ${python.label} ${runtime}.log`.replace(/[^\w.-]+/g, "-"));
  const file = openSync(log, "w");
  running = spawn(process.execPath, ["test/run.mjs", "--runtime", runtime, ...filters], {
    cwd: root,
    env: { ...env, PYAWAIT_PYTHON: python.path },
    stdio: ["ignore", file, file],
  });
  const [code, signal] = await once(running, "exit");
  closeSync(file);
  const output = readFileSync(log, "utf8");
  const counted = /^(\S+ \S+): (\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(output) ?? [];
  const [passed = 0, failed = 0, skipped = 0] = counted.slice(2).map(Number);
  const problem = failed > 0
    ? [...output.matchAll(/^---- (.*)$/gm)].map((match) => match[1]).join("\n")
    : code !== 0
    ? `test/run.mjs ended with ${signal ?? `exit code ${code}`}`
    : passed === 0
    ? "no test was run"
    : undefined;
  return { log, label: counted[1], passed, failed: failed || (problem ? 1 : 0), skipped, problem };
}

const { values: options, positionals: filters } = parseArgs({
  options: {
    python: { type: "string" },
    runtime: { type: "string", default: "node,deno,bun" },
    logs: { type: "string", default: join(root, ".matrix") },
  },
  allowPositionals: true,
});
let running;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    running?.kill(signal); // it ends what it has started
    process.exit(1);
  });
}
const pythons = choosePythons(options.python);
const runtimes = options.runtime.split(",");
rmSync(options.logs, { recursive: true, force: true });
mkdirSync(options.logs, { recursive: true });

const cells = [];
for (const python of pythons) {
  for (const runtime of runtimes) {
    const number = cells.length + 1;
    const place = `${number} of ${pythons.length * runtimes.length}: CPython ${python.label} (${python.path}), ${runtime}`;
    if (process.stdout.isTTY) process.stdout.write(`${place} …\r`);
    const start = Date.now();
    const cell = await runCell(python, runtime, number);
    cells.push({ python, runtime, ...cell });
    const counts = `${cell.passed} passed, ${cell.failed} failed, ${cell.skipped} skipped`;
    console.log(`${place}: ${counts}, ${Math.round((Date.now() - start) / 1000)} s`);
    if (cell.problem) console.log(`${cell.problem}\n  see ${cell.log}`);
  }
}

const row = (...columns) => console.log(`| ${columns.join(" | ")} |`);
const cellOf = (python, runtime) => cells.find((cell) => cell.python === python && cell.runtime === runtime);
console.log();
row("CPython", ...runtimes.map((runtime) => cells.find((cell) => cell.runtime === runtime && cell.label)?.label ?? runtime));
row("---", ...runtimes.map(() => "---"));
for (const python of pythons) {
  row(
    python.label,
    ...runtimes.map((runtime) => {
      const { passed, failed, skipped } = cellOf(python, runtime);
      return `${passed}/${failed}/${skipped}`;
    }),
  );
}
const total = (key) => cells.reduce((sum, cell) => sum + cell[key], 0);
console.log(`\n${total("passed")} passed, ${total("failed")} failed`);
process.exitCode = total("failed") > 0 ? 1 : 0;
