/**
 * What JavaScript throws, as Python sees it: JsException, its name, message, stack and value, and its traceback.
 */
import { test } from "node:test";
import { python, PythonError, toJs } from "../../mod.ts";
import { assertEquals, assertInstanceOf, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const { builtins } = python;

const py = define(`
import pickle, pyawait, traceback

def raise_it(error): raise error
def raise_value(): raise ValueError("value")
def call(f, *args): return f(*args)

def details(f):
    try: f()
    except pyawait.JsException as error:
        return [error.name, error.message, error.stack, str(error), error.value, "".join(traceback.format_exception(type(error), error, error.__traceback__))]

def reraise_bare(error):
    try: raise error
    except Exception as caught: return caught

def is_same(a, b): return a is b

def pickled(f):
    try: f()
    except Exception as error:
        again = pickle.loads(pickle.dumps(error))
        return [type(again).__name__, str(again), again.stack == error.stack, again.value]

def make_proxy(): return pyawait.JsProxy()
def raise_js(*args): raise pyawait.JsException(*args)
`);

const raised = (fn: () => unknown) => assertThrows(fn, PythonError) as PythonError;
const thrower = (error: unknown) => () => {
  throw error;
};

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
  const { JsException, JsProxy } = python.import("pyawait");
  assertEquals(builtins.issubclass(JsException, builtins.Exception), true);
  assertEquals(builtins.isinstance(() => {}, JsProxy), true);
  const kind = python.exec("try: f()\nexcept BaseException as error: kind = type(error).__name__\nkind", {
    globals: { f: thrower(thrown) },
  });
  assertEquals(kind, "JsException");
  assertInstanceOf(assertThrows(() => py.call(() => python.exec("1/0"))), PythonError);
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
