/**
 * Remembers what a python has said of itself, because to run it takes longer than to open it.
 *
 * Only of a program that is the python itself: what a launcher starts (pyenv's, mise's, a script's) depends on the folder
 * and on variables. An answer is kept under the hash of all that it depends on, so nothing has to be found out of date.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { openCache, readTrusted, writeWhole } from "../../ffi/native/cache.ts";
import { exists, realpath } from "./files.ts";
import type { Environment, Python } from "./location.ts";

/** Variables by which the system's loader may load another libpython into this program. */
const loaderVariables = /^(LD|DYLD)_/;

/** How native programs begin: ELF, Mach-O of one and of several architectures, PE. */
const magics = ["7f454c46", "cffaedfe", "cafebabe", "4d5a"];

/** The answer of the python at `path`: the one that is remembered, else what `ask` gives. */
export function remember(path: string, script: string, env: Environment, ask: () => Python): Python {
  const place = placeOf(path, script, env);
  const known = place && parse(readTrusted(join(place.folder, place.file)));
  if (known) return known;
  const python = ask();
  if (place && realpath(python.executable) === realpath(path)) write(place, python);
  return python;
}

interface Place {
  readonly folder: string;
  readonly file: string;
}

/** Where its answer is kept; `undefined` if it is not to be kept. */
function placeOf(path: string, script: string, env: Environment): Place | undefined {
  try {
    const real = realpath(path);
    const stat = statSync(real, { bigint: true }), { dev, ino, size, mtimeNs, ctimeNs } = stat;
    if (!stat.isFile() || !isProgram(real)) return undefined; // to open a FIFO would wait for its other end
    const venv = [dirname(dirname(path)), dirname(path)].map((at) => join(at, "pyvenv.cfg")).find(exists);
    const loader = Object.entries(env).filter(([name]) => loaderVariables.test(name)).sort();
    const depends = [path, real, dev, ino, size, mtimeNs, ctimeNs, venv, venv && readFileSync(venv, "utf8"), loader, process.arch, script];
    const hash = createHash("sha256").update(JSON.stringify(depends, (_, value) => typeof value === "bigint" ? String(value) : value));
    return { folder: openCache(), file: `python-${hash.digest("hex").slice(0, 32)}.json` };
  } catch {
    return undefined; // no cache, no permission, or no such file: `ask` says what is wrong
  }
}

function isProgram(file: string): boolean {
  const start = Buffer.alloc(4), descriptor = openSync(file, "r");
  try {
    readSync(descriptor, start, 0, 4, 0);
  } finally {
    closeSync(descriptor);
  }
  return magics.some((magic) => start.toString("hex").startsWith(magic));
}

function parse(content: Buffer | undefined): Python | undefined {
  try {
    const python = content && JSON.parse(content.toString()) as Python;
    const texts = python && [python.version, python.implementation, python.prefix, python.executable, python.basePrefix];
    if (!texts?.every((text) => typeof text === "string" && text !== "") || !Array.isArray(python!.names)) return undefined;
    return exists(python!.executable) && exists(python!.basePrefix) ? python : undefined;
  } catch {
    return undefined; // cut off: the disk was full
  }
}

function write({ folder, file }: Place, python: Python): void {
  try {
    writeWhole(folder, file, JSON.stringify(python));
  } catch {
    // It is asked again the next time.
  }
}
