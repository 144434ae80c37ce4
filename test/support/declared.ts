// What the tests of `pyawait types` share: the declarations of modules in the temporary folder, and what TypeScript says
// of programs that use them.
import { python } from "../../mod.ts";
import { declare, type DeclareOptions } from "../../src/cli/declarations.ts";
import { folder, helpers, problemsOf, write } from "./typescript.ts";

let files = 0;

/** The declarations of modules, and the file that they are in. */
export function declared(names: string[], options?: DeclareOptions): { text: string; path: string } {
  const path = python.import("sys").path;
  if (path[0] !== folder) path.insert(0, folder);
  python.import("importlib").invalidate_caches();
  const text = declare(names, options);
  return { text, path: write(`python${++files}.d.ts`, text) };
}

/** What TypeScript says of programs that use modules; lines that must not compile are marked so. */
export function problemsIn(names: string[], uses: string, options?: DeclareOptions): string[] {
  const { path } = declared(names, options);
  const program = `${helpers}import { kw, PyProxy, python } from "pyawait";\nvoid kw;\n${uses}\nexport {};\n`;
  return problemsOf([path, write(`uses${files}.ts`, program)]);
}
