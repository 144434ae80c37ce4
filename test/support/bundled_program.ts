/**
 * A program that uses the package, for bundlers and test runners: what it does, and what it prints in a process of its own.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after } from "node:test";
import { assertEquals } from "#std/assert";
import { project } from "./installed_package.ts";

const body = `
async function awaiting() {
  await python.execAsync("1 / 0");
}
async function main() {
  const name = await awaiting().catch((error) => error instanceof PythonError && error.name);
  await isolated(async () => {})();
  console.log(await python.import("asyncio").sleep(0.001, "awaited"), name);
}
main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
`;
writeFileSync(
  join(project, "program.mjs"),
  `import { python, PythonError } from "pyawait";\nimport { isolated } from "pyawait/testing";\n${body}`,
);
writeFileSync(
  join(project, "program.cjs"),
  `const { python, PythonError } = require("pyawait");\nconst { isolated } = require("pyawait/testing");\n${body}`,
);

/** How a program ended. */
export interface Ran {
  readonly failed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, in the project unless `cwd` is given. */
export function start(program: string, args: readonly string[], cwd: string = project): Promise<Ran> {
  const options = { cwd, env: { ...process.env, NO_COLOR: "1" }, timeout: 300_000, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    execFile(program, args, options, (error, stdout, stderr) => resolve({ failed: error !== null, stdout, stderr }));
  });
}

/** Runs a program that has to succeed; what it prints. */
export async function output(program: string, args: readonly string[], cwd: string = project): Promise<string> {
  const { failed, stdout, stderr } = await start(program, args, cwd);
  if (failed) throw new Error(`${program} ${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs the bundled program, which has to do all that it does as it stands. */
export async function assertWorks(program: string, args: readonly string[], cwd: string = project): Promise<void> {
  assertEquals(await output(program, args, cwd), "awaited ZeroDivisionError\n");
}

/** A folder outside of the project, where no package is found; it is removed after the tests. */
export const elsewhere: string = mkdtempSync(join(tmpdir(), "pyawait-bundle-"));
after(() => rmSync(elsewhere, { recursive: true, force: true }));
