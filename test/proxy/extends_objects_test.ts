/**
 * How objects of JavaScript classes that extend Python classes are made, whichever language asks for one.
 */
import { test } from "node:test";
import { kw, type PyProxy, python, PythonError, toJs } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "#std/assert";
import { defineToExtend } from "../support/extended.ts";

// deno-lint-ignore no-explicit-any -- what Python passes is what Python decides
type Value = any;

const { py, run, execute } = defineToExtend(`
class Fails:
    def __init__(self, how): raise ValueError(how)

class Early:
    made = []
    def __init_subclass__(cls): Early.made.append(cls())
`);
const { builtins } = python;

test("where Python makes an object, the constructor runs with its arguments", () => {
  const seen: unknown[][] = [];
  class Made extends (py.Registered as PyProxy) {
    #own = "own";
    field = 1;
    constructor(...args: unknown[]) {
      super("first", kw({ key: 1 }));
      seen.push([args.length, args.at(-1), new.target === Made]);
      this.given = args.length;
    }
    own() {
      return this.#own;
    }
  }
  const made = run("[M(1, 2), M(1, a=2)]", { M: Made });
  assertEquals(seen, [[2, 2, true], [2, { a: 2 }, true]]);
  const [first] = made;
  assertEquals([first.own(), first.field, first.given, toJs(first.args), toJs(first.kwargs)], ["own", 1, 2, ["first"], { key: 1 }]);
  assert(first instanceof Made);
});

test("keyword arguments go on to Python where the constructor passes them on", () => {
  class Implicit extends (py.Registered as PyProxy) {}
  class Passing extends (py.Registered as PyProxy) {
    constructor(first: unknown, options: Record<string, unknown>) {
      super(first, kw(options));
    }
  }
  class Leaf extends Implicit {
    constructor(...args: unknown[]) {
      super(...args);
    }
  }
  for (const cls of [Implicit, Passing, Leaf]) {
    const made = run("C(1, a=2)", { C: cls });
    assertEquals([toJs(made.args), toJs(made.kwargs)], [[1], { a: 2 }], cls.name);
    const here: Value = new (cls as Value)(1, cls === Passing ? { a: 2 } : kw({ a: 2 }));
    assertEquals([toJs(here.args), toJs(here.kwargs)], [[1], { a: 2 }], cls.name);
  }
  assertEquals(toJs(new Implicit({ a: 2 }).args), [{ a: 2 }]); // a dict
});

test("a metaclass's __call__ makes the object, whoever asks", () => {
  class Called extends (py.Registered as PyProxy) {
    #own = 1;
    own() {
      return this.#own;
    }
  }
  const called: Value = new Called("x");
  assertEquals([toJs(called.called), called.own(), toJs(run("Registry.known['Called']"))], [[["x"], {}], 1, [["x"], {}]]);
  assertEquals(run("C('y').called[0][0]", { C: Called }), "y");
});

test("the subclass's __init__ decides what the constructor gets", () => {
  class Named extends (py.Virtual as PyProxy) {
    #name: string;
    constructor(name: string) {
      super();
      this.#name = name;
    }
    name() {
      return this.#name;
    }
  }
  const Sub = execute("class Sub(N):\n    def __init__(self, a, b): super().__init__(a + b)\nresult = Sub", { N: Named });
  assertEquals([Sub("a", "b").name(), new Sub("c", "d").name()], ["ab", "cd"]);
  const TextSub = execute("class TextSub(T):\n    def __init__(self, text): super().__init__(text)\nresult = TextSub", {
    T: class Text extends (builtins.Exception as PyProxy) {
      #text: unknown;
      constructor(text: unknown) {
        super(`<${text}>`);
        this.#text = text;
      }
      text() {
        return this.#text;
      }
    },
  });
  assertEquals([TextSub("x").text(), String(TextSub("x"))], ["x", "<x>"]);
});

test("methods that the Python constructor calls run before the fields are there", () => {
  class Early extends (py.Virtual as PyProxy) {
    #ready = true;
    seen: unknown;
    setup(value: number) {
      this.before = [value, #ready in this];
    }
  }
  assertEquals(toJs(new Early(5).before), [5, false]);
  assertEquals(toJs(run("E(6).before", { E: Early })), [6, false]);
});

test("what constructors throw", () => {
  const thrown = new RangeError("constructor");
  class Throws extends (py.Plain as PyProxy) {
    constructor() {
      super();
      throw thrown;
    }
  }
  class Before extends (py.Plain as PyProxy) {
    constructor() {
      throw thrown;
      // deno-lint-ignore no-unreachable
      super();
    }
  }
  class Through extends (py.Fails as PyProxy) {}
  class Caught extends (py.Fails as PyProxy) {
    // deno-lint-ignore constructor-super -- it is called
    constructor() {
      try {
        super("first");
      } catch (error) {
        throw new Error("wrapped", { cause: error });
      }
    }
  }
  for (const cls of [Throws, Before]) {
    assertStrictEquals(assertThrows(() => new (cls as Value)()), thrown);
    assertStrictEquals(assertThrows(() => run("C()", { C: cls })), thrown);
  }
  for (const make of [() => new Through("x"), () => run("C('x')", { C: Through })]) {
    assertEquals(assertThrows(make, PythonError, "x").name, "ValueError");
  }
  assertInstanceOf((assertThrows(() => run("C()", { C: Caught }), Error, "wrapped") as Error).cause, PythonError);
  class Other extends (py.Plain as PyProxy) {
    constructor() {
      super();
      return Object.create(null);
    }
  }
  assertThrows(() => run("C()", { C: Other }), TypeError, "another object");
});

test("Python may make objects while the class is made", () => {
  class Made extends (py.Early as PyProxy) {
    #own = 5;
    own() {
      return this.#own;
    }
  }
  assertEquals(run("M.__name__", { M: Made }), "Made");
  const [made] = py.Early.made;
  assertEquals([made instanceof Made, made.own(), made.constructor === Made], [true, 5, true]);
});

test("an attribute that Python sets hides a method", () => {
  class Dog extends (py.Plain as PyProxy) {
    sound() {
      return "woof";
    }
  }
  const dog: Value = new Dog();
  run("setattr(d, 'sound', lambda: 'patched')", { d: dog });
  assertEquals([dog.sound(), run("d.sound()", { d: dog })], ["patched", "patched"]);
  delete dog.sound;
  assertEquals(dog.sound(), "woof");
});

test("new.target, and objects that a constructor makes of its own class", () => {
  class Abstract extends (py.Plain as PyProxy) {
    constructor() {
      super();
      if (new.target === Abstract) throw new RangeError("abstract");
    }
  }
  class Concrete extends Abstract {}
  assertThrows(() => new Abstract(), RangeError, "abstract");
  assertThrows(() => run("A()", { A: Abstract }), RangeError, "abstract");
  assert(new Concrete() instanceof Abstract && run("C()", { C: Concrete }) instanceof Concrete);
  assert(run("type('Sub', (A,), {})()", { A: Abstract }) instanceof Abstract);
  class Chain extends (py.Registered as PyProxy) {
    next: unknown;
    constructor(length: number) {
      super(length);
      this.next = length > 0 ? new Chain(length - 1) : null;
    }
  }
  assertEquals([(new Chain(2) as Value).next.next.next, run("C(2).next.next.args[0]", { C: Chain })], [null, 0]);
  class Before extends (py.Registered as PyProxy) {
    constructor(length: number) {
      const first = length > 0 ? new Before(length - 1) : null;
      super(length, first);
    }
  }
  assertEquals(new Before(1).args[1].args[0], 0);
  assertThrows(() => run("B(1)", { B: Before }), TypeError, "before super");
});
