/**
 * JavaScript's containers by reference in Python: an Array as a list that both see change, to_py, iterables without a
 * length, copies that are no copies.
 */
import { test } from "node:test";
import { python, PythonError, toJs, toPy } from "../../mod.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define } from "../support/define.ts";

// deno-lint-ignore no-explicit-any
type Value = any;

const py = define(`
import collections.abc, copy, dataclasses, pickle

def run(code, a): return eval(code, globals(), {"a": a})
def do(code, a): exec(code, globals(), {"a": a})
def is_sequence(a): return isinstance(a, collections.abc.MutableSequence)
def same(value): return value

kept = []
def keep(value): kept[:] = [value]
def copies(value):
    pair = [copy.copy(value), copy.deepcopy(value), copy.deepcopy([value])[0]]
    return all(each is value for each in pair)
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
  const inner = [1], shallow = py.run("a.to_py(depth=1)", byReference([inner, inner]));
  assertStrictEquals(shallow[0], inner);
  const circular: Value = new Node("self");
  circular.next = circular;
  assertEquals(run("(lambda c: c['next'] is c)(a.to_py())", circular), true);
});

test("every iterable can be made a list, with or without a length", () => {
  assertEquals(run("list(a)", [1, 2].values()), [1, 2]);
  assertEquals(run("sorted(tuple(pair)[1] for pair in a)", new Headers({ a: "1", b: "2" })), ["1", "2"]);
  assertEquals(run("(lambda *args: len(args))(*a)", new Map([[1, 2]]).keys()), 1);
  for (const code of ["len(a)", "a()", "list(a)"]) {
    assertEquals(assertThrows(() => run(code, new (class Nothing {})()), PythonError).name, "TypeError", code);
  }
  const frozen = Object.freeze(function (a: number, b: number) {
    return a + b;
  });
  assertEquals(run("a(1, 2)", frozen), 3); // no class, though its prototype cannot be replaced
});

test("what has a then is awaited", async () => {
  class Query {
    then(done: (value: number) => void) {
      done(5);
    }
  }
  assertEquals(await python.execAsync("await q", { globals: { q: new Query() } }), 5);
});

test("a copy of a JavaScript value in Python is the value, and keeps it alive", async () => {
  let object: Value = new (class Kept {
    n = 1;
  })();
  py.keep(object);
  assertEquals(py.copies(object), true);
  assertEquals(py.copies(new Error("kept")), true); // another one each time: of the exception
  for (const code of ["pickle.dumps(a)", "pickle.dumps([a])"]) {
    assertEquals(assertThrows(() => run(code, object), PythonError, "Cannot pickle").name, "TypeError");
  }
  object = undefined;
  for (let round = 0; round < 3; round++) {
    python.import("gc").collect();
    await collect();
  }
  assertEquals(py.kept[0].n, 1);
  py.keep(null);
});

test("JavaScript's own names are its own, whatever Python calls its parts", () => {
  class Socket {
    _handle = "mine";
    _heap = 5;
    _count = [1];
    _bind = () => "bound";
  }
  const socket = new Socket();
  assertEquals(run("[a._handle, a._heap, list(a._count), a._bind()]", socket), ["mine", 5, [1], "bound"]);
  py.do("a._handle = None; a._count = 0", socket);
  assertEquals([socket._handle, socket._count as unknown], [null, 0]);
  assertStrictEquals(py.same(socket), socket);
  assert(!run("dir(a)", socket).some((name: string) => name.startsWith("_pyawait")));
});
