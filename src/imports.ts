// What `python.import` is given: the name of a module, or the place of a file.
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { workingFolder } from "./locate/locate.ts";

/** Strings that are paths: `./x.py`, `../x.py`, `/x.py`, `C:\x.py`; on Windows with either slash. */
const path = /^(?:\.{0,2}[\\/]|[A-Za-z]:[\\/])/;

function fileOf(url: URL, method: string): string {
  if (url.protocol !== "file:") throw new TypeError(`Cannot import ${url.href}: python.${method} takes the URLs of files only`);
  return fileURLToPath(url);
}

/**
 * The function of src/py that imports it, and that function's argument.
 *
 * @throws {TypeError} if it is neither a string nor the URL of a file
 */
export function importOf(
  method: "import" | "importAsync",
  name: string | URL,
): [helper: "import_module" | "import_file", argument: string] {
  if (name instanceof URL) return ["import_file", fileOf(name, method)];
  if (typeof name !== "string") {
    throw new TypeError(`Cannot import ${String(name)}: python.${method} takes the name of a module, or the path or URL of a file`);
  }
  if (name.startsWith("file:")) return ["import_file", fileOf(new URL(name), method)];
  return path.test(name) ? ["import_file", resolve(workingFolder(), name)] : ["import_module", name];
}
