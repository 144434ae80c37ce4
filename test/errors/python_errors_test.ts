/**
 * Errors: Python's exceptions as PythonError, what JavaScript throws as JsException, and both as themselves again when
 * they come home, whatever they have gone through.
 */
import { test } from "node:test";
import { inspect } from "node:util";
import { attach, intoPromise, python, PythonError, toJs, toLoop, toThread } from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "#std/assert";
import { define, isAtLeast } from "../support/define.ts";

const { builtins } = python;

const py = define(`
import asyncio, pyawait, traceback

class Custom(Exception):
    def __init__(self, code): super().__init__("code %d" % code); self.code = code

class Unprintable(Exception):
    def __str__(self): raise RuntimeError("no str")

def raise_it(error): raise error
def raise_value(): raise ValueError("value")

def inner(): raise KeyError("k")
def outer(): inner()

def with_cause():
    try: raise_value()
    except ValueError as error: raise Custom(7) from error

def with_context():
    try: raise_value()
    except ValueError: raise Custom(8)

def without_context():
    try: raise_value()
    except ValueError: raise Custom(9) from None

async def outer_async():
    await asyncio.sleep(0)
    await inner_async()
async def inner_async(): raise LookupError("async")

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

def details(f):
    try: f()
    except pyawait.JsException as error:
        return [error.name, error.message, error.stack, str(error), error.value, "".join(traceback.format_exception(type(error), error, error.__traceback__))]

def wrap(f):
    try: return f()
    except Exception as error: raise Custom(1) from error

def reraise(f):
    try: return f()
    except Exception: raise

def reraise_bare(error):
    try: raise error
    except Exception as caught: return caught

def finally_(f):
    try: return f()
    finally: len([])

def is_same(a, b): return a is b
def line(): raise ValueError("here")  # line 68
`);

const raised = (fn: () => unknown) => assertThrows(fn, PythonError) as PythonError;

test("a PythonError says what was raised", () => {
  const error = raised(py.raise_value);
  assertInstanceOf(error, Error);
  assertInstanceOf(error, PythonError);
  assertEquals([error.name, error.message, String(error)], ["ValueError", "value", "ValueError: value"]);
  assertEquals(["exception" in error, Object.keys(error)], [true, []]);
  assertEquals([error.exception.$type, toJs(error.exception.args)], ["ValueError", ["value"]]);
  assertMatch(
    error.traceback,
    /^Traceback \(most recent call last\):\n[^]*File "test_module.py", line \d+, in raise_value\n[^]*ValueError: value\n$/,
  );
  assertEquals([error.cause, error.errors], [undefined, undefined]);
  assertEquals(Object.keys(error), []);
});

test("names and messages of every kind", () => {
  assertEquals(raised(() => py.raise_it(py.Custom(5))).message, "code 5");
  assertEquals(raised(() => py.raise_it(py.Custom(5))).exception.code, 5);
  assertEquals(raised(() => py.raise_it(builtins.KeyError("k"))).message, "'k'");
  assertEquals(raised(() => py.raise_it(builtins.ValueError())).message, "");
  assertEquals(raised(() => py.raise_it(builtins.ValueError("\u20ac\0\ud800"))).message, "\u20ac\0\ud800");
  assertEquals(raised(() => py.raise_it(builtins.KeyboardInterrupt("stop"))).name, "KeyboardInterrupt");
  assertEquals(raised(() => py.raise_it(builtins.SystemExit(3))).exception.code, 3);
  const unprintable = raised(() => py.raise_it(py.Unprintable()));
  assertEquals(unprintable.name, "Unprintable");
  assertStringIncludes(unprintable.message, "no str");
});

test("the cause is __cause__, else __context__, unless it is suppressed", () => {
  for (const [fn, cause] of [[py.with_cause, true], [py.with_context, true], [py.without_context, false]]) {
    const error = raised(fn);
    assertEquals(error.name, "Custom");
    if (!cause) {
      assertStrictEquals(error.cause, undefined);
      continue;
    }
    assertInstanceOf(error.cause, PythonError);
    assertEquals([error.cause.name, error.cause.message], ["ValueError", "value"]);
    assertStrictEquals(error.cause.exception, error.exception.__context__);
    assertStringIncludes(error.traceback, "ValueError: value");
  }
});

const groups = isAtLeast(3, 11) ? false : "ExceptionGroup needs Python 3.11";
if (groups) console.log(`skip: ${groups}`);
test("the errors of an ExceptionGroup", { skip: groups }, async () => {
  const inner = builtins.ExceptionGroup("inner", [builtins.KeyError("k")]);
  const error = raised(() => py.raise_it(builtins.ExceptionGroup("several", [builtins.ValueError("v"), inner])));
  const [first, second] = error.errors as PythonError[];
  assertEquals([first.name, first.message, second.name, second.errors?.length], [
    "ValueError",
    "v",
    "ExceptionGroup",
    1,
  ]);
  assertEquals((second.errors![0] as PythonError).name, "KeyError");
  const thrown = new RangeError("JavaScript's");
  const code = "async with asyncio.TaskGroup() as g:\n    g.create_task(f())";
  const group = await assertRejects(() =>
    python.execAsync("import asyncio\n" + code, { globals: { f: async () => await Promise.reject(thrown) } })
  ) as PythonError;
  assertStrictEquals(group.errors![0], thrown);
});

test("the stack is Python's frames, innermost first, then JavaScript's", async () => {
  const here = () => py.outer();
  const { stack } = raised(here);
  const lines = stack!.split("\n").map((line) => line.trim());
  assertEquals(lines[0], "KeyError: 'k'");
  assertMatch(lines[1], /^at inner \(test_module\.py:\d+\)$/);
  assertMatch(lines[2], /^at outer \(test_module\.py:\d+\)$/);
  assert(lines.findIndex((line) => line.includes("errors_test")) > 2, stack);
  assertMatch(raised(py.line).stack!, /at line \(test_module\.py:68\)/);
  const error = await assertRejects(() => py.outer_async()) as PythonError;
  const [head, first, second] = error.stack!.split("\n").map((line) => line.trim());
  assertEquals(head, "LookupError: async");
  assertMatch(first, /^at inner_async \(test_module\.py:\d+\)$/);
  assertMatch(second, /^at outer_async \(test_module\.py:\d+\)$/);
  assertStringIncludes(inspect(error), "inner_async");
});

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
    for (const way of [py.call, py.reraise, py.finally_, (f: unknown) => py.call(py.call, f)]) {
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

test("an error of JavaScript's that Python wraps is the cause", () => {
  const thrown = new RangeError("far");
  const error = raised(() =>
    py.wrap(() => {
      throw thrown;
    })
  );
  assertEquals(error.name, "Custom");
  assertStrictEquals(error.cause, thrown);
  assertStringIncludes(error.traceback, "RangeError: far");
});

test("a JsException tells name, message, stack and value", () => {
  let thrown: unknown;
  const [name, message, stack, text, value, trace] = py.details(function thrower() {
    throw thrown = new RangeError("far");
  });
  assertEquals([name, message, text], ["RangeError", "far", "RangeError: far"]);
  assertStrictEquals(value, thrown);
  assertStringIncludes(stack, "thrower");
  assertStringIncludes(trace, "RangeError: far");
  assertStringIncludes(trace, "thrower"); // the JavaScript frames are in its traceback
  const object = { an: "object" };
  const ofObject = py.details(() => {
    throw object;
  });
  assertStrictEquals(ofObject[4], object);
  assertEquals([
    py.details(() => {
      throw "text";
    })[4],
    py.details(() => {
      throw 5;
    })[4],
  ], ["text", 5]);
});

test("errors passed as values are exceptions, and come back", () => {
  const error = new TypeError("value"), { JsException } = python.import("pyawait");
  assertEquals(builtins.isinstance(error, JsException), true);
  assertEquals(builtins.str(error), "TypeError: value");
  assertStrictEquals(builtins.list([error])[0], error);
  assertStrictEquals(py.reraise_bare(error), error);
  assertEquals(py.is_same(error, error), true);
  assertStrictEquals(assertThrows(() => py.raise_it(error)), error);
  assertEquals(builtins.isinstance(raised(py.raise_value), builtins.ValueError), true);
});

test("a __str__ that calls JavaScript, on the loop's thread", async () => {
  const text = (...args: unknown[]) => `told ${args.length}`;
  const make = python.exec("lambda f: type('Telling', (Exception,), {'__str__': lambda self: f()})()");
  const errors = await Promise.all(
    [1, 2, 3].map(() => assertRejects(() => toLoop(py.raise_it, [make(text)]), PythonError)),
  );
  assertEquals(errors.map((error) => error.message), Array(3).fill("told 0"));
});

test("a SyntaxError has its place", async () => {
  const named = raised(() => python.exec("x = (", { filename: "bad.py" }));
  assertEquals([named.name, named.exception.filename, named.exception.lineno], ["SyntaxError", "bad.py", 1]);
  assertStringIncludes(named.traceback, 'File "bad.py", line 1');
  assertEquals(raised(() => python.exec("if 1:\nx")).name, "IndentationError");
  assertEquals(raised(() => python.exec("return 1")).name, "SyntaxError");
  assertEquals(
    (await assertRejects(() => python.execAsync("await (", { filename: "bad.py" }), PythonError)).name,
    "SyntaxError",
  );
  assertEquals(python.exec("1 + 1"), 2);
});

test("errors of Python's imports", () => {
  assertEquals(raised(() => python.import("there_is_no_such_module")).name, "ModuleNotFoundError");
  assertThrows(() => python.import(5 as unknown as string), TypeError, "name of a module");
  assertThrows(() => python.exec(5 as unknown as string), TypeError, "string");
});

test("many errors leave nothing behind", async () => {
  const gc = python.import("gc");
  const alive = () => (gc.collect(), python.exec("import gc\nsum(1 for o in gc.get_objects() if type(o).__name__ == 'Leaky')"));
  python.exec("class Leaky(Exception): pass\ndef leak(): raise Leaky(1)", { globals: py.__dict__ });
  const collect = (globalThis as { gc?: () => void }).gc!;
  for (let i = 0; i < 300; i++) raised(py.leak);
  for (let i = 0; i < 300 && alive() > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve));
    collect();
  }
  assert(alive() <= 1, `${alive()} are alive`);
});

const hasAwaiters = !("Bun" in globalThis);
if (!hasAwaiters) console.log("skip: JavaScriptCore does not know which functions await a Promise");
test(
  "the stack of a rejected Promise names the functions that await it",
  { skip: !hasAwaiters && "JavaScriptCore does not know them" },
  async () => {
    const fail = python.exec("import asyncio\nasync def fail():\n  await asyncio.sleep(0)\n  raise KeyError('k')\nfail");
    async function inner() {
      await fail();
    }
    async function outer() {
      await inner();
    }
    const error = await assertRejects(outer, PythonError);
    const frames = error.stack!.split("\n").map((line) => /at (?:async )?(\w+)/.exec(line)?.[1]);
    assertEquals(frames.slice(1, 4), ["fail", "inner", "outer"]);
  },
);

test("an error without a cause has no such property, and one that is no group has no errors", () => {
  const plain = assertThrows(() => python.exec("raise KeyError(1)"), PythonError);
  assertEquals(["cause" in plain, "errors" in plain], [false, false]);
  const caused = assertThrows(() => python.exec("raise KeyError(1) from ValueError(2)"), PythonError);
  assertEquals(["cause" in caused, (caused.cause as PythonError).name], [true, "ValueError"]);
});
