/**
 * Tests the shim by itself, without a JavaScript runtime:
 *
 *     node test/native/run.mjs
 *
 * gcc and clang compile it with all warnings and analyse it, and its files are checked for their order; then harness.c
 * drives it in a real Python, under the address and undefined behaviour sanitizers and under the thread sanitizer, and
 * fuzz.c sends it random messages: PYAWAIT_FUZZ="COUNT SEED" says how many, and which. Prints `N passed, N failed`. What
 * cannot be run here (no compiler, no sanitizer, no Python) is a line `skip: REASON`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { violations, wrongPrototypes } from "./order.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "..", "..");
const shim = join(root, "ffi", "shim");
const folder = mkdtempSync(join(tmpdir(), "pyawait-shim-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

let passed = 0, failed = 0;
const skip = (reason) => console.log(`skip: ${reason}`);

function result(name, problem) {
  problem ? failed++ : passed++;
  console.log(
    problem ? `FAILED  ${name}\n${problem.trimEnd().replace(/^/gm, "        ")}` : `ok      ${name}`,
  );
}

const run = (program, args, options = {}) =>
  spawnSync(program, args, { encoding: "utf8", cwd: folder, timeout: process.env.PYAWAIT_FUZZ ? undefined : 300_000, ...options });
const exists = (program) => run(program, ["--version"]).status === 0;

/** A compiler by its plain name or the one that Debian 12 has. */
const find = (...names) => names.find(exists);
const gcc = find("gcc"), clang = find("clang", "clang-14");
const warnings = [
  "-std=c11",
  "-Wall",
  "-Wextra",
  "-Wpedantic",
  "-Werror",
  "-Wframe-larger-than=4000",
  "-ffreestanding",
  "-fno-builtin",
  "-fPIC",
];
const source = join(shim, "shim.c");

function compile(name, compiler, args) {
  const { status, stderr, stdout, error } = run(compiler, args);
  const text = `${stdout}${stderr}${error ?? ""}`;
  result(name, status === 0 && !/warning:/.test(text) ? undefined : text || `exit code ${status}`);
  return status === 0;
}

for (const compiler of [gcc, clang]) {
  if (!compiler) continue;
  for (const level of ["-O0", "-O2"]) {
    compile(`${compiler} ${level}, all warnings`, compiler, [
      ...warnings,
      level,
      "-c",
      source,
      "-o",
      "shim.o",
    ]);
  }
}
if (gcc) compile("gcc -fanalyzer", gcc, [...warnings, "-O1", "-fanalyzer", "-c", source, "-o", "shim.o"]);
if (clang) {
  compile("clang --analyze", clang, ["-std=c11", "--analyze", "-Xanalyzer", "-analyzer-output=text", source]);
}
if (gcc) {
  const names = readdirSync(shim).filter((name) => name.endsWith(".c"));
  for (
    const [system, files] of [["POSIX", names.filter((name) => !name.endsWith("_win32.c"))], [
      "Windows",
      names.filter((name) => name.endsWith("_win32.c")),
    ]]
  ) {
    compile(`every .c file by itself, as an editor reads it (${system})`, gcc, [
      "-std=c11",
      "-w",
      "-fsyntax-only",
      ...(system === "Windows" ? ["-D_WIN32"] : []),
      ...files.map((name) => join(shim, name)),
    ]);
  }
}
for (const [name, found] of [["gcc", gcc], ["clang", clang]]) if (!found) skip(`there is no ${name}`);

/** The shim's files use only what stands before them (order.mjs). A violation is planted, so that the check is one. */
function checkOrder() {
  const names = readdirSync(shim).filter((name) => name.endsWith(".c"));
  const sources = new Map(names.map((name) => [name, readFileSync(join(shim, name), "utf8")]));
  const header = readFileSync(join(shim, "functions.h"), "utf8");
  const planted = (name, text) => violations(new Map(sources).set(name, sources.get(name) + text)).join("\n");
  const long = [...sources].filter(([, text]) => text.split("\n").length > 401).map(([name]) => `${name} has more than 400 lines`);
  const caught = planted("owner.c", "static void planted(void) { skip_values(0, 0, 0); }\n");
  const upwards = planted("base.c", "static void *planted(void) { return payloads; }\n");
  const innocent = planted(
    "owner.c",
    '/* skip_values */ static const char *planted = "skip_values"; static int p(struct heap *h) { return h->ring; }\n',
  );
  const forgotten = violations(new Map(sources).set("new.c", "")).join("\n");
  result("every .c file uses only what stands before it", violations(sources).join("\n"));
  result("no .c file has more than 400 lines", long.join("\n"));
  result("functions.h declares what crosses files", wrongPrototypes(sources, header).join("\n"));
  result("a planted call upwards is caught", caught === "owner.c uses skip_values of skip.c" ? "" : `found: ${caught}`);
  result("a planted use of a variable upwards is caught", upwards === "base.c uses payloads of skip.c" ? "" : `found: ${upwards}`);
  result("a comment, a text and a member are no use", innocent);
  result("a file that shim.c forgets is caught", forgotten === "shim.c does not include new.c" ? "" : `found: ${forgotten}`);
  result(
    "a planted prototype is caught",
    wrongPrototypes(sources, `${header}\nstatic void planted(void);`).length === 1 ? "" : "it is not",
  );
}
checkOrder();

/** A Python with a shared library, as the shim wants it. */
function findPython() {
  const script = "import sys, sysconfig, os; c = sysconfig.get_config_vars(); names = [c.get('INSTSONAME'), c.get('LDLIBRARY')]; " +
    "folders = [os.path.join(sys.base_prefix, 'lib'), os.path.join(sys.base_prefix, 'lib', c.get('MULTIARCH') or ''), c.get('LIBDIR') or '']; " +
    "print(sys.executable); print(next((p for f in folders for n in names if n and '.so' in n for p in [os.path.join(f, n)] if os.path.exists(p)), ''))";
  const { stdout, status } = run(process.env.PYAWAIT_PYTHON ?? "python3", ["-I", "-c", script]);
  const [executable, library] = status === 0 ? stdout.trim().split("\n") : [];
  return library ? { executable, library } : undefined;
}

const python = findPython();
const list = readFileSync(join(root, "src", "interpreter", "python_source.ts"), "utf8");

/** The second chapter, which src/wire/numbers.ts makes. */
async function writeNumbers() {
  const source = readFileSync(join(root, "src", "wire", "numbers.ts"), "utf8");
  const { outputText } = ts.transpileModule(source, { compilerOptions: { target: "es2022", module: "esnext" } });
  const { pythonNumbers } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);
  writeFileSync(join(folder, "numbers.py"), pythonNumbers());
  return join(folder, "numbers.py");
}

const chapters = /const chapters[^=]*= \[([^\]]*)\]/.exec(list)[1].match(/\w+/g).map((name) => join(root, "src", "py", `${name}.py`));

const sanitizers = [
  ["address", ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"], {
    // What Python allocates lives as long as the process.
    ASAN_OPTIONS: "detect_leaks=0:detect_stack_use_after_return=0:handle_segv=1",
    UBSAN_OPTIONS: "print_stacktrace=1",
    PYTHONMALLOC: "malloc",
  }],
  ["thread", ["-fsanitize=thread"], {
    TSAN_OPTIONS: "exitcode=66:second_deadlock_stack=1:report_thread_leaks=0",
  }],
];

for (const [name, flags, env] of sanitizers) {
  const label = `harness, ${name} sanitizer`;
  if (!python) {
    skip(`${label}: there is no Python with a shared library`);
    continue;
  }
  const compiler = [gcc, clang].find((each) => {
    if (!each) return false;
    return run(each, [...flags, "-x", "c", "-", "-o", "probe"], { input: "int main(void) { return 0; }" })
          .status === 0 &&
      run(join(folder, "probe"), []).status === 0;
  });
  if (!compiler) {
    skip(`${label}: neither gcc nor clang can make and run a program with ${flags[0]}`);
    continue;
  }
  // The shim's own memcpy and memset would take the sanitizer's place.
  const object = [
    "-std=c11",
    "-g",
    "-O1",
    ...flags,
    "-Dmemcpy=shim_memcpy",
    "-Dmemset=shim_memset",
    "-DPYAWAIT_CHECK_OBJECTS",
    "-c",
    source,
    "-o",
    "shim.o",
  ];
  const program = [
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-g",
    "-O1",
    ...flags,
    "-I",
    shim, // numbers.h
    join(here, "harness.c"),
    "shim.o",
    "-o",
    `harness-${name}`,
    "-ldl",
    "-lpthread",
  ];
  if (
    !compile(`${compiler}: shim with ${flags[0]}`, compiler, object) ||
    !compile(`${compiler}: harness with ${flags[0]}`, compiler, program)
  ) continue;
  const { stdout, stderr, status, signal, error } = run(join(folder, `harness-${name}`), [
    python.library,
    python.executable,
    chapters[0],
    await writeNumbers(),
    ...chapters.slice(1),
  ], {
    env: { ...process.env, PYAWAIT_DEEPBIND: "0", ...env }, // sanitizers refuse RTLD_DEEPBIND
    killSignal: "SIGKILL",
  });
  const summary = /^(\d+) passed, (\d+) failed$/m.exec(stdout);
  const well = status === 0 && summary && !/ERROR: |WARNING: ThreadSanitizer|runtime error/.test(stderr);
  result(
    `${label}: ${summary?.[0] ?? "no summary"}`,
    well ? undefined : `${stderr}\n${stdout}\n${error ?? signal ?? `exit code ${status}`}`.slice(0, 12_000),
  );
  if (summary) passed += Number(summary[1]), failed += Number(summary[2]);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
