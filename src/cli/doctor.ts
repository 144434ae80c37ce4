// `pyawait doctor`: checks everything that opening Python needs, and says what mends what is wrong.
//
// Every check calls what opening itself calls, so both find the same faults. Opening comes last, because it can end the
// process; what was found before has been printed then.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import process from "../../ffi/process.ts";
import { Promise } from "../../ffi/intrinsics.ts";
import { backend } from "../../ffi/mod.ts";
import { openCache, variable } from "../../ffi/native/cache.ts";
import type { PassedOver } from "../../ffi/native/binary.ts";
import { type Loader, openLoader } from "../../ffi/native/loader.ts";
import { type LoadedShim, openShim } from "../../ffi/native/symbols.ts";
import {
  checkEnvironment,
  checkPythonHome,
  choose,
  cLibraryOf,
  type Location,
  machinesOf,
  type Place,
  runtimeName,
  survey,
  words,
  workingFolder,
} from "../locate/locate.ts";
import { python } from "../python.ts";

/** What one check has found. */
export interface Check {
  readonly name: string;
  /** Opening fails with a `problem`; it does not with a `note`. */
  readonly status: "ok" | "note" | "problem";
  readonly detail: string;
  /** The command, or else the change, that mends it. */
  readonly fix?: string;
}

type Result = Omit<Check, "name">;

const ok = (detail: string): Result => ({ status: "ok", detail });
const note = (detail: string, fix?: string): Result => ({ status: "note", detail, ...(fix && { fix }) });

const windows = process.platform === "win32";

/** The oldest runtimes that can be used, as in package.json. */
export const oldestRuntimes = { node: "20.19", deno: "2.8.1", bun: "1.4" };

function checkRuntime(): Result {
  const { name, runtime } = backend, [, version] = runtime.split(" ");
  const libc = process.platform === "linux" ? `, ${libcOf(backend.open) ?? "C library unknown"}` : "";
  const detail = `${runtimeName()} ${version} on ${process.platform} ${process.arch}${libc}`;
  const oldest = oldestRuntimes[name];
  if (numeric(version) >= numeric(oldest)) return ok(detail);
  const fix = name === "node" ? `Install Node ${oldest} or newer, from https://nodejs.org` : `${name} upgrade`;
  return { status: "problem", detail: `${detail}: too old, ${oldest} is the oldest that can be used`, fix };
}

function numeric(version: string): number {
  const [major, minor, patch = 0] = version.split(".").map((part) => parseInt(part));
  return (major * 1000 + minor) * 1000 + patch;
}

/**
 * The C library of this process, "glibc 2.36" or "musl": `process.report` of Deno has a version of its own making. musl
 * answers to the name libc.so.6 as well.
 */
export function libcOf(open: typeof backend.open): string | undefined {
  try {
    const { gnu_get_libc_version } = open("libc.so.6", { gnu_get_libc_version: { parameters: [], result: "pointer" } });
    return `glibc ${backend.text(gnu_get_libc_version()!)}`;
  } catch {
    // It is another, or no FFI may be used.
  }
  try {
    open(`libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`, {
      dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
    });
    return "musl";
  } catch {
    return undefined;
  }
}

function checkNative({ path, origin }: LoadedShim): Result {
  return ok(origin === "cc" ? `compiled by cc, ${path}` : `${origin}, ${path}`);
}

function checkCache(native: LoadedShim | undefined): Result {
  try {
    const folder = openCache();
    const [passedOver] = native?.passedOver ?? [];
    if (passedOver === undefined) return ok(folder);
    const { place, problem } = passedOver;
    return note(
      `${place} cannot be loaded from, so each start is slower: ${problem}`,
      'Set XDG_CACHE_HOME to a folder that is not mounted with "noexec"',
    );
  } catch (error) {
    const problem = (error as Error).message, [, command] = /\(run "(.*)"\)$/.exec(problem) ?? [];
    const name = windows ? "LOCALAPPDATA" : "XDG_CACHE_HOME";
    const fix = command ?? flagFix(problem) ?? `Set ${name} to a folder that you may write to`;
    return note(`cannot be used, so each start is slower: ${problem}`, fix);
  }
}

/** One place where a Python may be. `first`: the one before it that is used, or that was named and cannot be. */
function checkPlace({ candidate, found }: Place, first: string | undefined): Result {
  if (found instanceof Error) return note(listed(found.tried));
  return ok(`${words(candidate)}: Python ${found.version}, ${first === undefined ? "used" : `not used: "${first}" comes first`}`);
}

function checkPython(location: Location): Result {
  const { version, implementation, gil, executable } = location;
  const name = implementation === "cpython" ? "CPython" : implementation;
  return ok(`${name} ${version}, ${gil ? "with the GIL" : "free-threaded"}, ${executable ?? "no executable"}`);
}

/** Why none of these places is used. */
function noPython(error: unknown, places: readonly Place[]): Result {
  const named = places.find(({ candidate, found }) => candidate.required && found === error);
  if (named) return { status: "problem", detail: `${named.candidate.source} comes first and cannot be used`, fix: mend(named) };
  const { detail, fix } = failure(error);
  return { status: "problem", detail: places.length > 0 ? "none of these can be used" : detail, fix };
}

/** What mends a place that the user has named. Its error would have another one named. */
function mend({ candidate, found }: Place): string | undefined {
  const path = resolve(candidate.path), settings = read(join(path, "pyvenv.cfg"));
  if (settings !== "" && !existsSync(join(path, windows ? "Scripts/python.exe" : "bin/python"))) {
    const place = windows ? `"${path}"` : path.replace(/[^\w./~+@%:,-]/g, "\\$&");
    return `${/^uv\s*=/m.test(settings) ? "uv venv" : windows ? "py -m venv" : "python3 -m venv"} --clear ${place}`;
  }
  if (variable(candidate.setting) !== undefined && found instanceof Error && found.tried[0]?.problem === "does not exist") {
    return windows ? `set ${candidate.setting}=` : `unset ${candidate.setting}`;
  }
  return failure(found).fix;
}

function checkLibrary({ library }: Location): Result {
  const libc = process.platform === "linux" && cLibraryOf(library);
  return ok(`${library}, for ${machinesOf(library).join(" and ")}${libc ? ` and ${libc}` : ""}`);
}

function checkPackages({ prefix, basePrefix }: Location): Result {
  const settings = read(join(prefix, "pyvenv.cfg"));
  const [, maker, version] = /^(uv|virtualenv)\s*=\s*(\S+)/m.exec(settings) ?? [];
  if (settings !== "") return ok(`virtual environment ${prefix}${maker ? `, made by ${maker} ${version},` : ""} of ${basePrefix}`);
  if (existsSync(join(prefix, "conda-meta"))) return ok(`conda environment ${prefix}`);
  return ok(`none: the packages of ${prefix} are used`);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function checkVariables(location: Location): Result {
  try {
    checkPythonHome(process.env, location);
    checkEnvironment(process.env, workingFolder(), location);
  } catch (error) {
    const { detail, ...rest } = failure(error);
    return { ...rest, detail: withoutValues(detail) };
  }
  const names = pythonVariables();
  return ok(names.length > 0 ? `set for Python: ${names.join(", ")}` : "none is set for Python");
}

function pythonVariables(): string[] {
  try {
    return Object.keys(process.env).filter((name) => /^PYTHON/i.test(name)).sort();
  } catch {
    return []; // Deno without --allow-env
  }
}

/** A text without the values of Python's variables, but for PYTHONHOME's: reports are passed on. */
function withoutValues(text: string): string {
  for (const name of pythonVariables()) {
    const value = process.env[name] ?? "";
    if (name === "PYTHONHOME" || value === "") continue;
    text = text.replaceAll(JSON.stringify(value), "set");
    if (value.length > 3) text = text.replaceAll(value, "…");
  }
  return text;
}

async function checkOpen(location: Location): Promise<Result> {
  const start = performance.now();
  try {
    python.open();
  } catch (error) {
    return ofOtherCLibrary(location, failure(error));
  }
  const opened = performance.now();
  await python.import("asyncio").sleep(0);
  const awaited = performance.now();
  return ok(`opened in ${Math.round(opened - start)} ms, asyncio.sleep(0) awaited in ${(awaited - opened).toFixed(1)} ms`);
}

/** Adds to a failed open what the system's loader does not say: that the library is for another C library. */
function ofOtherCLibrary({ library }: Location, failed: Result): Result {
  const ours = process.platform === "linux" && libcOf(backend.open)?.split(" ")[0], its = ours && cLibraryOf(library);
  if (!ours || !its || its === ours) return failed;
  return {
    status: "problem",
    detail: `${failed.detail}; it is for ${its}, but this ${runtimeName()} is for ${ours}`,
    fix: `Set PYAWAIT_PYTHON to a Python for ${ours}${ours === "musl" ? ', such as that of "apk add python3"' : ""}`,
  };
}

/** A check that has thrown. */
function failure(error: unknown): Result {
  const { message, tried, hint } = error as Error & { tried?: readonly PassedOver[]; hint?: string };
  const [summary, ...more] = message.split("\n");
  const detail = tried && more.length > 0 ? `${summary} ${listed(tried)}` : hint ? summary.replace(`: ${hint}`, "") : summary;
  const fix = flagFix(message) ?? (hint && commandOf(hint));
  return { status: "problem", detail, ...(fix && { fix }) };
}

function listed(tried: readonly PassedOver[]): string {
  return tried.map(({ place, problem }) => `${place}: ${problem}`).join("; ");
}

/** The command with which a hint begins, else the hint. */
function commandOf(hint: string): string {
  return /^Run "([^"]+)"(?! and )/i.exec(hint)?.[1] ?? hint;
}

/** The flags that a text names and this program does not have. */
function flagFix(text: string): string | undefined {
  const flags = backend.missingFlags().filter((flag) => text.includes(flag));
  return flags.length > 0 ? `Start ${runtimeName()} with ${flags.join(" ")}, or with -A` : undefined;
}

async function attempt(name: string, check: () => Result | Promise<Result>): Promise<Check> {
  try {
    return { name, ...await check() };
  } catch (error) {
    return { name, ...failure(error) };
  }
}

/** All checks, in the order in which opening does what they check. */
async function* checks(): AsyncGenerator<Check> {
  yield await attempt("runtime", checkRuntime);
  const missing = backend.missingFlags();
  if (missing.length > 0) yield { name: "permissions", ...note(`not given, or for a part only: ${missing.join(" ")}`) };
  let loader: Loader | undefined, native: LoadedShim | undefined;
  yield await attempt("ffi", () => (loader = openLoader(), ok(backend.ffi)));
  yield await attempt("native", () => loader ? checkNative(native = openShim(loader)) : note("not tried: it needs the FFI"));
  yield await attempt("cache", () => checkCache(native));
  const location = yield* checkPythons();
  let starts = false;
  if (location) {
    yield await attempt("library", () => checkLibrary(location));
    yield await attempt("environment", () => checkPackages(location));
    const variables = await attempt("variables", () => checkVariables(location));
    starts = variables.status === "ok";
    yield variables;
  }
  yield await attempt("open", () => native && location && starts ? checkOpen(location) : note("not tried, because of what is wrong above"));
}

/** Examines every place where a Python may be, and gives the Python that opening uses. */
async function* checkPythons(): AsyncGenerator<Check, Location | undefined> {
  const places: Place[] = [];
  try {
    let first: string | undefined; // the path of the place that decides
    for (const place of survey()) {
      places.push(place);
      yield { name: "candidate", ...checkPlace(place, first) };
      if (place.candidate.required || !(place.found instanceof Error)) first ??= place.candidate.path;
    }
    const location = choose(places);
    yield { name: "python", ...checkPython(location) };
    return location;
  } catch (error) {
    yield await attempt("python", () => noPython(error, places));
    return undefined;
  }
}

/** A text with the home folder as `~`. */
function withoutHome(text: string): string {
  for (const home of homeFolders()) {
    const literal = home.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    text = text.replace(new RegExp(`${literal}(?![\\w.-])`, windows ? "gi" : "g"), "~");
  }
  return text;
}

/** The home folder as variables name it, and its real path. */
function homeFolders(): string[] {
  const folders: string[] = [];
  try {
    folders.push(variable("HOME") ?? homedir());
    folders.unshift(realpathSync(folders[0]));
  } catch {
    // Deno may not tell, or the folder does not exist.
  }
  return folders.filter((path) => path.length > 1);
}

/** Waits until it is written: opening may end the process. */
function write(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

export const doctorUsage = "       pyawait doctor [--json]";

export const doctorHelp =
  `doctor: checks everything that opening Python needs, offline; a problem comes with the command that mends it, and the exit
code is 1. --json writes one line: { schema_version, ok, checks: [{ name, status, detail, fix }] }.
`;

/** Implements `pyawait doctor`. */
export async function doctor(args: readonly string[]): Promise<number> {
  const json = args[0] === "--json";
  if (args.length > (json ? 1 : 0)) {
    process.stderr.write("pyawait: doctor takes nothing but --json\n");
    return 2;
  }
  process.stdout.on("error", () => {}); // the reader of a pipe may have ended: `| head`
  const found: Check[] = [];
  for await (const { name, status, detail, fix } of checks()) {
    const check = { name, status, detail: withoutHome(detail), ...(fix && { fix: withoutHome(fix) }) };
    found.push(check);
    if (!json) await write(asText(check));
  }
  const problems = found.filter(({ status }) => status === "problem").length;
  if (json) await write(`${JSON.stringify({ schema_version: 1, ok: problems === 0, checks: found })}\n`);
  else await write(problems === 0 ? "All is well.\n" : problems === 1 ? "1 problem.\n" : `${problems} problems.\n`);
  return problems === 0 ? 0 : 1;
}

function asText({ name, status, detail, fix }: Check): string {
  const line = `${status.padEnd(7)}  ${name.padEnd(11)}  ${detail}\n`;
  return fix === undefined ? line : `${line}${" ".repeat(22)}-> ${fix}\n`;
}
