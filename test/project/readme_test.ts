/**
 * The examples of README.md, of docs/ and of the doc comments, as users run them: each in a process of its own, with
 * "pyawait" as this source. The comment behind a console.log has to be what it prints.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { assert, assertEquals } from "#std/assert";
import { runtime } from "../support/child.ts";
import { exportedNames } from "../support/exported_names.ts";

interface Example {
  readonly place: string;
  readonly info: string;
  readonly code: string;
}

/** The fenced blocks of a text in Markdown. */
function blocks(file: string, text: string): Example[] {
  const found: Example[] = [];
  for (const match of text.matchAll(/^```(.*)\n([^]*?)^```$/gm)) {
    const line = text.slice(0, match.index).split("\n").length;
    found.push({ place: `${file}:${line}`, info: match[1].trim(), code: match[2] });
  }
  return found;
}

/** The same with everything but the doc comments blanked, so that lines keep their numbers. */
function docComments(source: string): string {
  const text = source.split("\n").map(() => "");
  for (const match of source.matchAll(/^[ \t]*\/\*\*[^]*?\*\//gm)) {
    const line = source.slice(0, match.index).split("\n").length - 1;
    for (const [index, content] of match[0].split("\n").entries()) {
      text[line + index] = content.replace(/^\s*(\/\*\*|\*\/|\*) ?/, "");
    }
  }
  return text.join("\n");
}

const readme = blocks("README.md", readFileSync("README.md", "utf8"));
const sources = [
  "mod.ts",
  ...readdirSync("src", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts")).map((name) =>
    `src/${name.replaceAll("\\", "/")}`
  ).sort(),
];
const documented = sources.flatMap((file) => blocks(file, docComments(readFileSync(file, "utf8"))));
const pages = readdirSync("docs").filter((name) => name.endsWith(".md"))
  .flatMap((name) => blocks(`docs/${name}`, readFileSync(`docs/${name}`, "utf8")));
const all = [...readme, ...pages, ...documented];
const runnable = all.filter(({ info }) => info === "ts");

const folder = mkdtempSync(join(tmpdir(), "pyawait-readme-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const extension = runtime === "node" ? "js" : "ts";
/** "pyawait" is mod.ts here, "pyawait/testing" is testing.ts. */
const entry = (name: string | undefined) => JSON.stringify(new URL(`../../${name ?? "mod"}.${extension}`, import.meta.url).href);

/** The example as a file for this runtime. */
function write({ place, code }: Example): string {
  let text = code.replaceAll(
    /(from|import) "pyawait(?:\/(\w+))?"/g,
    (_, word, name) => `${word} ${entry(name)}`,
  );
  if (runtime === "node") {
    const ts = createRequire(import.meta.url)("typescript") as typeof import("typescript");
    text = ts.transpileModule(text, {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    }).outputText;
  }
  const path = join(
    folder,
    `${place.replaceAll(/\W+/g, "_")}${isTest(code) ? ".test" : ""}.${runtime === "node" ? "mjs" : "ts"}`,
  );
  writeFileSync(path, text);
  return path;
}

/** Deno and Bun have tests in their test runners only. */
const isTest = (code: string) => code.includes('"node:test"');

function run(path: string): Promise<string> {
  const command = path.includes(".test.") ? "test" : "run";
  const args = { node: [path], deno: [command, "-A", "--no-check", path], bun: [command, path] }[runtime];
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, NO_COLOR: "1" }, timeout: 60_000, encoding: "utf8" } as const;
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}

/** What the comments behind `console.log(…);` say. */
const promised = (code: string) => [...code.matchAll(/console\.log\(.*\);.*?\/\/ (.*)$/gm)].map((match) => match[1]);
/** Runtimes print arrays with different quotation marks. */
const alike = (text: string) => text.replaceAll("'", '"');

test("README.md has a known kind of block only", () => {
  assertEquals(readme.filter(({ info }) => !["ts", "ts no-run", "sh", ""].includes(info)), []);
  assert(readme.filter(({ info }) => info === "ts").length >= 5, "it has five examples");
  assertEquals(
    readme.filter(({ info, code }) => info === "" && /\bimport\b.*from/.test(code)),
    [],
    "code is marked as ts",
  );
});

test("the pages of docs/ have examples, and README.md links to each", () => {
  const text = readFileSync("README.md", "utf8");
  for (const name of readdirSync("docs").filter((name) => name.endsWith(".md"))) {
    assert(pages.some(({ place, info }) => place.startsWith(`docs/${name}:`) && ["ts", "sh"].includes(info)), `${name} has no example`);
    assert(text.includes(`docs/${name}`), `README.md does not link to docs/${name}`);
  }
  assertEquals(pages.filter(({ info }) => !["ts", "sh", "python"].includes(info)), []);
});

test("examples that cannot run are marked, and none is left out silently", () => {
  const marked = all.filter(({ info }) => info === "ts no-run");
  console.log(
    `${runnable.length} examples run, ${marked.length} cannot: ${marked.map(({ place }) => place).join(", ")}`,
  );
  const other = documented.filter(({ info }) => info !== "ts" && info !== "ts no-run");
  assertEquals(other.map(({ place, info }) => `${place} ${info}`), []);
});

test("every name of mod.ts has a doc comment, and every value an example", () => {
  const missing = exportedNames("mod.ts").filter(({ name, isType, file }) => {
    const source = readFileSync(file, "utf8");
    const kinds = isType ? "interface|type|class" : "function|class|const";
    const declaration = new RegExp(String.raw`^export (?:async )?(?:${kinds}) ${name}\b`, "m").exec(source);
    const before = declaration ? source.slice(0, declaration.index).replace(/(\/\/.*\n)+$/, "") : "";
    const comment = before.endsWith("*/\n") ? before.slice(before.lastIndexOf("/**")) : "";
    return !comment || (!isType && !comment.includes("```ts"));
  });
  assertEquals(missing, []);
});

for (const example of runnable) {
  test(`the example at ${example.place}`, async () => {
    const output = alike(await run(write(example)));
    let from = 0;
    for (const line of promised(example.code).map(alike)) {
      const at = output.indexOf(line, from);
      assert(at >= 0, `it should print ${line}, but printed\n${output}`);
      from = at + line.length;
    }
  });
}
