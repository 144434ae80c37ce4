/**
 * The public types: what users write compiles and mistakes do not, `any` is only where Python decides, and the backends'
 * own types agree with those of the runtimes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type TypeScript from "typescript";
import { assert, assertEquals } from "#std/assert";
import { exportedNames } from "../support/exported_names.ts";
import { helpers, problemsOf, root, ts, write } from "../support/typescript.ts";

test("what users write has the types that it should, and mistakes are seen", () => {
  const path = write(
    "uses.ts",
    `${helpers}
import { attach, buffer, enter, intoAsyncIterable, intoPromise, type Keywords, kw, PyBuffer, PyProxy, python, pyClass, PythonError, registerConverter, run, scope, TaskLocals, tidy, toJs, toLoop, toPy, tuple } from "pyawait";

declare module "pyawait" {
  interface PythonModules { my_module: PyProxy & { answer: number; greet(name: string): string } }
}
const mine = python.import("my_module");
expectType<number>()(mine.answer, true);
expectType<string>()(mine.greet("name"), true);
// @ts-expect-error -- it takes a string
mine.greet(5);
expectType<PyProxy>()(python.import("something_else"), true);
const typed = python.import<{ sqrt(x: number): number }>("math");
expectType<number>()(typed.sqrt(2), true);
// @ts-expect-error -- there is no such member
typed.nothing;
// @ts-expect-error -- a name is a string
python.import(5);
expectType<any>()(python.import("math").pi, true);

expectType<number>()(attach(() => 5), true);
expectType<string>()(tidy(() => "text"), true);
expectType<Promise<any>>()(intoPromise(mine), true);
expectType<any>()(toJs(mine), true);
expectType<number[]>()(toJs<number[]>(mine), true);
expectType<PyBuffer>()(mine.$getBuffer(), true);
expectType<string>()(mine.$type, true);
// @ts-expect-error -- $has tells a boolean
mine.$has("key") satisfies string;
// @ts-expect-error -- what kw gives is a type, no value
Keywords;
const numbers = buffer(Float64Array, 3);
numbers.data satisfies Float64Array;
const view: PyBuffer = numbers;
// @ts-expect-error -- data cannot be replaced
view.data = new Uint8Array();
// @ts-expect-error -- a length is a number
buffer(Float64Array, "3");
expectType<number | undefined>()(enter(mine, () => 5), true);
expectType<PyProxy>()(pyClass("A", [], {}), true);
class Own { constructor(readonly n: number) {} }
registerConverter<Own>({ matches: Own, toPy: (own) => own.n });
// @ts-expect-error -- an Own has no m
registerConverter<Own>({ matches: Own, toPy: (own) => own.m });
async function uses(locals: TaskLocals, signal: AbortSignal) {
  await toLoop(mine, [1, kw({ a: 1 })], { locals, signal });
  await scope(locals, async () => 5) satisfies number;
  for await (const item of intoAsyncIterable(mine, { highWaterMark: 2 })) void item;
  for await (const item of mine) expectType<any>()(item, true);
  for (const item of mine) expectType<any>()(item, true);
  await run(async () => "done") satisfies string;
  // @ts-expect-error -- there is no such option
  await intoPromise(mine, { timeout: 5 });
}
try { uses } catch (error) {
  if (error instanceof PythonError) { error.traceback satisfies string; error.name satisfies string; error.errors satisfies readonly unknown[] | undefined; }
  if (error instanceof PyProxy) error.$destroy();
}
const [first] = python.builtins.list([1]);
python.builtins.dict(tuple([["a", first]]), kw({ b: 1 }));
new mine.Class(1).method().other[5] = toPy([1]);
// @ts-expect-error -- kw takes an object
kw(5);
`,
  );
  const erasable = { erasableSyntaxOnly: false };
  assertEquals(problemsOf([path], erasable), []);
});

/** Where \`any\` may be: what Python decides, what only marks a function, and what Python calls. */
const decidedByPython = [
  "CopyOptions.default",
  "JsonOptions.default",
  "PyMembers",
  "PyObject",
  "PyProxy",
  "PythonInterpreter.exec",
  "PythonInterpreter.execAsync",
  "PythonError.exception",
  "enter",
  "enterAsync",
  "intoPromise",
  "py",
  "pyClass",
  "toJs",
  "toLoop",
  "toPy",
  "toThread",
];
const functionsOfAnyKind = ["asyncDef"];

test("any is only where Python decides", () => {
  const exported = new Map<string, Set<string>>();
  for (const { name, file } of ["mod.ts", "testing.ts"].flatMap(exportedNames)) {
    exported.set(file, (exported.get(file) ?? new Set()).add(name));
  }
  assert(exported.size > 10);
  const found = new Set<string>();
  exported.get("src/python.ts")!.add("PythonInterpreter"); // the class behind the type Python
  for (const [file, names] of exported) {
    const { outputText } = ts.transpileDeclaration(readFileSync(join(root, file), "utf8"), {
      fileName: file,
      compilerOptions: { target: ts.ScriptTarget.ES2022 },
    });
    const declarations = ts.createSourceFile("file.d.ts", outputText, ts.ScriptTarget.Latest, true);
    const visit = (node: TypeScript.Node, path: string[]): void => {
      const name = (node as { name?: TypeScript.Node }).name?.getText();
      const here = name && !ts.isParameter(node) && !ts.isTypeParameterDeclaration(node) ? [...path, name] : path;
      if (node.kind === ts.SyntaxKind.AnyKeyword) {
        found.add(/^Py(Proxy|Members|Object)$/.test(here[0]) ? here[0] : here.slice(0, 2).join("."));
      }
      ts.forEachChild(node, (child) => visit(child, here));
    };
    for (const statement of declarations.statements) {
      const declared = ts.isVariableStatement(statement)
        ? statement.declarationList.declarations.map((each) => each.name.getText())
        : [(statement as { name?: TypeScript.Node }).name?.getText() ?? ""];
      if (declared.some((name) => names.has(name))) visit(statement, []);
    }
  }
  assertEquals([...found].sort(), [...decidedByPython, ...functionsOfAnyKind].sort());
});

test("the backends' own types agree with the runtimes'", () => {
  const path = write(
    "backends.ts",
    `
/// <reference path="${root}node_modules/bun-types/ffi.d.ts" />
import type { BunFfi } from "${root}ffi/bun.ts";
import type { Koffi } from "${root}ffi/koffi.ts";
export const bun = (ffi: typeof import("bun:ffi")): BunFfi => ffi;
export const koffi = (koffi: typeof import("${root}node_modules/koffi/index.js")): Koffi => koffi;
`,
  );
  assertEquals(problemsOf([path]), []);
});
