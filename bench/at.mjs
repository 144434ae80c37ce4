/**
 * Runs these benchmarks on another commit, to compare it with this one on the same machine:
 *
 *     node bench/at.mjs COMMIT [--all] [--out PREFIX] [WORD…]      the options of `run.mjs`
 *
 * The commit's own benchmarks are replaced by these, in a clone in a temporary folder, so that the cases are the same. Its
 * library has to offer what they use.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { root } from "../scripts/runtimes.mjs";

const [commit, ...args] = process.argv.slice(2);
if (!commit || commit.startsWith("-")) throw new Error("Cannot measure: the first argument is a commit");
const out = args.indexOf("--out");
if (out >= 0) args[out + 1] = resolve(args[out + 1]);

const folder = mkdtempSync(join(tmpdir(), "pyawait-at-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function run(command, args, cwd = folder) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

run("git", ["clone", "--quiet", "--shared", "--no-checkout", root, folder]);
run("git", ["checkout", "--quiet", commit]);
rmSync(join(folder, "bench"), { recursive: true });
cpSync(join(root, "bench"), join(folder, "bench"), { recursive: true });
symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
run(process.execPath, ["scripts/build.mjs", "node"]);
run(process.execPath, ["bench/run.mjs", ...args]);
