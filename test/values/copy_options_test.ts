/**
 * The options of `toJs` and `toPy`: how deep they copy, what a dict becomes, what `default` makes of values that have no
 * counterpart, and which options are refused.
 */
import { test } from "node:test";
import { PyProxy, python, PythonError, toJs, toPy, tuple } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertNotStrictEquals, assertStrictEquals, assertThrows } from "#std/assert";

const { builtins } = python;

test("toJs: depth and default, together and at every level", () => {
  const list = python.exec("[object(), [object(), {'a': object()}], 5]");
  const asked: unknown[] = [];
  const copy = toJs(list, { default: (proxy) => (asked.push(proxy), `<${proxy.$type}>`) });
  assertEquals(copy, ["<object>", ["<object>", { a: "<object>" }], 5]);
  assert(asked.length === 3 && asked.every((each) => each instanceof PyProxy));
  assertEquals(toJs(list, { depth: 1, default: ({ $type }) => $type }), ["object", "list", 5]);
  assertEquals(toJs(list, { depth: 0, default: () => "all of it" }), "all of it");
  assertEquals((toJs(list, { default: (proxy) => proxy }) as unknown[])[0], list[0]);
  assertStrictEquals((toJs(list, { default: () => undefined }) as unknown[])[0], undefined);
  const thrown = new Error("default");
  assertStrictEquals(
    assertThrows(() =>
      toJs(list, {
        default: () => {
          throw thrown;
        },
      })
    ),
    thrown,
  );
  assertEquals(toJs(list, { default: () => toJs(python.exec("[object()]"), { default: () => 1 }) }), [[1], [[1], { a: [1] }], 5]);
  let nested = python.exec("[0]");
  for (let i = 0; i < 10; i++) nested = builtins.list([nested]);
  for (let depth = 0; depth <= 11; depth++) {
    let level = 0, at = toJs(nested, { depth });
    for (; Array.isArray(at) && Array.isArray(at); at = at[0]) level++;
    assertEquals(level, depth);
    if (depth < 11) assertInstanceOf(at, PyProxy as never);
  }
  const mixed = python.exec("[1, [2, [3]], {'a': []}]");
  assertStrictEquals(toJs(mixed, { depth: 0 }), mixed);
  const [one, two, dict] = toJs(mixed, { depth: 1 }) as [number, unknown, { a: unknown }];
  assertEquals([one, two instanceof PyProxy, dict instanceof PyProxy], [1, true, true]);
  const twice = toJs(mixed, { depth: 2 }) as [number, unknown[], { a: unknown }];
  assertEquals([twice[1][0], twice[1][1] instanceof PyProxy, twice[2].a instanceof PyProxy], [2, true, true]);
  assertEquals(mixed.$toJs({ depth: 1 })[0], 1);
  for (const depth of [-1, Infinity, 2 ** 40]) assertEquals(JSON.stringify(toJs(nested, { depth })), "[".repeat(11) + "0" + "]".repeat(11));
});

test("toJs: what a dict becomes, and keys that would collide", () => {
  const mixed = python.exec("{1: 'a', '1': 'b', True and 2: 'c', None: 'd', (1, 2): 'e', 1.5: 'f', b'x': 'g'}");
  const map = toJs(mixed) as Map<unknown, unknown>;
  assertEquals([...map.values()], ["a", "b", "c", "d", "e", "f", "g"]);
  assertEquals([...map.keys()].slice(0, 6), [1, "1", 2, null, [1, 2], 1.5]);
  const error = assertThrows(() => toJs(mixed, { dict: "object" }), PythonError, "not a str");
  assertEquals(error.name, "TypeError");
  assertThrows(() => toJs(python.exec("[{'a': {1: 2}}]"), { dict: "object" }), PythonError, "not a str");
  assertThrows(() => toJs(python.exec("{'a': {1: 2}}"), { dict: "object" }), PythonError, "not a str");
  assertEquals(toJs(python.exec("{'a': {'b': 1}}"), { dict: "map" }), new Map([["a", new Map([["b", 1]])]]));
  assertEquals(toJs(python.exec("{'a': 1}"), { dict: "object" }), { a: 1 });
  assertEquals(toJs(python.exec("{}"), { dict: "map" }), new Map());
  assertEquals(toJs(python.exec("{}")), {});
  const text = python.exec("class Text(str): pass\n{Text('a'): 1}");
  assertEquals(toJs(text, { dict: "object" }), { a: 1 });
});

test("what is shared is converted once by default", () => {
  const shared = builtins.object();
  const made: unknown[] = [];
  const [first, second] = toJs(builtins.list([shared, shared]), {
    default: () => {
      made.push({});
      return made.at(-1);
    },
  }) as object[];
  assertStrictEquals(first, second);
  assertEquals(made.length, 1);
});

test("toPy: depth and default", () => {
  const inner = { b: [1] }, outer = { a: inner, list: [inner] };
  const one = toPy(outer, { depth: 1 });
  assertEquals(one.$type, "dict");
  assertStrictEquals(one.$get("a"), inner);
  assertEquals(toPy(outer, { depth: 2 }).$get("a").$type, "dict");
  assertEquals(toJs(toPy(outer)), outer);
  const zero = toPy(outer.list, { depth: 0 });
  python.exec("js.push(2)\ndel js[0]", { globals: python.builtins.dict([tuple(["js", zero])]) });
  assertEquals(outer.list as unknown, [2]);
  class Own {
    readonly n: number;
    constructor(n: number) {
      this.n = n;
    }
  }
  const options = { default: (each: unknown) => each instanceof Own ? { own: each.n } : each };
  assertEquals(toJs(toPy([new Own(1), [new Own(2)], new Map([[1, new Own(3)]])], options)), [
    { own: 1 },
    [{ own: 2 }],
    new Map([[1, { own: 3 }]]),
  ]);
  const regular = /x/;
  assertStrictEquals((toJs(toPy([regular], options)) as unknown[])[0], regular);
  const thrown = new Error("default");
  assertStrictEquals(
    assertThrows(() =>
      toPy([new Own(1)], {
        default: () => {
          throw thrown;
        },
      })
    ),
    thrown,
  );
  for (const simple of [1, "text", null, undefined, true, 2n ** 70n]) assertStrictEquals(toPy(simple), simple);
  assertNotStrictEquals(toPy([]), toPy([]));
});

test("what default makes of a value is made once: shared and circular references are kept", () => {
  class Node {
    next: Node = this;
  }
  const circular = toPy(new Node(), { default: (node) => ({ next: (node as Node).next }) });
  assertStrictEquals(circular.$get("next"), circular);
  let asked = 0;
  const shared = new Node(), list = toPy([shared, shared], { default: () => (asked++, {}) });
  assertEquals([asked, python.exec("x[0] is x[1]", { globals: { x: list } })], [1, true]);
});

test("options that are none are refused", () => {
  const list = python.builtins.list([1]);
  assertThrows(() => toJs(list, { dict: "bogus" as never }), TypeError, '"auto", "object" or "map"');
  for (const depth of ["2", NaN, null]) assertThrows(() => toJs(list, { depth: depth as never }), TypeError, "depth");
  for (const value of [[], [1]]) assertThrows(() => toPy(value, { depth: "1" as never }), TypeError, "depth");
  assertThrows(() => toPy([1], { depth: NaN }), TypeError, "has to be a number");
  assertThrows(() => toPy([/x/], { default: 5 as never }), TypeError, "has to be a function");
  assertEquals([toPy(1, null as never), toJs(python.exec("[1]"), null as never)], [1, [1]]);
});
