/**
 * The structure of the sources: imports go one way, the runtimes' own names stand in their backends only, files stay
 * small, folders have READMEs. Each law is also shown to catch what it forbids.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assertEquals } from "#std/assert";

/** Paths from the project's folder, which is the working directory of every test, and the texts of the files. */
type Files = Map<string, string>;

const backends = /^ffi\/(node|deno|bun)\.ts$/, ofNode = /^ffi\/(koffi|node_ffi)\.ts$/;

/** From the ground up. A file imports from floors below its own; from its own only where `inner` says so. */
const floors: { name: RegExp; inner: boolean }[] = [
  { name: /^ffi\/(types|in_worker|intrinsics|own_file)\.ts$/, inner: false },
  { name: /^ffi\/process\.ts$/, inner: false },
  { name: /^ffi\/pipe_bell\.ts$/, inner: false },
  { name: /^ffi\/node_port\.ts$/, inner: false },
  { name: ofNode, inner: false },
  { name: backends, inner: false },
  { name: /^ffi\/mod\.ts$/, inner: false },
  { name: /^ffi\/native\/.+\.ts$/, inner: true },
  ...["wire", "locate", "interpreter", "context", "values", "proxy", "async"].map((folder) => ({
    name: new RegExp(`^src/${folder}/[^/]+\\.ts$`),
    inner: true,
  })),
  { name: /^src\/[^/]+\.ts$/, inner: true },
  { name: /^src\/cli\/[^/]+\.ts$/, inner: true },
  { name: /^mod\.ts$/, inner: false },
  { name: /^[^/]+\.ts$/, inner: false },
];

/** Folders that are reached from outside by their entry alone. */
const doors: Record<string, string> = { "src/locate": "src/locate/locate.ts", "src/cli": "src/cli/command.ts" };

function floorOf(path: string): number {
  return floors.findIndex((floor) => floor.name.test(path));
}

function readFiles(folders = ["ffi", "src"]): Files {
  const files: Files = new Map();
  const paths = readdirSync(".").filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      // Node 20 has `path` where later ones have `parentPath`.
      const parent = entry.parentPath ?? (entry as unknown as { path: string }).path;
      if (entry.isFile()) paths.push(join(parent, entry.name).replaceAll("\\", "/"));
    }
  }
  for (const path of paths) {
    if (/\.(ts|mjs|py|c|h|md)$/.test(path)) files.set(path, readFileSync(path, "utf8"));
  }
  return files;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

/** What a TypeScript file imports: files of ours as paths from the project's folder, modules as they stand. */
function importsOf(path: string, text: string): string[] {
  const code = withoutComments(text);
  const found = [
    ...code.matchAll(/^\s*(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']/gm),
    ...code.matchAll(/^\s*import\s*["']([^"']+)["']/gm),
    ...code.matchAll(/(?<!\.)\bimport\s*\(\s*["']([^"']+)["']/g),
  ];
  return found.map(([, name]) => name.startsWith(".") ? posix.join(dirname(path), name) : name);
}

function typeScript(files: Files): [string, string][] {
  return [...files].filter(([path]) => path.endsWith(".ts"));
}

/** Imports that go up or sideways, and modules that are neither ours nor `node:`. */
function wrongImports(files: Files): string[] {
  const wrong: string[] = [];
  for (const [path, text] of typeScript(files)) {
    for (const name of importsOf(path, text)) {
      if (name.startsWith("node:")) continue;
      if (backends.test(path) && !name.endsWith(".ts")) continue;
      const [from, to] = [floorOf(path), floorOf(name)];
      const allowed = files.has(name) && to >= 0 && (to < from || (to === from && floors[from].inner));
      if (!allowed) wrong.push(`${path} imports ${name}`);
    }
  }
  return wrong;
}

/** Imports of a folder's inner files from outside of it, where it has an entry. */
function pastTheDoor(files: Files): string[] {
  return typeScript(files).flatMap(([path, text]) =>
    importsOf(path, text)
      .filter((name) => dirname(name) in doors && dirname(name) !== dirname(path) && name !== doors[dirname(name)])
      .map((name) => `${path} imports ${name}`)
  );
}

/** Folders without a README, or with a long one. */
function unexplained(files: Files): string[] {
  const folders = new Set([...files.keys()].map((path) => dirname(path)).filter((folder) => folder !== "."));
  return [...folders].filter((folder) => {
    const lines = files.get(`${folder}/README.md`)?.trimEnd().split("\n").length ?? 0;
    return lines === 0 || lines > 15;
  });
}

/** The first circle of imports found, as a path of files. Types count: two files that need each other are one. */
function circle(files: Files): string[] {
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const name of importsOf(path, files.get(path) ?? "")) {
      const found = files.has(name) ? visit(name, [...trail, path]) : [];
      if (found.length > 0) return found;
    }
    done.add(path);
    return [];
  };
  for (const [path] of typeScript(files)) {
    const found = visit(path, []);
    if (found.length > 0) return found;
  }
  return [];
}

/** Uses of a runtime's own names outside of the backends. */
function wrongNames(files: Files): string[] {
  return typeScript(files).filter(([path]) => !backends.test(path) && !ofNode.test(path)).flatMap(([path, text]) =>
    [...withoutComments(text).matchAll(/\b(Deno\.[A-Za-z]+|Bun\.[A-Za-z]+|bun:[a-z]+|node:ffi|koffi)\b/g)]
      .map(([name]) => `${path} uses ${name}`)
  );
}

/** Uses of globals that test runners and other libraries replace, past the file that takes them when it is loaded. */
function replaceable(files: Files): string[] {
  const name = "setTimeout|clearTimeout|setInterval|clearInterval|setImmediate|queueMicrotask|TextEncoder|TextDecoder";
  const use = new RegExp(`(?<![.\\w])(?:(${name})\\(|new (Promise|TextEncoder|TextDecoder)\\b)`, "g");
  const past = new RegExp(
    `globalThis\\.(?:${name}|Promise)\\b|\\bstructuredClone\\(|process\\.nextTick|\\bPromise\\.\\w+\\(|from "node:process"`,
    "g",
  );
  const methods = /(?<!bridge)\.(?:then|catch|finally)\(/g;
  return typeScript(files).filter(([path]) => !/^ffi\/(intrinsics|process)\.ts$/.test(path) && /^(ffi|src)\//.test(path)).flatMap(
    ([path, text]) => {
      const code = withoutComments(text);
      const taken = /import \{([^}]+)\} from "[^"]*intrinsics\.ts"/.exec(code)?.[1].split(",").map((part) => part.trim()) ?? [];
      const used = [...code.matchAll(use)].map(([, called, made]) => called ?? made).filter((name) => !taken.includes(name));
      return [...used, ...[past, methods].flatMap((wrong) => [...code.matchAll(wrong)].map(([found]) => found))]
        .map((found) => `${path} uses ${found}`);
    },
  );
}

function tooLong(files: Files): string[] {
  return [...files].filter(([path]) => path.includes("/") && path !== "ffi/native/prebuilt.ts" && path !== "test/native/harness.c")
    .map(([path, text]) => [path, text.trimEnd().split("\n").length] as const)
    .filter(([, lines]) => lines > 400)
    .map(([path, lines]) => `${path} has ${lines} lines`);
}

function nameless(files: Files): string[] {
  return [...files.keys()].filter((path) => /^(utils?|helpers?|index)\./.test(posix.basename(path)));
}

test("imports go one way", () => {
  assertEquals(wrongImports(readFiles()), []);
});

test("a folder is entered by its door", () => {
  assertEquals(pastTheDoor(readFiles()), []);
});

test("every folder says in a few lines what it is for", () => {
  assertEquals(unexplained(readFiles(["ffi", "src", "test"])), []);
});

test("imports have no circles", () => {
  assertEquals(circle(readFiles()), []);
});

test("a runtime's own names stand in its backend only", () => {
  assertEquals(wrongNames(readFiles()), []);
});

test("globals that others replace are taken from ffi/intrinsics.ts, and process from ffi/process.ts", () => {
  assertEquals(replaceable(readFiles()), []);
});

test("no file has more than 400 lines", () => {
  assertEquals(tooLong(readFiles(["ffi", "src", "test"])), []);
});

test("every file is named after what it does", () => {
  assertEquals(nameless(readFiles(["ffi", "src", "test"])), []);
});

test("the laws are read from the project's own files", () => {
  const files = readFiles();
  assertEquals(["mod.ts", "src/python.ts", "ffi/types.ts"].filter((path) => !files.has(path)), []);
  assertEquals(files.has("package.json"), false, process.cwd());
});

/** Functions and classes that two chapters of `src/py` define: they share one namespace, so the later one would win. */
function definedTwice(files: Files): string[] {
  const by = new Map<string, string>(), twice: string[] = [];
  for (const [path, text] of files) {
    if (!/^src\/py\/\w+\.py$/.test(path)) continue;
    for (const [, name] of text.matchAll(/^(?:async )?(?:def|class) (\w+)/gm)) {
      if (by.has(name)) twice.push(`${path} and ${by.get(name)} define ${name}`);
      by.set(name, path);
    }
  }
  return twice;
}

test("no chapter of the Python part replaces another's function", () => assertEquals(definedTwice(readFiles(["src"])), []));

test("each law catches what it forbids", () => {
  const planted: Files = new Map([
    ["mod.ts", 'export {\n  a,\n} from "./src/a.ts";'],
    ["cli.ts", 'import { a } from "./mod.ts";\nimport chalk from "chalk";'],
    [
      "src/a.ts",
      'import { b } from "./b.ts";\n// Deno.exit\nconst url = "http://x";\n/* koffi */ import "../mod.ts";',
    ],
    ["src/b.ts", 'import type { A } from "./a.ts";\nawait import("../test/x.ts");\nDeno.exit();'],
    ["src/index.ts", "\n".repeat(401) + "x"],
    ["ffi/types.ts", ""],
    ["ffi/intrinsics.ts", ""],
    ["ffi/node.ts", 'import { x } from "./deno.ts";\nrequire("koffi");'],
    ["ffi/deno.ts", 'import type { T } from "./types.ts";\nimport { ffi } from "bun:ffi";'],
    ["ffi/mod.ts", 'import { node } from "./node.ts";\nimport { init } from "./native/init.ts";'],
    ["ffi/native/init.ts", 'import { table } from "./table.ts";\nlet a: typeof import("bun:ffi");'],
    ["ffi/native/table.ts", ""],
    ["src/wire/codec.ts", 'import { find } from "../locate/probe.ts";'],
    ["src/locate/probe.ts", 'import { files } from "./files.ts";'],
    ["src/locate/files.ts", ""],
    ["src/locate/README.md", "\n".repeat(15) + "x"],
    ["src/wire/README.md", "The wire."],
    ["src/py/a.py", "def _f():\n    pass\nclass C: pass"],
    ["src/py/b.py", "async def _f(): pass\n    def C(self): pass"],
    [
      "src/wire/wait.ts",
      'import { setTimeout } from "../../ffi/intrinsics.ts";\nsetTimeout(x);\nsetInterval(x);\nnew Promise(x).then(y);\nPromise.all([]);\nimport p from "node:process";\nload("node:ffi");',
    ],
  ]);
  assertEquals(wrongImports(planted), [
    "cli.ts imports chalk",
    "src/a.ts imports mod.ts",
    "src/b.ts imports test/x.ts",
    "ffi/node.ts imports ffi/deno.ts",
    "ffi/mod.ts imports ffi/native/init.ts",
    "ffi/native/init.ts imports bun:ffi",
    "src/wire/codec.ts imports src/locate/probe.ts",
  ]);
  assertEquals(pastTheDoor(planted), ["src/wire/codec.ts imports src/locate/probe.ts"]);
  assertEquals(unexplained(planted), ["src", "ffi", "ffi/native", "src/locate", "src/py"]);
  assertEquals(definedTwice(planted), ["src/py/b.py and src/py/a.py define _f"]);
  assertEquals(circle(planted), ["src/a.ts", "src/b.ts", "src/a.ts"]);
  assertEquals(wrongNames(planted), ["src/b.ts uses Deno.exit", "ffi/native/init.ts uses bun:ffi", "src/wire/wait.ts uses node:ffi"]);
  assertEquals(
    replaceable(planted),
    ["setInterval", "Promise", "Promise.all(", 'from "node:process"', ".then("].map((found) => `src/wire/wait.ts uses ${found}`),
  );
  assertEquals(tooLong(planted), ["src/index.ts has 402 lines"]);
  assertEquals(nameless(planted), ["src/index.ts"]);
});
