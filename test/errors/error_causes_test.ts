/**
 * The causes of errors: Python's in JavaScript, JavaScript's in Python, in circles and in long chains, and how the
 * console shows them.
 */
import { test } from "node:test";
import { inspect } from "node:util";
import { python, PythonError, toJs } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { define, isAtLeast, thrownBy } from "../support/define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

const py = define(`
import traceback

class Custom(Exception):
    def __init__(self, code): super().__init__("code %d" % code); self.code = code

def raise_it(error): raise error
def raise_value(): raise ValueError("value")

def with_cause():
    try: raise_value()
    except ValueError as error: raise Custom(7) from error

def with_context():
    try: raise_value()
    except ValueError: raise Custom(8)

def without_context():
    try: raise_value()
    except ValueError: raise Custom(9) from None

def chain(f):
    try: f()
    except Exception as error:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return [type(error.__cause__).__name__, error.__suppress_context__, "ZeroDivisionError" in text]

def causes(f):
    try: f()
    except Exception as error:
        names = []
        while error is not None and len(names) < 10:
            names.append(error.message)
            error = error.__cause__
        return names

def catch(f):
    try: return f()
    except BaseException as error: return error
`);

const raised = (fn: () => unknown) => assertThrows(fn, PythonError) as PythonError;
const thrower = (error: unknown) => () => {
  throw error;
};

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

test("an error without a cause has no such property, and one that is no group has no errors", () => {
  const plain = assertThrows(() => python.exec("raise KeyError(1)"), PythonError);
  assertEquals(["cause" in plain, "errors" in plain], [false, false]);
  const caused = assertThrows(() => python.exec("raise KeyError(1) from ValueError(2)"), PythonError);
  assertEquals(["cause" in caused, (caused.cause as PythonError).name], [true, "ValueError"]);
});

test("the cause of a JavaScript error is its cause in Python", () => {
  const pythonError = thrownBy(() => python.exec("1 / 0"));
  const outer = (cause: unknown) => () => {
    throw new Error("outer", { cause });
  };
  assertEquals(py.chain(outer(pythonError)).$toJs(), ["ZeroDivisionError", true, true]);
  assertEquals(py.chain(outer(new TypeError("inner"))).$toJs(), ["JsException", true, false]);
  assertEquals(py.chain(outer("text")).$toJs(), ["NoneType", false, false]);
  const itself = new Error("itself"), inner = new TypeError("inner");
  itself.cause = itself;
  assertEquals(python.exec("x.__cause__", { globals: { x: itself } }), null);
  assertStrictEquals(python.exec("x.__cause__", { globals: { x: new Error("outer", { cause: inner }) } }), inner);
});

test("a JavaScript error whose cause is Python's, and the other way round", () => {
  const exception = py.Custom(1), cause = raised(() => py.raise_it(exception));
  const outer = new Error("outer", { cause });
  const caught = py.catch(thrower(outer));
  assertStrictEquals(caught, outer);
  assertEquals(python.exec("e.value.cause is c", { globals: { e: outer, c: exception } }), true);
  const chain = raised(() => python.exec("try: f()\nexcept BaseException: raise KeyError(1)", { globals: { f: thrower(outer) } }));
  assertStrictEquals(chain.cause, outer);
  assertStrictEquals((chain.cause as Error).cause, cause);
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

test("errors are looked through one by one: a long chain of causes costs no more for each", () => {
  const error = thrownBy(() =>
    python.exec(`
error = None
for i in range(3000):
    try: raise ValueError(i) from error
    except ValueError as caught: error = caught
raise error`)
  );
  let length = 0;
  for (let at: Value = error; at; at = at.cause) length++;
  assertEquals(length, 3000);
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
