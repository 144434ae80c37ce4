/**
 * Types: what users write compiles, and what is wrong does not; `any` is only where Python decides; what `pyawait
 * types` writes types calls; the backends' own types agree with those of the runtimes.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type TypeScript from "typescript";
import { python } from "../mod.ts";
import { declare } from "../src/declarations.ts";
import { assert, assertEquals, assertStringIncludes } from "#std/assert";

const ts = createRequire(import.meta.url)("typescript") as typeof TypeScript;
const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]\.build[\\/]$/, "/").replaceAll("\\", "/");
const folder = mkdtempSync(join(tmpdir(), "pyawait-types-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text.replaceAll('"pyawait"', JSON.stringify(`${root}mod.ts`)));
  return path;
}
write("package.json", '{ "type": "module" }');

/** What TypeScript says about these files. */
function problemsOf(paths: string[], changes: TypeScript.CompilerOptions = {}): string[] {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const all = {
    ...options,
    noEmit: true,
    rewriteRelativeImportExtensions: false,
    noUnusedLocals: false,
    isolatedDeclarations: false,
    typeRoots: [join(root, "node_modules/@types")],
    ...changes,
  };
  return ts.getPreEmitDiagnostics(ts.createProgram(paths, all)).map(({ file, start, messageText }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

const helpers = `
type IsAny<T> = 0 extends 1 & T ? true : false;
type Same<A, B> = IsAny<A> extends IsAny<B> ? (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false : false;
function expectType<T>() { return <U>(_value: U, _same: Same<T, U>) => {}; }
`;

test("what users write has the types that it should, and mistakes are seen", () => {
  const path = write(
    "uses.ts",
    `${helpers}
import { attach, buffer, enter, intoAsyncIterable, intoPromise, kw, PyBuffer, PyProxy, python, pyClass, PythonError, registerConverter, run, scope, TaskLocals, tidy, toJs, toLoop, toPy, tuple } from "pyawait";

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
expectType<unknown>()(toJs(mine), true);
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
  for await (const item of mine) void item;
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
  "PyProxy",
  "Python.exec",
  "Python.execAsync",
  "PythonError.exception",
  "enter",
  "enterAsync",
  "intoPromise",
  "pyClass",
  "toLoop",
  "toPy",
  "toThread",
];
const functionsOfAnyKind = ["asyncDef"];

test("any is only where Python decides", () => {
  const exported = new Map<string, Set<string>>();
  for (const entry of ["mod.ts", "testing.ts"]) {
    for (const [, names, file] of readFileSync(join(root, entry), "utf8").matchAll(/^export (?:type )?\{([^}]*)\} from "\.\/([^"]+)"/gm)) {
      const list = exported.get(file) ?? exported.set(file, new Set()).get(file)!;
      for (const name of names.split(",")) list.add(name.trim().split(" as ")[0]);
    }
  }
  assert(exported.size > 10);
  const found = new Set<string>();
  for (const [file, names] of exported) {
    const { outputText } = ts.transpileDeclaration(readFileSync(join(root, file), "utf8"), {
      fileName: file,
      compilerOptions: { target: ts.ScriptTarget.ES2022 },
    });
    const declarations = ts.createSourceFile("file.d.ts", outputText, ts.ScriptTarget.Latest, true);
    const visit = (node: TypeScript.Node, path: string[]): void => {
      const name = (node as { name?: TypeScript.Node }).name?.getText();
      const here = name && !ts.isParameter(node) && !ts.isTypeParameterDeclaration(node) ? [...path, name] : path;
      if (node.kind === ts.SyntaxKind.AnyKeyword) found.add(here[0] === "PyProxy" ? "PyProxy" : here.slice(0, 2).join("."));
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

test("pyawait types: json, a package with stubs, a module with annotations", () => {
  write(
    "stubbed/__init__.py",
    "def area(*a): return 1\nclass Shape: pass\nclass Circle(Shape): pass\nasync def load(u): return b''\n",
  );
  write(
    "stubbed/__init__.pyi",
    `from typing import AsyncIterator, Iterable, Iterator, Literal, Optional, overload
class Shape:
    name: str
    @property
    def corners(self) -> int: ...
    def scale(self, by: float, *, around: Optional[str] = ...) -> "Shape": ...
    @staticmethod
    def unit() -> Shape: ...
class Circle(Shape):
    def __init__(self, radius: float) -> None: ...
    radius: float
@overload
def area(shape: Shape) -> float: ...
@overload
def area(width: float, height: float) -> int: ...
async def load(url: str) -> bytes: ...
def each(items: Iterable[int]) -> AsyncIterator[str]: ...
def lines(text: str) -> Iterator[str]: ...
mode: Literal["fast", "slow"]
`,
  );
  write(
    "annotated.py",
    `
import typing
LIMIT: int = 5
def total(values: typing.List[float], start: float = 0.0) -> float: return sum(values, start)
def pick(flag: bool) -> "str | None": return None
async def wait(seconds: float) -> typing.Dict[str, int]: return {}
def no_types(a, *rest, **options): return a
class Job:
    "A job."
    def __init__(self, name: str) -> None: self.name = name
    def run(self) -> int: return 1
`,
  );
  python.import("sys").path.insert(0, folder);
  python.import("importlib").invalidate_caches();
  const text = declare(["json", "stubbed", "annotated"]);
  const declarations = write("python.d.ts", text);
  const uses = write(
    "typed_uses.ts",
    `${helpers}
import { kw, PyProxy, python } from "pyawait";
const json = python.import("json"), stubbed = python.import("stubbed"), annotated = python.import("annotated");
json.loads("[]");
json.dumps({ a: 1 }, kw({ indent: 2 }));
const circle = new stubbed.Circle(1);
expectType<false>()(0 as unknown as IsAny<typeof circle>, true);
expectType<number>()(circle.radius, true);
expectType<string>()(circle.name, true);
expectType<number>()(stubbed.Circle(2).corners, true);
expectType<number>()(circle.scale(2, kw({ around: "x" })).corners, true);
expectType<string>()(circle.unit().name, true);
expectType<number>()(stubbed.area(circle), true);
expectType<number>()(stubbed.area(1, 2), true);
expectType<"fast" | "slow">()(stubbed.mode, true);
for (const line of stubbed.lines("a")) expectType<string>()(line, true);
async function use() {
  expectType<Uint8Array>()(await stubbed.load("url"), true);
  for await (const text of stubbed.each([1])) expectType<string>()(text, true);
  expectType<PyProxy>()(await annotated.wait(1), true);
}
expectType<number>()(annotated.LIMIT, true);
expectType<number>()(annotated.total([1, 2]), true);
expectType<string | null>()(annotated.pick(true), true);
expectType<number>()(new annotated.Job("name").run(), true);
expectType<any>()(annotated.no_types(1, 2, 3), true);
// @ts-expect-error -- a Circle takes a number
new stubbed.Circle("1");
// @ts-expect-error -- an array of numbers
annotated.total(["a"]);
// @ts-expect-error -- a string
stubbed.load(5);
void use;
`,
  );
  assertEquals(problemsOf([declarations, uses]), [], text);
  assertStringIncludes(text, "A job.");
});

test("the backends' own types agree with the runtimes'", () => {
  const path = write(
    "backends.ts",
    `
/// <reference path="${root}node_modules/bun-types/ffi.d.ts" />
import type { BunFfi } from "${root}ffi/bun.ts";
import type { Koffi } from "${root}ffi/node.ts";
export const bun = (ffi: typeof import("bun:ffi")): BunFfi => ffi;
export const koffi = (koffi: typeof import("${root}node_modules/koffi/index.js")): Koffi => koffi;
`,
  );
  assertEquals(problemsOf([path]), []);
});
