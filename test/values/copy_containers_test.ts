/**
 * `toJs` through JavaScript's containers: Arrays, plain objects, Maps and Sets are copied with the proxies in them
 * converted, wherever they are; what is shared stays shared, and cycles are kept.
 */
import { test } from "node:test";
import { PyProxy, python, toJs, toPy } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertNotStrictEquals, assertStrictEquals, assertThrows } from "#std/assert";

const { builtins } = python;

// deno-lint-ignore no-explicit-any -- the shape is what each test makes
type Value = any;

test("the proxies in JavaScript's containers are converted", () => {
  const list = python.exec("[1, {'a': (2,)}]"), object = builtins.object();
  const value = { list, deep: [[list]], map: new Map<unknown, unknown>([[list, object], ["k", { list }]]), set: new Set([list]), n: 1 };
  const copy: Value = toJs(value);
  const wanted = [1, { a: [2] }];
  assertEquals(copy.list, wanted);
  for (const same of [copy.deep[0][0], [...copy.map.keys()][0], copy.map.get("k").list, [...copy.set][0]]) {
    assertStrictEquals(same, copy.list);
  }
  assertStrictEquals([...copy.map.values()][0], object);
  assertEquals([copy.n, Object.keys(copy)], [1, Object.keys(value)]);
  assertNotStrictEquals(copy, value);
  assertStrictEquals(value.list, list); // the original stays as it is
  assertEquals(toJs(Object.assign(Object.create(null), { list })), { list: wanted });
  const special: Value = toJs(JSON.parse('{"__proto__": 1}'));
  assertEquals(Object.getOwnPropertyDescriptor(special, "__proto__")?.value, 1);
});

test("what is shared stays shared, and cycles are kept, through both languages", () => {
  const own: Value[] = [], object: Value = { own };
  own.push(object, own, new Map([["own", own]]), new Set([own]));
  const copy: Value = toJs(own);
  assertNotStrictEquals(copy, own);
  for (const same of [copy[0].own, copy[1], copy[2].get("own"), [...copy[3]][0]]) assertStrictEquals(same, copy);
  const list = builtins.list([1]), around: Value[] = [list];
  list.append(toPy(around, { depth: 0 }));
  const [one, inner]: Value = toJs(list);
  assertEquals(one, 1);
  assertStrictEquals(inner[0][1], inner);
  const first: Value = toJs(list);
  assertStrictEquals(first[1][0], first);
  const second: Value = toJs(around);
  assertStrictEquals(second[0][1], second);
  const { a, b }: Value = toJs({ a: list, b: [list] });
  assertStrictEquals(a, b[0]);
});

test("depth counts JavaScript's levels as well, and the options apply inside", () => {
  const list = python.exec("[[1]]");
  for (const same of [toJs([list], { depth: 0 }), toJs([list], { depth: 1 })] as Value[]) assertStrictEquals(same[0], list);
  const two: Value = toJs([list], { depth: 2 });
  assert(Array.isArray(two[0]) && two[0][0] instanceof PyProxy);
  assertEquals(toJs([list], { depth: 3 }), [[[1]]]);
  const held = builtins.list([toPy([list], { depth: 0 })]);
  const own = (toJs(held, { depth: 1 }) as Value)[0];
  assertStrictEquals(own[0], list);
  assertInstanceOf((toJs(held, { depth: 2 }) as Value)[0][0], PyProxy as never);
  assertEquals(toJs(held), [[[[1]]]]);
  const dict = python.exec("{'a': object()}");
  assertEquals(toJs([dict], { dict: "map", default: ({ $type }) => $type }), [new Map([["a", "object"]])]);
  assertThrows(() => toJs([1], { depth: "1" as never }), TypeError, "depth");
});

test("everything else of JavaScript is itself", () => {
  class Own {
    list = builtins.list();
  }
  const values = [new Own(), new Date(0), /x/, new Uint8Array(1), () => 1, Promise.resolve(1), new Error("e"), Math];
  for (const value of values) {
    assertStrictEquals(toJs(value), value);
    assertStrictEquals((toJs([value]) as unknown[])[0], value);
    assertStrictEquals((toJs(builtins.list([toPy(value)])) as unknown[]).length, 1);
  }
});

test("many proxies in one container are one crossing each level", () => {
  const rows = Array.from({ length: 2000 }, (_, i) => python.exec("lambda i: {'i': i}")(i));
  const copies = toJs(rows) as { i: number }[];
  assertEquals([copies.length, copies[1999]], [2000, { i: 1999 }]);
});
