/**
 * Finds the JavaScript runtimes. Deno and Bun come from npm and are started directly, never through `.bin` or `npx`:
 * Bun's launcher needs an install script, and Deno's hides crashes and swallows signals.
 *
 *     node scripts/runtimes.mjs deno fmt --check     runs one of them with arguments, in the project's folder
 *     node scripts/runtimes.mjs --here bun x.ts      the same, in the working directory
 *     node scripts/runtimes.mjs node@26 --version    a version that npm has, downloaded to .runtimes/ the first time
 */
import { execSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The project's folder, without a trailing slash. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

const modules = `${root}/node_modules`;
const exe = process.platform === "win32" ? ".exe" : "";
const { arch, platform } = process;
const os = platform === "win32" ? "windows" : platform;
const bunArch = arch === "arm64" ? "aarch64" : arch;

/** Paths at which each runtime may be; the first that exists is used. Install scripts, where they ran, move Bun's. */
const places = {
  node: [process.execPath],
  deno: [
    `${modules}/@deno/${platform}-${arch}-glibc/deno`,
    `${modules}/@deno/${platform}-${arch}/deno${exe}`,
  ],
  bun: [
    `${modules}/@oven/bun-${os}-${bunArch}/bin/bun${exe}`,
    `${modules}/bun/bin/bun.exe`,
  ],
};

/** The npm package that has a runtime's executable for this platform, and where in it. */
const packages = {
  node: [
    `${platform === "darwin" && arch === "arm64" ? "node-bin" : "node"}-${platform === "win32" ? "win" : platform}-${arch}`,
    `bin/node${exe}`,
  ],
  deno: [`@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`, `deno${exe}`],
  bun: [`@oven/bun-${os}-${bunArch}`, `bin/bun${exe}`],
};

/** Whether it is an executable: before its install script ran, bun.exe is a text file that says so. */
const isProgram = (path) => existsSync(path) && statSync(path).size > 1_000_000;

/** `node`, `deno` or `bun`: what a name of {@linkcode runtime} is. A path is that of a Node. */
export const kindOf = (name) => /[\\/]/.test(name) ? "node" : name.split("@")[0];

/**
 * The executable of a runtime: `node` (the one that runs this script), `deno` or `bun`; a version of one that npm has
 * (`node@22.12.0`, or `node@22` for the newest of these when it is downloaded); or the path of a Node, as it is.
 */
export function runtime(name) {
  const kind = kindOf(name);
  if (name !== kind && !name.startsWith(`${kind}@`)) return name;
  if (!Object.hasOwn(places, kind)) throw new Error(`There is no runtime "${name}": node, deno or bun, with or without @VERSION`);
  if (name !== kind) return download(kind, name.slice(kind.length + 1));
  const found = places[kind].find(isProgram);
  if (found === undefined) throw new Error(`Cannot find ${name}: run "npm ci" first`);
  return found;
}

/** A version of a runtime in .runtimes/. npm compares what it downloads with the integrity that the registry gives. */
function download(kind, version) {
  if (!/^[\w.^~-]+$/.test(version)) throw new Error(`"${version}" is no version of ${kind}`); // it goes to a shell
  const [name, inside] = packages[kind];
  const folder = `${root}/.runtimes/${kind}@${version}`, program = `${folder}/node_modules/${name}/${inside}`;
  if (isProgram(program)) return program;
  mkdirSync(`${root}/.runtimes`, { recursive: true });
  const made = mkdtempSync(`${folder}.`);
  try {
    writeFileSync(`${made}/package.json`, "{}"); // else npm takes the project's folder
    const flags = "--no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error";
    execSync(`npm install ${flags} "${name}@${version}"`, { cwd: made, stdio: ["ignore", "ignore", "inherit"] });
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  if (!isProgram(program)) throw new Error(`${name}@${version} has no ${inside}`);
  return program;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const here = process.argv[2] === "--here";
  const [name, ...args] = process.argv.slice(here ? 3 : 2);
  const { status, error } = spawnSync(runtime(name), args, { cwd: here ? process.cwd() : root, stdio: "inherit" });
  if (error) throw error;
  process.exit(status ?? 1);
}
