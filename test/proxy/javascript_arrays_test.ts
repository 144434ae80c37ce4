/**
 * JavaScript's containers by reference in Python: an Array as a list that both see change, and `to_py`, which copies.
 */
import { test } from "node:test";
import { PythonError, toJs, toPy } from "../../mod.ts";
import { assertEquals, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

// deno-lint-ignore no-explicit-any
type Value = any;

const py = define(`
import collections.abc

def run(code, a): return eval(code, globals(), {"a": a})
def do(code, a): exec(code, globals(), {"a": a})
def is_sequence(a): return isinstance(a, collections.abc.MutableSequence)
`);
const byReference = <T>(value: T): T => toPy(value, { depth: 0 }) as T;
const run = (code: string, a: unknown): Value => toJs(py.run(code, a));

test("an Array by reference is read as a list", () => {
  const a = byReference([1, "two", null, 4]);
  assertEquals(py.is_sequence(a), true);
  assertEquals(run("[a[0], a[-1], a[1:3], a[::-2], len(a), 4 in a, 5 in a, list(a), a.index(4), a.count(1)]", a), [
    1,
    4,
    ["two", null],
    [4, "two"],
    4,
    true,
    false,
    [1, "two", null, 4],
    3,
    1,
  ]);
  for (const code of ["a[4]", "a[-5]"]) assertEquals(assertThrows(() => run(code, a), PythonError).name, "IndexError");
});

test("and changed as one, and JavaScript sees it", () => {
  const array: unknown[] = [1, 2, 3, 4, 5];
  const a = byReference(array);
  const changes: [code: string, after: unknown[]][] = [
    ["a[0] = 'first'", ["first", 2, 3, 4, 5]],
    ["a[-1] = 'last'", ["first", 2, 3, 4, "last"]],
    ["del a[0]", [2, 3, 4, "last"]],
    ["del a[-1]", [2, 3, 4]],
    ["a.append(5)", [2, 3, 4, 5]],
    ["a.extend([6, 7])", [2, 3, 4, 5, 6, 7]],
    ["a[1:3] = [0]", [2, 0, 5, 6, 7]],
    ["a[::2] = ['a', 'b', 'c']", ["a", 0, "b", 6, "c"]],
    ["del a[::2]", [0, 6]],
    ["a.insert(1, 'between')", [0, "between", 6]],
    ["a.insert(-100, 'start'); a.insert(100, 'end')", ["start", 0, "between", 6, "end"]],
    ["a.remove('between'); a.reverse()", ["end", 6, 0, "start"]],
    ["assert a.pop() == 'start' and a.pop(0) == 'end'", [6, 0]],
    ["a += [1]", [6, 0, 1]],
    ["a.clear()", []],
  ];
  for (const [code, after] of changes) {
    py.do(code, a);
    assertEquals(array, after, code);
  }
  for (const code of ["a[0] = 1", "del a[0]", "a.pop()"]) {
    assertEquals(assertThrows(() => py.do(code, a), PythonError).name, "IndexError", code);
  }
  array.push(1, 2, 3);
  assertEquals(assertThrows(() => py.do("a[::2] = [1]", a), PythonError).name, "ValueError");
});

test("an Array by reference is added to and repeated as a list is", () => {
  const array = [1, 2], x = byReference(array);
  const results = ["a + [3]", "[0] + a", "a + a", "a * 2", "2 * a"].map((code) => run(code, x));
  assertEquals(results, [[1, 2, 3], [0, 1, 2], [1, 2, 1, 2], [1, 2, 1, 2], [1, 2, 1, 2]]);
  assertThrows(() => run("a + (1,)", x), PythonError, "unsupported operand");
  assertEquals(array, [1, 2]);
});

test("to_py copies what went by reference, as deep as it is told", () => {
  class Node {
    readonly name: string;
    readonly next: Node | null;
    constructor(name: string, next: Node | null = null) {
      this.name = name;
      this.next = next;
    }
  }
  const node = new Node("a", new Node("b", new Node("c")));
  assertEquals(run("a.to_py()", node), { name: "a", next: { name: "b", next: { name: "c", next: null } } });
  assertStrictEquals(py.run("a.to_py(depth=1)['next']", node), node.next);
  assertStrictEquals(py.run("a.to_py(2)['next']['next']", node), node.next!.next);
  assertStrictEquals(py.run("a.to_py(0)", node), node);
  assertEquals(run("a.to_py()", byReference(new Map<unknown, unknown>([[1, [2]]]))), new Map([[1, [2]]]));
  assertEquals(run("a.to_py() == {1, 2}", byReference(new Set([1, 2]))), true);
  class Own {
    a = 1;
    b = [2];
  }
  assertEquals(run("a.to_py() == {'a': 1, 'b': [2]}", new Own()), true);
  class Pair {
    *[Symbol.iterator]() {
      yield* [3, 4];
    }
  }
  assertEquals(run("a.to_py()", new Pair()), [3, 4]);
  const inner = [1], shallow = py.run("a.to_py(depth=1)", byReference([inner, inner]));
  assertStrictEquals(shallow[0], inner);
  const circular: Value = new Node("self");
  circular.next = circular;
  assertEquals(run("(lambda c: c['next'] is c)(a.to_py())", circular), true);
});
