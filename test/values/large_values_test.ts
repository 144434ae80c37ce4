/**
 * Large bytes and text, which are read where they lie: they are the same values as small ones, of the moment at which they
 * cross, and nothing keeps their memory.
 */
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { array, float, intoPromise, kw, python, registerConverter, toJs, tuple } from "../../mod.ts";
import { heap } from "../../src/interpreter/heap.ts";
import { LARGE } from "../../src/wire/numbers.ts";
import { assert, assertEquals, assertThrows } from "#std/assert";

const { same, later, hexes, points, given, holder, sizes } = python.exec(`
import asyncio, sys
from types import SimpleNamespace

def same(*args): return args[0] if len(args) == 1 else args
async def later(value): await asyncio.sleep(0); return value
def hexes(*args, **kwargs):
    return [(type(value).__name__, len(value), bytes(value).hex()[:4]) for value in [*args, *kwargs.values()]]
def points(text): return [ord(character) for character in text]
def given(value, call):
    call()
    return bytes(value[:2]).hex(), len(value)
def holder(size):
    held = bytes([7]) * size
    counted = lambda: sys.getrefcount(held)
    return SimpleNamespace(get=lambda: held, twice=lambda: [held, "x", held], odd=lambda: [held, {float('nan'), float('nan')}], count=counted,
                           text=lambda: [held, {"a": held}])
sizes = lambda *values: [len(value) for value in values]
SimpleNamespace(same=same, later=later, hexes=hexes, points=points, given=given, holder=holder, sizes=sizes)
`);

const around = [0, 1, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE + 7];
const filled = (length: number) => Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));

/** TypeScript's library does not know these yet. */
type Resizable = ArrayBuffer & { resize(length: number): void };
const resizable = (length: number): Resizable =>
  new (ArrayBuffer as unknown as new (length: number, options: object) => Resizable)(length, { maxByteLength: 4 * LARGE });

/** Whether two arrays have the same bytes; a comparison of std/assert takes minutes for so many. */
const equal = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

test("bytes of any length come back as they were, in memory of their own", () => {
  for (const length of around) {
    const bytes = filled(length), back = same(bytes) as Uint8Array;
    assertEquals(Object.getPrototypeOf(back), Uint8Array.prototype);
    assert(equal(back, bytes), String(length));
    assertEquals([back.byteOffset, back.buffer.byteLength], [0, length]);
    back.fill(1), bytes.fill(2);
    assert(back.every((byte) => byte === 1));
  }
});

test("every kind of memory crosses: views of a part, shared, growable, of a Buffer, twice", () => {
  const bytes = filled(3 * LARGE), part = bytes.subarray(3, LARGE + 8);
  assert(equal(same(part), part));
  assert(equal(same(new DataView(bytes.buffer, 5, LARGE)), bytes.subarray(5, LARGE + 5)));
  assert(equal(same(bytes.buffer), bytes));
  assert(equal(same(Buffer.from(bytes)), bytes));
  const shared = new Uint8Array(new SharedArrayBuffer(LARGE + 1));
  shared.set(bytes.subarray(0, LARGE + 1));
  assert(equal(same(shared), shared));
  const growable = resizable(LARGE), view = new Uint8Array(growable);
  view.fill(9);
  assert(equal(same(view), view));
  growable.resize(2 * LARGE);
  assertEquals((same(view) as Uint8Array).length, 2 * LARGE);
  const [one, two] = toJs(same(part, part, 1)) as Uint8Array[];
  assert(equal(one, part) && equal(two, part) && one !== two);
  assertEquals(toJs(hexes(part, bytes, kw({ last: shared }))), [["bytes", LARGE + 5, "151c"], ["bytes", 3 * LARGE, "0007"], [
    "bytes",
    LARGE + 1,
    "0007",
  ]]);
  const nested = toJs(same([part, { part }, new Map([[1, part]]), tuple([part])])) as [
    Uint8Array,
    { part: Uint8Array },
    unknown,
    [Uint8Array],
  ];
  assert(equal(nested[0], part) && equal(nested[1].part, part) && equal(nested[3][0], part));
});

test("typed arrays cross with their items, however large", () => {
  for (const length of [0, 1, LARGE / 8 - 1, LARGE / 8, LARGE]) {
    const numbers = Float64Array.from({ length }, (_, i) => i / 3), back = toJs(same([numbers, numbers])) as Float64Array[];
    assertEquals(back[0].constructor, Float64Array);
    assert(equal(new Uint8Array(back[0].buffer), new Uint8Array(numbers.buffer)));
    assert(back[0] === back[1], "it is one object in Python");
    const [alone, again] = toJs(same(numbers, numbers, array(new Uint8Array(2 * LARGE)))) as Float64Array[];
    assert(alone === again && alone.length === length);
  }
  const grid = toJs(python.exec("memoryview(bytearray(300 * 400 * 4)).cast('i', (300, 400))")) as Int32Array & { shape: number[] };
  assertEquals([grid.constructor, grid.length, grid.shape], [Int32Array, 120_000, [300, 400]]);
});

test("memory that was given up is refused", () => {
  const bytes = filled(2 * LARGE);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  assertThrows(() => same(bytes), TypeError, "its memory was released, transferred or made smaller");
  const buffer = resizable(2 * LARGE), end = new Uint8Array(buffer, LARGE, LARGE);
  buffer.resize(LARGE / 2);
  assertEquals((same(end) as Uint8Array).length, 0); // as JavaScript sees it
});

test("an argument is what it was when it was written, whatever the arguments behind it do", () => {
  const bytes = new Uint8Array(2 * LARGE).fill(1);
  const changes = {
    get value() {
      return bytes.fill(2), 1;
    },
  };
  assertEquals(toJs(hexes(bytes, [changes].map(() => bytes)[0])), [["bytes", 2 * LARGE, "0101"], ["bytes", 2 * LARGE, "0101"]]);
  const [first] = toJs(same(bytes, changes)) as [Uint8Array];
  assertEquals([first[0], bytes[0]], [1, 2]);
  const gone = {
    get value() {
      return structuredClone(bytes.buffer, { transfer: [bytes.buffer] }).byteLength;
    },
  };
  const [kept, other] = toJs(same(bytes, gone)) as [Uint8Array, { value: number }];
  assertEquals([kept[0], kept.length, other.value, bytes.length], [2, 2 * LARGE, 2 * LARGE, 0]);
  const named = new Uint8Array(2 * LARGE).fill(1), fn = () => {};
  Object.defineProperty(fn, "name", { get: () => (named.fill(2), "fn") });
  assertEquals((toJs(same(named, fn)) as [Uint8Array])[0][0], 1);
});

test("a rule may use one array for all that it converts", () => {
  class Pixels {
    readonly value: number;
    constructor(value: number) {
      this.value = value;
    }
  }
  const scratch = new Uint8Array(2 * LARGE);
  const undo = registerConverter<Pixels>({ matches: (value) => value instanceof Pixels, toPy: ({ value }) => scratch.fill(value) });
  try {
    assertEquals(toJs(hexes(new Pixels(1), new Pixels(2), scratch)), [["bytes", 2 * LARGE, "0101"], ["bytes", 2 * LARGE, "0202"], [
      "bytes",
      2 * LARGE,
      "0202",
    ]]);
  } finally {
    undo();
  }
});

test("Python's bytes do not follow memory that JavaScript changes, or gives up, during the call", () => {
  const bytes = new Uint8Array(2 * LARGE).fill(1);
  assertEquals(toJs(given(bytes, () => void bytes.fill(2))), ["0101", 2 * LARGE]);
  assertEquals(toJs(given(bytes, () => void structuredClone(bytes.buffer, { transfer: [bytes.buffer] }))), ["0202", 2 * LARGE]);
});

const units = { ascii: "abcdefgh", latin: "abc\xff\x80fgh", wide: "日本\u07ff語a\xff列\uffff", astral: "ab😀c\u{10ffff}é" };

test("text of any length and kind comes back as it was", () => {
  const lengths = [1, 7, 8, 9, 39, 40, 41, 42, 59, 60, 61, 62, 500, LARGE / 2 - 1, LARGE / 2, LARGE - 1, LARGE, LARGE + 1, 3 * LARGE];
  for (const [kind, unit] of Object.entries(units)) {
    for (const length of lengths) {
      const text = unit.repeat(length / unit.length + 1).slice(0, length).replace(/[\ud800-\udbff]$/, "x");
      for (const before of ["", "1"]) { // the text behind it is aligned in one of both
        const [back, after] = toJs(same(before + text, text)) as [string, string];
        assert(back === before + text && after === text, `${kind} ${length}`);
      }
      assert(same(text) === text, `${kind} ${length}`);
      assert(python.builtins.hash(text) === python.builtins.hash(python.builtins.str(text)));
    }
  }
  assertEquals(same(""), "");
});

test("text has in Python the width that its characters need, so that equal texts are equal", () => {
  const made = python.exec("lambda kind, n: {'a': 'a', 'l': '\\xe9', 'w': '\\u65e5', 's': '\\U0001f600'}[kind] * n");
  for (const [kind, character] of [["a", "a"], ["l", "é"], ["w", "日"], ["s", "😀"]]) {
    for (const count of [1, 2, 30, 70, 100, LARGE]) {
      const text = character.repeat(count);
      assert(made(kind, count) === text);
      assert(
        python.exec("lambda text, made: text == made and {text: 1}[made] == 1 and text.__sizeof__() == made.__sizeof__()")(
          text,
          made(kind, count),
        ),
      );
    }
  }
});

test("halves of pairs stay halves, wherever they stand", () => {
  for (const rest of ["", "a", "é", "日", "😀"]) {
    for (const count of [0, 1, 30, 100, LARGE]) {
      for (const half of ["\ud83d", "\ude00", "\ude00\ud83d", "\ud83d\ud83d\ude00", "😀\ude00"]) {
        for (const text of [half + rest.repeat(count), rest.repeat(count) + half]) {
          assert(same(text) === text, JSON.stringify(text.slice(0, 9)));
        }
      }
    }
  }
  assertEquals(toJs(points("a\ud83d\ude00\ude00\ud83d")), [97, 0x1f600, 0xde00, 0xd83d]);
  assertEquals(same(python.exec("'\\ud83d' + '\\ude00'")), "😀");
});

test("a str of a subclass is text as well, of any kind", () => {
  const subclass = python.exec("class Text(str): pass\nText");
  for (const unit of Object.values(units)) {
    for (const count of [1, 20, LARGE]) assert(python.builtins.list([subclass(unit.repeat(count))])[0] === unit.repeat(count));
  }
});

test("what a coroutine is given, and what it returns, may be large", async () => {
  for (const length of around) {
    const bytes = filled(length), call = later(bytes), copy = bytes.slice();
    bytes.fill(0);
    assert(equal(await call, copy));
    const text = units.wide.repeat(length / 8);
    assert(await later(text) === text);
  }
  const list = await intoPromise(later([filled(LARGE), "é".repeat(LARGE)]));
  assertEquals(toJs(sizes(...toJs(list) as unknown[])), [LARGE, LARGE]);
});

test("an exception in the middle of a message leaks no memory, and neither does a result that is dropped", async () => {
  const held = holder(2 * LARGE),
    twice = held.twice(),
    odd = held.odd(),
    shared = held.text(),
    turn = () => new Promise((resolve) => setTimeout(resolve, 20));
  await turn();
  const count = held.count();
  for (let i = 0; i < 5; i++) {
    assertEquals((toJs(twice) as [Uint8Array])[0][0], 7);
    assertThrows(() => toJs(odd), TypeError, "two of its items are the same");
    assertThrows(() => same(held.get(), Symbol("x")), TypeError, "symbol");
    assertEquals(held.get().length, 2 * LARGE);
    const both = toJs(shared) as [Uint8Array, { a: Uint8Array }];
    assert(both[0] !== both[1].a);
    await Promise.allSettled([later(held.get()), float(1)]);
  }
  python.builtins.len([]);
  await turn();
  assertEquals(held.count(), count);
});

test("large messages give their memory back at the end of the turn", async () => {
  const list = ["x".repeat(9 << 20), filled(9 << 20)];
  assertEquals(toJs(sizes(...list)), [9 << 20, 9 << 20]);
  assertEquals(toJs(sizes(list[0], [list[1]])), [9 << 20, 1]);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert(
    heap.levels.every(({ input, reader, lent }) => input.bytes.length <= 1 << 22 && reader.bytes.length <= 1 << 22 && lent.length === 0),
  );
  const numbers = Array.from({ length: 50_000 }, (_, i) => i / 7);
  assertEquals(toJs(same(numbers)), numbers);
});
