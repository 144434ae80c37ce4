/**
 * JavaScript classes that extend Python classes: what Python sees of them, and `super` in both directions.
 */
import { test } from "node:test";
import { intoPromise, pyClass, PyProxy, python, PythonError, toJs } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertStrictEquals, assertThrows } from "#std/assert";
import { defineToExtend } from "../support/extended.ts";

// deno-lint-ignore no-explicit-any -- what Python passes is what Python decides
type Value = any;

const { py, run, execute } = defineToExtend(`
class Animal:
    kind = "animal"
    named = []
    def __init_subclass__(cls, **kwargs): Animal.named.append(cls.__name__)
    def __init__(self, name, *, legs=4):
        self.name, self.legs = name, legs
        self.prepare()
    def prepare(self): self.prepared = ["python"]
    def sound(self): return "nothing"
    def speak(self): return "%s says %s" % (self.name, self.sound())
    async def fetch(self, what): return "%s fetches %s" % (self.name, what)
    @property
    def title(self): return self.name.title()
    @title.setter
    def title(self, value): self.name = value.lower()
    @classmethod
    def create(cls, *args): return cls(*args)
    @staticmethod
    def twice(n): return 2 * n
`);
const { builtins } = python;

class Dog extends (py.Animal as PyProxy) {
  #tricks = 0;
  mood = "good";
  learn(list: string[]): number {
    return this.#tricks += list.length;
  }
  sound() {
    return `woof (${this.#tricks})`;
  }
}
class Puppy extends Dog {
  #age = 1;
  override sound() {
    return `${super.sound()} at ${this.#age}`;
  }
}

test("methods override Python's, whoever calls them", () => {
  const dog: Value = new Dog("rex");
  assertEquals([dog.speak(), dog.sound(), dog.kind, dog.name, dog.legs], ["rex says woof (0)", "woof (0)", "animal", "rex", 4]);
  assertEquals(run("[d.sound(), D.sound(d), D('ann').speak(), d.speak()]", { d: dog, D: Dog }).$toJs(), [
    "woof (0)",
    "woof (0)",
    "ann says woof (0)",
    "rex says woof (0)",
  ]);
  assertEquals(new Puppy("max").speak(), "max says woof (0) at 1");
});

test("JavaScript's own calls of its methods convert nothing", () => {
  const dog: Value = new Dog("rex"), seen: unknown[] = [];
  class Keeper extends (py.Animal as PyProxy) {
    keep(value: unknown) {
      seen.push(value);
    }
    run(value: unknown) {
      this.keep(value);
    }
  }
  const list = [1, { a: 1 }];
  new Keeper("x").run(list);
  assertStrictEquals(seen[0], list);
  assertEquals(dog.learn(["sit", "roll"]), 2);
  assertStrictEquals(dog.learn, Dog.prototype.learn);
  assertEquals(run("d.learn(['a'])", { d: dog }), 3); // a list has a `length`
});

test("super reaches Python's methods, properties and class methods", async () => {
  class Loud extends (py.Animal as PyProxy) {
    prepare() {
      super.prepare();
      this.prepared.append("javascript");
    }
    speak() {
      return super.speak().toUpperCase();
    }
    get title() {
      return `${super.title}!`;
    }
    set title(value: string) {
      super.title = value;
    }
    get kind() {
      return `loud ${super.kind}`;
    }
    async fetch(what: string) {
      return (await super.fetch(what)).toUpperCase();
    }
    static create(name: string) {
      const made = super.create(name);
      made.by = this.name;
      return made;
    }
    missing() {
      return super.missing;
    }
  }
  class Louder extends Loud {}
  const loud: Value = new Loud("ann");
  assertEquals([loud.speak(), loud.title, loud.kind, toJs(loud.prepared)], [
    "ANN SAYS NOTHING",
    "Ann!",
    "loud animal",
    ["python", "javascript"],
  ]);
  loud.title = "BOB";
  assertEquals([loud.name, run("l.title", { l: loud })], ["bob", "Bob!"]);
  run("setattr(l, 'title', 'EVE')", { l: loud });
  assertEquals([loud.name, await loud.fetch("x"), loud.missing()], ["eve", "EVE FETCHES X", undefined]);
  assertEquals(await python.execAsync("await l.fetch('y')", { globals: { l: loud } }), "EVE FETCHES Y");
  const made = (Louder as Value).create("joe");
  assertEquals([made.by, made instanceof Louder, made.speak(), (Louder as Value).twice(4)], ["Louder", true, "JOE SAYS NOTHING", 8]);
  assertEquals(run("L.create('kim').by", { L: Louder }), "Louder");
});

test("an accessor that hides a value of Python's finds it by super", () => {
  class Upper extends (py.Animal as PyProxy) {
    get name() {
      return String(super.name).toUpperCase();
    }
    set name(value: string) {
      super.name = `${value}!`;
    }
  }
  const upper: Value = new Upper("ann");
  assertEquals([upper.name, upper.speak()], ["ANN!", "ANN! says nothing"]);
});

test("Python classes extend JavaScript's, and JavaScript's extend those", () => {
  const Sub = execute(
    `
class Sub(Dog):
    def __init__(self, name):
        super().__init__(name.upper(), legs=3)
        self.sub = self.mood
    def sound(self): return "sub " + super().sound()
result = Sub`,
    { Dog },
  );
  const sub = new Sub("rex");
  assertEquals([sub.speak(), sub.legs, sub.sub, sub.learn(["a"]), sub.sound()], ["REX says sub woof (0)", 3, "good", 1, "sub woof (1)"]);
  assert(sub instanceof Dog && sub instanceof Sub && !(new Dog("x") instanceof Sub));
  assertEquals(execute("result = [Sub('ann').speak(), issubclass(Sub, Dog)]", { Sub, Dog }).$toJs(), ["ANN says sub woof (0)", true]);
  class Leaf extends (Sub as PyProxy) {
    #leaf = "leaf";
    sound() {
      return `${this.#leaf} ${super.sound()}`;
    }
  }
  const leaf: Value = new Leaf("eve");
  assertEquals([leaf.speak(), leaf.learn(["x", "y"]), leaf.sound()], ["EVE says leaf sub woof (0)", 2, "leaf sub woof (2)"]);
  assertEquals(run("L('kim').speak()", { L: Leaf }), "KIM says leaf sub woof (0)");
  assertEquals(run("[c.__name__ for c in L.__mro__]", { L: Leaf }).$toJs(), ["Leaf", "Sub", "Dog", "Animal", "object"]);
  const Made = pyClass("Made", [Dog as Value], { sound: () => "made" });
  assertEquals([Made("x").speak(), Made("x") instanceof Dog], ["x says made", true]);
});

test("super follows Python's order of resolution where classes meet", () => {
  const Base = run("type('Base', (), {'who': lambda self: ['base']})");
  const named = (name: string, Parent: Value) => ({
    [name]: class extends (Parent as PyProxy) {
      who() {
        return builtins.list([name, ...super.who()]);
      }
    },
  }[name]);
  const Left = named("Left", Base), Right = named("Right", Base);
  const both = execute("class Both(Left, Right): pass\nresult = Both()", { Left, Right });
  assertEquals(toJs(both.who()), ["Left", "Right", "base"]);
  assertEquals(toJs(new Left().who()), ["Left", "base"]);
});

test("the class is the same object in both languages", () => {
  const dog = new Dog("rex");
  assertStrictEquals(builtins.type(dog), Dog as Value);
  assertStrictEquals(run("d.__class__", { d: dog }), Dog);
  assertStrictEquals((dog as Value).constructor, Dog);
  assertStrictEquals(run("[D][0]", { D: Dog }), Dog);
  assertStrictEquals(Object.getPrototypeOf(dog), Dog.prototype);
  assertStrictEquals(run("d", { d: dog }), dog);
  assertEquals(run("[D.__name__, D.__qualname__, D.__module__, D.sound.__qualname__, repr(D)]", { D: Dog }).$toJs(), [
    "Dog",
    "Dog",
    "javascript",
    "Dog.sound",
    "<class 'javascript.Dog'>",
  ]);
  assertEquals([Dog.name, String(Dog), (Dog as Value).$type], ["Dog", "<class 'javascript.Dog'>", "type"]);
  assertInstanceOf(dog, PyProxy as never);
  assertEquals(toJs(py.Animal.named).includes("Dog"), true); // __init_subclass__ has run
});

test("instanceof, isinstance and issubclass agree", () => {
  class Never extends (py.Animal as PyProxy) {}
  const dog: Value = new Dog("a"), puppy: Value = new Puppy("b"), animal = py.Animal("c");
  const all: [Value, Value, boolean][] = [
    [dog, Dog, true],
    [dog, py.Animal, true],
    [dog, Puppy, false],
    [puppy, Dog, true],
    [puppy, Puppy, true],
    [animal, Dog, false],
    [animal, Never, false],
    [{}, Dog, false],
    [1, Dog, false],
  ];
  for (const [value, cls, expected] of all) {
    assertEquals(value instanceof cls, expected);
    assertEquals(run("isinstance(v, C)", { v: value, C: cls }), expected);
  }
  assertEquals(
    run("[issubclass(P, D), issubclass(D, P), issubclass(D, Animal), issubclass(N, D)]", { P: Puppy, D: Dog, N: Never }).$toJs(),
    [
      true,
      false,
      true,
      false,
    ],
  );
});

test("public fields are attributes, private ones stay JavaScript's", () => {
  const token = Symbol("token");
  class Box extends (py.Animal as PyProxy) {
    size = 3;
    items = [1, 2];
    nothing: unknown = undefined;
    [token] = "symbol";
    "with-dash" = 1;
    handler = () => this.size;
    #own = new Map([["a", [1]]]);
    get own() {
      return this.#own;
    }
    static has(value: object) {
      return #own in value;
    }
  }
  const box: Value = new Box("x");
  assertEquals(run("[b.size, b.items, b.nothing, b.handler(), vars(b)['with-dash'], sorted(b.__dict__)]", { b: box }).$toJs(), [
    3,
    [1, 2],
    null,
    3,
    1,
    ["handler", "items", "legs", "name", "nothing", "prepared", "size", "with-dash"],
  ]);
  box.size = 5;
  run("setattr(b, 'name', 'new')", { b: box });
  assertEquals([box.size, box.handler(), box.name, box[token], token in box, box.own.get("a")], [5, 5, "new", "symbol", true, [1]]);
  assertEquals([Box.has(box), Box.has(new Dog("y")), box.items.$type], [true, false, "list"]);
  delete box[token];
  assertEquals([box[token], delete box.size, box.size], [undefined, true, undefined]);
  assertThrows(() => Object.defineProperty(box, "a", { get: () => 1 }), TypeError, "assign to it");
  assertThrows(() => (box.$own = 1), TypeError, "begin with $");
});

test("special methods, generators and symbols", () => {
  class Bag extends (py.Animal as PyProxy) {
    #items: number[] = [];
    add(...items: number[]) {
      this.#items.push(...items);
      return this;
    }
    __len__() {
      return this.#items.length;
    }
    __getitem__(index: number) {
      return this.#items[index] ?? (() => {
        throw builtins.IndexError(index);
      })();
    }
    __call__(factor: number) {
      return factor * this.#items.length;
    }
    __eq__(other: unknown) {
      return other instanceof Bag && other.#items.length === this.#items.length;
    }
    __repr__() {
      return `Bag(${this.#items})`;
    }
    *each() {
      yield* this.#items;
    }
    *[Symbol.iterator]() {
      yield "javascript";
    }
    toString() {
      return "own text";
    }
  }
  const bag: Value = new Bag("x").add(1, 2, 3);
  assertEquals(
    run("[len(b), b[1], list(b), b(2), repr(b), str(b), b == B('y').add(4, 5, 6), b == 1, list(b.each())]", { b: bag, B: Bag }).$toJs(),
    [
      3,
      2,
      [1, 2, 3],
      6,
      "Bag(1,2,3)",
      "Bag(1,2,3)",
      true,
      false,
      [1, 2, 3],
    ],
  );
  assertEquals([[...bag], `${bag}`, String(bag), bag.length, bag.$get(0)], [["javascript"], "own text", "own text", 3, 1]);
  assertThrows(() => run("hash(b)", { b: bag }), PythonError, "unhashable");
  assertMatch(String(new Dog("a")), /^<javascript\.Dog object at /);
});

test("static members are class attributes and class methods", async () => {
  class Config extends (py.Animal as PyProxy) {
    static count = 1;
    static tags = ["a"];
    static kind = "config";
    static table = new Map([["k", 1]]);
    static handler = (n: number) => n + 1;
    static asynchronous = async (n: number) => await n + 1;
    static Inner = class {};
    static self: unknown;
    static get size() {
      return this.count * 10;
    }
    static where(...args: unknown[]) {
      return [this.name, args.length, typeof args.at(-1)].join();
    }
    static async later() {
      return await Promise.resolve(this.name);
    }
    static {
      this.self = this;
    }
  }
  class Sub extends Config {}
  (Config as Value).late = 5; // still before Python knows the class
  const names = { C: Config, S: Sub };
  assertEquals(
    run("[C.count, C.tags, C.kind, C.table, C.handler(1), C('x').handler(2), C.size, S.size, S.late, C.self is C]", names).$toJs(),
    [
      1,
      ["a"],
      "config",
      { k: 1 },
      2,
      3,
      10,
      10,
      5,
      true,
    ],
  );
  assertEquals(run("[C.where(1), S.where(1, a=2), C('x').where()]", names).$toJs(), [
    "Config,1,number",
    "Sub,2,object",
    "Config,0,undefined",
  ]);
  assertEquals(await intoPromise(run("C.asynchronous(1)", names)), 2);
  assertEquals(await intoPromise(run("S.later()", names)), "Sub");
  run("setattr(C, 'count', 7)", names);
  assertEquals([Config.count, Config.size, Sub.count], [7, 70, 7]);
  Config.count++;
  Sub.count = 1;
  assertEquals([run("C.count", names), run("S.count", names), Config.count, Sub.count, Config.tags, Config.table.get("k")], [8, 1, 8, 1, [
    "a",
  ], 1]);
  (Config as Value).fresh = "new";
  assertEquals([run("S.fresh", names), (Sub as Value).fresh, (Sub as Value).absent], ["new", "new", undefined]);
});
