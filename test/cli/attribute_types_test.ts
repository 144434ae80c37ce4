/**
 * `pyawait types` declares the attributes that making an instance sets, read from the source of its class.
 */
import { test } from "node:test";
import { assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { declared, problemsIn } from "../support/declared.ts";
import { write } from "../support/typescript.ts";

const source = `
import dataclasses, typing
class _Base:
    "Has no name that is public."
    def __init__(self, root: str) -> None:
        self.root = root
    @property
    def depth(self) -> int: return 1
    def up(self) -> str: return ""
class Job(_Base):
    timeout = 10
    retries = 3
    def __init__(self, name: str, number: "typing.Optional[int]" = None, *, loud=False) -> None:
        super().__init__(name)
        self.name = name
        self.number = number
        self.loud = loud
        self.count = 0
        self.ratio = -1.5
        self.done: bool = False
        self.title = f"{name}"
        self.data = b""
        self.parts = []
        self.state = None
        self.text = None
        self.first, self.second = 1, 2
        self.other = Other(1)
        self.timeout = 2.5
        self.steps = 0
        name = 5
        self._private = 1
        self._prepare()
    def _prepare(self):
        self.ready = not self.done
    def run(self):
        self.text = "x"
        self.later = 1
    def go(self):
        self.steps += 1
        def inner(self):
            self.count = "of another object"
class Other:
    __slots__ = ("x", "y")
    def __new__(cls, x: int):
        made = super().__new__(cls)
        made.x = x
        made.y = ""
        return made
@dataclasses.dataclass
class Point:
    x: int
    seed: dataclasses.InitVar[int] = 0
    norm: float = dataclasses.field(init=False)
    def __post_init__(self, seed):
        self.label = "q"
class Small(Job):
    def __init__(self) -> None:
        self.size: int = 1
def made():
    class Inner:
        def __init__(self): self.x = 1
    return Inner
Inner = made()
`;

test("attributes that __init__, __new__ and __post_init__ set, and inherited ones", () => {
  write("attributes.py", source);
  const uses = `
const m = python.import("attributes");
const job = new m.Job("a");
expectType<any>()(job.name, true); // the parameter may be something else by then
expectType<number | null>()(job.number, true);
expectType<any>()(job.loud, true);
expectType<number>()(job.count, true);
expectType<number>()(job.ratio, true);
expectType<boolean>()(job.done, true);
expectType<string>()(job.title, true);
expectType<Uint8Array>()(job.data, true);
expectType<PyProxy>()(job.parts, true);
expectType<any>()(job.state, true);
expectType<string | null>()(job.text, true);
expectType<any>()(job.first, true);
expectType<number>()(job.other.x, true);
expectType<number>()(job.timeout, true);
expectType<any>()(job.steps, true);
expectType<boolean>()(job.ready, true);
expectType<string>()(job.root, true);
expectType<number>()(job.depth, true);
expectType<string>()(job.up(), true);
expectType<number>()(new m.Other(1).x, true);
expectType<string>()(new m.Other(1).y, true);
expectType<number>()(new m.Point(1).x, true);
expectType<number>()(new m.Point(1).norm, true);
expectType<string>()(new m.Point(1).label, true);
expectType<number>()(new m.Small().size, true);
expectType<number>()(new m.Small().count, true);
expectType<any>()(new m.Inner().x, true);
expectType<any>()(job.no_such_name, true); // a program may set more
`;
  assertEquals(problemsIn(["attributes"], uses), []);
});

test("the declarations are the same each time, and a source that cannot be parsed takes nothing away", () => {
  write("same_order.py", source);
  const { text } = declared(["same_order"]);
  assertEquals(declared(["same_order"]).text, text);
  assertMatch(text, /count: number;\n {2}ratio: number;\n {2}done: boolean;/);
  write("changed_since.py", "class A:\n    def __init__(self) -> None: self.x = 1\n    def f(self) -> int: return 1\n");
  declared(["changed_since"]);
  write("changed_since.py", "class A(:\n");
  assertStringIncludes(declared(["changed_since"]).text, "f: PyFunction & { (): number }");
});

const aliases = `
import typing
T = typing.TypeVar("T")
N = typing.TypeVar("N", int, float)
Bound = typing.TypeVar("Bound", bound="Shape")
Mode = typing.Literal["r", "w"]
Maybe = typing.Optional[int]
UserId = typing.NewType("UserId", int)
Rows = typing.List[typing.Dict[str, int]]
Json = typing.Union[str, typing.List["Json"]]
LIMIT: typing.Final = 5
Text = str
class Shape:
    def __init__(self) -> None: self.owner = UserId(5)
    def grown(self: Bound, by: Maybe = None) -> Bound: return self
def mode(mode: Mode) -> Mode: return mode
def maybe(x: Maybe) -> Maybe: return x
def user(id: UserId) -> UserId: return id
def rows(rows: Rows) -> Rows: return rows
def nested(x: Json) -> Json: return x
def double(n: N) -> N: return n + n
def anything(x: T) -> T: return x
def shape(shape: Bound) -> Bound: return shape
`;

test("aliases, NewType and type parameters, where annotations are values and where they are strings", () => {
  write("alias_values.py", aliases);
  write("alias_strings.py", `from __future__ import annotations\n${aliases}`);
  const uses = ["alias_values", "alias_strings"].map((name) =>
    `{
const m = python.import(${JSON.stringify(name)});
expectType<"r" | "w">()(m.mode("r"), true);
expectType<number | null>()(m.maybe(null), true);
expectType<number>()(m.user(5), true);
m.rows([{ a: 1 }]) satisfies PyProxy;
m.nested("x"), m.nested([["x"]]);
expectType<any>()(m.double(1), true);
expectType<any>()(m.anything("x"), true);
expectType<any>()(m.shape(m.Shape()), true);
m.Shape().grown(1).whatever;
expectType<number>()(m.Shape().owner, true);
expectType<number>()(m.LIMIT, true);
// @ts-expect-error -- not a mode
m.mode("x");
// @ts-expect-error -- a number
m.user("x");
// @ts-expect-error -- a number
m.double("x");
// @ts-expect-error -- a Shape
m.shape(5);
// @ts-expect-error -- objects of numbers
m.rows([{ a: "x" }]);
}`
  );
  assertEquals(problemsIn(["alias_values", "alias_strings"], uses.join("\n")), []);
});
