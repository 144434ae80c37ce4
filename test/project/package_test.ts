/**
 * The package as users get it: packed, unpacked into a project of its own and used there, on the runtime that runs this
 * test. What each of its entries does alone is in entries_test.ts.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { assertEquals, assertMatch } from "#std/assert";
import { version } from "../../src/cli/version.ts";
import { files, project, run, test } from "../support/installed_package.ts";
import { problemsOf } from "../support/typescript.ts";

const isDeno = "Deno" in globalThis;

/** Runs a script in the project, on this runtime. */
function runScript(name: string, code: string): string {
  writeFileSync(join(project, name), code);
  return run(process.execPath, isDeno ? ["run", "--allow-all", "--no-check", name] : [name], project);
}

/** Prints which libpythons are mapped into the process; nothing where the system has no such list. */
const printLibraries = `
import { existsSync, readFileSync } from "node:fs";
const maps = existsSync("/proc/self/maps") ? readFileSync("/proc/self/maps", "utf8") : "";
console.log(JSON.stringify(maps.match(/\\S*(libpython|koffi|pyawait_shim)\\S*/g) ?? []));
`;

test("the package has what it needs and nothing else", () => {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const entries = Object.values(exports).flatMap((entry) =>
    typeof entry === "string" ? [entry] : Object.values(entry as object).flatMap((files) => Object.values(files as Record<string, string>))
  );
  assertEquals(entries.map((path) => path.replace("./", "")).filter((path) => !files.includes(path)), []);
  const known =
    /^(dist\/[a-z_]+\.(js|js\.map|cjs|d\.c?ts)|dist\/shim\/[a-z_0-9]+\.[ch]|dist\/pyawait-[A-Z0-9]{8}\.js(\.map)?|package\.json|README\.md|CHANGELOG\.md|LICENSE-(MIT|APACHE))$/;
  assertEquals(files.filter((path) => !known.test(path)), []);
  assertEquals(["LICENSE-MIT", "LICENSE-APACHE"].filter((path) => !files.includes(path)), []);
});

test("what the declarations call a value is one", () => {
  for (const entry of ["mod", "testing"]) {
    const declarations = readFileSync(join(project, "node_modules", "pyawait", "dist", `${entry}.d.ts`), "utf8");
    const declared = [...declarations.matchAll(/^export declare (?:abstract )?(?:function|class|const|let) (\w+)/gm)].map(([, name]) =>
      name
    );
    const printed = runScript(
      `${entry}_values.mjs`,
      `console.log(Object.keys(await import("pyawait${entry === "mod" ? "" : `/${entry}`}")).join());`,
    );
    assertEquals([...new Set(declared)].sort(), printed.trim().split(",").sort());
  }
});

test("the declarations are without errors", () => {
  const dist = join(project, "node_modules", "pyawait", "dist");
  const declarations = files.filter((path) => /\.d\.c?ts$/.test(path)).map((path) => join(dist, path.replace("dist/", "")));
  const broken = join(project, "broken.d.ts");
  writeFileSync(broken, 'import { Missing } from "./node_modules/pyawait/dist/mod.js";\nexport type Broken = Missing;');
  const found = problemsOf([...declarations, broken]);
  assertEquals([declarations.length, found.length], [4, 1], found.join("\n"));
  assertMatch(found[0], /broken\.d\.ts:1: Module .* has no exported member 'Missing'/);
});

test("package.json and deno.json agree", () => {
  const npm = JSON.parse(readFileSync("package.json", "utf8"));
  const deno = JSON.parse(readFileSync("deno.json", "utf8"));
  assertEquals([deno.version, deno.license], [npm.version, npm.license]);
  assertEquals(version, npm.version);
  assertEquals(deno.name.split("/").at(-1), npm.name);
  assertEquals(deno.imports.koffi, `npm:koffi@${npm.dependencies.koffi}`);
  assertEquals(deno.imports["#std/assert"], `npm:deno-std@${npm.devDependencies["deno-std"]}/assert/mod.js`);
});

test("importing it has no side effect", () => {
  const output = runScript("import.mjs", `import "pyawait";\n${printLibraries}`);
  assertEquals(output, "[]\n");
});

test("it works as a module", () => {
  const output = runScript(
    "module.mjs",
    `import { intoPromise, python } from "pyawait";
const asyncio = python.import("asyncio");
console.log(await asyncio.sleep(0, "ok"), await intoPromise(asyncio.sleep(0, "ok")));
`,
  );
  assertEquals(output, "ok ok\n");
});

test("it works with require()", () => {
  // Node 20 prints a warning that require() of a module is experimental, on standard error.
  const output = runScript(
    "require.cjs",
    `const { intoPromise, python } = require("pyawait");
intoPromise(python.import("asyncio").sleep(0, "ok")).then(console.log);
`,
  );
  assertEquals(output, "ok\n");
});

test("two copies of it on one thread share Python and call each other's functions", () => {
  cpSync(join(project, "node_modules", "pyawait"), join(project, "node_modules", "pyawait-copy"), { recursive: true });
  const printed = runScript(
    "copies.mjs",
    `
import { attach, python as a } from "pyawait";
import { python as b } from "./node_modules/pyawait-copy/dist/mod.js";
const main = a.import("__main__");
main.f = (n) => n > 0 ? b.exec("g(" + (n - 1) + ")") + 1 : 0;
b.import("__main__").g = (n) => n > 0 ? a.exec("f(" + (n - 1) + ")") + 1 : 0;
main.later = async (n) => n + 1;
console.log(a === b, b.exec("f(20)"), attach(() => b.exec("1 + 1")), await b.execAsync("await later(1)"));
const pending = a.execAsync("import asyncio; await asyncio.sleep(60)").catch((error) => error.name);
await b.close();
const name = (fn) => { try { return fn(); } catch (error) { return error.name; } };
console.log(name(() => a.exec("print('this must not run')")), name(() => main.f(1)), await a.execAsync("1").catch((error) => error.name));
console.log(await pending);
`,
  );
  const closed = "PythonClosedError";
  assertEquals(printed.trimEnd().split("\n"), ["false 20 2 2", `${closed} ${closed} ${closed}`, "CancelledError"]);
});

test("koffi that is in use already, with a stack of its own", () => {
  if (isDeno || "Bun" in globalThis) return console.log("skip: koffi is for Node");
  const printed = runScript(
    "koffi_first.mjs",
    `
import process from "node:process";
import koffi from "koffi";
koffi.load(process.platform === "darwin" ? "libSystem.B.dylib" : process.platform === "win32" ? "msvcrt.dll" : "libc.so.6");
const { python } = await import("pyawait");
const name = (fn) => { try { return fn(); } catch (error) { return error.name; } };
const call = python.exec("lambda f: f()"), deep = () => call(deep);
console.log(name(() => python.exec("def f(n): return f(n + 1)\\nf(0)")), ["RangeError", "RecursionError"].includes(name(deep)));
`,
  );
  assertEquals(printed.trimEnd(), "RecursionError true");
});
