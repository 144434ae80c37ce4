/**
 * Programs that a bundler has put into one file, and the package under `require`: by what is installed with the project.
 * Other bundlers and test runners are in other_bundlers_test.ts.
 */
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { assertEquals, assertMatch } from "#std/assert";
import { assertWorks, elsewhere, output, start } from "../support/bundled_program.ts";
import { runtime } from "../support/child.ts";
import { project, test } from "../support/installed_package.ts";

const run = { node: [], deno: ["run", "-A", "--no-check"], bun: [] }[runtime];

test("import and require give the same classes, from either side", async () => {
  writeFileSync(
    join(project, "same.mjs"),
    `import { createRequire } from "node:module";
import { python, PythonError } from "pyawait";
const required = createRequire(import.meta.url)("pyawait");
console.log(required.PythonError === PythonError, required.python === python);`,
  );
  writeFileSync(
    join(project, "same.cjs"),
    `const { python, PythonError } = require("pyawait");
import("pyawait").then((imported) => console.log(imported.PythonError === PythonError, imported.python === python));`,
  );
  for (const name of ["same.mjs", "same.cjs"]) assertEquals(await output(process.execPath, [...run, name]), "true true\n");
});

test("the CommonJS files, which older tools take", async () => {
  for (const name of ["mod", "testing"]) {
    const code = `console.log(Object.keys(require("./node_modules/pyawait/dist/${name}.cjs")).sort().join());`;
    writeFileSync(join(project, `${name}_cjs.cjs`), code);
    writeFileSync(
      join(project, `${name}_esm.mjs`),
      `console.log(Object.keys(await import("./node_modules/pyawait/dist/${name}.js")).join());`,
    );
    const esm = await output(process.execPath, [...run, `${name}_esm.mjs`]);
    assertEquals(await output(process.execPath, [...run, `${name}_cjs.cjs`]), esm);
  }
  writeFileSync(
    join(project, "cjs.cjs"),
    `const { python } = require("./node_modules/pyawait/dist/mod.cjs");
const { isolated } = require("./node_modules/pyawait/dist/testing.cjs");
isolated(async () => console.log(await python.import("asyncio").sleep(0, "awaited")))();`,
  );
  assertEquals(await output(process.execPath, [...run, "cjs.cjs"]), "awaited\n");
});

if (runtime === "node") {
  const esbuild = join(process.cwd(), "node_modules", "esbuild", "bin", "esbuild");
  const bundle = async (from: string, to: string, ...flags: string[]) => {
    await output(process.execPath, [esbuild, from, "--bundle", "--platform=node", `--outfile=${to}`, "--log-level=warning", ...flags]);
    return join(project, to);
  };

  for (const from of ["program.mjs", "program.cjs"]) {
    test(`esbuild makes CommonJS of ${from}`, async () => {
      await assertWorks(process.execPath, [await bundle(from, `${from}.bundle.cjs`)]);
      await assertWorks(process.execPath, [await bundle(from, `${from}.min.cjs`, "--minify")]);
    });
  }

  test("esbuild makes an ES module", async () => {
    await assertWorks(process.execPath, [await bundle("program.mjs", "bundle.mjs", "--format=esm")]);
  });

  test("a stack in a bundle keeps the functions of the program, which are in the same file", async () => {
    writeFileSync(
      join(project, "stack.mjs"),
      `import { python } from "pyawait";
async function awaiting() { await python.execAsync("1 / 0"); }
awaiting().catch((error) => console.log(/at async awaiting/.test(error.stack)));`,
    );
    assertEquals(await output(process.execPath, [await bundle("stack.mjs", "stack.cjs")]), "true\n");
  });

  test("koffi, or its binary, is missing", async () => {
    const alone = mkdtempSync(join(realpathSync(tmpdir()), "pyawait-alone-"));
    try {
      cpSync(await bundle("program.mjs", "bundle.cjs"), join(alone, "bundle.cjs"));
      assertMatch(
        (await start(process.execPath, ["bundle.cjs"], alone)).stderr,
        /Cannot find koffi, which pyawait needs .* beside a bundled program/,
      );
      mkdirSync(join(alone, "node_modules"));
      cpSync(join("node_modules", "koffi"), join(alone, "node_modules", "koffi"), { recursive: true });
      assertMatch(
        (await start(process.execPath, ["bundle.cjs"], alone)).stderr,
        /its binary for this platform is missing: .*"@koromix\/koffi-\w+-\w+"/,
      );
      cpSync(join("node_modules", "@koromix"), join(alone, "node_modules", "@koromix"), { recursive: true });
      await assertWorks(process.execPath, ["bundle.cjs"], alone);
    } finally {
      rmSync(alone, { recursive: true, force: true });
    }
  });
}

if (runtime === "bun") {
  test("bun build", async () => {
    await output(process.execPath, ["build", "program.mjs", "--target=bun", `--outfile=${join(elsewhere, "bundle.mjs")}`]);
    await assertWorks(process.execPath, [join(elsewhere, "bundle.mjs")], elsewhere);
  });

  test("bun build --compile", async () => {
    const program = join(elsewhere, process.platform === "win32" ? "program.exe" : "program");
    await output(process.execPath, ["build", "--compile", "program.mjs", `--outfile=${program}`]);
    await assertWorks(program, [], elsewhere);
  });
}

if (runtime === "deno") {
  test("deno compile", async () => {
    const program = join(elsewhere, process.platform === "win32" ? "program.exe" : "program");
    const made = await start(process.execPath, ["compile", "-A", "--no-check", `--output=${program}`, "program.mjs"]);
    if (made.failed && made.stderr.includes("dl.deno.land")) {
      return console.log("skip: deno compile downloads its base binary from dl.deno.land, which cannot be reached");
    }
    assertEquals(made.failed, false, made.stderr);
    await assertWorks(program, [], elsewhere);
  });
}
