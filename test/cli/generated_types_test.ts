/**
 * The declarations that `pyawait types` writes compile for modules of any name and content, and type calls.
 */
import { test } from "node:test";
import { python } from "../../mod.ts";
import { declare } from "../../src/cli/declarations.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { declared, problemsIn } from "../support/declared.ts";
import { helpers, problemsOf, ts, write } from "../support/typescript.ts";

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

test("names that TypeScript reserves, and names that would be the same", () => {
  const words = Array.from(
    { length: ts.SyntaxKind.LastKeyword - ts.SyntaxKind.FirstKeyword + 1 },
    (_, at) => ts.tokenToString(ts.SyntaxKind.FirstKeyword + at)!,
  );
  const used = ["PyProxy", "Keywords", "Map", "Iterable", "Uint8Array", "arguments", "eval"];
  const names = [...words, ...used, "größe", "grüße", "a.b", "a_b", "a_b_c"];
  const modules = python.import("sys").modules;
  const before = modules.copy();
  const globals = python.builtins.dict();
  globals.$set("names", names);
  python.exec(
    `
    import keyword, sys, types
    for name in names:
        module = sys.modules[name] = types.ModuleType(name)
        module.member = types.new_class(name)
    module = sys.modules["a_b"]
    words = [name for name in names if name.isidentifier() and not keyword.iskeyword(name)]
    exec("def f(keywords, args, %s): 'Ends */ here'" % ", ".join(words), module.__dict__)
    exec("def variables(var, var_, *, keywords_=1): pass", module.__dict__)
    exec("def new(new, *args, **keywords): pass", module.__dict__)
    for word in [*names, "c", "no name", "then"]:
        setattr(module, word, type(word, (), {word: 1, "__init__": module.f, "constructor": module.f}))
    `,
    { globals },
  );
  let made: ReturnType<typeof declared>;
  try {
    made = declared(names);
  } finally {
    modules.clear();
    modules.update(before);
  }
  const uses = write(
    "reserved.ts",
    `${helpers}
import { PyProxy, python } from "pyawait";
python.import("a.b").member satisfies PyProxy;
python.import("größe").member satisfies PyProxy;
python.import("enum").member satisfies PyProxy;
python.import("a_b").größe satisfies PyProxy;
python.import("a_b").then;
`,
  );
  assertEquals(problemsOf([made.path, uses]), []);
  assertMatch(made.text, /^type enum_ = PyProxy & \{$/m);
  assertStringIncludes(
    made.text,
    "variables: PyFunction & { (var_: any, var__: any, keywords?: Keywords): any; (keywords: Keywords): any }",
  );
  assert(!/\bthen:/.test(made.text));
});

const literals = `
import enum
from typing import Literal, Optional
class Color(enum.Enum):
    RED = 1
class Level(enum.IntEnum):
    LOW = 7
def bytes_(a: Literal[b"z"]) -> Literal[b"z"]: return a
def none() -> Literal[None, "x"]: return None
def numbers() -> Literal[-1, 2, 123456789012345678901234567890, -123456789012345678901234567890]: return 2
def flag() -> Literal[True]: return True
def color() -> Literal[Color.RED]: return Color.RED
def level() -> Optional[Literal[Level.LOW]]: return Level.LOW
def texts() -> Literal["'\\"\`\${x}\\\\", "line\\nline\\r\\u2028", "*/", "\\ud800", "\\U0001f600"]: return "*/"
`;

test("literals of every kind, in a stub, in an annotation and in a string", () => {
  write("literal_values.py", literals);
  write("literal_stub.py", literals);
  write("literal_stub.pyi", literals);
  write("literal_strings.py", `from __future__ import annotations\n${literals}`);
  const uses = ["literal_values", "literal_stub", "literal_strings"].map((name) =>
    `{
const m = python.import(${JSON.stringify(name)});
expectType<Uint8Array>()(m.bytes_(new Uint8Array()), true);
expectType<"x" | null>()(m.none(), true);
expectType<-1 | 2 | 123456789012345678901234567890n | -123456789012345678901234567890n>()(m.numbers(), true);
expectType<true>()(m.flag(), true);
m.color() satisfies PyProxy;
expectType<false>()(0 as unknown as IsAny<ReturnType<typeof m.color>>, true);
expectType<number | null>()(m.level(), true);
expectType<"'\\"\`\${x}\\\\" | "line\\nline\\r\\u2028" | "*/" | "\\ud800" | "\\u{1f600}">()(m.texts(), true);
}`
  );
  assertEquals(problemsIn(["literal_values", "literal_stub", "literal_strings"], uses.join("\n")), []);
});

const shapes = `
import contextlib, enum, typing
class Base:
    label: int = 1
    def same(self) -> "Base": return self
    def other(self) -> int: return 1
class Shape(Base):
    "A shape. */ evil"
    SIDES: typing.ClassVar[int] = 4
    label: str = "x"
    class Corner:
        x: float = 0.0
        def twin(self) -> "Shape.Corner": return self
    def __init__(self, size: float, *, name: str = "") -> None: pass
    @staticmethod
    def unit() -> "Shape": return Shape(1)
    @classmethod
    def of(cls, width: int, height: int = 1) -> "Shape": return cls(width)
    @property
    def area(self) -> float: return 1.0
    def other(self) -> str: return ""
    def corner(self) -> Corner: return self.Corner()
    async def load(self, url: str) -> bytes: return b""
    def lines(self) -> typing.Iterator[str]: yield ""
    async def stream(self) -> typing.AsyncIterator[int]: yield 1
class Small(Shape):
    pass
class Job:
    def __await__(self): yield
class Kind(enum.Enum):
    A = 1
class Level(enum.IntEnum):
    LOW = 1
class Text(str):
    pass
class integer: pass
integer.__module__ = "numpy"
class int64(integer): pass
def scalar() -> int64: pass
def level(value: Level) -> Level: return Level.LOW
def text() -> Text: return Text()
def many(first: str, *rest: int, flag: bool = False, **more: str) -> int: return 1
def only(a: int, b: str = "", /) -> int: return 1
def named(*, key: str) -> int: return 1
def pair(a: int, b: str) -> int: return 1
def call(f: typing.Callable[[int], None]) -> None: pass
def big(n: int, x: float, data: bytes) -> int: return n
def job() -> Job: return Job()
@contextlib.contextmanager
def managed() -> typing.Iterator[int]: yield 1
async def wait(): pass
async def count() -> typing.AsyncGenerator[int, None]: yield 1
SHAPE: typing.Optional[Shape] = None
UNKNOWN = None
LARGE = 2 ** 60
`;

test("classes, and parameters of every kind", () => {
  write("shapes.py", shapes);
  write("shapes_stub.py", shapes);
  // A stub says of an asynchronous generator that it is a function that returns one.
  write("shapes_stub.pyi", shapes.replace("async def stream", "def stream").replace("async def count", "def count"));
  const uses = ["shapes", "shapes_stub"].map((name) => `
async function ${name}() {
const m = python.import(${JSON.stringify(name)});
const shape = new m.Small(1, kw({ name: "x" }));
expectType<number>()(m.Shape.of(1).area, true);
expectType<number>()(m.Small.of(1, 2).area, true);
expectType<number>()(m.Small.unit().area, true);
expectType<number>()(m.Shape.SIDES, true);
expectType<string>()(shape.label, true);
expectType<number>()(shape.same().other(), true);
expectType<string>()(shape.other(), true);
expectType<number>()(shape.corner().twin().x, true);
expectType<number>()(new m.Shape.Corner().x, true);
expectType<Uint8Array>()(await shape.load("url"), true);
for (const line of shape.lines()) expectType<string>()(line, true);
for await (const each of shape.stream()) expectType<number>()(each, true);
for await (const each of m.count()) expectType<number>()(each, true);
expectType<any>()(await m.job(), true);
expectType<any>()(await m.wait(), true);
m.Kind.A satisfies PyProxy;
expectType<false>()(0 as unknown as IsAny<typeof m.Kind.A>, true);
expectType<number>()(m.Level.LOW, true);
expectType<number>()(m.level(m.Level.LOW), true);
expectType<string>()(m.text(), true);
expectType<number>()(m.scalar(), true);
expectType<number>()(m.many("a", 1, 2, kw({ flag: true })), true);
expectType<number>()(m.many(kw({ first: "a" })), true);
expectType<number>()(m.only(1, "x"), true);
expectType<number>()(m.named(kw({ key: "x" })), true);
expectType<number>()(m.pair(1, kw({ b: "x" })), true);
expectType<number>()(m.pair(kw({ a: 1, b: "x" })), true);
m.call((n) => { expectType<number>()(n, true); });
m.call(m.job);
m.big(2n ** 70n, 1n, new ArrayBuffer(1));
expectType<any>()(m.managed(), true);
expectType<number | undefined>()(m.SHAPE?.area, true);
expectType<any>()(m.UNKNOWN, true);
m.pair.__doc__;
m.pair satisfies PyProxy;
m.Shape satisfies PyProxy;
for (const [key] of m.Shape.$type) void key;
// @ts-expect-error -- by position only
m.only(1, "x", kw({}));
// @ts-expect-error -- by keyword only
m.named("x");
// @ts-expect-error -- b is missing
m.pair(1);
// @ts-expect-error -- b is a string
m.pair(1, 2);
// @ts-expect-error -- a size is a number
new m.Shape("1");
// @ts-expect-error -- a width is a number
m.Shape.of("1");
}
void ${name};`);
  assertEquals(problemsIn(["shapes", "shapes_stub"], uses.join("\n")), []);
  const text = declare(["shapes"]);
  assertStringIncludes(text, "/** A shape. *\\/ evil */");
  assertStringIncludes(text, "LARGE: bigint;");
});

test("modules that are in the way: names that are not there, attributes that raise, objects that lie", () => {
  write(
    "awkward.py",
    `
__all__ = ["missing", "größe", "_listed", "raising", "Liar", "liar", "meta", "signature", "both", 5, "overloaded"]
import typing
größe = 1.5
_listed = "x"
def __getattr__(name):
    raise ValueError(name)
class Liar:
    @property
    def __class__(self): raise RuntimeError("no")
    def __getattr__(self, name): raise RuntimeError(name)
liar = Liar()
class Meta(type):
    def __getattribute__(cls, name): raise RuntimeError(name)
meta = Meta("meta", (), {"member": 1, "größe": 2})
def signature(): pass
signature.__signature__ = "none"
def both(a, *, größe: "nonsense(" = 1, ſ: "a.b[" = 2): "@ts-expect-error is what this says"
@typing.overload
def overloaded(a: int) -> int: ...
@typing.overload
def overloaded(a: str) -> str: ...
def overloaded(a): return a
`,
  );
  write("broken_stub.py", "def f(a: int) -> int: return a\n");
  write("broken_stub.pyi", "def f(a: int) -> : ...\n");
  const uses = `
const m = python.import("awkward");
expectType<number>()(m.größe, true);
expectType<string>()(m._listed, true);
m.signature(1, 2);
m.both(1, kw({ größe: 1 }));
expectType<number>()(python.import("broken_stub").f(1), true);
`;
  assertEquals(problemsIn(["awkward", "broken_stub"], uses), []);
});

test("modules of the standard library", () => {
  const names = ["enum", "string", "random", "socket", "ssl", "tokenize", "urllib.parse", "mailbox", "xml.dom.minidom", "encodings.idna"];
  const more = ["importlib.abc", "typing", "asyncio", "builtins", "ctypes", "http", "sys", "unittest.mock"];
  const uses = `
expectType<string>()(python.import("string").digits, true);
expectType<number>()(python.import("http").HTTPStatus.OK, true);
expectType<bigint>()(python.import("sys").maxsize, true);
python.import("random").seed(1);
`;
  assertEquals(problemsIn([...names, ...more, ...names], uses), []);
});
