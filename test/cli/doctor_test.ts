/**
 * `pyawait doctor` on machines that are broken in one way each: it finds that, names what mends it, and tells nothing that
 * is nobody's business.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, copyFileSync, cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { backend } from "../../ffi/mod.ts";
import { type Check, libcOf, oldestRuntimes } from "../../src/cli/doctor.ts";
import { runtime } from "../support/child.ts";
import { commandLine, pyawait } from "../support/command.ts";
import { emptyCache } from "../support/empty_cache.ts";
import { fake, folder, library, libraryName, make, otherMachine, path, posix, whole } from "../support/fake_python.ts";
import { skip, windows } from "../support/skip.ts";
import { makeEnvironment } from "../support/virtual_environment.ts";

type Env = Record<string, string | undefined>;

const elsewhere = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-doctor-")));
after(() => rmSync(elsewhere, { recursive: true, force: true }));

/** Variables of a machine with no Python that is named, none on PATH, and none for Python. */
const bare: Env = {};
for (const name of Object.keys(process.env)) if (/^(PYTHON|PYAWAIT_|CONDA_|VIRTUAL_ENV)/.test(name)) bare[name] = undefined;
bare.PATH = elsewhere;

interface Report {
  readonly code: number | null;
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** What one line of JSON says. */
function parse(code: number | null, stdout: string, stderr: string): Report {
  assertEquals(stderr, "");
  assertMatch(stdout, /^[^\n]+\n$/);
  const { schema_version, ok, checks, ...rest } = JSON.parse(stdout);
  assertEquals([schema_version, rest], [1, {}]);
  return { code, ok, checks };
}

async function examine(env: Env): Promise<Report> {
  const { code, stdout, stderr } = await pyawait(["doctor", "--json"], elsewhere, { env: { ...bare, ...env } });
  return parse(code, stdout, stderr);
}

const the = (name: string, { checks }: Report) => checks.find((check) => check.name === name);
const details = (name: string, { checks }: Report) => checks.filter((check) => check.name === name).map(({ detail }) => detail);

/** Asserts that the only problem is this one. */
function assertProblem(report: Report, name: string, fix: string | RegExp): Check {
  const [problem, ...more] = report.checks.filter(({ status }) => status === "problem");
  const { ok, code } = report;
  assertEquals({ ok, code, name: problem?.name, more }, { ok: false, code: 1, name, more: [] }, JSON.stringify(report.checks, null, 1));
  assertMatch(problem.fix ?? "", typeof fix === "string" ? new RegExp(`^${fix.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`) : fix);
  assertMatch(the("open", report)!.detail, /^not tried/);
  return problem;
}

/** The python that the tests use, and a virtual environment of it. */
const python = (() => {
  const { stdout } = spawnSync(process.env.PYAWAIT_PYTHON ?? "python3", ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" });
  return stdout?.trim();
})();
function environment(place: string): string {
  makeEnvironment(python, place);
  return place;
}

test("all is well", async () => {
  const { code, stdout, stderr } = await pyawait(["doctor"], elsewhere);
  assertEquals([code, stderr], [0, ""], stdout);
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.pop(), "All is well.");
  assertMatch(lines[0], new RegExp(`^ok +runtime +${runtime} \\d+\\.\\d+\\.\\d+ on ${process.platform} ${process.arch}`, "i"));
  if (process.platform === "linux") assertMatch(lines[0], /, (glibc 2\.\d+|musl)$/);
  assertMatch(lines.at(-1)!, /^ok +open +opened in \d+ ms, asyncio.sleep\(0\) awaited in [\d.]+ ms$/);
  for (const line of lines) assertMatch(line, /^(ok|note) +[a-z]+ +\S|^ +-> /);
});

test("a report in JSON is one line, in which the home folder is ~", { skip: posix }, async () => {
  const home = make(join(elsewhere, "home"));
  const venv = environment(join(home, ".venv"));
  const report = await examine({ ...emptyCache(join(home, ".cache")), HOME: home, VIRTUAL_ENV: venv });
  assertEquals([report.code, report.ok], [0, true], JSON.stringify(report.checks));
  assertEquals(JSON.stringify(report).includes(home), false);
  assertEquals(the("cache", report)!.detail, "~/.cache/pyawait");
  assertMatch(the("environment", report)!.detail, /^virtual environment ~\/\.venv of /);
});

test("no Python", async () => {
  const report = await examine({});
  const { detail } = assertProblem(report, "python", /install|Install/);
  assertStringIncludes(detail, "PATH: has no python3 and no python");
});

test("every place is told: which Python is used, and why the others are not", { skip: posix }, async () => {
  const [alone, first, second] = [folder(), whole(), whole({ version: "3.12.1" })];
  fake(alone);
  library(second.prefix, libraryName.replace("3.11", "3.12"));
  const [a, b, c, ...more] = details("candidate", await examine({ PATH: path(alone, first.prefix, second.prefix) }));
  assertStringIncludes(a, `python3 on the path "${join(alone, "bin/python3")}": is Python 3.11.7`);
  assertStringIncludes(a, "has no shared library");
  assertEquals([b, c, more], [
    `python3 on the path "${first.python}": Python 3.11.7, used`,
    `python3 on the path "${second.python}": Python 3.12.1, not used: "${first.python}" comes first`,
    [],
  ]);
});

test("a Python without a shared library, or for another machine", { skip: posix }, async () => {
  const [alone, other] = [folder(), folder()];
  fake(alone), fake(other), library(other, libraryName, otherMachine);
  const none = await examine({ PATH: path(alone) });
  assertEquals(assertProblem(none, "python", /--enable-shared/).detail, "none of these can be used");
  const wrong = await examine({ PYAWAIT_PYTHON: other });
  assertEquals(
    assertProblem(wrong, "python", new RegExp(`Install a Python for ${process.arch}`)).detail,
    "PYAWAIT_PYTHON comes first and cannot be used",
  );
  assertMatch(details("candidate", wrong)[0], new RegExp(`is for ${otherMachine}, but this \\w+ is for ${process.arch}`));
});

test("a library that is cut off", { skip: posix }, async () => {
  const { prefix, lib } = whole();
  const report = await examine({ PYAWAIT_PYTHON: prefix });
  assertEquals(the("library", report)!.detail, `${lib}, for ${process.arch}`);
  const { status, detail } = the("open", report)!;
  assertEquals([report.code, status], [1, "problem"]);
  assertStringIncludes(detail, `Cannot load Python 3.11.7: ${lib}: `);
});

const glibc = process.platform === "linux" && libcOf(backend.open)?.startsWith("glibc");

test("a Python for another C library", { skip: skip(!glibc && "this runtime is not for glibc") }, async () => {
  const { prefix, lib } = whole();
  appendFileSync(lib, "libc.musl-x86_64.so.1\0");
  const report = await examine({ PYAWAIT_PYTHON: prefix });
  assertEquals(the("library", report)!.detail, `${lib}, for ${process.arch} and musl`);
  const { detail, fix } = the("open", report)!;
  assertMatch(detail, /; it is for musl, but this \w+ is for glibc$/);
  assertEquals(fix, "Set PYAWAIT_PYTHON to a Python for glibc");
});

test("a virtual environment that was removed, or whose Python was", { skip: posix }, async () => {
  const { python } = whole();
  const gone = join(folder(), "gone"), PATH = path(dirname(dirname(python)));
  const removed = await examine({ VIRTUAL_ENV: gone, PATH });
  assertProblem(removed, "python", "unset VIRTUAL_ENV");
  assertEquals(details("candidate", removed), [
    `VIRTUAL_ENV "${gone}": does not exist`,
    `python3 on the path "${python}": Python 3.11.7, not used: "${gone}" comes first`,
  ]);
  const venv = make(join(folder(), "my app", ".venv"));
  for (const [settings, command] of [["home = /gone\n", "python3 -m venv"], ["home = /gone\nuv = 0.8.1\n", "uv venv"]]) {
    writeFileSync(join(venv, "pyvenv.cfg"), settings);
    assertProblem(await examine({ VIRTUAL_ENV: venv, PATH }), "python", `${command} --clear ${venv.replace(" ", "\\ ")}`);
  }
});

test("environments of venv, uv and conda are told apart", { skip: posix }, async () => {
  const venv = environment(join(folder(), ".venv")), settings = join(venv, "pyvenv.cfg");
  writeFileSync(settings, readFileSync(settings, "utf8").replace("home", "uv = 0.8.1\nhome"));
  const uv = await examine({ VIRTUAL_ENV: venv });
  assertEquals([uv.code, uv.ok], [0, true], JSON.stringify(uv.checks));
  assertStringIncludes(the("environment", uv)!.detail, `virtual environment ${venv}, made by uv 0.8.1, of `);
  const { prefix } = whole();
  assertEquals(the("environment", await examine({ PYAWAIT_PYTHON: prefix }))!.detail, `none: the packages of ${prefix} are used`);
  make(join(prefix, "conda-meta"));
  const conda = await examine({ CONDA_PREFIX: prefix, CONDA_DEFAULT_ENV: "work" });
  assertEquals(the("environment", conda)!.detail, `conda environment ${prefix}`);
});

test("variables that keep Python from starting; their values are not told", async () => {
  const unset = process.platform === "win32" ? (name: string) => `set ${name}=` : (name: string) => `unset ${name}`;
  const home = await examine({ PYAWAIT_PYTHON: python, PYTHONHOME: elsewhere });
  assertStringIncludes(assertProblem(home, "variables", unset("PYTHONHOME")).detail, "but Python 3.");
  const encoding = await examine({ PYAWAIT_PYTHON: python, PYTHONIOENCODING: "my-secret" });
  assertStringIncludes(assertProblem(encoding, "variables", unset("PYTHONIOENCODING")).detail, "PYTHONIOENCODING: is set");
  assertEquals(JSON.stringify(encoding).includes("my-secret"), false);
});

test("what was found is printed before opening Python ends the process", { skip: posix }, async () => {
  const venv = environment(join(folder(), ".venv"));
  const [, packages] = /^(.*)$/m.exec(
    spawnSync(join(venv, "bin/python"), ["-c", "import site; print(site.getsitepackages()[0])"], { encoding: "utf8" }).stdout,
  )!;
  writeFileSync(join(packages, "sitecustomize.py"), "import os, sys\nif not sys.flags.isolated: os._exit(7)\n");
  const { code, stdout } = await pyawait(["doctor"], elsewhere, { env: { ...bare, VIRTUAL_ENV: venv } });
  assertEquals(code, 7);
  assertMatch(stdout.trimEnd().split("\n").at(-1)!, /^ok +variables /);
});

test("a cache that cannot be used is a note", { skip: posix }, async () => {
  const file = join(folder(), "file");
  writeFileSync(file, "");
  const report = await examine({ ...emptyCache(file), PYAWAIT_PYTHON: python });
  assertEquals([report.code, the("cache", report)!.status], [0, "note"], JSON.stringify(report.checks));
  assertEquals(the("cache", report)!.fix, "Set XDG_CACHE_HOME to a folder that you may write to");
});

const canMount = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "-o", "noexec", "none", elsewhere]).status === 0;

test("a cache, and a folder for temporary files, mounted with noexec", { skip: skip(!canMount && "nothing can be mounted here") }, () => {
  const [cache, temporary] = [folder(), folder()];
  const all = { ...process.env, ...bare, ...emptyCache(cache), PYAWAIT_PYTHON: python, TMPDIR: temporary };
  const env = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const script = 'while [ "$1" != -- ]; do mount -t tmpfs -o noexec none "$1" || exit 77; shift; done; shift; exec "$@"';
  const mounted = (...mounts: string[]) => {
    const line = ["-m", "/bin/sh", "-c", script, "sh", ...mounts, "--", ...commandLine(["doctor", "--json"])];
    const { status, stdout, stderr } = spawnSync("unshare", line, { env: { ...env, PATH: process.env.PATH }, encoding: "utf8" });
    return parse(status, stdout, stderr);
  };
  const one = mounted(cache);
  assertEquals([one.code, the("native", one)!.status, the("cache", one)!.status], [0, "ok", "note"], JSON.stringify(one.checks));
  assertStringIncludes(the("cache", one)!.detail, `${join(cache, "pyawait")} cannot be loaded from`);
  assertStringIncludes(the("cache", one)!.fix!, '"noexec"');
  const { detail } = assertProblem(mounted(cache, temporary), "native", /^Set XDG_CACHE_HOME or TMPDIR to a folder .*"noexec"$/);
  for (const place of [join(cache, "pyawait"), temporary]) assertStringIncludes(detail, `${place}: `);
});

/** A Node that finds no koffi from its executable, as one does that is below this project. */
function nodeIn(place: string): string {
  if (!process.execPath.includes(".runtimes")) return process.execPath;
  const copy = join(place, basename(process.execPath));
  copyFileSync(process.execPath, copy);
  return copy;
}

test("neither koffi, or its binary, nor node:ffi is there", { skip: skip(runtime !== "node" && "koffi is for Node") }, () => {
  const copy = folder(), built = fileURLToPath(new URL("../../", import.meta.url)), program = nodeIn(copy);
  for (const part of ["cli.js", "mod.js", "src", "ffi"]) cpSync(join(built, part), join(copy, part), { recursive: true });
  writeFileSync(join(copy, "package.json"), '{ "type": "module" }');
  const flags = process.allowedNodeEnvironmentFlags.has("--experimental-ffi") ? ["--no-experimental-ffi"] : [];
  const report = () => {
    const env = { ...process.env, PYAWAIT_PYTHON: python, NODE_OPTIONS: undefined };
    const { status, stdout, stderr } = spawnSync(program, [...flags, "cli.js", "doctor", "--json"], { cwd: copy, env, encoding: "utf8" });
    return parse(status, stdout, stderr);
  };
  assertProblem(report(), "ffi", "npm install koffi");
  cpSync(realpathSync(join("node_modules", "koffi")), join(copy, "node_modules", "koffi"), { recursive: true });
  assertStringIncludes(assertProblem(report(), "ffi", "npm install --include=optional").detail, "its binary for this platform is missing");
});

test("Node that may load no addons", { skip: skip(runtime !== "node" && "koffi is for Node") }, () => {
  const [program, ...args] = commandLine(["doctor", "--json"]);
  const { status, stdout, stderr } = spawnSync(program, ["--no-addons", ...args], {
    env: { ...process.env, NODE_OPTIONS: undefined },
    encoding: "utf8",
  });
  assertProblem(parse(status, stdout, stderr), "ffi", "start node with --allow-addons, and without --no-addons");
});

const noPipe = runtime === "deno" && windows("Deno opens named pipes with all permissions only");

test("Deno without permissions", { skip: skip(runtime !== "deno" && "only Deno has permissions like that") || noPipe }, () => {
  const all = ["ffi", "read", "env", "run", "write", "sys"];
  const cli = fileURLToPath(new URL("../../cli.ts", import.meta.url));
  const without = (...names: string[]) => {
    const flags = all.filter((name) => !names.includes(name)).map((name) => `--allow-${name}`);
    // --allow-import, because Deno adds -A to the arguments of a Deno that is started without any permission.
    const line = ["run", "--no-prompt", "--no-check", "--allow-import", ...flags, cli, "doctor", "--json"];
    const { status, stdout, stderr } = spawnSync(process.execPath, line, { encoding: "utf8" });
    const report = parse(status, stdout, stderr);
    assertEquals(the("permissions", report)!.detail, `not given, or for a part only: ${names.map((name) => `--allow-${name}`).join(" ")}`);
    return report;
  };
  assertProblem(without("ffi"), "ffi", "Start Deno with --allow-ffi, or with -A");
  assertProblem(without("env"), "python", "Start Deno with --allow-env, or with -A");
  const problems = (report: Report) => report.checks.filter(({ status }) => status === "problem").map(({ name, fix }) => `${name}: ${fix}`);
  assertEquals(problems(without("read")), ["native", "python"].map((name) => `${name}: Start Deno with --allow-read, or with -A`));
  const none = without(...all);
  assertEquals(none.code, 1);
  assertEquals(problems(none).map((line) => line.split(":")[0]), ["ffi", "python"]);
  for (const name of ["run", "write", "sys"]) assertStringIncludes(JSON.stringify(without(name)), `--allow-${name}`);
});

test("C libraries are told apart", () => {
  const opens = (library: string) =>
    ((path: string) => {
      if (path !== library) throw new Error(`${path}: cannot open shared object file`);
      return { dlopen: () => null };
    }) as unknown as Parameters<typeof libcOf>[0];
  const musl = `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
  assertEquals(libcOf(opens(musl)), "musl");
  assertEquals(libcOf(opens("libSystem.dylib")), undefined);
});

test("the oldest runtimes are those of package.json", () => {
  const { engines } = JSON.parse(readFileSync("package.json", "utf8"));
  assertEquals(Object.fromEntries(Object.entries(oldestRuntimes).map(([name, version]) => [name, `>=${version}`])), engines);
});

test("arguments that doctor does not take", async () => {
  for (const args of [["--yaml"], ["--json", "more"], ["python3"]]) {
    const { code, stdout, stderr } = await pyawait(["doctor", ...args], elsewhere);
    assertEquals([code, stdout, stderr], [2, "", "pyawait: doctor takes nothing but --json\n"]);
  }
});
