/**
 * Classes of both languages in the other: Python classes with JavaScript methods, JavaScript classes in Python.
 */
import { test } from "node:test";
import { asyncDef, intoPromise, kw, pyClass, PyProxy, python, PythonError, toJs, toLoop } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

// deno-lint-ignore no-explicit-any -- what Python passes is what Python decides
type Value = any;

const py = define(`
import abc, collections, inspect, json, pyawait, string

class Animal:
    kind = "animal"
    def __init__(self, name): self.name = name
    def speak(self): return "%s says %s" % (self.name, self.sound())
    def sound(self): return "nothing"
    async def fetch(self, what): return "%s fetches %s" % (self.name, what)

class Loud:
    def sound(self): return super().sound().upper()

def super_of(cls, self): return super(cls, self)
def kinds(value): return [inspect.isfunction(value), inspect.iscoroutinefunction(value), inspect.isclass(value)]
def run(code, **names): return eval(code, dict(globals(), **names))
`);
const { builtins } = python;
const run = (code: string, names: Record<string, unknown> = {}): Value => py.run(code, kw(names));

test("pyClass: methods with self, class attributes, calls from Python", () => {
  const Dog = pyClass("Dog", [py.Animal], {
    sound: (self: Value) => `woof from ${self.name}`,
    count: 0,
    tricks: ["sit"],
    learn(self: Value, trick: string, keywords?: Record<string, unknown>) {
      self.tricks = builtins.list([...toJs(self.tricks) as string[], trick]);
      return keywords ?? null;
    },
  });
  const dog = Dog("Rex");
  assertEquals([dog.speak(), dog.kind, dog.count, dog.name], ["Rex says woof from Rex", "animal", 0, "Rex"]);
  assertEquals(toJs(dog.learn("roll", kw({ slowly: true }))), { slowly: true });
  assertEquals([toJs(dog.tricks), toJs(Dog.tricks)], [["sit", "roll"], ["sit"]]);
  assert(dog instanceof Dog && dog instanceof py.Animal && !(py.Animal("x") instanceof Dog));
  assertEquals(
    [Dog.__name__, Dog.__qualname__, Dog.sound.__qualname__, toJs(builtins.list(builtins.map(builtins.str, [Dog.__module__])))],
    ["Dog", "Dog", "Dog.sound", ["javascript"]],
  );
  assertEquals(run("[isinstance(d, Animal), issubclass(D, Animal), d.sound(), D.sound(d), D('Ann').speak()]", { d: dog, D: Dog }).$toJs(), [
    true,
    true,
    "woof from Rex",
    "woof from Rex",
    "Ann says woof from Ann",
  ]);
  assertEquals(toJs(py.kinds(Dog.sound)), [true, false, false]);
  assertMatch(String(dog), /^<javascript\.Dog object at /);
  assertInstanceOf(new Dog("Max"), PyProxy as never);
});

test("pyClass: __init__, special methods, properties", () => {
  const Vector = pyClass("Vector", [], {
    __init__(self: Value, x: number, y: number) {
      self.x = x, self.y = y;
    },
    __add__: (self: Value, other: Value) => Vector(self.x + other.x, self.y + other.y),
    __eq__: (self: Value, other: Value) => other instanceof Vector && self.x === other.x && self.y === other.y,
    __repr__: (self: Value) => `Vector(${self.x}, ${self.y})`,
    __len__: () => 2,
    __getitem__: (self: Value, index: number) => [self.x, self.y][index],
    __call__: (self: Value, factor: number) => Vector(self.x * factor, self.y * factor),
    __bool__: (self: Value) => self.x !== 0 || self.y !== 0,
    __contains__: (self: Value, value: number) => self.x === value || self.y === value,
    __hash__: (self: Value) => self.x,
    get norm(): number {
      return Math.hypot((this as Value).x, (this as Value).y);
    },
    set norm(value: number) {
      const self = this as Value, factor = value / self.norm;
      self.x *= factor, self.y *= factor;
    },
    get fixed(): string {
      return "read-only";
    },
  });
  const v = Vector(3, 4);
  assertEquals([v.norm, v.length, v[1], String(v), String(v(2)), v.$has(3), v.$has(5)], [
    5,
    2,
    4,
    "Vector(3, 4)",
    "Vector(6, 8)",
    true,
    false,
  ]);
  v.norm = 10;
  assertEquals([v.x, v.y], [6, 8]);
  assertEquals(run("[repr(v + v), v == V(6, 8), v == 1, bool(V(0, 0)), {v: 1}[V(6, 8)], v.norm]", { v, V: Vector }).$toJs(), [
    "Vector(12, 16)",
    true,
    false,
    false,
    1,
    10,
  ]);
  assertEquals(assertThrows(() => (v.fixed = "x"), PythonError).name, "AttributeError");
  assertEquals(v.fixed, "read-only");
});

test("pyClass: several bases, super through Python, and metaclasses", () => {
  const Base = pyClass("Base", [py.Animal], { sound: () => "base" });
  const Mixed = pyClass("Mixed", [py.Loud, Base], {});
  assertEquals(Mixed("x").speak(), "x says BASE");
  const Sub: Value = pyClass("Sub", [Base], { sound: (self: Value) => `sub, then ${py.super_of(Sub, self).sound()}` });
  assertEquals([Sub("y").speak(), toJs(builtins.list(builtins.map(run("lambda c: c.__name__"), Sub.__mro__)))], ["y says sub, then base", [
    "Sub",
    "Base",
    "Animal",
    "object",
  ]]);
  const abstract = run("type('Abstract', (abc.ABC,), {'needed': abc.abstractmethod(lambda self: 1)})");
  assertEquals(assertThrows(() => pyClass("Missing", [abstract], {})(), PythonError).name, "TypeError");
  assertEquals(pyClass("Given", [abstract], { needed: () => 2 })().needed(), 2);
  const encoder = pyClass("Encoder", [py.json.JSONEncoder], { default: (_self: Value, value: Value) => `<${value.$type}>` });
  assertEquals(py.json.dumps([builtins.object()], kw({ cls: encoder })), '["<object>"]');
  const mapping = pyClass("Upper", [builtins.dict], { __missing__: (_self: Value, key: string) => key.toUpperCase() });
  assertEquals(run("'%(a)s' % m()", { m: mapping }), "A");
});

test("pyClass: async methods are async defs, awaited from both sides", async () => {
  const Client = pyClass("Client", [py.Animal], {
    async fetch(self: Value, what: string) {
      return `${self.name} brings ${await Promise.resolve(what)}`;
    },
    promised: asyncDef((_self: Value, n: number) => Promise.resolve(n + 1)),
    __aenter__: async (self: Value) => await self,
    __aexit__: async (self: Value) => void (self.closed = true),
    async fail(_self: Value) {
      await Promise.reject(new RangeError("async"));
    },
  });
  const client = Client("Ann");
  assertEquals(toJs(py.kinds(Client.fetch)), [true, true, false]);
  assertEquals(await client.fetch("x"), "Ann brings x");
  assertEquals(await intoPromise(client.promised(1)), 2);
  const code = "async with c as same:\n    a = await c.fetch('y')\n[a, same is c, c.closed]";
  assertEquals(toJs(await python.execAsync(code, { globals: { c: client } })), ["Ann brings y", true, true]);
  await assertRejects(async () => await client.fail(), RangeError, "async");
});

test("pyClass: errors of methods, and misuse", async () => {
  const thrown = new TypeError("method");
  const Bad = pyClass("Bad", [], {
    method() {
      throw thrown;
    },
    get property(): number {
      throw thrown;
    },
    __init__(_self: Value, fails?: boolean) {
      if (fails) throw thrown;
    },
    __del__() {
      throw thrown;
    },
  });
  const bad = Bad();
  assertStrictEquals(assertThrows(() => bad.method()), thrown);
  assertStrictEquals(assertThrows(() => bad.property), thrown); // never undefined
  assertStrictEquals(assertThrows(() => Bad(true)), thrown);
  assertStrictEquals(await assertRejects(() => toLoop(bad.method)), thrown);
  for (const name of ["", "1a", "a-b", 5, "a b", undefined]) assertThrows(() => pyClass(name as never, [], {}), TypeError, "name");
  assertThrows(() => pyClass("X", [5 as never], {}), TypeError, "Python classes");
  assertThrows(() => pyClass("X", py.Animal as never, {}), TypeError, "bases");
  assertThrows(() => pyClass("X", [], null as never), TypeError, "methods");
  class Own {}
  assertThrows(() => pyClass("X", [Own as never], {}), TypeError, "JavaScript class");
  assertEquals(assertThrows(() => pyClass("X", [builtins.bool], {}), PythonError).name, "TypeError");
});

class Point {
  static origin = "static";
  static make(...args: unknown[]) {
    return new Point(...args as [number, number]);
  }
  x: number;
  y: number;
  constructor(x: number, y: number | { y: number } = 0) {
    this.x = x, this.y = typeof y === "number" ? y : y.y;
  }
}
class Point3 extends Point {
  z = 1;
}

test("JavaScript classes in Python: construct, new, keyword arguments, statics", () => {
  const names = { P: Point, P3: Point3 };
  for (const code of ["P(1, 2)", "P.new(1, 2)", "P(1, y=2)", "P.new(1, y=2)", "P.make(1, 2)", "P3(1, 2)"]) {
    const point = run(code, names);
    assert(point instanceof Point, code);
    assertEquals([point.x, point.y], [1, 2], code);
  }
  assertEquals(run("P3(1).z", names), 1);
  assertEquals(run("[P.origin, P.name, P.__name__ if hasattr(P, '__name__') else P.name, P3.origin]", names).$toJs(), [
    "static",
    "Point",
    "Point",
    "static",
  ]);
  assertEquals(run("m.get('a')", { m: run("M([['a', 5]])", { M: Map }) }), 5);
  assertEquals(run("D(0).year", { D: class extends Date {} }), 1970); // what it makes is converted as ever
  assertEquals(run("repr(P)", names), "<JavaScript class Point>");
  assertEquals(run("[P.typeof, p.typeof, callable(f), f.name]", { ...names, p: new Point(1), f: function named() {} }).$toJs(), [
    "function",
    "object",
    true,
    "named",
  ]);
  assertEquals(assertThrows(() => run("p()", { p: new Point(1) }), PythonError).name, "TypeError");
  assertEquals(run("f(1, b=2)['b']", { f: (_a: number, options: object) => new Map(Object.entries(options)) }), 2);
  assertThrows(() => run("f.new()", { f: () => 1 }), TypeError);
  function Old(this: { a: number }) {
    this.a = 1;
  }
  assertEquals(run("f.new().a", { f: Old }), 1);
});

test("isinstance and issubclass know JavaScript's classes", () => {
  const names = { P: Point, P3: Point3, p: new Point(1), p3: new Point3(1), E: Error, R: RangeError, e: new RangeError("x") };
  const cases: [string, boolean][] = [
    ["isinstance(p, P)", true],
    ["isinstance(p, P3)", false],
    ["isinstance(p3, P)", true],
    ["isinstance(1, P)", false],
    ["isinstance([], P)", false],
    ["isinstance(p, (int, P))", true],
    ["issubclass(P3, P)", true],
    ["issubclass(P, P3)", false],
    ["issubclass(P, P)", true],
    ["issubclass(int, P)", false],
    ["isinstance(e, E) and isinstance(e, R)", true],
    ["isinstance(p, pyawait.JsProxy) and not isinstance(p, pyawait.JsException)", true],
    ["isinstance(e, pyawait.JsException) and isinstance(e, Exception)", true],
  ];
  for (const [code, value] of cases) assertEquals(run(code, names), value, code);
});

test("a Python class that names a JavaScript class as its base is refused", () => {
  for (const code of ["class Sub(P): pass", "class Sub(P, int): pass", "import collections\nclass Sub(collections.UserDict, P): pass"]) {
    const error = assertThrows(
      () => python.exec(code, { globals: { P: Point } }),
      PythonError,
      "JavaScript classes have no Python subclasses",
    );
    assertEquals(error.name, "TypeError");
  }
});
