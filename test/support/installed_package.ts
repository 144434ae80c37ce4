/**
 * The package as users get it: packed, and unpacked into a project of its own. It needs dist/, so `node scripts/build.mjs`
 * comes first.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test as nodeTest } from "node:test";
import { onWindows, skip } from "./skip.ts";

/** Runs a program; gives what it prints and throws what it prints if it fails. */
export function run(program: string, args: string[], cwd: string): string {
  const shell = onWindows && program === "npm"; // npm is a script
  const { status, signal, error, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8", shell });
  if (status !== 0) {
    throw new Error(`${program} ${args.join(" ")}: ${error ?? signal ?? status}\n${stdout}${stderr}`);
  }
  return stdout;
}

/** The folder of a project that has the package installed; it is removed after the tests. */
export const project: string = mkdtempSync(join(tmpdir(), "pyawait-package-"));
after(() => rmSync(project, { recursive: true, force: true }));

/** Packs the package and unpacks it as npm would, with the koffi that is here; gives the names of its files. */
function install(): string[] {
  const [packed] = JSON.parse(
    run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], "."),
  );
  const target = join(project, "node_modules", "pyawait");
  mkdirSync(target, { recursive: true });
  run("tar", ["-xzf", packed.filename, "-C", target, "--strip-components=1"], project);
  symlinkSync(
    join(process.cwd(), "node_modules", "koffi"),
    join(project, "node_modules", "koffi"),
    "junction",
  );
  const dependencies = { pyawait: packed.version };
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "user", type: "module", dependencies }),
  );
  return packed.files.map((file: { path: string }) => file.path);
}

const missing = skip(
  ["npm", "tar"].some((program) => spawnSync(program, ["--version"], { shell: onWindows }).status !== 0) &&
    "there is no npm, or no tar",
);

/** The files of the package. */
export const files: string[] = missing ? [] : install();

/** A test of the installed package. */
export const test: typeof nodeTest =
  (missing ? (name: string) => nodeTest(name, { skip: missing }, () => {}) : nodeTest) as typeof nodeTest;
