/**
 * JavaScript classes that extend Python classes of every kind, exceptions included, and those that refuse.
 */
import { test } from "node:test";
import { kw, pyClass, type PyProxy, python, PythonError, toJs } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { defineToExtend } from "../support/extended.ts";

// deno-lint-ignore no-explicit-any -- what Python passes is what Python decides
type Value = any;

const { py, run, execute } = defineToExtend(`
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
    @property
    @abc.abstractmethod
    def name(self): ...
    def describe(self): return "%s of %g" % (self.name, self.area())

@dataclasses.dataclass
class Point:
    x: int
    y: int = 0
    def sum(self): return self.x + self.y

class Slotted:
    __slots__ = ("a",)
    def __init__(self, a): self.a = a

class Resource:
    async def __aenter__(self): return self
    async def __aexit__(self, *error): pass

class Color(enum.Enum): pass
`);
const { builtins } = python;

test("immutable types get what super passes them", () => {
  class Pair extends (builtins.tuple as PyProxy) {
    constructor(a: unknown, b: unknown) {
      super([a, b]);
    }
    swap() {
      return new Pair(this[1], this[0]);
    }
  }
  class Day extends (py.datetime.date as PyProxy) {
    constructor(text: string) {
      const [year, month, day] = text.split("-").map(Number);
      super(year, month, day);
    }
    get next() {
      return builtins.getattr(this, "toordinal")() + 1;
    }
  }
  const pair: Value = new Pair(1, "a");
  assertEquals([pair.length, pair[0], toJs(pair.swap()), pair.swap() instanceof Pair], [2, 1, ["a", 1], true]);
  assertEquals(run("[P(1, 2).swap(), len(P(1, 2)), isinstance(P(1, 2), tuple)]", { P: Pair }).$toJs(), [[2, 1], 2, true]);
  assertEquals([new Day("2026-01-02").isoformat(), run("D('2026-01-03').next", { D: Day })], [
    "2026-01-02",
    run("datetime.date(2026, 1, 4).toordinal()"),
  ]);
});

test("containers, dataclasses, slots, plain classes", () => {
  class Counter extends (builtins.dict as PyProxy) {
    #reads = 0;
    __missing__(key: string) {
      this.#reads++;
      return `${key}${this.#reads}`;
    }
  }
  class List extends (builtins.list as PyProxy) {
    total() {
      let total = 0;
      for (const item of this as Value) total += item as number;
      return total;
    }
  }
  const counter: Value = new Counter({ a: 1 });
  assertEquals([counter.$get("a"), counter.$get("b"), run("'%(x)s' % c", { c: counter })], [1, "b1", "x2"]);
  const list: Value = new List([1, 2]);
  list.append(3);
  assertEquals([list.total(), list.length, run("L((5, 6)).total()", { L: List }), run("json.dumps(l)", { l: list })], [
    6,
    3,
    11,
    "[1, 2, 3]",
  ]);
  class Near extends (py.Point as PyProxy) {
    label = "near";
    sum() {
      return super.sum() + 100;
    }
  }
  const near: Value = new Near(1, kw({ y: 2 }));
  assertEquals([near.sum(), near.label, String(near), run("N(1) == N(1, 0)", { N: Near })], [103, "near", "Near(x=1, y=2)", true]);
  class Small extends (py.Slotted as PyProxy) {
    static __slots__ = ["b"];
    b = 2;
  }
  assertEquals(run("[S(1).a, S(1).b, hasattr(S(1), '__dict__')]", { S: Small }).$toJs(), [1, 2, false]);
  class Bare extends (py.Plain as PyProxy) {}
  class Root extends (builtins.object as PyProxy) {
    one = 1;
  }
  assertEquals([run("[type(B()) is B, R().one]", { B: Bare, R: Root }).$toJs(), new Root().one], [[true, 1], 1]);
  for (const cls of [Bare, Root]) {
    assertEquals(assertThrows(() => new (cls as Value)(1), PythonError, "takes no arguments").name, "TypeError");
    assertThrows(() => run("C(1)", { C: cls }), PythonError, "takes no arguments");
  }
});

test("abstract methods are what the class defines", () => {
  class Square extends (py.Shape as PyProxy) {
    #side: number;
    constructor(side: number) {
      super();
      this.#side = side;
    }
    area() {
      return this.#side ** 2;
    }
    get name() {
      return "square";
    }
  }
  class Missing extends (py.Shape as PyProxy) {
    area() {
      return 1;
    }
  }
  assertEquals([new Square(3).describe(), run("S(2).describe()", { S: Square })], ["square of 9", "square of 4"]);
  assertThrows(() => new Missing(), PythonError, "name");
  assertThrows(() => run("M()", { M: Missing }), PythonError, "name");
});

class AppError extends (builtins.ValueError as PyProxy) {
  #detail: unknown;
  code = 7;
  constructor(message: string, detail?: unknown) {
    super(message);
    this.#detail = detail;
  }
  get detail() {
    return this.#detail;
  }
}

test("exceptions are thrown in one language and caught in the other", async () => {
  const detail = { a: [1] };
  const error: Value = new AppError("text", detail);
  assert(error instanceof Error && error instanceof AppError && error instanceof builtins.ValueError);
  assertEquals([error.message, error.name, String(error), error.code], ["text", "AppError", "text", 7]);
  assert(error.stack!.startsWith("AppError: text\n") && error.stack!.includes("extends_kinds_test"), error.stack!);
  const throwing = (): never => {
    throw error;
  };
  const caught = execute(
    "try:\n    f()\nexcept ValueError as e:\n    result = [type(e) is A, e is given, str(e), e.code, isinstance(e, A)]",
    {
      f: throwing,
      A: AppError,
      given: error,
    },
  );
  assertEquals(toJs(caught), [true, true, "text", 7, true]);
  assertStrictEquals(assertThrows(() => run("f()", { f: throwing })), error);
  assertStrictEquals(error.detail, detail);
  // deno-lint-ignore require-await -- an async def
  assertStrictEquals(await assertRejects(() => python.execAsync("await f()", { globals: { f: async () => throwing() } })), error);
  const raised: Value = assertThrows(() => execute("raise A('from python')", { A: AppError }), PythonError);
  assert(raised instanceof AppError && raised instanceof builtins.ValueError && !(raised instanceof builtins.KeyError));
  assertEquals([raised.name, raised.message, raised.exception.code, raised.exception.detail], ["AppError", "from python", 7, undefined]);
});

test("classes that cannot be extended say so", () => {
  class Red extends (py.Color as PyProxy) {}
  class Init extends (py.Plain as PyProxy) {
    __init__() {}
  }
  const Conflict = () =>
    pyClass("Conflict", [class A extends (py.Registered as PyProxy) {} as Value, class B extends py.Shape {} as Value], {});
  for (const plain of [builtins.bool, builtins.int, builtins.float, builtins.str, builtins.bytes]) {
    class Plain extends (plain as PyProxy) {}
    assertThrows(() => new Plain(), PythonError, "plain value");
  }
  class NoValue extends (run("type(None)") as PyProxy) {}
  assertThrows(() => new NoValue(), PythonError, "NoneType");
  assertThrows(() => new Red(), PythonError, "Enum");
  assertThrows(() => new Init(), TypeError, "defines __init__");
  assertThrows(Conflict, PythonError, "metaclass conflict");
  assertThrows(() => class extends (python.import("math").sqrt as PyProxy) {}, TypeError); // a function
  const gone = run("type('Gone', (), {})");
  class Late extends (gone as PyProxy) {}
  gone.$destroy();
  assertThrows(() => new Late(), TypeError, "destroyed");
});

test("a class may have itself and its subclasses as static fields", () => {
  class Tree extends (py.Plain as PyProxy) {
    static Leaf: unknown;
    static root = this as unknown;
  }
  class Leaf extends Tree {}
  Tree.Leaf = Leaf;
  assertEquals(run("[T.root is T, T.Leaf.__name__, issubclass(T.Leaf, T)]", { T: Tree }).$toJs(), [true, "Leaf", true]);
  assertStrictEquals(Tree.Leaf, Leaf);
});

test("an asynchronous context manager is made and entered on the loop", async () => {
  const seen: string[] = [];
  class Session extends (py.Resource as PyProxy) {
    async __aenter__() {
      seen.push("enter");
      return await super.__aenter__();
    }
    async __aexit__(...error: unknown[]) {
      seen.push(`exit ${error[0]}`);
      return await super.__aexit__(...error);
    }
  }
  const session: Value = new Session();
  assertEquals(await python.execAsync("async with s as same: result = same is s\nresult", { globals: { s: session } }), true);
  assertEquals(seen, ["enter", "exit null"]);
});

test("a static field may be an object of the class", () => {
  class Only extends (py.Plain as PyProxy) {
    static one = new this();
    static symbol = Symbol("not for Python");
    static later = "later";
    #own = 1;
    own() {
      return this.#own;
    }
  }
  assertEquals(run("[O.one is one, O.later, hasattr(O, 'symbol')]", { O: Only, one: Only.one }).$toJs(), [true, "later", false]);
  assertEquals([Only.one.own(), typeof Only.symbol], [1, "symbol"]);
});

test("classes of the standard library that are made to be extended", () => {
  const seen: unknown[] = [];
  class Handler extends (python.import("logging").Handler as PyProxy) {
    emit(record: Value) {
      seen.push(this.format(record));
    }
  }
  const logger = python.import("logging").getLogger("extends");
  logger.addHandler(new Handler());
  logger.propagate = false;
  logger.warning("hello %s", "there");
  class Parser extends (python.import("html.parser").HTMLParser as PyProxy) {
    handle_starttag(tag: string) {
      seen.push(tag);
    }
  }
  new Parser().feed("<a><b>");
  class Encoder extends (py.json.JSONEncoder as PyProxy) {
    default(value: Value) {
      return `a ${value.$type}`;
    }
  }
  seen.push(py.json.dumps([builtins.object()], kw({ cls: Encoder })));
  assertEquals(seen, ["hello there", "a", "b", '["a object"]']);
});

test("a function that takes a test's place in the prototype is called", () => {
  class Spied extends (py.Plain as PyProxy) {
    method() {
      return "own";
    }
    call() {
      return this.method();
    }
  }
  const spied = new Spied();
  assertEquals([spied.call(), run("s.method()", { s: spied })], ["own", "own"]);
  Spied.prototype.method = () => "spy";
  assertEquals([spied.call(), spied.method()], ["spy", "spy"]);
});
