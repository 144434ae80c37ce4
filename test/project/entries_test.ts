/**
 * Each entry of the package alone in a process of its own, as source and as installed: an entry that needs what another
 * one sets up would wait for ever or fail here.
 */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { assertEquals, assertMatch } from "#std/assert";
import { runtime } from "../support/child.ts";
import { project, test } from "../support/installed_package.ts";

/** The TypeScript files beside package.json, without their ending. */
const entries = readdirSync(".").filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
  .map((name) => name.slice(0, -".ts".length)).sort();

const { name: packageName, exports, bin } = JSON.parse(readFileSync("package.json", "utf8")) as {
  name: string;
  exports: Record<string, string | { default: { default: string } }>;
  bin: Record<string, string>;
};
/** From the entries that are imported to the names that they have for users: `testing` is `pyawait/testing`. */
const modules = new Map(
  Object.entries(exports).flatMap(([path, file]) =>
    typeof file === "string" ? [] : [[nameOf(file.default.default), path.replace(/^\./, packageName)]]
  ),
);
/** From the entries that are commands to their files in the package. */
const commands = new Map(Object.values(bin).map((file) => [nameOf(file), file]));

function nameOf(file: string): string {
  return /^\.\/(?:dist\/)?(\w+)\.[jt]s$/.exec(file)![1];
}

/** What a process with one entry does: a script that imports ENTRY, or the arguments of a command. And what it prints. */
type Deed = { readonly code: string; readonly prints: RegExp } | { readonly args: string[]; readonly prints: RegExp };

const script = join(project, "script.py");
writeFileSync(script, "import asyncio\nprint(asyncio.run(asyncio.sleep(0, 'of the script')))\n");

const deeds: Record<string, Deed[]> = {
  mod: [{
    code: `import { python } from ENTRY;\nconsole.log(await python.import("asyncio").sleep(0, "awaited"));`,
    prints: /^awaited\n$/,
  }],
  testing: [{
    code: `import { isolated } from ENTRY;
const test = isolated(async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  console.log("tested");
});
await test();
console.log("passed");`,
    prints: /^tested\npassed\n$/,
  }],
  cli: [
    { args: ["--help"], prints: /^Usage: pyawait run/ },
    { args: ["run", script], prints: /^of the script\n$/ },
  ],
};
/** For an entry that has no deeds yet: it can be imported, exports something, and lets the process end. */
const imported: Deed = { code: "import * as entry from ENTRY;\nconsole.log(Object.keys(entry).length > 0);", prints: /^true\n$/ };

const before = { node: [], deno: ["run", "-A", "--no-check"], bun: [] }[runtime];

/** Runs a file in the project on this runtime; what it prints. It has to end by itself, with exit code 0 and in time. */
function run(file: string, args: string[]): Promise<string> {
  const options = { cwd: project, env: { ...process.env, NO_COLOR: "1" }, timeout: 20_000, killSignal: "SIGKILL" } as const;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [...before, file, ...args], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.killed ? "not done after 20 s" : error.message}\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}

/** Runs the deeds of an entry: `specifier` is what a script imports, `file` what a command is. */
async function runDeeds(entry: string, specifier: string, file: string): Promise<void> {
  for (const deed of deeds[entry] ?? [imported]) {
    const path = "code" in deed ? join(project, `${entry}_alone.mjs`) : file;
    if ("code" in deed) writeFileSync(path, deed.code.replace("ENTRY", JSON.stringify(specifier)));
    assertMatch(await run(path, "code" in deed ? [] : deed.args), deed.prints);
  }
}

test("package.json and deno.json have every entry, and each is used here", () => {
  assertEquals([...modules.keys(), ...commands.keys()].sort(), entries);
  const { exports } = JSON.parse(readFileSync("deno.json", "utf8")) as { exports: Record<string, string> };
  assertEquals(Object.values(exports).map(nameOf).sort(), entries);
  assertEquals(Object.keys(deeds).sort(), entries);
});

for (const entry of entries) {
  test(`the entry ${entry} alone, as source`, async () => {
    const { href } = new URL(`../../${entry}.${runtime === "node" ? "js" : "ts"}`, import.meta.url);
    await runDeeds(entry, href, fileURLToPath(href));
  });

  test(`the entry ${entry} alone, as installed`, async () => {
    await runDeeds(entry, modules.get(entry) ?? "", join(project, "node_modules", packageName, commands.get(entry) ?? ""));
  });
}
