/**
 * The fine print of values, proxies and errors: what a careful reader of api.md would expect where two rules meet.
 */
import { test } from "node:test";
import { inspect } from "node:util";
import { buffer, type PyBuffer, python, PythonError, toJs, toPy } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertStrictEquals, assertThrows } from "#std/assert";
import { define, isAtLeast, thrownBy } from "../support/define.ts";

// deno-lint-ignore no-explicit-any
type Value = any;

const py: Value = define(`
import functools, inspect, traceback
from collections.abc import Iterator

def call(f, *args, **kwargs): return f(*args, **kwargs)
def exchange():
    try: yield ("got", (yield 1))
    except ValueError as error: yield "caught"
    except Exception as error: yield str(error)
def texts(x): return [str(x), repr(x), f"{x}"]
def steps(x): return [next(x), next(x, 5), list(x), isinstance(x, Iterator)]
def ask(x, code): return eval(code)
def protocols(f):
    try: f()
    except Exception as error: value = error.value
    return [list(value), len(value), value[0:1]]
def thrown_value(f):
    try: f()
    except Exception as error: return error.value()
def chain(f):
    try: f()
    except Exception as error:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return [type(error.__cause__).__name__, error.__suppress_context__, "ZeroDivisionError" in text]
def set_item(x, key, value): x[key] = value
def delete_item(x, key): del x[key]
def logged(f):
    @functools.wraps(f)
    async def wrapper(x): return "logged %s" % await f(x)
    return wrapper
`);
test("keys that are surrogate pairs are the same in JavaScript, and are refused", () => {
  const twins = python.exec("{'\\ud83d\\ude00': 1, '\u{1f600}': 2}");
  for (const dict of ["auto", "object", "map"] as const) assertThrows(() => toJs(twins, { dict }), Error, "two of its keys");
  assertThrows(() => py.ask((x: unknown) => x, "x(**{'\\ud83d\\ude00': 1, '\u{1f600}': 2})"), Error, "two of its keys");
  assertEquals(toJs(python.exec("{'\\ud83d': 1, '\u{1f600}': 2}")), { "\ud83d": 1, "\u{1f600}": 2 });
});

test("yield* hands over to a Python generator: values, errors, the end", () => {
  const delegate = function* (): Value {
    return yield* py.exchange();
  };
  let generator = delegate();
  assertEquals([generator.next().value, toJs(generator.next(7).value)], [1, ["got", 7]]);
  generator = delegate();
  generator.next();
  assertMatch(String(generator.throw(new Error("thrown")).value), /thrown/);
  generator = delegate();
  generator.next();
  assertEquals([generator.return(3), generator.next()], [{ done: true, value: 3 }, { done: true, value: undefined }]);
  const own = py.exchange();
  assertStrictEquals(own[Symbol.iterator](), own);
  const iterator = python.exec("iter([1])");
  assertEquals([iterator.next(), iterator.next(), iterator.return(5)], [
    { done: false, value: 1 },
    { done: true, value: null },
    { done: true, value: 5 },
  ]);
});

test("JavaScript's iterators are Python's", () => {
  assertEquals(py.steps(new Map([[1, 2]]).keys()).$toJs(), [1, 5, [], true]);
  const generator = (function* () {
    yield 1;
    yield 2;
  })();
  const held = toPy([generator, generator]);
  assertEquals(py.ask(held, "[x[0] is x[1], next(x[0]), next(x[1])]").$toJs(), [true, 1, 2]);
});

test("what default makes of a value is made once: shared and circular references are kept", () => {
  class Node {
    next: Node = this;
  }
  const circular = toPy(new Node(), { default: (node) => ({ next: (node as Node).next }) });
  assertStrictEquals(circular.$get("next"), circular);
  let asked = 0;
  const shared = new Node(), list = toPy([shared, shared], { default: () => (asked++, {}) });
  assertEquals([asked, py.ask(list, "x[0] is x[1]")], [1, true]);
});

test("objects that answer to every name have every attribute, and throwing traps do not stop a value", () => {
  class Remote {}
  const remote = new Proxy(new Remote(), { get: (_, key) => typeof key === "symbol" || key === "then" ? undefined : `dyn ${key}` });
  assertEquals(py.ask(remote, "[x.foo, x['bar']]").$toJs(), ["dyn foo", "dyn bar"]);
  const strict = new Proxy(() => 5, {
    has() {
      throw new Error("has trap");
    },
  });
  assertEquals(py.call(strict), 5);
});

test("__proto__ is an ordinary item of an object by reference", () => {
  const object: Record<string, unknown> = { a: 1 }, proxy = toPy(object, { depth: 0 });
  assertEquals(py.ask(proxy, "'__proto__' in x"), false);
  assertEquals(thrownBy(() => py.ask(proxy, "x['__proto__']")).name, "KeyError");
  assertEquals(thrownBy(() => py.delete_item(proxy, "__proto__")).name, "KeyError");
  py.set_item(proxy, "__proto__", 5);
  assertEquals([Object.getPrototypeOf(object) === Object.prototype, Object.hasOwn(object, "__proto__")], [true, true]);
  assertEquals(py.ask(proxy, "x['__proto__']"), 5);
  py.delete_item(proxy, "__proto__");
  assertEquals(py.ask(proxy, "'__proto__' in x"), false);
});

test("str() is toString where an object has one of its own; repr says its class", () => {
  class Point {
    x = 1;
  }
  class Named {
    toString() {
      return "named!";
    }
  }
  assertEquals(py.texts(new URL("http://a/")).$toJs(), ["http://a/", '<JavaScript URL "http://a/">', "http://a/"]);
  assertEquals(py.texts(/a+/g).$toJs(), ["/a+/g", "<JavaScript RegExp {}>", "/a+/g"]);
  assertEquals(py.texts(new Named()).$toJs(), ["named!", "<JavaScript Named {}>", "named!"]);
  assertEquals(py.texts(new Point()).$toJs(), Array(3).fill('<JavaScript Point {"x":1}>'));
});

test("what was thrown can do what it can do", () => {
  const throwing = (value: unknown) => () => {
    throw value;
  };
  assertEquals(py.protocols(throwing(["a", "b"])).$toJs(), [["a", "b"], 2, ["a"]]);
  assertEquals(py.thrown_value(throwing(() => 42)), 42);
  class Process extends Promise<number> {
    get length() {
      return 2;
    }
    *[Symbol.iterator]() {
      yield 1;
    }
  }
  assertEquals(py.ask(Process.resolve(1), "[len(x), list(x)]").$toJs(), [2, [1]]);
  const grows: Value = Object.assign(new (class Own {})(), { n: 1 }), held = toPy(grows, { depth: 0 });
  assertEquals(py.ask(held, "hasattr(x, '__len__')"), false);
  grows[Symbol.iterator] = function* () {
    yield 3;
  };
  assertEquals(py.ask(grows, "list(x)").$toJs(), [3]);
});

test("a wrapper around an async function of JavaScript's is Python's own", async () => {
  const load = async (x: number) => await x;
  const wrapper = py.logged(load);
  assert(wrapper !== load);
  assertEquals(await wrapper(1), "logged 1");
  assertStrictEquals(py.ask(load, "x"), load);
  const signature = "str(inspect.signature(x)), list(inspect.signature(x).parameters), inspect.signature(x) == inspect.signature(x)";
  assertEquals(py.ask(async (_x: number, _y = 1) => await 1, `[${signature}]`).$toJs(), ["(_x, _y=None, /)", ["_x", "_y"], true]);
  assertEquals(py.ask(function plain() {}, "[x.__doc__, x.__name__]").$toJs(), [null, "plain"]);
});

test("the cause of a JavaScript error is its cause in Python", () => {
  const python_error = thrownBy(() => python.exec("1 / 0"));
  const outer = (cause: unknown) => () => {
    throw new Error("outer", { cause });
  };
  assertEquals(py.chain(outer(python_error)).$toJs(), ["ZeroDivisionError", true, true]);
  assertEquals(py.chain(outer(new TypeError("inner"))).$toJs(), ["JsException", true, false]);
  assertEquals(py.chain(outer("text")).$toJs(), ["NoneType", false, false]);
  const itself = new Error("itself"), inner = new TypeError("inner");
  itself.cause = itself;
  assertEquals(py.ask(itself, "x.__cause__"), null);
  assertStrictEquals(py.ask(new Error("outer", { cause: inner }), "x.__cause__"), inner);
});

test("an error that is shown shows its causes and members, with the frames of where it was raised", () => {
  const origin = () => thrownBy(() => python.exec("try: 1 / 0\nexcept Exception as e: raise KeyError('x') from e"));
  const error = origin();
  assertInstanceOf(error.cause, PythonError);
  assertMatch(error.cause.stack, /ZeroDivisionError[^]*\bthrownBy\b/);
  assert(!/\[Getter\]/.test(inspect(origin())), inspect(origin()));
  assertMatch(inspect(origin()), /KeyError[^]*ZeroDivisionError/);
  assertStrictEquals(error.cause, error.cause);
  if (!isAtLeast(3, 11)) return;
  const group = thrownBy(() => python.exec("raise ExceptionGroup('g', [ValueError(1), KeyError(2)])"));
  assert(!/\[Getter\]/.test(inspect(group)), inspect(group));
});

test("misuse says what was given and wanted", () => {
  assertThrows(() => toPy([/x/], { default: 5 as never }), TypeError, "has to be a function");
  assertThrows(() => toPy([1], { depth: NaN }), TypeError, "has to be a number");
  assertEquals([toPy(1, null as never), toJs(python.exec("[1]"), null as never)], [1, [1]]);
  assertThrows(() => new python.builtins.int(5), TypeError, "call it without new");
  const clamped = buffer(Uint8ClampedArray, 2) as PyBuffer;
  clamped.data[0] = 300;
  assertInstanceOf(clamped.data, Uint8ClampedArray);
  assertEquals(py.ask(clamped, "x.tolist()").$toJs(), [255, 0]);
  clamped.release();
});
