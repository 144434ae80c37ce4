// From options to a running Python: the shim, the Python to load, and what may go wrong with either.
//
// The one thing to know: Python is initialised once per process, whatever came of it. A `_main` that failed can be run
// again with other options; all that was decided before it (which Python) stays.
import process from "node:process";
import { backend } from "../ffi/mod.ts";
import { type Loader, openLoader } from "../ffi/shim/library.ts";
import { ShimError } from "../ffi/shim/binary.ts";
import { Opened, openShim, type Shim } from "../ffi/shim/shim.ts";
import type { Pointer } from "../ffi/types.ts";
import { pythonSource } from "./chapters.ts";
import { checkEnvironment } from "./environment.ts";
import { PythonClosedError } from "./errors.ts";
import { checkPythonHome, locate, type Location, PythonLoadError } from "./locate.ts";
import { type Options, resolveOptions } from "./options.ts";
import { Tag, Writer } from "./wire.ts";
import { workingFolder } from "./working_folder.ts";

/** A Python that runs. */
export interface Started {
  readonly shim: Shim;
  readonly location: Location;
  readonly options: Options;
  /** Where the shim's binary came from: `prebuilt`, `cc` or `PYAWAIT_SHIM`. */
  readonly origin: string;
}

/** Which Python this process has initialised, and how it was named, once that has been tried. */
let chosen: { location: Location; options: Options } | undefined;
let failed: PythonLoadError | undefined;

/** Starts Python with these options, or the default ones. */
export function start(configured: Options | undefined): Started {
  if (failed) throw failed;
  const options = configured ?? resolveOptions({});
  const location = chosen ? keep(chosen, options) : choose(options);
  const loader = openLoader();
  const library = load(loader, location);
  const { shim, origin } = loadShim(loader);
  chosen ??= { location, options };
  const { answer, problem } = openPython(shim, loader, library, location, options);
  if (answer === Opened.closed) throw new PythonClosedError();
  if (answer === Opened.failed) throw failed = cannotStart(location, problem, "Mend what it says, and start a new process");
  if (answer === Opened.refused) throw cannotStart(location, problem, mendRefused(location, problem));
  return { shim, location, options, origin };
}

function choose(options: Options): Location {
  const location = locate(options);
  checkPythonHome(process.env, location);
  checkEnvironment(process.env, workingFolder(), location);
  return location;
}

/** The location of an earlier attempt; throws where the options name another one. */
function keep(chosen: { location: Location; options: Options }, options: Options): Location {
  for (const name of ["executable", "library"] as const) {
    const value = options[name], { location } = chosen;
    if (value === undefined || value === chosen.options[name] || value === location[name]) continue;
    throw new TypeError(
      `Cannot configure Python: ${name} is "${value}", but this process has initialised Python ${location.version} from ` +
        `"${location.executable ?? location.library}"; only the other options can still change: start a new process for another Python`,
    );
  }
  return chosen.location;
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

function loadShim(loader: Loader): { shim: Shim; origin: string } {
  try {
    return openShim(loader);
  } catch (error) {
    if (!(error instanceof ShimError)) throw error;
    throw new PythonLoadError("Cannot load the native part of pyawait", error.tried, error.mend);
  }
}

function openPython(shim: Shim, loader: Loader, library: Pointer, location: Location, options: Options) {
  const texts = encodeTexts(location.executable ?? "", ...pythonSource().flat(), "");
  const configuration = writeConfiguration(options);
  const text = backend.allocate(2048);
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
  return { answer, problem, held: [texts, configuration] }; // C has read them while this waited
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
  w.tagged32(Tag.dict, 4);
  w.string("path"), strings(options.path);
  w.string("args"), strings(options.args);
  w.string("loop"), w.string(options.loop);
  w.string("switch_interval"), w.tagged64(Tag.float, options.switchInterval);
  return w;
}

function cannotStart(location: Location, problem: string, mend: string): PythonLoadError {
  return new PythonLoadError(`Cannot start Python ${location.version}`, [{ place: location.library, problem }], mend);
}

function mendRefused({ executable }: Location, problem: string): string {
  const [, missing] = /No module named '([^'.]+)/.exec(problem) ?? [];
  const install = missing && executable !== null
    ? `Run "${executable} -m pip install ${missing}" if that is its package`
    : "Mend what it says";
  return `${install}, or call python.configure with other options; then open Python again`;
}
