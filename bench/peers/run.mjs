/**
 * Installs the other bridges into `.peers`, and measures them in turns, each in a process of its own, on Node.
 *
 * What cannot be installed, built or run is left out, with its reason in the result.
 */
import { execFile, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import os from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { python } from "../../.build/mod.js";
import { root } from "../../scripts/runtimes.mjs";

const source = fileURLToPath(new URL(".", import.meta.url)), folder = join(root, ".peers");
const npm = process.platform === "win32" ? "npm.cmd" : "npm";

/** What is compiled uses the Python that pyawait uses: it is the first on the path, for python3-config and for PyO3. */
const { executable, library } = python.info;
const env = {
  ...process.env,
  PATH: `${dirname(executable)}${delimiter}${process.env.PATH}`,
  LD_LIBRARY_PATH: [dirname(library), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
  PYO3_PYTHON: executable,
};

/** Runs an installer's command; throws with the end of what it printed. */
function install(command, args, cwd, more = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env: { ...env, ...more }, encoding: "utf8" });
  if (status === 0) return;
  const last = `${error?.message ?? ""}\n${stdout}\n${stderr}`.trim().split("\n").slice(-3).join(" ").slice(0, 300);
  throw new Error(`${command} ${args.join(" ")}: ${last}`);
}

/** Compiles a package's addon, with the headers beside this Node where they are: they need not be downloaded then. */
function compile(name) {
  const built = join(folder, "node_modules", name, "build");
  if (existsSync(built)) return;
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, "include/node/node_api.h")) ? { npm_config_nodedir: prefix } : {};
  install(npm, ["rebuild", "--ignore-scripts=false", name], folder, { ...headers, CXXFLAGS: "-std=c++17" });
}

/** The packages of package.json, not yet compiled; once. */
let packages;
function installPackages() {
  if (packages === undefined) {
    packages = "";
    try {
      if (!existsSync(join(folder, "node_modules"))) install(npm, ["ci"], folder);
    } catch (error) {
      packages = error.message;
    }
  }
  if (packages) throw new Error(packages);
}

const script = (name) => (seconds) => [process.execPath, join(folder, `${name}.mjs`), root, seconds];
const peers = [
  { name: "pyawait", version: ownVersion, prepare() {}, command: script("pyawait") },
  { name: "pyodide", version: npmVersion, prepare: installPackages, command: script("pyodide") },
  { name: "pythonia", version: npmVersion, prepare: installPackages, command: script("pythonia") },
  ...["node-calls-python", "pymport"].map((name) => ({
    name,
    version: npmVersion,
    prepare: () => (installPackages(), compile(name)),
    command: script(name),
  })),
  {
    name: "pyo3-async-runtimes",
    version: () => /pyo3-async-runtimes = .*"=(.*?)"/.exec(readFileSync(join(source, "pyo3/Cargo.toml"), "utf8"))[1],
    prepare: () => install("cargo", ["build", "--release", "--quiet"], join(folder, "pyo3")),
    command: (seconds) => [join(folder, "pyo3/target/release/pyo3-peer"), join(folder, "called.py"), seconds],
  },
];

function ownVersion() {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
}

function npmVersion(name) {
  return JSON.parse(readFileSync(join(source, "package.json"), "utf8")).dependencies[name];
}

function once([program, ...args]) {
  return new Promise((resolve, reject) => {
    execFile(program, args.map(String), { cwd: folder, env, timeout: 120_000, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      const line = stdout.trim().split("\n").at(-1); // some peers crash at their end, with all figures there
      if (line.startsWith("{")) resolve(JSON.parse(line));
      else reject(new Error(stderr.trim().split("\n").slice(-3).join(" ").slice(0, 300) || error?.message));
    });
  });
}

/** Figures in microseconds of every peer, the medians of a few turns; of one that failed, the reason. */
export async function measurePeers(quick) {
  mkdirSync(folder, { recursive: true });
  cpSync(source, folder, { recursive: true });
  cpSync(join(source, "..", "called.py"), join(folder, "called.py"));
  const rounds = quick ? 1 : 5, results = [];
  for (const peer of peers) {
    const result = { name: peer.name, version: peer.version(peer.name), runs: [] };
    try {
      peer.prepare();
    } catch (error) {
      result.reason = error.message;
    }
    results.push(result);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [index, result] of results.entries()) {
      if (result.reason) continue;
      try {
        result.runs.push(await once(peers[index].command(quick ? 0.02 : 0.3)));
        console.error(`${result.name}: ${JSON.stringify(result.runs.at(-1).figures)}`);
      } catch (error) {
        result.reason = error.message;
      }
    }
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${process.platform}-${process.arch}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim()}`,
    runtime: `node ${process.versions.node}`,
    rounds,
    peers: results.map(({ name, version, reason, runs }) =>
      reason ? { name, version, reason } : { name, version, python: runs[0].python, figures: medians(runs.map(({ figures }) => figures)) }
    ),
  };
}

function medians(runs) {
  const median = (values) => values.includes(null) ? null : values.sort((a, b) => a - b)[values.length >> 1];
  return Object.fromEntries(Object.keys(runs[0]).map((name) => [name, median(runs.map((figures) => figures[name]))]));
}
