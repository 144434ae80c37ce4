/**
 * An exception that returns to its own language is the same object there, by whichever way it has gone.
 */
import { test } from "node:test";
import { inspect } from "node:util";
import { attach, intoPromise, python, PythonError, toJs, toLoop, toThread } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define, thrownBy } from "../support/define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

const { builtins } = python;

const py = define(`
import gc, pyawait

class Custom(Exception):
    def __init__(self, code): super().__init__("code %d" % code); self.code = code

def raise_it(error): raise error
def raise_value(): raise ValueError("value")
def call(f, *args): return f(*args)
async def call_async(f, *args): return await f(*args)
caught = None

def catch(f):
    global caught
    try: f()
    except BaseException as error: caught = error
    return caught

async def catch_async(f):
    try: await f()
    except BaseException as error: return [error]

def wrap(f):
    try: return f()
    except Exception as error: raise Custom(1) from error

def reraise(f):
    try: return f()
    except Exception: raise

def raise_again(f):
    try: f()
    except BaseException as error: raise error

def finally_(f):
    try: return f()
    finally: len([])

def is_same(a, b): return a is b

def value_of(function):
    import pyawait
    try: function()
    except pyawait.JsException as error: return [error.value, error.value is error.value]

def generator():
    while True:
        try: yield
        except ZeroDivisionError: return

def keep(f, kept=[]):
    try: f()
    except BaseException as error: kept.append(error)
    return len(kept) - 1, kept

def other_errors(n=50):
    for i in range(n):
        try: {}[i]
        except KeyError: pass
    gc.collect()
`);

const raised = (fn: () => unknown) => assertThrows(fn, PythonError) as PythonError;
const thrower = (error: unknown) => () => {
  throw error;
};

test("a Python exception is itself again in Python, however it went", async () => {
  const exception = py.Custom(1);
  const throwIt = () => py.raise_it(exception);
  const asyncThrow = async () => await toLoop(py.raise_it, [exception]);
  const constructed = () => {
    throw raised(throwIt);
  };
  for (
    const f of [
      throwIt,
      constructed,
      () => py.call(throwIt),
      () => py.reraise(throwIt),
      () => attach(throwIt),
    ]
  ) {
    assertStrictEquals(py.catch(f), exception);
    assertStrictEquals(raised(f).exception, exception);
    assertStrictEquals((await assertRejects(() => toLoop(f), PythonError)).exception, exception);
    assertStrictEquals((await assertRejects(() => toThread(f), PythonError)).exception, exception);
  }
  for (
    const f of [
      asyncThrow,
      () => py.call_async(asyncThrow),
      async () => await intoPromise(py.call_async(asyncThrow)),
    ]
  ) {
    assertStrictEquals((await assertRejects(async () => await f(), PythonError)).exception, exception);
    assertStrictEquals((await py.catch_async(async () => await f()))[0], exception);
  }
  const error = raised(throwIt);
  assertEquals(py.is_same(error, exception), true); // as a value, too
});

test("what JavaScript threw is itself again in JavaScript, however it went", async () => {
  class Own extends Error {
    extra = 1;
  }
  const values = [
    new Error("e"),
    new Own("own"),
    new DOMException("d", "AbortError"),
    "text",
    5,
    0,
    "",
    null,
    undefined,
    true,
    2n ** 70n,
    5n,
    -0,
    NaN,
    1.5,
    "\ud800",
  ];
  const thrown: unknown[] = [
    ...values,
    { an: "object" },
    [1],
    () => {},
    Symbol("s"),
    Object.freeze(new Error("frozen")),
    Object.create(null),
  ];
  for (const value of thrown) {
    const fail = () => {
      throw value;
    };
    const caught = (fn: () => unknown) => {
      try {
        fn();
      } catch (error) {
        return { error };
      }
    };
    const same = (outcome: { error: unknown } | undefined) =>
      assert(outcome && Object.is(outcome.error, value), inspect({ value, outcome }));
    for (const way of [py.call, py.reraise, py.raise_again, py.finally_, (f: unknown) => py.call(py.call, f)]) {
      same(caught(() => way(fail)));
    }
    const failAsync = async () => await fail();
    for (
      const way of [
        () => toLoop(fail),
        () => toThread(fail),
        () => py.call_async(failAsync),
        () => toThread(py.call, [fail]),
      ]
    ) {
      same(await way().then(() => undefined, (error: unknown) => ({ error })));
    }
  }
});

test("what JavaScript threw is itself wherever it comes out again", () => {
  const symbol = Symbol("s"), object = { a: 1 };
  for (const thrown of ["boom", 5, true, null, 5n, object, symbol, undefined, new Error("e"), () => 1]) {
    const error = thrownBy(() => py.wrap(thrower(thrown)));
    assertEquals([error.name, error.message], ["Custom", "code 1"]);
    assertStrictEquals(error.cause, thrown);
    const generator = py.generator();
    generator.next();
    assertStrictEquals(thrownBy(() => generator.throw(thrown)), thrown);
  }
  assertStringIncludes(thrownBy(() => py.wrap(thrower(new RangeError("far")))).traceback, "RangeError: far");
  for (const [thrown, value] of [[5n, 5], [undefined, null], ["text", "text"]]) {
    assertEquals(toJs(py.value_of(thrower(thrown))), [value, true]);
  }
  assertEquals((toJs(py.value_of(thrower(object))) as unknown[])[1], true);
  const proxy = builtins.object();
  assertStrictEquals(thrownBy(() => py.raise_again(thrower(proxy))), proxy);
  const mine = Object.assign(thrownBy(() => python.exec("{}['k']")), { extra: 1 });
  assertStrictEquals(thrownBy(() => py.raise_again(thrower(mine))), mine);
  assertEquals(mine.extra, 1);
});

test("a frozen PythonError comes back as itself", () => {
  const error = Object.freeze(thrownBy(py.raise_value));
  assertStrictEquals(
    thrownBy(() =>
      py.call(() => {
        throw error;
      })
    ),
    error,
  );
});

test("identity both ways after other errors, collections and a long time", async () => {
  const thrown = Object.assign(new RangeError("kept"), { tag: {} });
  const [index, kept] = py.keep(thrower(thrown));
  const exception = py.Custom(7), error = raised(() => py.raise_it(exception));
  for (let i = 0; i < 5; i++) {
    py.other_errors();
    assertThrows(() => py.call(thrower(new Error("another"))));
    raised(() => py.raise_it(py.Custom(i)));
    await assertRejects(() => toThread(py.raise_it, [py.Custom(8)]));
    await collect();
  }
  assertStrictEquals(assertThrows(() => py.raise_it(kept[index])), thrown);
  assertStrictEquals(await assertRejects(() => toLoop(py.raise_it, [kept[index]])), thrown);
  assertStrictEquals(py.catch(thrower(error)), exception);
  assertStrictEquals(await toLoop(py.catch, [thrower(error)]), exception);
  assertEquals(error.name, "Custom");

  const [held] = py.keep(thrower(Object.assign(new Error("only Python has it"), { mark: 7 })));
  for (let i = 0; i < 5; i++) await collect();
  assertEquals((assertThrows(() => py.raise_it(kept[held])) as Value).mark, 7);
});
