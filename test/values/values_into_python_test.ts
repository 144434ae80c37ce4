/**
 * JavaScript's values in Python: what each becomes, at the edges of its range; shared and circular references; and what
 * is refused.
 */
import { Buffer } from "node:buffer";
import { test } from "node:test";
import vm from "node:vm";
import { float, kw, PyProxy, python, PythonError, toJs, tuple } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertNotStrictEquals, assertStrictEquals, assertThrows } from "#std/assert";
import { assertCopied, assertGiven, assertShown, py } from "../support/conversions.ts";
import { define } from "../support/define.ts";

const { show, type_of, same } = py;

test("null, undefined, booleans and numbers", () => {
  assertShown([
    [null, "None"],
    [undefined, "None"],
    [true, "True"],
    [false, "False"],
    [0, "0"],
    [-0, "-0.0"],
    [1, "1"],
    [-1, "-1"],
    [1.5, "1.5"],
    [NaN, "nan"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [5e-324, "5e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [1e21, "1e+21"],
    [0.1, "0.1"],
    ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1].map((
      n,
    ): [unknown, string] => [n, String(n)]),
    [2 ** 53, "9007199254740992.0"],
    [-(2 ** 53), "-9007199254740992.0"],
  ]);
  assertShown([[float(1), "1.0"], [float(-0), "-0.0"], [float(NaN), "nan"], [[float(2)], "[2.0]"], [
    float(2 ** 60),
    "1.152921504606847e+18",
  ]]);
  assertThrows(() => float("1" as never), TypeError, "float");
});

test("bigints of any size", () => {
  const sizes = [
    0n,
    1n,
    -1n,
    2n ** 31n,
    2n ** 53n,
    2n ** 63n - 1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    2n ** 64n,
    10n ** 100n,
    -(10n ** 100n),
  ];
  assertShown(sizes.map((n) => [n, String(n)]));
  for (const n of [...sizes, 2n ** 100_000n + 1n, -(2n ** 100_000n)]) assertStrictEquals(BigInt(same(n)), n);
});

test("strings of every kind", () => {
  const strings = [
    "",
    "a",
    "a\0b",
    "\0",
    "\x7f",
    "\xe9",
    "\u20ac",
    "\ufeffBOM",
    "\ud83d\ude00",
    "a".repeat(64),
    "a".repeat(65),
    "\xe9".repeat(100),
  ];
  strings.push(
    "\ud83d\ude00".repeat(50),
    "\u{10ffff}",
    "\uffff",
    "\r\n\t",
    "x".repeat(200_000),
    "\u20ac".repeat(100_000),
  );
  const lone = ["\ud800", "\udfff", "a\ud800b", "\udc00\ud800", "\ud800".repeat(70), "\ud83d\ude00\ud83d"];
  for (const text of [...strings, ...lone]) {
    assertStrictEquals(same(text), text);
    assertEquals(python.builtins.len(text), [...text].length);
    assertEquals(type_of(text), "str");
  }
  assertShown([["a\0b", "'a\\x00b'"], ["\ud800", "'\\ud800'"], ["\ud83d\ude00", "'\ud83d\ude00'"]]);
  assertGiven([["'a\\0b'", "a\0b"], ["'\\ud800'", "\ud800"], ["'\\U0001F600'", "\u{1f600}"], [
    "'\\ufeff'",
    "\ufeff",
  ], ["''", ""]]);
  assertEquals(toJs(same({ "a\0b": 1, "\ud800": 2, "\u{1f600}": 3 })), {
    "a\0b": 1,
    "\ud800": 2,
    "\u{1f600}": 3,
  });
});

test("arrays, plain objects, Maps and Sets", () => {
  // deno-lint-ignore no-sparse-arrays -- a hole is undefined
  const holes = [1, , 3];
  assertShown([
    [[], "[]"],
    [[1, "a", [null]], "[1, 'a', [None]]"],
    [holes, "[1, None, 3]"],
    [{}, "{}"],
    [{ a: 1, b: undefined, 3: [] }, "{'3': [], 'a': 1, 'b': None}"],
    [Object.assign(Object.create(null), { a: 1 }), "{'a': 1}"],
    [JSON.parse('{"__proto__": 1}'), "{'__proto__': 1}"],
    [new Map<unknown, unknown>([["a", 1], [2, "b"], [null, []]]), "{'a': 1, 2: 'b', None: []}"],
    [new Map([[tuple([1, 2]), 3]]), "{(1, 2): 3}"],
    [new Map(), "{}"],
    [new Set(), "set()"],
    [new Set(["a"]), "{'a'}"],
    [tuple([]), "()"],
    [tuple(new Set([1, "a"])), "(1, 'a')"],
    [[tuple([float(1)])], "[(1.0,)]"],
    [{ [Symbol("hidden")]: 1, shown: 2 }, "{'shown': 2}"],
  ]);
  assertEquals(Object.keys(toJs(same({ b: 1, a: 2, 1: 3 })) as object), ["1", "b", "a"]);
});

test("values of another realm convert alike", () => {
  const foreign = (code: string) => vm.runInNewContext(code);
  assertShown([
    [foreign("[1, { a: [2] }]"), "[1, {'a': [2]}]"],
    [foreign("({ a: 1 })"), "{'a': 1}"],
    [foreign("new Map([[1, 2]])"), "{1: 2}"],
    [foreign("new Set([1])"), "{1}"],
    [foreign("new Uint8Array([1])"), "b'\\x01'"],
    [foreign("new Date(0)"), "datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)"],
  ]);
  assertEquals(type_of(foreign("new TypeError('x')")), "JsException");
});

test("keys that would collide are refused", () => {
  const pairs = [[1, true], [0, false], [1, 1n], [1n, true], [2n ** 60n, 2 ** 60], [1, float(1)], [2, float(2)]] as unknown[][];
  for (const keys of pairs) {
    for (const value of [new Map(keys.map((key) => [key, 1])), new Set(keys), [new Set(keys)]]) {
      assertEquals(assertThrows(() => show(value), PythonError, "equal in Python").name, "TypeError");
    }
  }
  assertEquals([...toJs(same(new Set([0, -0]))) as Set<number>], [0]); // JavaScript has merged them itself
  assertEquals((assertThrows(() => show(new Set([[1]]))) as PythonError).name, "TypeError");
  assertEquals((assertThrows(() => show(new Map([[{}, 1]]))) as PythonError).name, "TypeError");
});

test("Dates", () => {
  const shown = (date: Date) => python.builtins.str(date);
  assertEquals(shown(new Date(0)), "1970-01-01 00:00:00+00:00");
  assertEquals(shown(new Date("2026-11-25T12:34:56.789Z")), "2026-11-25 12:34:56.789000+00:00");
  assertEquals(shown(new Date("1969-12-31T23:59:59.999Z")), "1969-12-31 23:59:59.999000+00:00");
  assertEquals(shown(new Date("0001-01-01T00:00:00.000Z")), "0001-01-01 00:00:00+00:00");
  assertEquals(shown(new Date("9999-12-31T23:59:59.999Z")), "9999-12-31 23:59:59.999000+00:00");
  for (const time of ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"]) {
    assertEquals((toJs(same(new Date(time))) as Date).toISOString(), time);
  }
  for (const date of [new Date(NaN), new Date(-62135596800001), new Date(253402300800000)]) {
    assertThrows(() => show(date), RangeError, "Date");
  }
  assertCopied([
    [
      "datetime.datetime(2026, 1, 2, 3, 4, 5, 678999, datetime.timezone.utc)",
      new Date("2026-01-02T03:04:05.678Z"),
    ],
    [
      "datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))",
      new Date("2026-01-01T22:00:00Z"),
    ],
  ]);
  assertInstanceOf(
    toJs(python.exec("datetime.datetime(2026, 1, 2)", { globals: py.__dict__ })),
    PyProxy as never,
  );
});

test("buffers", () => {
  const { buffer } = new Uint8Array([0, 1, 2, 255]);
  const shared = new SharedArrayBuffer(2);
  new Uint8Array(shared).set([7, 8]);
  assertShown([
    [new Uint8Array(buffer), "b'\\x00\\x01\\x02\\xff'"],
    [new Uint8Array(buffer, 1, 2), "b'\\x01\\x02'"],
    [Buffer.from("text"), "b'text'"],
    [buffer, "b'\\x00\\x01\\x02\\xff'"],
    [shared, "b'\\x07\\x08'"],
    [new DataView(buffer, 2), "b'\\x02\\xff'"],
    [new Uint8Array(), "b''"],
    [new Int8Array([-1]), "array('b', [-1])"],
    [new Uint8ClampedArray([300]), "array('B', [255])"],
    [new Int16Array([-2, 3]).subarray(1), "array('h', [3])"],
    [new Uint16Array([65535]), "array('H', [65535])"],
    [new Int32Array([-(2 ** 31)]), "array('i', [-2147483648])"],
    [new Uint32Array([2 ** 32 - 1]), "array('I', [4294967295])"],
    [new BigInt64Array([-(2n ** 63n)]), "array('q', [-9223372036854775808])"],
    [new BigUint64Array([2n ** 64n - 1n]), "array('Q', [18446744073709551615])"],
    [new Float32Array([0.5]), "array('f', [0.5])"],
    [new Float64Array([NaN, -0]), "array('d', [nan, -0.0])"],
    [new Float64Array(), "array('d')"],
  ]);
  const bytes = new Uint8Array([1, 2, 3]), back = same(bytes);
  assertInstanceOf(back, Uint8Array);
  assertNotStrictEquals(back.buffer, bytes.buffer);
  assertEquals(back, bytes);
  assertGiven([["b''", new Uint8Array()], ["b'\\0\\xff'", new Uint8Array([0, 255])], [
    "Bytes(b'x')",
    new Uint8Array([120]),
  ]]);
  assertEquals(same(new Uint8Array(1_000_000).fill(7)), new Uint8Array(1_000_000).fill(7));
});

test("shared and circular references are kept", () => {
  const shared = { n: 1 },
    list: unknown[] = [1],
    map = new Map<string, unknown>(),
    object: Record<string, unknown> = {};
  list.push(list);
  map.set("self", map);
  object.inner = { outer: object, list };
  const check = (expression: string, x: unknown) => python.exec(expression, { globals: { x } });
  assertEquals(check("x[0] is x[1] and x[0] == {'n': 1}", [shared, shared]), true);
  assertEquals(check("x[1] is x", list), true);
  assertEquals(check("x['self'] is x", map), true);
  assertEquals(
    check("x['inner']['outer'] is x and x['inner']['list'][1] is x['inner']['list']", object),
    true,
  );
  const inTuple: unknown[] = [];
  inTuple.push(tuple([inTuple, "end"]));
  assertEquals(check("x[0][0] is x and x[0][1] == 'end'", inTuple), true);
  assertEquals(py.is_same(shared, shared), true);
  assertEquals(python.exec("lambda a, b: a is b")(kw({ a: shared, b: shared })), true);

  const copy = toJs(same(object)) as { inner: { outer: unknown; list: unknown[] } };
  assertStrictEquals(copy.inner.outer, copy);
  assertStrictEquals(copy.inner.list[1], copy.inner.list);
  const twice = toJs(same([shared, shared])) as unknown[];
  assertStrictEquals(twice[0], twice[1]);
  const back = toJs(python.exec("x = {1: []}\nx[2] = x\nx", { globals: {} })) as Map<number, unknown>;
  assertStrictEquals(back.get(2), back);
});

test("what is nested too deep is refused", () => {
  const nest = (depth: number) => {
    let value: unknown = "bottom";
    for (let i = 0; i < depth; i++) value = [value];
    return value;
  };
  let found: unknown = toJs(same(nest(1000)));
  while (Array.isArray(found)) found = found[0];
  assertEquals(found, "bottom");
  const error = assertThrows(() => show(nest(200_000))) as Error;
  assert(error instanceof RangeError || error.name === "RecursionError", error.name);
  assertEquals(
    (assertThrows(() => toJs(python.exec("x = []\nfor _ in range(100000): x = [x]\nx", { globals: {} }))) as Error).name,
    "RecursionError",
  );
});

test("symbols are refused, wherever they are", () => {
  for (
    const value of [
      Symbol("a"),
      [Symbol.iterator],
      { a: Symbol() },
      new Map([[Symbol(), 1]]),
      kw({ a: Symbol() }),
    ]
  ) {
    assertThrows(() => show(value), TypeError, "symbol");
  }
});

test("other objects go by reference", () => {
  class Own {
    field = [1];
  }
  for (
    const value of [
      new Own(),
      /x/,
      new WeakMap(),
      Object.create({ inherited: 1 }),
      () => {},
      class {},
      new URL("http://a"),
    ]
  ) {
    assertEquals(type_of(value), "JsProxy");
    assertStrictEquals(same(value), value);
    assertStrictEquals((toJs(same([value])) as unknown[])[0], value);
  }
  assertEquals(type_of(new Error("x")), "JsException");
  assertEquals(toJs(python.exec("o.field", { globals: { o: new Own() } })), [1]);
});

test("what looks plain and has a protocol is no dict", async () => {
  const objects = define(`
def items(x): return list(x)
def all_of(x):
    async def read(): return [item async for item in x]
    return read()
def managed(x):
    with x as inside: return type(inside).__name__
`);
  const args = (function (..._: unknown[]) {
    return arguments;
  })(7, 8);
  assertEquals(toJs(objects.items(args)), [7, 8]);
  assertEquals(
    toJs(objects.items({
      *[Symbol.iterator]() {
        yield 1;
      },
    })),
    [1],
  );
  assertEquals(
    toJs(
      await objects.all_of({
        async *[Symbol.asyncIterator]() {
          yield 2;
        },
      }),
    ),
    [2],
  );
  const { dispose } = Symbol as { dispose?: symbol };
  let disposed = 0;
  if (dispose) {
    assertEquals([
      objects.managed({
        [dispose]() {
          disposed++;
        },
      }),
      disposed,
    ], ["JsProxy", 1]);
  }
  assertStrictEquals(same(globalThis), globalThis);
  assertEquals([type_of({ a: 1, [Symbol("s")]: 2 }), type_of({})], ["dict", "dict"]);
});

test("kinds are told by brand, not by prototype", () => {
  const strip = (value: object) => Object.setPrototypeOf(value, null);
  assertEquals(type_of(strip(new Map([[1, 2]]))), "dict");
  assertEquals(toJs(same(strip(new Map([[1, 2]])))), new Map([[1, 2]]));
  assertEquals([type_of(strip(new Date())), type_of(strip(new Uint8Array(2)))], ["datetime", "bytes"]);
  assertEquals(type_of(strip({ a: 1 })), "dict");
  assertEquals(type_of(strip(new Set([1]))), "set");
});
