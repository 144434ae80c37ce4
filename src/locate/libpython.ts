/**
 * Finds the shared library of a Python and checks that this process can load it.
 *
 * Only existing files are considered, by absolute path, and each one's header is read first: the dynamic linker reports
 * a library of another architecture as "cannot open", this module says what it is.
 *
 * @module
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { basename, isAbsolute, join } from "node:path";
import process from "../../ffi/process.ts";
import { realpath } from "./files.ts";
import { hintArchitecture, hintLibrary, hintNoLibrary, PythonLoadError, PythonNotFoundError, runtimeName, type Tried } from "./errors.ts";
import type { Python } from "./location.ts";

/**
 * The first shared library of `python` that can be loaded. LIBDIR is searched after the base prefix, because a tree
 * that was moved (uv, conda, unpacked packages) still records where it was built.
 *
 * @throws {PythonLoadError} if its libraries are for another architecture
 * @throws {PythonNotFoundError} if it has none
 */
export function libraryOf(python: Python, place: string): string {
  const { files, names, folders } = possibleFiles(python);
  const tried: Tried[] = [];
  for (const file of files) {
    if (kindOf(file) !== "file") continue;
    const problem = problemOf(file);
    if (problem === null) return file;
    tried.push({ place: `"${file}"`, problem });
  }
  const what = `Python ${python.version}${python.gil ? "" : " (free-threaded)"}`;
  if (tried.length > 0) {
    tried.unshift({ place, problem: `is ${what}, whose library cannot be loaded here` });
    throw new PythonLoadError("Cannot load this Python", tried, hintArchitecture());
  }
  const problem = `is ${what}${python.machine && ` for ${python.machine} (${python.bits} bit)`} and has no shared ` +
    `library: no ${names.join(", ")} in ${folders.join(", ")}`;
  throw new PythonNotFoundError("Cannot load this Python", [{ place, problem }], hintNoLibrary(python));
}

function possibleFiles(python: Python): { files: string[]; names: string[]; folders: string[] } {
  const { basePrefix, baseExecPrefix, multiarch, frameworkPrefix, abi } = python;
  const [major, minor] = python.version.split(".");
  const short = `${major}.${minor}`;
  const bases = [basePrefix, baseExecPrefix];
  // A Python without a shared library names its static archive here; a framework's name is a path.
  const names = python.names.filter((name) => !name.endsWith(".a") && !name.includes("/"));
  let folders = bases;
  const files: string[] = [];
  if (process.platform === "win32") {
    if (python.dll !== "") files.push(python.dll);
    names.push(`python${major}${minor}${abi.includes("t") ? "t" : ""}${abi.includes("d") ? "_d" : ""}.dll`);
  } else {
    const endings = process.platform === "darwin" ? ["dylib"] : ["so.1.0", "so.1", "so"];
    names.push(...endings.map((ending) => `libpython${short}${abi}.${ending}`));
    folders = bases.flatMap((base) => [join(base, "lib"), join(base, "lib", multiarch), join(base, "lib64")]);
    folders.push(...[python.libdir, python.libpl].filter(isAbsolute));
  }
  const unique = { names: [...new Set(names)], folders: [...new Set(folders)] };
  files.push(...unique.folders.flatMap((folder) => unique.names.map((name) => join(folder, name))));
  if (process.platform === "darwin") {
    if (frameworkPrefix !== "") files.push(...python.names.map((name) => join(frameworkPrefix, name)));
    files.push(...bases.flatMap((base) => [
      join(base, "Python"), // python.org: the base prefix ends in Python.framework/Versions/3.X
      join(base, "Python3"), // Xcode
      join(base, "Frameworks", "Python.framework", "Versions", short, "Python"), // Homebrew
    ]));
  }
  return { files, ...unique };
}

/**
 * Checks a file that the user named as the library.
 *
 * @throws {PythonNotFoundError} if it is not a libpython
 * @throws {PythonLoadError} if it is for another architecture
 */
export function checkLibrary(file: string, place: string, setting: string): void {
  const kind = kindOf(file);
  let problem: string | null = kind === "file" ? null : kind === "folder" ? "is a folder, not a library" : kind;
  const name = basename(file);
  if (problem === null && /\.(a|lib)$/i.test(name)) {
    problem = "is a static library, which no program can load";
  }
  if (problem === null && /^(libpython3\.(so|dylib)|python3\.dll)$/.test(name)) {
    problem = "is only the front of the stable ABI: the library has the minor version in its name";
  }
  if (problem === null && /^python[\d.]*t?d?(\.exe)?$/.test(name)) {
    problem = "is a python, not its library: PYAWAIT_PYTHON or the option executable take it";
  }
  if (problem === null && /^libpypy/.test(name)) problem = "is PyPy: only CPython can be loaded so far";
  const hint = hintLibrary(setting);
  if (problem !== null) throw new PythonNotFoundError("Cannot use this library", [{ place, problem }], hint);
  problem = problemOf(file);
  if (problem !== null) {
    throw new PythonLoadError("Cannot load this library", [{ place, problem }], hintArchitecture());
  }
}

/** "3.11", or "3.13t" for a free-threaded build, from the name of the library or of the file that it links to. */
export function libraryVersion(file: string): string | null {
  for (const path of [file, realpath(file)]) {
    const found = /python(\d)\.?(\d+)(t?)[^/\\]*$/i.exec(path) ??
      /Python3?T?\.framework[/\\]Versions[/\\](\d)\.(\d+)(t?)/i.exec(path);
    if (found !== null) return `${found[1]}.${found[2]}${found[3]!.toLowerCase()}`;
  }
  return null;
}

/** "file", "folder", or a text that says why it is neither. */
function kindOf(path: string): string {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? "does not exist" : stat.isDirectory() ? "folder" : "file";
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
}

/** Why this process cannot load the library in `file`; `null` if it can. */
function problemOf(file: string): string | null {
  let binary: Binary | null;
  try {
    binary = readBinary(file);
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  }
  if (binary === null) return "is not a library";
  if (binary.format === nativeFormat && binary.machines.includes(process.arch)) return null;
  const machines = binary.machines.join(" and ");
  if (binary.format === nativeFormat) {
    return `is for ${machines}, but this ${runtimeName()} is for ${process.arch}`;
  }
  return `is a ${binary.format} file for ${machines}, but ${process.platform} loads ${nativeFormat}`;
}

/** The architectures that a library is for, named as `process.arch` does. */
export function machinesOf(file: string): string[] {
  return readBinary(file)?.machines ?? [];
}

/** The C library that a library of Linux is for, by names in it; `undefined` where they do not tell. */
export function cLibraryOf(file: string): "glibc" | "musl" | undefined {
  const content = readFileSync(file);
  return content.includes("GLIBC_2.") ? "glibc" : content.includes("libc.musl-") ? "musl" : undefined;
}

/** The format of a binary file, and the architectures in it, named as `process.arch` does. */
interface Binary {
  format: "ELF" | "Mach-O" | "PE";
  machines: string[];
}

/** The format that this system loads. */
const nativeFormat: Binary["format"] = process.platform === "win32" ? "PE" : process.platform === "darwin" ? "Mach-O" : "ELF";

const elf: Record<number, string> = {
  3: "ia32",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x64",
  183: "arm64",
  243: "riscv64",
  258: "loong64",
};
const macho: Record<number, string> = { 0x7: "ia32", 0x1000007: "x64", 0xc: "arm", 0x100000c: "arm64" };
const pe: Record<number, string> = { 0x14c: "ia32", 0x1c4: "arm", 0x8664: "x64", 0xaa64: "arm64" };

/** Reads the header of a file; `null` if it is no binary. */
function readBinary(path: string): Binary | null {
  const bytes = new Uint8Array(4096);
  const file = openSync(path, "r");
  try {
    readSync(file, bytes, 0, bytes.length, 0);
  } finally {
    closeSync(file);
  }
  const view = new DataView(bytes.buffer);
  const machine = (names: Record<number, string>, code: number) => names[code] ?? `machine ${code}`;
  switch (view.getUint32(0)) {
    case 0x7f454c46: // "\x7fELF"; byte 5 is the byte order of the rest
      return { format: "ELF", machines: [machine(elf, view.getUint16(18, bytes[5] === 1))] };
    case 0xcffaedfe: // thin, little-endian, 64 and 32 bit
    case 0xcefaedfe:
      return { format: "Mach-O", machines: [machine(macho, view.getUint32(4, true))] };
    case 0xcafebabe: { // universal: a list of 20-byte entries
      const count = Math.min(view.getUint32(4), 20);
      const codes = Array.from({ length: count }, (_, i) => view.getUint32(8 + i * 20));
      return { format: "Mach-O", machines: codes.map((code) => machine(macho, code)) };
    }
  }
  const header = view.getUint32(60, true);
  if (view.getUint16(0) !== 0x4d5a || header > 4000 || view.getUint32(header) !== 0x50450000) return null; // "MZ", "PE"
  return { format: "PE", machines: [machine(pe, view.getUint16(header + 4, true))] };
}
