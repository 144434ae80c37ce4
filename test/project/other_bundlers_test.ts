/**
 * Bundlers and test runners that the project does not depend on: installed from npm for this test, which says so where that
 * is not possible. Node only: they run on it.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { assertMatch } from "#std/assert";
import { assertWorks, output, start } from "../support/bundled_program.ts";
import { runtime } from "../support/child.ts";
import { project, test } from "../support/installed_package.ts";

const tools = [
  "webpack@5.113.0",
  "webpack-cli@7.3.1",
  "vite@8.4.0",
  "rollup@4.68.8",
  "@rollup/plugin-node-resolve@16.0.3",
  "jest@30.5.2",
  "jest-environment-jsdom@30.5.2",
  "vitest@4.1.12",
  "postject@1.0.0-alpha.6",
];

const folder = join(project, "tools");

/** Installs the tools into a folder below the project, so that the package is found from there; why not, if it cannot be. */
async function install(): Promise<string | undefined> {
  if (runtime !== "node") return "bundlers and test runners run on Node";
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  const flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--loglevel=error"];
  const { failed, stderr } = await start("npm", ["install", ...flags, ...tools], folder);
  if (failed) return `npm could not install the tools: ${stderr.trim().split("\n")[0]}`;
  for (const name of ["program.mjs", "program.cjs"]) copyFileSync(join(project, name), join(folder, name));
  return undefined;
}

const problem = await install();

function testTool(name: string, fn: () => Promise<void>): void {
  test(name, async () => problem === undefined ? await fn() : console.log(`skip: ${problem}`));
}

const file = (name: string, text: string) => writeFileSync(join(folder, name), text);
const tool = (name: string, ...args: string[]) =>
  output(process.execPath, [join(folder, "node_modules", ...name.split("/")), ...args], folder);
const works = (name: string) => assertWorks(process.execPath, [join(folder, "out", name)], folder);

testTool("webpack", async () => {
  file(
    "webpack.config.cjs",
    `module.exports = ["program.mjs", "program.cjs"].map((name) => ({
  mode: "development", devtool: false, target: "node", entry: "./" + name, output: { path: __dirname + "/out", filename: "webpack_" + name.slice(-3) + ".cjs" },
}));`,
  );
  await tool("webpack/bin/webpack.js");
  await works("webpack_mjs.cjs");
  await works("webpack_cjs.cjs");
});

testTool("vite, for the server, with the package outside of the bundle and in it", async () => {
  file(
    "vite.config.mjs",
    `export default ({ mode }) => ({
  build: { ssr: "program.mjs", outDir: "out/" + mode, rollupOptions: { output: { entryFileNames: "program.mjs" } } },
  ssr: { noExternal: mode === "inside" ? true : undefined },
});`,
  );
  for (const mode of ["outside", "inside"]) {
    await tool("vite/bin/vite.js", "build", "--mode", mode);
    await works(`${mode}/program.mjs`);
  }
});

testTool("rollup", async () => {
  file(
    "rollup.config.mjs",
    `import { nodeResolve } from "@rollup/plugin-node-resolve";
const output = [["es", "mjs"], ["cjs", "cjs"]].map(([format, ending]) => ({ file: "out/rollup." + ending, format }));
export default { input: "program.mjs", plugins: [nodeResolve({ preferBuiltins: true })], output };`,
  );
  await tool("rollup/dist/bin/rollup", "-c");
  await works("rollup.mjs");
  await works("rollup.cjs");
});

const jestTest = `
test("awaits under fake timers", async () => {
  const asyncio = python.import("asyncio");
  expect(await asyncio.sleep(0.001, "real")).toBe("real");
  jest.useFakeTimers();
  for (let i = 0; i < 3; i++) expect(await asyncio.sleep(0.001, "fake")).toBe("fake");
  expect(await python.execAsync("await f(2)", { globals: { f: async (n) => n + 1 } })).toBe(3);
  jest.useRealTimers();
});
test("errors and bytes", async () => {
  await expect(python.execAsync("1 / 0")).rejects.toThrow(PythonError);
  expect(python.exec("b'ab'")).toEqual(new Uint8Array([97, 98]));
  expect(python.exec("lambda x: type(x).__name__")(new Uint8Array(2))).toBe("bytes");
});
`;

/** Runs jest in a folder of its own with two test files, so that the package is loaded twice in one process. */
async function runJest(name: string, head: string, config: object, flags: string[] = []): Promise<void> {
  const rootDir = join(folder, name);
  mkdirSync(rootDir);
  writeFileSync(join(rootDir, "package.json"), JSON.stringify({ type: flags.length > 0 ? "module" : "commonjs" }));
  writeFileSync(join(rootDir, "jest.config.json"), JSON.stringify(config));
  for (const test of ["first", "second"]) writeFileSync(join(rootDir, `${test}.test.js`), head + jestTest);
  const jest = join(folder, "node_modules", "jest", "bin", "jest.js");
  const { failed, stdout, stderr } = await start(
    process.execPath,
    [...flags, jest, "--runInBand", "--config", "jest.config.json"],
    rootDir,
  );
  if (failed) throw new Error(stdout + stderr);
  assertMatch(stderr, /Tests: +4 passed, 4 total/);
}

const required = 'const { python, PythonError } = require("pyawait");';

testTool("jest", () => runJest("jest-cjs", required, {}));

testTool("jest, with fake timers before every file", () => runJest("jest-fake", required, { fakeTimers: { enableGlobally: true } }));

testTool("jest, with jsdom", () => runJest("jest-jsdom", required, { testEnvironment: "jsdom" }));

testTool("jest, with ES modules", () => {
  const imported = 'import { jest } from "@jest/globals";\nimport { python, PythonError } from "pyawait";';
  return runJest("jest-esm", imported, { transform: {} }, ["--experimental-vm-modules"]);
});

testTool("vitest", async () => {
  mkdirSync(join(folder, "vitest"));
  const head = 'import { expect, test, vi as jest } from "vitest";\nimport { python, PythonError } from "pyawait";';
  file("vitest/first.test.mjs", head + jestTest);
  for (const pool of ["forks", "threads"]) await tool("vitest/vitest.mjs", "run", "--root", "vitest", `--pool=${pool}`);
});

testTool("a single executable of Node", async () => {
  const esbuild = join(process.cwd(), "node_modules", "esbuild", "bin", "esbuild");
  await output(
    process.execPath,
    [esbuild, "program.mjs", "--bundle", "--platform=node", "--outfile=out/sea.cjs", "--log-level=warning"],
    folder,
  );
  file("sea.json", JSON.stringify({ main: "out/sea.cjs", output: "out/sea.blob", disableExperimentalSEAWarning: true }));
  await output(process.execPath, ["--experimental-sea-config", "sea.json"], folder);
  const program = join(folder, "out", process.platform === "win32" ? "sea.exe" : "sea");
  copyFileSync(process.execPath, program);
  const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
  await tool("postject/dist/cli.js", program, "NODE_SEA_BLOB", "out/sea.blob", "--sentinel-fuse", fuse);
  await assertWorks(program, [], folder);
});
