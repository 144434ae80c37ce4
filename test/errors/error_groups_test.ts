/**
 * Groups of errors in both directions, `except*`, and the notes of exceptions.
 */
import { test } from "node:test";
import vm from "node:vm";
import { kw, python, PythonError, toJs } from "../../mod.ts";
import { assertEquals, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { define, isAtLeast, thrownBy } from "../support/define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

const py = define(`
import pyawait

class Custom(Exception): pass
def same(value): return value
def call(f, *args): return f(*args)
def raise_it(error): raise error

def catch(f, kind=BaseException):
    try: return f()
    except kind as error: return error

def noted(f, note):
    try: f()
    except Exception as error:
        error.add_note(note)
        raise

def grouped(function):
    try: function()
    except Exception as error: raise ExceptionGroup("several", [error, KeyError("k")])
`);
const { builtins } = python;
const raised = (fn: () => unknown) => assertThrows(fn, PythonError) as PythonError;
const thrower = (error: unknown) => () => {
  throw error;
};

const noGroups = isAtLeast(3, 11) ? false : "ExceptionGroup and notes need Python 3.11";
if (noGroups) console.log(`skip: ${noGroups}`);

test("an AggregateError is an ExceptionGroup, with members of every kind", { skip: noGroups }, () => {
  const inner = new AggregateError([new RangeError("deep")], "inner"), exception = builtins.KeyError("k");
  const pythonError = raised(() => py.raise_it(exception));
  const group = new AggregateError([new TypeError("t"), inner, pythonError, "text", null, Object.create(null)], "several");
  const error = py.catch(thrower(group));
  assertEquals(
    python.exec(
      "[isinstance(e, ExceptionGroup), type(e).__mro__[1].__name__, str(e.message), len(e.exceptions), e.exceptions[2] is k, str(e.exceptions[0]), [str(x) for x in e.exceptions[1].exceptions]]",
      { globals: { e: error, k: exception } },
    ).$toJs(),
    [true, "JsException", "several", 6, true, "TypeError: t", ["RangeError: deep"]],
  );
  assertStrictEquals(assertThrows(() => py.raise_it(error)), group);
  assertStrictEquals(py.call(() => group), group);
  const [, , third, fourth] = toJs(python.exec("list(e.exceptions)", { globals: { e: group } })) as Value[];
  assertStrictEquals(third, exception);
  assertEquals(fourth.message, "text");
  assertEquals(python.exec("isinstance(e, ExceptionGroup)", { globals: { e: new AggregateError([]) } }), false);
});

test("except* splits an AggregateError, and what is left over keeps JavaScript's errors", { skip: noGroups }, () => {
  const first = new RangeError("first"), second = new TypeError("second");
  const code = `
    import pyawait
    caught = []
    try: f()
    except* pyawait.JsException as group: caught.extend(group.exceptions)
    caught`;
  const caught = toJs(python.exec(code, { globals: { f: thrower(new AggregateError([first, second], "both")) } })) as unknown[];
  assertStrictEquals(caught[0], first);
  assertStrictEquals(caught[1], second);
  const mixed = new AggregateError([first, raised(() => py.raise_it(builtins.KeyError(1)))], "mixed");
  const left = raised(() => python.exec("try: f()\nexcept* KeyError: pass", { globals: { f: thrower(mixed) } }));
  assertEquals([left.name, left.message, left.errors?.length], ["ExceptionGroup", "mixed (1 sub-exception)", 1]);
  assertStrictEquals(left.errors![0], first);
});

test("groups that cannot be one: circular, of KeyboardInterrupt, with a getter that throws", () => {
  const circular = new AggregateError([new Error("a")], "circular");
  circular.errors.push(circular);
  const fatal = new AggregateError([raised(() => py.raise_it(builtins.KeyboardInterrupt())), new Error("a")], "fatal");
  const hostile = Object.defineProperty(new AggregateError([], "hostile"), "errors", { get: thrower(new Error("getter")) });
  const silent = Object.defineProperties(new Error("silent"), { stack: { get: thrower(1) }, message: { get: thrower(2) } });
  const odd = new Proxy(new Error("proxy"), { getPrototypeOf: thrower(new Error("trap")) as never });
  for (const error of [circular, fatal, hostile, silent]) {
    assertStrictEquals(assertThrows(() => py.call(thrower(error))), error);
    assertStrictEquals(py.same(error), error);
    assertEquals(builtins.isinstance(error, py.pyawait.JsException), true);
  }
  assertThrows(() => py.call(thrower(odd))); // no crash
  assertEquals(py.call(() => 1), 1);
});

test("an ExceptionGroup of Python's keeps what both sides put into it", { skip: noGroups }, () => {
  const own = new RangeError("own"), exception = py.Custom("python");
  const group = raised(() =>
    python.exec("raise ExceptionGroup('g', [a, b, ExceptionGroup('h', [a])])", { globals: { a: own, b: exception } })
  );
  assertStrictEquals(group.errors![0], own);
  assertStrictEquals((group.errors![1] as PythonError).exception, exception);
  assertStrictEquals((group.errors![2] as PythonError).errors![0], own);
  assertStrictEquals(py.catch(thrower(group)), group.exception);
  assertStringIncludes(group.traceback, "RangeError: own");
  const base = raised(() => python.exec("raise BaseExceptionGroup('b', [KeyboardInterrupt()])"));
  assertEquals([base.name, (base.errors![0] as PythonError).name], ["BaseExceptionGroup", "KeyboardInterrupt"]);
});

test("the errors of an ExceptionGroup", { skip: noGroups }, async () => {
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

test("the members of a group", { skip: noGroups }, () => {
  assertStrictEquals(thrownBy(() => py.grouped(thrower("text"))).errors[0], "text");
  const foreign = vm.runInThisContext("new RangeError('foreign')");
  const group = new (class Several extends AggregateError {
    override name = "Several";
  })([foreign, new Error("own")], "both");
  const members = python.exec("def f(g):\n  try: g()\n  except Exception as e: return e.exceptions\nf")(thrower(group));
  assertStrictEquals(thrownBy(() => py.call(python.exec("def f(e): raise e\nf"), members[0])), foreign);
});

test("notes", { skip: noGroups }, () => {
  const error = raised(() => py.noted(() => py.raise_it(py.Custom("c")), "a note"));
  assertEquals(toJs(error.exception.__notes__), ["a note"]);
  assertStringIncludes(error.traceback, "\na note\n");
  const thrown = new Error("JavaScript's");
  assertStrictEquals(assertThrows(() => py.noted(thrower(thrown), "a note")), thrown);
  const outer = raised(() =>
    python.exec("try: noted(f, 'seen')\nexcept Exception as e: raise Custom() from e", {
      globals: builtins.dict(py.__dict__, kw({ f: thrower(thrown) })),
    })
  );
  assertStringIncludes(outer.traceback, "\nseen\n");
  assertStrictEquals(outer.cause, thrown);
});
