/**
 * Builds JavaScript from the sources, as far as they have changed.
 *
 *     node scripts/build.mjs          node and dist
 *     node scripts/build.mjs node     .build/  every source file as one JavaScript file, which Node 20 can run
 *     node scripts/build.mjs dist     dist/    the npm package: a bundle of each entry, and the types in one file
 *     node scripts/build.mjs jsr      .jsr/    the JSR package: the sources, with the Python half as text in them
 *
 * Types are not checked here (`tsc` does that), so a build takes only as long as parsing.
 */
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { root } from "./runtimes.mjs";

/** Folders with sources. The TypeScript files beside package.json are the package's entries. */
const folders = ["src", "ffi", "test", "bench", "examples"];
/** Files that are read at run time from beside the file that reads them. */
const data = /\.(py|c|h|json|txt)$/;
const entries = readdirSync(root).filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts")).sort();

/** A change of one of these makes everything stale. */
const tools = ["package-lock.json", "tsconfig.json", "scripts/build.mjs"];

function modified(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function newest(paths) {
  return Math.max(...paths.map((path) => modified(join(root, path))));
}

/** Every file below a folder of the project, as paths relative to the project's folder. */
function filesIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1).replaceAll("\\", "/"))
    .filter((path) => !path.includes("__pycache__"));
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

// ---------------------------------------------------------------------------------------------- .build/

async function buildForNode() {
  const target = join(root, ".build");
  const tooling = newest(tools);
  const sources = [...entries, ...folders.flatMap(filesIn)];
  const made = new Set();
  const stale = [];
  for (const path of sources) {
    const isCode = path.endsWith(".ts") && !path.endsWith(".d.ts");
    if (!isCode && !data.test(path)) continue;
    const output = isCode ? path.replace(/\.ts$/, ".js") : path;
    made.add(output);
    if (isCode) made.add(`${output}.map`);
    const since = Math.max(modified(join(root, path)), isCode ? tooling : 0);
    if (modified(join(target, output)) <= since) stale.push({ path, output, isCode });
  }
  const code = stale.filter((file) => file.isCode);
  if (code.length > 0) {
    const { default: ts } = await import("typescript");
    const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
    const compilerOptions = {
      ...options,
      // With "nodenext" a module's kind depends on package.json, which transpileModule does not read.
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      noEmit: false,
      declaration: false,
      isolatedDeclarations: false,
      sourceMap: true,
    };
    for (const { path, output } of code) {
      const file = join(root, path);
      const result = ts.transpileModule(readFileSync(file, "utf8"), {
        fileName: file,
        compilerOptions,
        reportDiagnostics: true,
      });
      if (result.diagnostics.length > 0) {
        throw new Error(ts.formatDiagnostics(result.diagnostics, {
          getCanonicalFileName: (name) => name,
          getCurrentDirectory: () => root,
          getNewLine: () => "\n",
        }));
      }
      const map = JSON.parse(result.sourceMapText);
      map.sources = [`${"../".repeat(path.split("/").length)}${path}`];
      write(join(target, `${output}.map`), JSON.stringify(map));
      write(join(target, output), result.outputText);
    }
  }
  for (const { path, output } of stale.filter((file) => !file.isCode)) {
    mkdirSync(dirname(join(target, output)), { recursive: true });
    copyFileSync(join(root, path), join(target, output));
  }
  const left = filesIn(".build").filter((path) => !made.has(path.slice(".build/".length)));
  for (const path of left) rmSync(join(root, path));
  console.log(
    `.build: ${stale.length} of ${sources.length} files made${left.length ? `, ${left.length} removed` : ""}`,
  );
}

// ------------------------------------------------------------------------------------------------ dist/

/** The replacement of src/interpreter/python_text.ts where no file can be read: contains the texts. */
function embeddedPython() {
  const paths = filesIn("src").filter((path) => path.endsWith(".py"));
  const texts = paths.map((path) => [path.slice("src/".length), readFileSync(join(root, path), "utf8")]);
  return `// Made by scripts/build.mjs of the .py files.
const texts: Record<string, string> = ${JSON.stringify(Object.fromEntries(texts), null, 2)};

/** The text of \`src/PATH\`, as \`py/base.py\`. */
export function pythonText(path: string): string {
  return texts[path];
}
`;
}

const embedPython = {
  name: "embed-python",
  setup(build) {
    const filter = /[\\/]src[\\/]interpreter[\\/]python_text\.ts$/;
    build.onLoad({ filter }, () => ({ contents: embeddedPython(), loader: "ts" }));
  },
};

/** Entries that can be imported, and so have types. */
const typed = entries.map((name) => name.replace(/\.ts$/, "")).filter((name) => name !== "cli");

/** Writes an entry's types. That they are without errors is a test's (project/package_test.ts), which takes a while. */
async function declare(name) {
  const generator = join(root, "node_modules/dts-bundle-generator/dist/bin/dts-bundle-generator.js");
  const output = `dist/${name}.d.ts`;
  const options = ["--silent", "--no-banner", "--no-check", "--export-referenced-types", "false", "--project", "tsconfig.json"];
  try {
    await promisify(execFile)(process.execPath, [generator, ...options, "-o", output, `${name}.ts`], { cwd: root });
  } catch (error) {
    throw new Error(`Cannot make ${output}: ${error.stderr || error.message}`);
  }
  copyFileSync(join(root, output), join(root, "dist", `${name}.d.cts`));
}

async function buildForNpm() {
  const target = join(root, "dist");
  // The sources of the shim are included: `cc` builds it where no prebuilt binary fits.
  const shim = filesIn("ffi/shim").filter((path) => /\.[ch]$/.test(path));
  const inputs = [...tools, ...entries, ...filesIn("src"), ...filesIn("ffi")];
  const outputs = [
    ...entries.map((name) => name.replace(/\.ts$/, ".js")),
    "pyawait.cjs",
    ...typed.flatMap((name) => [`${name}.cjs`, `${name}.d.cts`]),
    ...shim.map((path) => `shim/${basename(path)}`),
    ...typed.map((name) => `${name}.d.ts`),
  ];
  const oldest = Math.min(...outputs.map((name) => modified(join(target, name))));
  if (oldest > newest(inputs)) return console.log("dist: up to date");

  rmSync(target, { recursive: true, force: true });
  const { build } = await import("esbuild");
  const options = {
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "es2022",
    external: ["koffi"],
    sourcemap: true,
    legalComments: "none",
    logLevel: "warning",
    plugins: [embedPython],
  };
  // Code that several entries share has to exist once, and so the interpreter's state.
  await build({ ...options, entryPoints: entries, outdir: "dist", format: "esm", splitting: true, chunkNames: "pyawait-[hash]" });
  for (const name of readdirSync(target).filter((name) => name.startsWith("pyawait-") && name.endsWith(".js"))) {
    const other = readFileSync(join(target, name), "utf8").split("\n").find((line) => /[^\s -~]/.test(line));
    // V8 reads a file with one such character as UTF-16, and Deno takes a third longer. esbuild escapes all but comments.
    if (other) throw new Error(`Cannot build ${name}: it is not ASCII: ${other}`);
  }
  // esbuild splits no CommonJS, so there one file has all of it, and an entry is a name of a part.
  const all = typed.map((name) => `export * as ${name} from "./${name}.ts";`).join("\n");
  const stdin = { contents: all, resolveDir: root, loader: "ts" };
  const logOverride = { "empty-import-meta": "silent" }; // ffi/own_file.ts knows
  await build({ ...options, stdin, outfile: "dist/pyawait.cjs", format: "cjs", sourcemap: false, logOverride });
  for (const name of typed) write(join(target, `${name}.cjs`), `module.exports = require("./pyawait.cjs").${name};\n`);
  mkdirSync(join(target, "shim"), { recursive: true });
  for (const path of shim) copyFileSync(join(root, path), join(target, "shim", basename(path)));
  await Promise.all(typed.map(declare));
  console.log(`dist: ${readdirSync(target).sort().join(" ")}`);
}

// ------------------------------------------------------------------------------------------------ .jsr/

function buildForJsr() {
  const target = join(root, ".jsr");
  rmSync(target, { recursive: true, force: true });
  const { publish: { include }, ...config } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
  const files = include.flatMap((name) => statSync(join(root, name)).isDirectory() ? filesIn(name) : [name]);
  for (const path of files) {
    if (path.endsWith(".py")) continue;
    mkdirSync(dirname(join(target, path)), { recursive: true });
    copyFileSync(join(root, path), join(target, path));
  }
  write(join(target, "src/interpreter/python_text.ts"), embeddedPython());
  const { name, version, license, exports, imports: { koffi } } = config;
  const publish = { include, exclude: include.map((path) => `!${path}`) }; // git ignores all of these files
  write(join(target, "deno.json"), JSON.stringify({ name, version, license, exports, imports: { koffi }, publish }, null, 2));
  console.log(`.jsr: ${files.length} files`);
}

const wanted = process.argv.slice(2);
if (wanted.some((name) => !["node", "dist", "jsr"].includes(name))) {
  throw new Error(`Cannot build "${wanted.join(" ")}": the targets are node, dist and jsr`);
}
if (wanted.length === 0 || wanted.includes("node")) await buildForNode();
if (wanted.length === 0 || wanted.includes("dist")) await buildForNpm();
if (wanted.includes("jsr")) buildForJsr();
