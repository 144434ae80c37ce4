/**
 * Formats the sources, or says which ones are not formatted, and lints the Python.
 *
 *     node scripts/format.mjs             formats
 *     node scripts/format.mjs --check     changes nothing; exit code 1 where something is not formatted
 *
 * C by clang-format (.clang-format), Python by ruff, both as WebAssembly from npm, so that every machine has the same
 * version and none needs an install script; TypeScript, JavaScript, JSON and Markdown by `deno fmt` (deno.json).
 */
import { PositionEncoding, Workspace } from "@astral-sh/ruff-wasm-nodejs";
import { format as formatC } from "@wasm-fmt/clang-format/node";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root, runtime } from "./runtimes.mjs";

/** Files below these folders whose names match, as paths relative to the project's folder. */
function files(folders, pattern) {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name).replaceAll("\\", "/"))
  ).filter((path) => pattern.test(path)).sort();
}

/** A ruff workspace for the oldest supported Python. */
function workspace(ignore) {
  return new Workspace({
    "target-version": "py38",
    "line-length": 120,
    "format": { "skip-magic-trailing-comma": true },
    "lint": { "select": ["E9", "F", "B006"], ignore },
  }, PositionEncoding.Utf16);
}
const standalone = workspace([]);
/** The chapters of a module share one namespace: one uses what another imports or defines. */
const chapter = workspace(["F401", "F821", "F822"]);
const workspaceOf = (path) => path.startsWith("src/") ? chapter : standalone;

const clangFormat = readFileSync(join(root, ".clang-format"), "utf8");
const languages = [
  [files(["ffi", "test"], /\.[ch]$/), (path, text) => formatC(text, path, clangFormat)],
  [files(["src", "bench", "test"], /\.py$/), (path, text) => workspaceOf(path).format(text)],
];

const [flag, ...more] = process.argv.slice(2);
if ((flag !== undefined && flag !== "--check") || more.length > 0) {
  throw new Error(`Cannot format "${[flag, ...more].join(" ")}": the only option is --check`);
}
const check = flag === "--check";
let wrong = 0;

for (const [paths, format] of languages) {
  for (const path of paths) {
    const text = readFileSync(join(root, path), "utf8");
    const formatted = format(path, text);
    if (formatted === text) continue;
    if (!check) writeFileSync(join(root, path), formatted);
    else wrong++, console.error(`${path} is not formatted: run "npm run format"`);
  }
}

for (const path of languages[1][0]) {
  for (const { code, message, start_location } of workspaceOf(path).check(readFileSync(join(root, path), "utf8"))) {
    wrong++;
    console.error(`${path}:${start_location.row}: ${code} ${message}`);
  }
}

const { status, error } = spawnSync(runtime("deno"), ["fmt", ...check ? ["--check"] : []], { cwd: root, stdio: "inherit" });
if (error) throw error;
process.exitCode = wrong > 0 ? 1 : status ?? 1;
