/**
 * What crosses as one block: lists of nothing but numbers or text, and the keys that several objects of a message have. The values
 * are the same as one by one.
 */
import { test } from "node:test";
import { python, toJs } from "../../mod.ts";
import { assert, assertEquals, assertThrows } from "#std/assert";

const { same, reprs, Changing, counts } = python.exec(`
import json, sys
from types import SimpleNamespace

def same(value): return value
def reprs(values): return [repr(value) for value in values]
class Changing(dict):
    "While its items are read, it changes the dict that it is in."
    def __init__(self, change): self.change = change
    def items(self):
        self.change()
        return super().items()
def counts(values): return [sys.getrefcount(value) for value in values]
SimpleNamespace(same=same, reprs=reprs, Changing=Changing, counts=counts)
`);

const run = (code: string) => python.exec(code);

test("a list of numbers has in Python the ints and floats that the numbers are by themselves", () => {
  const numbers = [0, -0, 1, -1, 0.5, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 53, -(2 ** 53)];
  numbers.push(2 ** 63, 2 ** 64, 1e300, NaN, Infinity, -Infinity, Number.MIN_VALUE);
  const alone = numbers.map((number) => python.builtins.repr(number));
  assertEquals(toJs(reprs(numbers)), alone);
  assertEquals(toJs(reprs([...numbers, "x"])).slice(0, -1), alone);
  for (const number of numbers) assertEquals(toJs(reprs([number])), [python.builtins.repr(number)]);
  const back = toJs(same(numbers)) as number[];
  assert(back.every((number, i) => Object.is(number, numbers[i])));
  assert(Array.isArray(back) && Object.keys(back).length === numbers.length);
});

test("whatever else is in a list, and wherever, its items stay what they are", () => {
  const others: unknown[] = [null, true, "text", 1n << 70n, [1, 2], { a: 1 }, undefined];
  for (const other of others) {
    for (let at = 0; at < 4; at++) {
      const list = [1.5, 2, -0].toSpliced(at, 0, other as number), back = toJs(same(list)) as unknown[];
      assertEquals(back, [1.5, 2, -0].toSpliced(at, 0, (other ?? null) as number));
    }
  }
  const holes = [1, 2, 3];
  delete holes[1];
  assertEquals(toJs(reprs(holes)), ["1", "None", "3"]);
  assertEquals(toJs(reprs(new Array(3))), ["None", "None", "None"]);
  const shared = [1, 2], [one, two, three] = toJs(same([shared, shared, [shared]])) as [number[], number[], number[][]];
  assert(one === two && three[0] === one);
  const many = Array.from({ length: 100_000 }, (_, i) => i / 3);
  assertEquals(toJs(same(many)), many);
  assertEquals(toJs(same([...many, null])), [...many, null]);
});

test("a list of text has the texts that they are by themselves, and a half of a pair stays one", () => {
  for (const unit of ["", "a", "\xe9", "日", "😀", "\ud83d", "\ude00"]) {
    for (const count of [1, 7, 8, 9, 1000]) {
      const list = Array.from({ length: count }, (_, i) => i % 3 === 1 ? "" : `${unit}${i}`.repeat(i % 5) + unit), joined = list.join("|");
      assertEquals(toJs(same(list)), list);
      if (!/^[\ud83d\ude00]$/.test(unit)) assert(python.exec("lambda list, joined: '|'.join(list) == joined")(list, joined));
      assertEquals(toJs(same([...list, 1])), [...list, 1]);
      assertEquals(toJs(same([...list.slice(0, 5), null, ...list])), [...list.slice(0, 5), null, ...list]);
    }
  }
  const halves = ["\ud83d", "\ude00", "\ud83d\ude00", "x", "\ud83d", "\ude00", "y", "\ud83d"];
  assertEquals(toJs(same(halves)), halves);
  assertEquals(toJs(python.exec("lambda texts: [len(text) for text in texts]")(halves)), [1, 1, 1, 1, 1, 1, 1, 1]);
  const long = Array.from({ length: 9 }, (_, i) => "x".repeat(20_000) + i), [one, two] = toJs(same([long, long])) as [string[], string[]];
  assert(one === two && one.every((text, i) => text === long[i]));
});

test("items are read once and in order", () => {
  const log: string[] = [];
  const list = new Proxy([1, 2, "x", 4], {
    get(target, key) {
      log.push(String(key));
      return Reflect.get(target, key);
    },
  });
  assertEquals(toJs(reprs(list)), ["1", "2", "'x'", "4"]);
  assertEquals(log.filter((key) => /^\d+$/.test(key)), ["0", "1", "2", "3"]);
  const texts = new Proxy(["a", "b", "c", "d", "e", "f", "g", "h", 1], {
    get(target, key) {
      log.push(String(key));
      return Reflect.get(target, key);
    },
  });
  log.length = 0;
  assertEquals(toJs(same(texts)), ["a", "b", "c", "d", "e", "f", "g", "h", 1]);
  assertEquals(log.filter((key) => /^\d+$/.test(key)), ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
  const numbers = [1, 2, 3];
  Object.defineProperty(numbers, 1, { get: () => (numbers.length = 2, 7), configurable: true });
  assertEquals(toJs(reprs(numbers)), ["1", "7", "None"]);
  const throws = [1, 2];
  Object.defineProperty(throws, 1, {
    get: () => {
      throw new RangeError("item");
    },
  });
  assertThrows(() => same(throws), RangeError, "item");
  assertEquals(same(1), 1);
});

test("sequences of Python's numbers come as numbers, others as they did", () => {
  assertEquals(toJs(run("[1, 2.5, -0.0, 2**53 - 1, float('inf')]")), [1, 2.5, -0, 2 ** 53 - 1, Infinity]);
  assertEquals(toJs(run("(1, (2, 3), [4.0])")), [1, [2, 3], [4]]);
  assertEquals(toJs(run("[1, 2**53]")), [1, 2n ** 53n]);
  assertEquals(toJs(run("[1, True, 2]")), [1, true, 2]);
  assertEquals(toJs(run("[1, 2, None]")), [1, 2, null]);
  assertEquals(toJs(run("class Int(int): pass\n[1, Int(2)]")), [1, 2]);
  assertEquals(JSON.parse(JSON.stringify(run("[1, float('nan'), 2.5]"))), [1, null, 2.5]);
  const list = run("l = [1, 2]\n(l, l, [l])"), [one, two, three] = toJs(list) as [number[], number[], number[][]];
  assert(one === two && three[0] === two);
});

const people = (count: number) =>
  Array.from({ length: count }, (_, id) => ({ id, name: `n${id}`, "é": [id, "日"], place: { x: id / 2, y: null } }));

test("objects with the same keys keep them, and their order, in both directions", () => {
  for (const count of [1, 2, 3, 40]) {
    const list = people(count), back = toJs(same(list));
    assertEquals(back, list);
    assertEquals(JSON.stringify(back), JSON.stringify(list));
    assertEquals(JSON.stringify(same(list)), JSON.stringify(list));
  }
  const mixed = [{ a: 1, b: 2 }, { b: 1, a: 2 }, { a: 3, b: 4 }, { b: 5, a: 6 }, { a: 7 }, { a: 8 }, {}, {}, { a: 1, b: 2, c: 3 }, {
    a: 9,
    b: 9,
  }];
  assertEquals(JSON.stringify(toJs(same(mixed))), JSON.stringify(mixed));
  const odd = [1, 2, 3].map((n) =>
    JSON.parse(`{"__proto__": ${n}, "constructor": {"toString": 1}, "": 2, "1": 3, "\\ud83d": 4, "a${"a".repeat(70_000)}": 5}`)
  );
  assertEquals(JSON.stringify(toJs(same(odd))), JSON.stringify(odd));
  assert(Object.hasOwn((toJs(same(odd)) as object[])[2], "__proto__"));
});

test("more shapes than are compared, and objects of more keys, cross as well", () => {
  const list: unknown[] = [];
  for (const _ of [1, 2, 3]) {
    for (let i = 0; i < 40; i++) list.push({ [`k${i}`]: i, common: i });
    for (const length of [31, 32, 33, 63, 64, 65, 200]) list.push(Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, i])));
  }
  assertEquals(toJs(same(list)), list);
});

test("a tree of objects that have the same keys, and one that holds itself, keep their form", () => {
  type Node = { value: number; children: Node[]; root?: Node };
  const grow = (depth: number): Node => ({ value: depth, children: depth ? [grow(depth - 1), grow(depth - 1)] : [] });
  const tree = grow(6);
  assertEquals(toJs(same(tree)), tree);
  const root: Node = { value: 1, children: [] };
  for (let i = 0; i < 5; i++) root.children.push({ value: i, children: [root.children[0] ?? root], root });
  const back = toJs(same(root)) as Node;
  assert(back.children.every((child) => child.root === back) && back.children[3].children[0] === back.children[0]);
  assert(back.children[0].children[0] === back);
});

test("a Map, a dict as a Map and keys that are no text are none of these", () => {
  assertEquals(toJs(same([new Map([["a", 1]]), { a: 2 }, { a: 3 }])), [{ a: 1 }, { a: 2 }, { a: 3 }]);
  assertEquals(toJs(same([{ a: 1 }, { a: 2 }, { a: 3 }]), { dict: "map" }), [1, 2, 3].map((n) => new Map([["a", n]])));
  assertEquals(toJs(run("[{1: 2}, {1: 3}, {'a': 1}]")), [new Map([[1, 2]]), new Map([[1, 3]]), { a: 1 }]);
  assertEquals(toJs(run("class Text(str): pass\nk = Text('a')\n[{k: 1}, {k: 2}, {k: 3}]")), [{ a: 1 }, { a: 2 }, { a: 3 }]);
  assertThrows(() => toJs(run("[{'\\ud83d\\ude00': 1, '\\U0001f600': n} for n in range(3)]")), Error, "two of its keys are the same");
});

test("a dict that changes while its values are read is an error, or is what it was", () => {
  const list = run(
    "def make(Changing):\n  made = [{'a': 1, 'b': 2}, {'a': 3, 'b': 4}]\n  made.append({'a': Changing(lambda: made[2].pop('b')), 'b': 6})\n  return made\nmake",
  )(Changing);
  assertThrows(() => toJs(list), Error, "dictionary keys changed during iteration");
  const same = run(
    "def make(Changing):\n  made = [{'a': 1, 'b': 2}, {'a': 3, 'b': 4}]\n  made.append({'a': Changing(lambda: made[0].clear()), 'b': 6})\n  return made\nmake",
  )(Changing);
  assertEquals(toJs(same), [{ a: 1, b: 2 }, { a: 3, b: 4 }, { a: {}, b: 6 }]);
});

test("where a container's own code raises, what is written behind it has its shapes", () => {
  // The second of the objects, which would define their shape, is in the part that is taken back.
  const list = run(`
class Raising(dict):
    def items(self):
        yield "first", dict(zip(keys, (3, 4)))
        raise ValueError("items")
keys = ("a1", "b1")
def make(): return [dict(zip(keys, (1, 2))), Raising(x=1), dict(zip(keys, (5, 6))), dict(zip(keys, (7, 8)))]
make()`);
  const [first, raising, third, fourth] = toJs(list) as [unknown, unknown, unknown, unknown];
  assertEquals([first, third, fourth], [{ a1: 1, b1: 2 }, { a1: 5, b1: 6 }, { a1: 7, b1: 8 }]);
  assertEquals(python.builtins.len(raising), 1);
});

test("keys are given back, also after an error", () => {
  const keys = run("keys = ['key number %d' % i for i in range(3)]\nkeys");
  const fine = run("[dict.fromkeys(keys, n) for n in range(10)]"),
    bad = run("[*[dict.fromkeys(keys, n) for n in range(10)], {float('nan'), float('nan')}]");
  const before = toJs(counts(keys));
  for (let i = 0; i < 10; i++) {
    assertEquals((toJs(fine) as unknown[]).length, 10);
    assertThrows(() => toJs(bad), TypeError, "two of its items are the same");
  }
  assertEquals(toJs(counts(keys)), before);
});
