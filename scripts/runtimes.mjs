/**
 * Finds the JavaScript runtimes. Deno and Bun come from npm and are started directly, never through `.bin` or `npx`:
 * Bun's launcher needs an install script, and Deno's hides crashes and swallows signals.
 *
 *     node scripts/runtimes.mjs deno fmt --check     runs one of them with arguments, in the project's folder
 *     node scripts/runtimes.mjs --here bun x.ts      the same, in the working directory
 */
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
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

/** The executable of a runtime: `node` (the one that runs this script), `deno` or `bun`. */
export function runtime(name) {
  // A real binary has megabytes; before its install script ran, bun.exe is a text file that says so.
  const found = places[name]?.find((path) => existsSync(path) && statSync(path).size > 1_000_000);
  if (found === undefined) throw new Error(`Cannot find ${name}: run "npm ci" first`);
  return found;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const here = process.argv[2] === "--here";
  const [name, ...args] = process.argv.slice(here ? 3 : 2);
  const { status, error } = spawnSync(runtime(name), args, { cwd: here ? process.cwd() : root, stdio: "inherit" });
  if (error) throw error;
  process.exit(status ?? 1);
}
