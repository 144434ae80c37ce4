/**
 * Round trips: generated values of every kind come back as they went, in both directions, except for what the
 * tables of docs/conversions.md merge; and what is too large to go is refused.
 */
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { float, PyProxy, python, PythonError, toJs, toPy, tuple } from "../../mod.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const py = define(`
import random, struct, sys

def same(value): return value
def call(f, *args): return f(*args)
def is_same(a, b): return a is b
def size(text): return [len(text), [ord(c) for c in text]]
def bits(x): return struct.pack('<d', x)
def from_bits(data): return struct.unpack('<d', data)[0]
def text_of(start, end): return ''.join(map(chr, range(start, end)))

def equal(a, b):
    """The same but for what the table merges: an integral float may come back as an int."""
    if isinstance(a, float):
        if type(b) is int: return abs(b) < 2**53 and bits(a) == bits(float(b))
        return type(b) is float and (bits(a) == bits(b) or a != a and b != b)
    if type(a) is not type(b): return False
    if isinstance(a, (list, tuple)): return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict): return list(a) == list(b) and all(equal(a[k], b[k]) for k in a)
    return a == b

def make(seed):
    """A value of plain kinds, nested at random."""
    r = random.Random(seed)
    def value(depth):
        kind = r.randrange(10 if depth < 4 else 6)
        if kind == 0: return r.choice([None, True, False])
        if kind == 1: return r.choice([1, -1]) * r.getrandbits(r.choice([1, 31, 32, 53, 54, 63, 64, 65, 200]))
        if kind == 2: return from_bits(r.getrandbits(64).to_bytes(8, 'little')) if r.random() < .5 else r.uniform(-9, 9)
        if kind == 3: return ''.join(chr(r.choice([r.randrange(128), r.randrange(0x110000)])) for _ in range(r.randrange(90)))
        if kind == 4: return bytes(r.getrandbits(8) for _ in range(r.randrange(40)))
        if kind == 5: return r.randrange(-9, 9) * 1.0
        if kind == 6: return tuple(value(depth + 1) for _ in range(r.randrange(4)))
        if kind == 7: return {r.choice('abcdefgh') * r.randrange(3): value(depth + 1) for _ in range(r.randrange(4))}
        return [value(depth + 1) for _ in range(r.randrange(5))]
    return value(0)

def count_changed(seeds, convert):
    """Seeds whose value is another one when convert has taken it through JavaScript."""
    return [s for s in seeds if not equal(*[thaw(v) for v in (make(s), convert(make(s)))])]

def thaw(v):
    """toJs makes lists of tuples."""
    if isinstance(v, (list, tuple)): return [thaw(x) for x in v]
    if isinstance(v, dict): return {k: thaw(x) for k, x in v.items()}
    return v
`);
const { same } = py;
const { builtins } = python;

const isSafe = (n: bigint) => BigInt.asIntN(54, n) === n && n !== -(2n ** 53n);

test("integers around every power of two up to 2**4096", () => {
  const integers: bigint[] = [];
  for (let power = 0n; power <= 4096n; power++) {
    for (const near of [-1n, 0n, 1n]) integers.push(2n ** power + near, -(2n ** power) + near);
  }
  const back = toJs(same(integers)) as (number | bigint)[];
  integers.forEach((n, at) => assertStrictEquals(back[at], isSafe(n) ? Number(n) : n));
  const squares = integers.map((n) => n * n);
  assertStrictEquals(builtins.sum(squares), squares.reduce((a, b) => a + b));
  const texts = toJs(builtins.list(builtins.map(builtins.hex, integers))) as string[];
  integers.forEach((n, at) => assertEquals(texts[at], `${n < 0n ? "-" : ""}0x${(n < 0n ? -n : n).toString(16)}`));
});

test("numbers: an int if integral and safe, else a float, bit for bit", () => {
  const view = new DataView(new ArrayBuffer(8));
  const bitsOf = (n: number) => (view.setFloat64(0, n, true), view.getBigUint64(0, true));
  const special = [0, -0, NaN, Infinity, -Infinity, 5e-324, -5e-324, 2.2250738585072014e-308, 2.225073858507201e-308];
  special.push(Number.MAX_VALUE, Number.EPSILON, 2 ** 53, -(2 ** 53), 2 ** 53 - 1, 0.1, 1 / 3);
  const check = (n: number) => {
    const bytes = py.bits(float(n)) as Uint8Array;
    assertEquals(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true), bitsOf(n), String(n));
    assert(Object.is(same(n), n) && Object.is(same(float(n)), n) && Object.is(py.from_bits(bytes), n), String(n));
    assertEquals(builtins.type(n).__name__, Number.isSafeInteger(n) && !Object.is(n, -0) ? "int" : "float", String(n));
  };
  for (const n of special) check(n);
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (bits) => {
      view.setBigUint64(0, bits, true);
      // A runtime may make a signalling NaN a quiet one whenever it touches it.
      if (Number.isNaN(view.getFloat64(0, true))) view.setBigUint64(0, bits | 2n ** 51n, true);
      check(view.getFloat64(0, true));
    }),
    { numRuns: 2000 },
  );
});

test("every code point, alone and together, and every pair at the edges", () => {
  for (let start = 0; start < 0x110000; start += 0x1000) {
    const points = Array.from({ length: 0x1000 }, (_, i) => start + i);
    const text = points.map((point) => String.fromCodePoint(point)).join("");
    // Surrogates that stand together are one code point; here they do not, as they are all high or all low.
    assertStrictEquals(same(text), text);
    assertStrictEquals(py.text_of(start, start + 0x1000), text);
    const one = toJs(same(points.map((point) => String.fromCodePoint(point)))) as string[];
    points.forEach((point, i) => assertStrictEquals(one[i], String.fromCodePoint(point)));
  }
  const edges = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfeff, 0xfffe, 0xffff];
  for (const first of edges) {
    for (const second of edges) {
      for (const pad of ["", "a", "a".repeat(70)]) {
        const text = pad + String.fromCharCode(first, second) + pad, points = [...text].map((each) => each.codePointAt(0)!);
        assertStrictEquals(same(text), text);
        assertEquals(toJs(py.size(text)), [points.length, points]);
      }
    }
  }
});

const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 80 }).map((codes) => String.fromCharCode(...codes));
const text = fc.oneof(units, fc.string({ unit: "binary", maxLength: 80 }), fc.string());
const typed = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
);
const date = fc.date({ min: new Date(-62135596800000), max: new Date(253402300799999), noInvalidDate: true });
const plain = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 300n), max: 2n ** 300n }).filter((n) => !isSafe(n)),
  fc.boolean(),
  fc.constant(null),
  text,
);
/** Keys that Python tells apart, not all of them strings: such a Map comes back as one. */
const keys = fc.oneof(
  text,
  fc.integer().filter((n) => n !== 0 && n !== 1),
  fc.boolean(),
  fc.constant(null),
  fc.double().filter((n) => n % 1 !== 0 && !Number.isNaN(n)),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    plain,
    plain,
    date,
    typed,
    tie("list"),
    tie("object"),
    tie("map"),
    tie("counted"),
    tie("set"),
  ),
  list: fc.array(tie("value"), { maxLength: 6 }),
  object: fc.dictionary(fc.oneof(text, fc.constantFrom("__proto__", "constructor", "then", "length", "0")), tie("value"), {
    maxKeys: 6,
    noNullPrototype: true,
  }),
  map: fc.uniqueArray(fc.tuple(keys, tie("value")), { selector: ([key]) => key, minLength: 1, maxLength: 5 })
    .map((entries) => new Map<unknown, unknown>([[12345, "so not all keys are strings"], ...entries.filter(([key]) => key !== 12345)])),
  /** With 0 and 1 among its keys, which `keys` leaves out because they are equal to booleans in Python. */
  counted: fc.uniqueArray(fc.tuple(fc.integer(), tie("value")), { selector: ([key]) => key, minLength: 1, maxLength: 5 })
    .map((entries) => new Map(entries)),
  set: fc.oneof(fc.uniqueArray(keys, { maxLength: 5 }), fc.uniqueArray(fc.oneof(text, fc.integer()), { maxLength: 5 }))
    .map((items) => new Set<unknown>(items)),
}));

test("JavaScript → Python → JavaScript: what went comes back", () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
      assert(isDeepStrictEqual(toJs(same(values)), values));
      assert(isDeepStrictEqual(toJs(builtins.list(values)), values));
      const seen: unknown[] = [];
      py.call((...args: unknown[]) => void seen.push(...args.map((arg) => toJs(arg))), ...values);
      assert(isDeepStrictEqual(seen, values));
    }),
    { numRuns: 800 },
  );
});

test("Python → JavaScript → Python: plain values are equal, objects are themselves", () => {
  const seeds = builtins.range(1500);
  assertEquals(toJs(py.count_changed(seeds, (x: unknown) => x)), []);
  assertEquals(toJs(py.count_changed(seeds, (x: unknown) => toJs(x))), []);
  assertEquals(toJs(py.count_changed(seeds, (x: unknown) => toPy(toJs(x)))), []);
  fc.assert(
    fc.property(value, (given) => {
      const object = toPy([given]);
      assert(object instanceof PyProxy && py.is_same(object, object));
      assertStrictEquals(same(object), object);
      assertStrictEquals(py.call((x: unknown) => x, object), object);
      assertEquals(py.is_same(py.call((x: unknown) => [x], object)[0], object), true);
    }),
    { numRuns: 300 },
  );
  const list = python.exec("[1]");
  assertStrictEquals(same(list), list);
  assertStrictEquals(py.call((given: unknown) => given, list), list);
  assertEquals(py.is_same(list, list), true);
  assertEquals(python.exec("f(x) is x", { globals: { f: (x: unknown) => x, x: list } }), true);
});

test("objects of JavaScript's in anything, there and back, are themselves", () => {
  class Own {}
  const objects = [
    new Own(),
    () => {},
    /x/,
    Own,
    class {},
    new Error("e"),
    Promise.resolve(1),
    async () => await 0,
    new WeakMap(),
    Math.max,
  ];
  for (const value of objects) {
    assertStrictEquals(same(value), value);
    assertStrictEquals(py.call(() => value), value);
    assertEquals(py.is_same(value, value), true);
    assertStrictEquals(builtins.list([value])[0], value);
  }
  assertEquals(py.is_same(() => {}, () => {}), false);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...objects), { maxLength: 6 }), fc.string(), (list, name) => {
      const key = `key ${name}`; // one of its own
      const back = toJs(same({ [key]: list, tuple: tuple(list), map: new Map([[1, list]]) })) as Record<string, unknown>;
      const wanted = { [key]: list, tuple: list, map: new Map([[1, list]]) };
      for (const name of [key, "tuple"]) {
        (back[name] as unknown[]).forEach((each, at) => assertStrictEquals(each, (wanted[name] as unknown[])[at]));
      }
      (back.map as Map<number, unknown[]>).get(1)?.forEach((each, at) => assertStrictEquals(each, list[at]));
    }),
    { numRuns: 200 },
  );
});

test("graphs keep their shape, shared and circular references both ways", () => {
  /** A graph of Arrays, objects and Maps; edges[i] says to whom node i refers. */
  const graph = (edges: number[][]) => {
    const nodes: unknown[] = edges.map((_, i) => i % 3 === 0 ? [] : i % 3 === 1 ? {} : new Map());
    edges.forEach((targets, i) => {
      const node = nodes[i];
      targets.forEach((target, at) => {
        const to = nodes[target % nodes.length];
        if (Array.isArray(node)) node.push(to);
        else if (node instanceof Map) node.set(at, to);
        else (node as Record<string, unknown>)[`k${at}`] = to;
      });
      if (node instanceof Map) node.set(-1, i);
    });
    return nodes;
  };
  /** Each container by the order in which it is met. */
  const shapeOf = (root: unknown): string => {
    const met = new Map<unknown, number>(), lines: string[] = [];
    const visit = (node: unknown): string => {
      if (typeof node !== "object" || node === null) return String(node);
      if (met.has(node)) return `#${met.get(node)}`;
      const id = met.size;
      met.set(node, id);
      const entries = Array.isArray(node) ? [...node.entries()] : node instanceof Map ? [...node] : Object.entries(node);
      lines[id] = `${Object.prototype.toString.call(node)} ${entries.map(([key, each]) => `${key}:${visit(each)}`).join()}`;
      return `#${id}`;
    };
    visit(root);
    return lines.join("\n");
  };
  const edges = fc.array(fc.array(fc.nat({ max: 12 }), { maxLength: 4 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(edges, (given) => {
      const nodes = graph(given);
      assertEquals(shapeOf(toJs(same(nodes))), shapeOf(nodes));
      assertEquals(shapeOf(toJs(same(toJs(same(nodes))))), shapeOf(nodes));
    }),
    { numRuns: 300 },
  );
});

function largest(): Uint8Array | undefined {
  try {
    return new Uint8Array(2 ** 31); // zeros take no memory before they are touched
  } catch {
    console.log("skip: this machine gives no array of 2 GiB");
  }
}

test("what is 2 GiB or more is refused in words", () => {
  const large = largest();
  if (large) assertThrows(() => same(large), RangeError, "2 GiB or more");
  if (large) assertThrows(() => same([1, { a: large.buffer }]), RangeError, "2 GiB or more");
  const error = assertThrows(() => python.exec("bytes(2**31)"), PythonError, "2 GiB");
  assert(["OverflowError", "ValueError", "MemoryError"].includes(error.name), error.name);
  assertThrows(() => toJs(python.exec("x = bytes(2**31)\n[1, [x]]")), PythonError, "2 GiB");
  assertEquals(same(new Uint8Array([1])), new Uint8Array([1])); // and nothing is broken by it
});

test("a sparse Array of a length that no message has is refused at once", () => {
  assertThrows(() => same(new Array(2 ** 32 - 1)), RangeError, "4294967295 items");
});
