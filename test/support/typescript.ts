// What the tests of types share: files that are written into a temporary folder, and what TypeScript says of them.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import type TypeScript from "typescript";

export const ts = createRequire(import.meta.url)("typescript") as typeof TypeScript;
export const root: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]\.build[\\/]$/, "/").replaceAll("\\", "/");
export const folder: string = mkdtempSync(join(tmpdir(), "pyawait-types-"));
after(() => rmSync(folder, { recursive: true, force: true }));

export function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text.replaceAll('"pyawait"', JSON.stringify(`${root}mod.ts`)));
  return path;
}
write("package.json", '{ "type": "module" }');

/** What TypeScript says about these files. */
export function problemsOf(paths: string[], changes: TypeScript.CompilerOptions = {}): string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const all = {
    ...options,
    noEmit: true,
    rewriteRelativeImportExtensions: false,
    noUnusedLocals: false,
    isolatedDeclarations: false,
    skipLibCheck: false, // declarations are what some tests write
    typeRoots: [join(root, "node_modules/@types")],
    ...changes,
  };
  const program = ts.createProgram(paths, all);
  const found = paths.flatMap((path) => ts.getPreEmitDiagnostics(program, program.getSourceFile(path)));
  return found.map(({ file, start, messageText }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

export const helpers = `
type IsAny<T> = 0 extends 1 & T ? true : false;
type Same<A, B> = IsAny<A> extends IsAny<B> ? (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false : false;
function expectType<T>() { return <U>(_value: U, _same: Same<T, U>) => {}; }
`;
