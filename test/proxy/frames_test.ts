/**
 * The frame under a call from JavaScript: what Python functions see that look at their caller, and that no traceback
 * shows it.
 */
import { test } from "node:test";
import { attach, kw, python, PythonError, toLoop, toThread, withLoop } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const { builtins } = python;

const py = define(`
import asyncio, collections, enum, gc, inspect, sys, threading, traceback, warnings

def caller(): return sys._getframe(1)
def names(): return [frame.function for frame in inspect.stack()]
def call(f, *args): return f(*args)
def nested(f): return [caller_name(), f(), caller_name()]
def caller_name(): return sys._getframe(2).f_globals["__name__"]
def fail(): raise ValueError("failed")
def catch(f):
    try: f()
    except BaseException as error: return error
def shown(f):
    try: f()
    except BaseException: return traceback.format_exc()
def frames_of(error):
    found, entry = [], error.__traceback__
    while entry: found.append(entry.tb_frame.f_code.co_name); entry = entry.tb_next
    return found

class Caller:
    def __init__(self): self.name = sys._getframe(1).f_globals["__name__"]
    def method(self, *, key=None): return [sys._getframe(1).f_globals["__name__"], key]
    def __getitem__(self, key): return sys._getframe(1).f_globals["__name__"]
    @classmethod
    def made(cls): return sys._getframe(1).f_globals["__name__"]

class Collected:
    "A finalizer that calls JavaScript, which calls Python."
    def __init__(self, f): self.f, self.itself = f, self
    def __del__(self): self.f()

def drop(f): Collected(f)
`);
const main = python.import("__main__");
main.from_main = 5;

test("eval and exec see and change __main__", () => {
  assertEquals(builtins.eval("1 + 1"), 2);
  assertEquals(builtins.eval("from_main + 1"), 6);
  builtins.exec("made_by_exec = from_main * 2");
  assertEquals([main.made_by_exec, python.exec("made_by_exec")], [10, 10]);
  assertEquals(builtins.eval("[n + from_main for n in range(2)]").$toJs(), [5, 6]);
  assertEquals(builtins.eval("name", python.exec("dict(name=3)")), 3);
  builtins.exec("import os as imported_os\ndef made_function(): return from_main");
  assertEquals(main.made_function(), 5);
});

test("globals, locals, vars and dir are __main__'s, without a variable of pyawait's", () => {
  const before = python.exec("sorted(globals())").$toJs() as string[];
  for (const look of [builtins.globals, builtins.locals, builtins.vars]) {
    assertStrictEquals(look(), main.__dict__);
  }
  assertEquals(builtins.dir().$toJs(), before);
  assertEquals(py.caller().f_locals.get("from_main"), 5);
  assertEquals(python.exec("sorted(globals())").$toJs(), before);
});

test("the caller's frame is that of a module, and the last one", () => {
  const frame = py.caller();
  assertEquals([frame.f_code.co_name, frame.f_code.co_filename, frame.f_back, frame.f_lineno], ["<module>", "<javascript>", null, 1]);
  assertStrictEquals(frame.f_globals, main.__dict__);
  assertStrictEquals(python.import("sys")._getframe().f_globals, main.__dict__);
  assertEquals(py.names().$toJs(), ["names", "<module>"]);
  assertEquals(python.import("inspect").stack().$toJs().length, 1);
});

test("methods, classes, items and keyword arguments have it too", () => {
  const made = py.Caller();
  assertEquals([made.name, py.Caller.made(), made.$get(1)], ["__main__", "__main__", "__main__"]);
  assertEquals(made.method(kw({ key: 7 })).$toJs(), ["__main__", 7]);
  assertEquals(py.caller.__call__().f_globals.get("from_main"), 5);
  assertEquals(builtins.map(py.caller_name, [1]).__next__ !== undefined, true);
});

test("what takes its module from its caller is __main__'s", () => {
  const point = py.collections.namedtuple("Point", ["x", "y"]);
  assertEquals([point.__module__, builtins.repr(point(1, 2))], ["__main__", "Point(x=1, y=2)"]);
  const color = py.enum.Enum("Color", ["RED"]);
  assertEquals([color.__module__, builtins.str(color.RED)], ["__main__", "Color.RED"]);
});

test("a warning with a stack level names JavaScript", () => {
  const [message, filename, name] = python.exec(
    `
import warnings
def warned(warn):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn()
    return [str(caught[0].message), caught[0].filename, caught[0].category.__name__]
warned`,
    { globals: {} },
  )(() => py.warnings.warn("careful", kw({ stacklevel: 2 }))).$toJs() as string[];
  assertEquals([message, name], ["careful", "UserWarning"]);
  assert(filename.length > 0);
  const told = python.exec(
    `
import warnings
def old(): warnings.warn("old", DeprecationWarning, stacklevel=2)
caught = []
warnings.showwarning = lambda message, category, filename, line, *rest: caught.append((filename, line))
warnings.simplefilter("always")
(old, caught)`,
    { globals: {} },
  );
  told.$get(0)();
  assertEquals(told.$get(1).$toJs(), [["<javascript>", 1]]);
  python.exec("import importlib, warnings; importlib.reload(warnings)", { globals: {} });
});

test("no traceback shows it", () => {
  const error = assertThrows(() => py.fail(), PythonError);
  assertEquals(py.frames_of(error.exception).$toJs(), ["fail"]);
  assertMatch(
    error.traceback,
    /^Traceback \(most recent call last\):\n {2}File "test_module.py", line \d+, in fail\n[^]*ValueError: failed\n$/,
  );
  assertEquals(/javascript|pyawait/.test(error.traceback + error.stack!.split("\n")[1]), false, error.stack);
  const builtin = assertThrows(() => builtins.int("x"), PythonError);
  assertEquals([builtin.exception.__traceback__, builtin.traceback], [null, "ValueError: invalid literal for int() with base 10: 'x'\n"]);
  const executed = assertThrows(() => python.exec("1 / 0"), PythonError);
  assertEquals(py.frames_of(executed.exception).$toJs(), ["<module>"]);
});

test("an error that crosses several calls has none of their frames", () => {
  const shown = py.shown(() => py.call(() => py.fail()));
  assertEquals(shown.includes("<javascript>"), false, shown);
  assertMatch(shown, /in shown[^]*in call[^]*in fail/);
  const caught = py.catch(() => py.fail());
  assertEquals((py.frames_of(caught).$toJs() as string[]).filter((name) => name === "<module>"), []);
});

test("calls within calls each have their own", () => {
  assertEquals(py.nested(() => builtins.eval("from_main")).$toJs(), ["__main__", 5, "__main__"]);
  const deep = (left: number): number => left === 0 ? builtins.eval("from_main") : py.call(() => deep(left - 1)) + 1;
  assertEquals(deep(20), 25);
  assertEquals(deep(20), 25);
  assertEquals(attach(() => py.call(() => builtins.eval("from_main"))), 5);
});

test("a finalizer that calls JavaScript between a call and its frame does not mix them up", () => {
  let collected = 0;
  const finalizer = () => {
    collected++;
    assertEquals(builtins.max(collected, -1), collected);
  };
  py.gc.set_threshold(5);
  try {
    for (let i = 0; i < 300; i++) {
      py.drop(finalizer);
      assertEquals(builtins.divmod(i, 7).$toJs(), [Math.floor(i / 7), i % 7]);
    }
    py.gc.collect();
    assertEquals(collected, 300);
  } finally {
    py.gc.set_threshold(700);
  }
});

test("a tracer that calls JavaScript does not mix them up", () => {
  let traced = 0;
  const trace = python.exec("def tracer(f):\n  def trace(frame, event, arg): f()\n  return trace\ntracer", { globals: {} })(() => {
    traced++;
    builtins.abs(-traced);
  });
  const sys = python.import("sys");
  sys.setprofile(trace);
  const results = [1, 2, 3].map((n) => builtins.pow(n, 2));
  sys.setprofile(null);
  assertEquals(results, [1, 4, 9]);
  assert(traced >= 3, String(traced));
});

test("calls on the loop's thread and on others have it", async () => {
  assertEquals(await toLoop(builtins.eval, ["from_main"]), 5);
  assertEquals(await toThread(builtins.eval, ["from_main"]), 5);
  assertEquals(withLoop(() => builtins.eval("from_main")), 5);
  assertEquals(withLoop(() => python.exec("f", { globals: { f: py.caller } })().f_code.co_filename), "<javascript>");
  const error = await assertRejects(() => toLoop(py.fail), PythonError);
  assertEquals(py.frames_of(error.exception).$toJs(), ["fail"]);
  const other = await assertRejects(() => toThread(py.fail), PythonError);
  assertEquals(/<javascript>/.test(other.traceback), false, other.traceback);
});

test("what python.exec runs shows its lines", () => {
  const code = `
    def divide(a):
        return a / 0  # the line
    divide`;
  const first = python.exec(code, { globals: {} }),
    second = python.exec("def divide(a): return 0 // a  # another", { globals: python.exec("dict()") });
  assertEquals(second, null);
  const error = assertThrows(() => first(1), PythonError);
  assertMatch(error.traceback, /File "<exec( \d+)?>", line 3, in divide\n {4}return a \/ 0 {2}# the line\n/);
  assertEquals(python.import("inspect").getsource(first), "def divide(a):\n    return a / 0  # the line\n");
  assertMatch(assertThrows(() => python.exec("nothing_there  # here"), PythonError).traceback, /nothing_there {2}# here/);
  const named = assertThrows(() => python.exec("\n1 / 0  # named", { filename: "named_source.py" }), PythonError);
  assertMatch(named.traceback, /File "named_source.py", line 2, in <module>\n {4}1 \/ 0 {2}# named/);
});

test("an error in code that awaits shows its line", async () => {
  const error = await assertRejects(() => python.execAsync("import asyncio\nawait asyncio.sleep(0)\nwrong  # here"), PythonError);
  assertMatch(error.traceback, /line 3, in <module>\n {4}wrong {2}# here/);
});

test("lines of code that has run are not kept without limit", () => {
  const cache = python.import("linecache").cache, before = builtins.len(cache);
  for (let i = 0; i < 50; i++) python.exec(`${i} + 1`);
  assertEquals(builtins.len(cache), before);
  for (let i = 0; i < 600; i++) python.exec(`def kept_${i % 10}(): return ${i}`);
  assert(builtins.len(cache) <= before + 500, String(builtins.len(cache)));
  python.exec(`def large(): return ${"1 + ".repeat(10)} 0 ${" ".repeat(5_000_000)}`);
  assert(builtins.len(cache) <= before + 1, String(builtins.len(cache)));
  assertEquals(python.exec("kept_9()"), 599);
});

test("a name that is not defined is a NameError, whatever the frame has", () => {
  for (const name of ["operand", "function", "args", "kwargs"]) {
    assertEquals(assertThrows(() => builtins.eval(name), PythonError).name, "NameError");
  }
});
