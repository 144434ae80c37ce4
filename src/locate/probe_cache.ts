/**
 * Remembers what a python has said of itself, because to run it takes longer than to open it.
 *
 * Only of a program that is the python itself: what a launcher starts (pyenv's, mise's, a script's) depends on the folder
 * and on variables. An answer is kept beside all that it depends on, so nothing has to be found out of date.
 *
 * @module
 */
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "../../ffi/process.ts";
import { openCache, readTrusted, writeWhole } from "../../ffi/native/cache.ts";
import { exists, realpath, startOf } from "./files.ts";
import type { Environment, Python } from "./location.ts";

/** Variables by which the system's loader may load another libpython into this program. */
const loaderVariables = /^(LD|DYLD)_/;

/** How native programs begin: ELF, Mach-O of one and of several architectures, PE. */
const magics = ["\x7fELF", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe", "MZ"];

/** The answer of the python at `path`: the one that is remembered, else what `ask` gives. */
export function remember(path: string, script: string, env: Environment, ask: () => Python): Python {
  const place = placeOf(path, script, env);
  const known = place && parse(readTrusted(join(place.folder, place.file)), place.depends);
  if (known) return known;
  const python = ask();
  if (place && realpath(python.executable) === realpath(path)) write(place, python);
  return python;
}

interface Place {
  readonly folder: string;
  readonly file: string;
  /** What the answer depends on. */
  readonly depends: string;
}

/** Where its answer is kept; `undefined` if it is not to be kept. */
function placeOf(path: string, script: string, env: Environment): Place | undefined {
  try {
    const real = realpath(path);
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(real, { bigint: true });
    if (!magics.some((magic) => startOf(real).startsWith(magic))) return undefined;
    const venv = [dirname(dirname(path)), dirname(path)].map((at) => join(at, "pyvenv.cfg")).find(exists);
    const loader = Object.entries(env).filter(([name]) => loaderVariables.test(name)).sort();
    const all = [path, real, dev, ino, size, mtimeNs, ctimeNs, venv, venv && readFileSync(venv, "utf8"), loader, process.arch, script];
    const depends = JSON.stringify(all, (_, value) => typeof value === "bigint" ? String(value) : value);
    return { folder: openCache(), file: `python-${checksum(depends)}.json`, depends };
  } catch {
    return undefined; // no cache, no permission, or no such file: `ask` says what is wrong
  }
}

/** FNV-1a. Not node:crypto, which takes longer to load than everything here: another text in the file is noticed. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

function parse(content: Buffer | undefined, depends: string): Python | undefined {
  try {
    const kept = content && JSON.parse(content.toString()) as { depends: string; python: Python };
    if (kept?.depends !== depends) return undefined;
    const { python } = kept;
    const texts = [python.version, python.implementation, python.prefix, python.executable, python.basePrefix];
    if (!texts.every((text) => typeof text === "string" && text !== "") || !Array.isArray(python.names)) return undefined;
    return exists(python.executable) && exists(python.basePrefix) ? python : undefined;
  } catch {
    return undefined; // cut off: the disk was full
  }
}

function write({ folder, file, depends }: Place, python: Python): void {
  try {
    writeWhole(folder, file, JSON.stringify({ depends, python }));
  } catch {
    // It is asked again the next time.
  }
}
