/**
 * JSON.stringify of Python objects: what `toJs` gives, keys as Python's json writes them, and an error instead of a loss.
 */
import { test } from "node:test";
import { python, toJs, toPy } from "../../mod.ts";
import { assertEquals, assertThrows } from "#std/assert";

const { builtins } = python;

test("JSON.stringify writes what toJs gives", () => {
  assertEquals(
    JSON.stringify(python.exec("{'a': [1, (2.5, None)], 'b': True}")),
    '{"a":[1,[2.5,null]],"b":true}',
  );
  assertEquals(JSON.stringify({ list: python.exec("[1]") }), '{"list":[1]}');
  const moment = python.exec("import datetime\ndatetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)");
  assertEquals(JSON.stringify(moment), '"2026-01-02T03:04:05.000Z"');
  assertEquals(JSON.stringify(python.builtins.list([moment])), '["2026-01-02T03:04:05.000Z"]');
  const price = python.exec("import decimal\n{'price': decimal.Decimal('1.5'), 'f': len}");
  for (const value of [price, price.$get("price"), [builtins.object()]]) {
    assertThrows(() => JSON.stringify(value), TypeError, "{ default: String }");
  }
  assertEquals(JSON.stringify(toJs(price, { default: String })), '{"price":"1.5","f":"<built-in function len>"}');
  assertEquals(JSON.stringify({ f: builtins.len, all: [builtins.len] }), '{"all":[null]}');
});

test("JSON has what Python's json writes, and nothing is lost", () => {
  const json = (code: string) => JSON.stringify(python.exec(code));
  assertEquals(json("{1: 2, None: [{True: {}}], 'k': {1.5: 'x'}}"), '{"1":2,"null":[{"true":{}}],"k":{"1.5":"x"}}');
  assertThrows(() => json("{1, 2}"), TypeError, "set");
  assertThrows(() => json("[{'deep': {1}}]"), TypeError, "set");
  assertThrows(() => json("{(1, 2): 3}"), TypeError, "its key");
  assertThrows(() => json("{1: 'a', '1': 'b'}"), TypeError, "two of its keys");
  assertEquals(json("(lambda d: [d, d, {'__proto__': d}])({1: 2})"), '[{"1":2},{"1":2},{"__proto__":{"1":2}}]');
  assertThrows(() => json("(lambda d: [d, d.update({3: d})])({1: 2})"), TypeError, "holds itself");
  const mine = Object.freeze({
    map: new Map([["a", 1]]),
    get b() {
      return 2;
    },
  }); // JavaScript's own objects stay as they are
  assertEquals(JSON.stringify(python.builtins.list([toPy(mine, { depth: 0 })])), '[{"map":{"a":1},"b":2}]');
  assertEquals(mine.map, new Map([["a", 1]]));
});
