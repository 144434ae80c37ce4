/**
 * More of the fine print: objects that look plain, causes in a circle, what a rule must not touch, keys of any size, and
 * what misuse is told.
 */
import { test } from "node:test";
import { format } from "node:util";
import { attach, buffer, python, PythonError, registerConverter, toJs, toLoop, toPy, toThread } from "../../mod.ts";
import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { define, thrownBy } from "../support/define.ts";

// deno-lint-ignore no-explicit-any
type Value = any;

const py: Value = define(`
import pickle, pyawait

def call(f, *args): return f(*args)
def identity(x): return x
def kind(x): return type(x).__name__
def items(x): return list(x)
def all_of(x):
    async def read(): return [item async for item in x]
    return read()
def managed(x):
    with x as inside: return kind(x)
def causes(f):
    try: f()
    except Exception as error:
        names = []
        while error is not None and len(names) < 10:
            names.append(error.message)
            error = error.__cause__
        return names
def evaluate(x, code): return eval(code)
def delete(x, name): delattr(x, name)
def pickled(f):
    try: f()
    except Exception as error:
        again = pickle.loads(pickle.dumps(error))
        return [type(again).__name__, str(again), again.stack == error.stack, again.value]
def make_proxy(): return pyawait.JsProxy()
def raise_js(*args): raise pyawait.JsException(*args)
class BadFloat:
    def __float__(self): raise ValueError("no float")
`);

test("what looks plain and has a protocol is no dict", async () => {
  const args = (function (..._: unknown[]) {
    return arguments;
  })(7, 8);
  assertEquals(toJs(py.items(args)), [7, 8]);
  assertEquals(
    toJs(py.items({
      *[Symbol.iterator]() {
        yield 1;
      },
    })),
    [1],
  );
  assertEquals(
    toJs(
      await py.all_of({
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
      py.managed({
        [dispose]() {
          disposed++;
        },
      }),
      disposed,
    ], ["JsProxy", 1]);
  }
  assertStrictEquals(py.identity(globalThis), globalThis);
  assertEquals([py.kind({ a: 1, [Symbol("s")]: 2 }), py.kind({})], ["dict", "dict"]);
});

test("of causes in a circle only what closes it is left out", () => {
  const a: Error = new Error("a"), b = new Error("b", { cause: a }), c = new Error("c", { cause: b });
  a.cause = c;
  const throws = (error: Error) => () => {
    throw error;
  };
  assertEquals(toJs(py.causes(throws(a))), ["a", "c", "b"]);
  const d: Error = new Error("d");
  d.cause = d;
  assertEquals(toJs(py.causes(throws(d))), ["d"]);
  assertEquals(toJs(py.causes(throws(new Error("e", { cause: new Error("f") })))), ["e", "f"]);
  const group = new AggregateError([], "g"), member = new Error("m", { cause: group });
  group.errors = [member];
  assertEquals(toJs(py.causes(throws(member))), ["m", "g"]);
});

test("no rule makes another value of what is thrown", () => {
  const error = new RangeError("mine");
  const throws = () => {
    throw error;
  };
  for (
    const toPyRule of [() => "text", () => {
      throw new Error("of the rule");
    }]
  ) {
    const remove = registerConverter({ matches: RangeError, toPy: toPyRule });
    assertStrictEquals(thrownBy(() => py.call(throws)), error);
    remove();
  }
});

test("numbers as keys, of any size", () => {
  const range = python.exec("range(2 ** 60)"), list = python.builtins.list([1]);
  assertEquals([range["9007199254740992"], list["9007199254740992"], list["4294967296"]], [9007199254740992n, undefined, undefined]);
  assertEquals(["9007199254740992" in range, "9007199254740992" in list], [true, false]);
  assertThrows(() => list["9007199254740992"] = 1, PythonError);
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

test("an Array by reference is added to and repeated as a list is", () => {
  const array = [1, 2], x = toPy(array, { depth: 0 });
  const results = ["x + [3]", "[0] + x", "x + x", "x * 2", "2 * x"].map((code) => toJs(py.evaluate(x, code)));
  assertEquals(results, [[1, 2, 3], [0, 1, 2], [1, 2, 1, 2], [1, 2, 1, 2], [1, 2, 1, 2]]);
  assertThrows(() => py.evaluate(x, "x + (1,)"), PythonError, "unsupported operand");
  assertEquals(array, [1, 2]);
});

test("what is inherited cannot be deleted, and Python is told", () => {
  class Base {
    method() {}
  }
  const object: Value = new Base();
  assertEquals(assertThrows(() => py.delete(object, "method"), PythonError, "inherited").name, "AttributeError");
  object.method = 1;
  py.delete(object, "method");
  assertEquals([typeof object.method, Object.keys(object)], ["function", []]);
  const behind: Value = { a: 1 };
  const proxy = new Proxy({}, { has: () => true, deleteProperty: (_, key) => delete behind[key] });
  py.delete(toPy(proxy, { depth: 0 }), "a");
  assertEquals(behind, {});
});

test("an await of a destroyed coroutine says so", async () => {
  const coroutine = python.import("asyncio").sleep(0);
  coroutine.$destroy();
  await assertRejects(async () => await coroutine, TypeError, "destroyed");
});

test("a JsException can be pickled, and made in Python", () => {
  const throws = () => {
    throw new TypeError("pickled");
  };
  assertEquals(toJs(py.pickled(throws)), ["JsException", "TypeError: pickled", true, null]);
  for (const args of [["text"], ["Error", "text"]]) {
    const error = assertThrows(() => py.raise_js(...args), PythonError);
    assertEquals([error.name, error.message], ["JsException", "Error: text"]);
  }
  assertThrows(() => py.make_proxy(), PythonError, "Cannot make a JsProxy in Python");
});

test("misuse is told what was given and what was wanted", async () => {
  assertThrows(() => toThread(py.identity, 5 as Value), TypeError, "the arguments have to be an Array");
  assertThrows(() => toLoop(py.identity, "a" as Value), TypeError, "the arguments have to be an Array");
  assertThrows(() => attach(5 as Value), TypeError, "attach(fn) takes a synchronous function");
  const view = buffer(Float64Array, 2), { data } = view;
  view.release();
  if (data.length === 0) assertThrows(() => py.identity(data), TypeError, "its memory was released");
  const error = assertThrows(() => buffer(Float64Array, 2 ** 46), PythonError, "no memory for a buffer of 562949953421312 bytes");
  assertEquals(error.name, "MemoryError");
  assertThrows(() => buffer(Float64Array, "3" as Value), RangeError, 'of "3" items');
  assertThrows(() => +py.BadFloat(), PythonError, "no float");
  assertThrows(() => +python.exec("memoryview(b'1')"), TypeError, "operator");
  assertEquals(["" + python.exec("__import__('array').array('B', b'ab')"), "" + python.exec("bytearray(b'1')")], [
    "array('B', [97, 98])",
    "bytearray(b'1')",
  ]);
  const named = Object.defineProperty(() => 1, "name", {
    get: () => {
      throw new Error("name");
    },
  });
  assertEquals(py.call(named), 1);
  await undefined;
});

test("util.format shows what Python would", () => {
  const { list, int } = python.builtins, plain = define("class Plain:\n  def __repr__(self): return 'plain'").Plain();
  assertEquals(format("%s %s %s", list([1]), plain, int), "[1] plain <class 'int'>");
});

test("a buffer of float16", () => {
  const { Float16Array } = globalThis as unknown as { Float16Array?: { new (length: number): Value } };
  if (!Float16Array) return console.log("skip: this runtime has no Float16Array");
  const made = buffer(Float16Array as Value, 2);
  (made.data as Value).set([1.5, -2]);
  assertEquals([made.data.constructor as unknown, toJs(python.builtins.bytes(made))], [Float16Array, new Uint8Array([0, 0x3e, 0, 0xc0])]);
  made.release();
});
