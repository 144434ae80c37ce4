/**
 * What `pyawait types` writes: it compiles whatever the module is called and contains, and it types calls.
 */
import { test } from "node:test";
import { python } from "../mod.ts";
import { declare } from "../src/declarations.ts";
import { assertEquals, assertStringIncludes } from "#std/assert";
import { folder, helpers, problemsOf, write } from "./typescript.ts";

let files = 0;
/** The declarations of modules, and the file that they are in. */
function declared(names: string[]): { text: string; path: string } {
  const path = python.import("sys").path;
  if (path[0] !== folder) path.insert(0, folder);
  python.import("importlib").invalidate_caches();
  const text = declare(names);
  return { text, path: write(`python${++files}.d.ts`, text) };
}

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
  const { text, path: declarations } = declared(["json", "stubbed", "annotated"]);
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
