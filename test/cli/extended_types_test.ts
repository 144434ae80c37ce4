/**
 * JavaScript classes extend the classes that `pyawait types` declares.
 */
import { test } from "node:test";
import { assertEquals } from "#std/assert";
import { problemsIn } from "../support/declared.ts";
import { write } from "../support/typescript.ts";

test("JavaScript classes extend the declared classes, and override their methods and properties by any other", () => {
  write(
    "extended.py",
    `
import abc, enum, typing
class Root:
    hidden: int = 1
    def shared(self, a: int) -> int: return a
    def becomes_data(self) -> int: return 1
class Animal(Root, abc.ABC):
    becomes_data: int = 5
    def __init__(self, name: str, *, legs: int = 4) -> None:
        self.name = name
        self.legs = legs
    @abc.abstractmethod
    def sound(self) -> str: ...
    def on_event(self, kind: str, detail: typing.Dict[str, int]) -> None: ...
    @property
    def title(self) -> str: return self.name
    def shared(self, a: str) -> str: return a
class Loud(Animal):
    def sound(self) -> str: return "LOUD"
`,
  );
  write("closed.py", "class Closed:\n    x: int = 1\n    def run(self) -> int: return 1\n");
  write("closed-stubs/__init__.pyi", "class Closed:\n    x: int\n    def run(self) -> int: ...\n");
  write("closed-stubs/py.typed", "");
  const uses = `
const m = python.import("extended"), { Closed } = python.import("closed");
class Dog extends m.Loud {
  #barks = 0;
  tricks = ["sit"];
  override sound() {
    this.#barks++;
    return String(super.sound()) + this.name.length;
  }
  override on_event(kind: string, detail: Iterable<string>, more?: number) {
    void [kind, detail, more];
  }
  override get title() {
    return "Dog " + super.name;
  }
  override shared() {
    return this.#barks;
  }
}
class Puppy extends Dog {
  override sound() {
    return "yip";
  }
}
const dog = new Dog("rex", kw({ legs: 3 }));
expectType<string>()(dog.sound(), true);
expectType<string>()(dog.name, true);
expectType<number>()(dog.becomes_data, true);
expectType<number>()(new Puppy("x").hidden, true);
expectType<any>()(dog.anything, true);
expectType<string>()(new m.Loud("x").sound(), true); // without a subclass as precise as a call
expectType<string>()(m.Loud("x").sound(), true);
dog satisfies PyProxy, Dog satisfies PyMembers;
class Open extends Closed {
  own = 1;
  override run() {
    return this.own + this.x + super.run();
  }
}
expectType<number>()(new Closed().run(), true);
new Open().run();
// @ts-expect-error -- a name is a string
new Dog(5);
// @ts-expect-error -- misspelt
new Closed().rum();
class Wrong extends m.Loud {
  constructor() {
    // @ts-expect-error -- a name is a string
    super(1);
  }
}
void Wrong;
`;
  assertEquals(problemsIn(["extended", "closed"], `import type { PyMembers } from "pyawait";\n${uses}`), []);
});
