// Starts Python with given options: loads the shim, chooses and loads the Python, and explains what fails.
//
// Python is initialised once per process, successfully or not. If `_main` fails it can be run again with other options,
// but the Python that was chosen stays. The shim, which the whole process shares, keeps what its opener decided.
import process from "../../ffi/process.ts";
import { TextDecoder, TextEncoder } from "../../ffi/intrinsics.ts";
import { backend } from "../../ffi/mod.ts";
import { type Loader, openLoader } from "../../ffi/native/loader.ts";
import { ShimError } from "../../ffi/native/binary.ts";
import { openCache } from "../../ffi/native/cache.ts";
import { type LoadedShim, openShim, type Shim } from "../../ffi/native/symbols.ts";
import type { Pointer } from "../../ffi/types.ts";
import { pythonSource } from "./python_source.ts";
import { PythonClosedError } from "./closed.ts";
import { checkEnvironment, checkPythonHome, locate, type Location, PythonLoadError, workingFolder } from "../locate/locate.ts";
import { type Options, resolveOptions } from "./options.ts";
import { Writer } from "../wire/codec.ts";
import { Opened, Tag } from "../wire/numbers.ts";

/** A running Python. */
export interface Started extends LoadedShim {
  readonly location: Location;
  readonly options: Options;
}

let failed: PythonLoadError | undefined;

/**
 * Starts Python with these options (default options if none), or joins the Python that other code in this process
 * opened.
 *
 * @throws {PythonNotFoundError | PythonLoadError} if it cannot be found, loaded or started
 * @throws {PythonClosedError} if it was closed
 * @throws {TypeError} if it is open with other options
 */
export function start(configured: Options | undefined): Started {
  if (failed) throw failed;
  const loader = openLoader();
  const loaded = loadShim(loader), { shim } = loaded;
  const opener = readOpener(shim);
  const options = configured ?? resolveOptions({});
  const location = opener ? locationOf(opener, options) : choose(options);
  const library = opener ? backend.pointer(0) : load(loader, location);
  const { answer, problem } = openPython(shim, loader, library, location, options);
  switch (answer) {
    case Opened.before:
      return { ...loaded, ...join(readOpener(shim)!, configured) };
    case Opened.closed:
      throw new PythonClosedError();
    case Opened.failed:
      throw failed = cannotStart(location, problem, "Correct what it says, and start a new process");
    case Opened.foreign:
      throw failed = cannotStart(location, foreign, hintForeign);
    case Opened.refused:
      throw cannotStart(location, problem, hintRefused(location, problem));
  }
  return { ...loaded, location, options };
}

function choose(options: Options): Location {
  const location = locate(options);
  checkPythonHome(process.env, location);
  checkEnvironment(process.env, workingFolder(), location);
  return location;
}

/** What the opener of Python left for other heaps: Workers, copies of this package, the next attempt. */
interface Opener {
  readonly location: Location;
  readonly options: Shared;
}

/** The options as another heap sees them; functions belong to their own heap. */
type Shared = Omit<Options, "stdout" | "stderr"> & { readonly stdout: string; readonly stderr: string };

function share(options: Options): Shared {
  const { stdout, stderr } = options;
  return {
    ...options,
    stdout: typeof stdout === "function" ? "a function" : stdout,
    stderr: typeof stderr === "function" ? "a function" : stderr,
  };
}

function readOpener(shim: Shim): Opener | undefined {
  for (let capacity = 1 << 13;;) {
    const text = backend.allocate(capacity);
    const length = shim.pyawait_opener(backend.address(text), capacity);
    if (length === 0) return undefined;
    if (length > 0) return JSON.parse(new TextDecoder().decode(text.slice(0, length)));
    capacity = -length;
  }
}

/**
 * The Python that this process has initialised, or is about to.
 *
 * @throws {TypeError} if the options name another one
 */
function locationOf(opener: Opener, options: Options): Location {
  const { location } = opener;
  for (const name of ["executable", "library"] as const) {
    const value = options[name];
    if (value === undefined || value === opener.options[name] || value === location[name]) continue;
    throw new TypeError(
      `Cannot configure Python: ${name} is "${value}", but this process has initialised Python ${location.version} from ` +
        `"${location.executable ?? location.library}"; leave ${name} out, or start a new process for another Python`,
    );
  }
  return location;
}

/**
 * The opener's Python and options.
 *
 * @throws {TypeError} if this heap has configured other options
 */
function join({ location, options }: Opener, configured: Options | undefined): { location: Location; options: Options } {
  if (!configured) return { location, options: { ...options, stdout: "inherit", stderr: "inherit" } };
  const ours = share(configured);
  const names = [...new Set([...Object.keys(ours), ...Object.keys(options)])] as (keyof Shared)[];
  const text = (value: unknown) => JSON.stringify(value) ?? "left out";
  const other = names.filter((name) => text(ours[name]) !== text(options[name]));
  if (other.length === 0) return { location, options: configured };
  const list = other.map((name) => `${name} is ${text(options[name])}, not ${text(ours[name])}`).join("; ");
  throw new TypeError(
    `Cannot configure Python: another thread, or another copy of pyawait, has it open already, with other options (${list}); ` +
      "configure the same options there and here, or none here",
  );
}

function load(loader: Loader, location: Location): Pointer {
  try {
    return loader.load(location.library);
  } catch (error) {
    const problem = (error as Error).message;
    throw new PythonLoadError(
      `Cannot load Python ${location.version}`,
      [{ place: location.library, problem }],
      "Set PYAWAIT_PYTHON to another Python, or PYAWAIT_LIBRARY to its shared library",
    );
  }
}

function loadShim(loader: Loader): LoadedShim {
  try {
    return openShim(loader);
  } catch (error) {
    if (!(error instanceof ShimError)) throw error;
    throw new PythonLoadError("Cannot load the native part of pyawait", error.tried, error.hint);
  }
}

function openPython(shim: Shim, loader: Loader, library: Pointer, location: Location, options: Options) {
  const opener = JSON.stringify({ location, options: share(options) });
  const texts = encodeTexts(location.executable ?? "", opener, codeFolder(), ...pythonSource().flat(), "");
  const configuration = writeConfiguration(options);
  const text = backend.allocate(2048);
  shim.pyawait_set_spin(options.spin);
  const answer = shim.pyawait_open(
    loader.find,
    library,
    loader.system,
    backend.address(texts),
    configuration.pointer,
    configuration.at,
    backend.address(text),
    text.length,
  );
  const problem = new TextDecoder().decode(text.slice(0, text.indexOf(0)));
  return { answer, problem, buffers: [texts, configuration] }; // alive until here: C reads them during the call
}

/** Where `src/py/loader.py` may keep code; empty: nowhere. */
function codeFolder(): string {
  try {
    return openCache();
  } catch {
    return ""; // no permission, or another user could write to it
  }
}

function encodeTexts(...parts: string[]): Uint8Array {
  const encoded = new TextEncoder().encode(parts.join("\0") + "\0");
  const buffer = backend.allocate(encoded.length);
  buffer.set(encoded);
  return buffer;
}

function writeConfiguration(options: Options): Writer {
  const w = new Writer(4096);
  const strings = (values: readonly string[]) => {
    w.tagged32(Tag.list, values.length);
    for (const value of values) w.string(value);
  };
  w.tagged32(Tag.dict, 5);
  w.string("path"), strings(options.path);
  w.string("args"), strings(options.args);
  w.string("loop"), w.string(options.loop);
  w.string("switch_interval"), w.tagged64(Tag.float, options.switchInterval);
  w.string("keeps_signal_handlers"), w.u8(backend.keepsSignalHandlers ? Tag.true : Tag.false);
  return w;
}

const foreign = "something else in this process has initialised Python: another version of pyawait, or another package that embeds it";
const hintForeign =
  'Have one of them only (for versions of pyawait: "npm ls pyawait", "npm dedupe"), or run the other in a process of its own ' +
  "(node:child_process)";

function cannotStart(location: Location, problem: string, hint: string): PythonLoadError {
  return new PythonLoadError(`Cannot start Python ${location.version}`, [{ place: location.library, problem }], hint);
}

function hintRefused({ executable }: Location, problem: string): string {
  const [, missing] = /No module named '([^'.]+)/.exec(problem) ?? [];
  const install = missing && executable !== null
    ? `Run "${executable} -m pip install ${missing}" if that is its package`
    : "Correct what it says";
  return `${install}, or call python.configure with other options; then open Python again`;
}
