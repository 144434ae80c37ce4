/**
 * Python's exceptions in JavaScript: the name, message, stack and traceback of a PythonError.
 */
import { test } from "node:test";
import { inspect } from "node:util";
import { intoPromise, python, PythonError, toJs, toLoop } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "#std/assert";
import { define, thrownBy } from "../support/define.ts";

const { builtins } = python;

const py = define(`
import asyncio

class Custom(Exception):
    def __init__(self, code): super().__init__("code %d" % code); self.code = code

class Unprintable(Exception):
    def __str__(self): raise RuntimeError("no str")

class Falsy(Exception):
    def __len__(self): return 0

class Meta(type):
    @property
    def __name__(cls): raise KeyboardInterrupt

class Unnamed(Exception, metaclass=Meta): pass

class Rude(Exception):
    def __str__(self): raise SystemExit

class Listing(Exception):
    exceptions = (1, 2)

def raise_it(error): raise error
def raise_value(): raise ValueError("value")
def inner(): raise KeyError("k")
def outer(): inner()
def call(f): return f()

async def outer_async():
    await asyncio.sleep(0)
    await inner_async()

async def inner_async(): raise LookupError("async")
def line(): raise ValueError("here")  # line 36
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

test("exceptions that break when they are looked at keep their names", () => {
  assertEquals(thrownBy(() => python.exec("def f(E): raise E('x')\nf")(py.Rude)).name, "Rude");
  const unnamed = thrownBy(() => python.exec("def f(E): raise E('text')\nf")(py.Unnamed));
  assertEquals([unnamed.name, unnamed.message], ["Unnamed", "text"]);
  const listing = thrownBy(() => python.exec("def f(E): raise E('text')\nf")(py.Listing));
  assertEquals("errors" in listing, false);
  const falsy = thrownBy(() => python.exec("def f(E): raise ValueError() from E('cause')\nf")(py.Falsy));
  assertEquals(falsy.cause.name, "Falsy");
});

test("the stack is Python's frames, innermost first, then JavaScript's", async () => {
  const here = () => py.outer();
  const { stack } = raised(here);
  const lines = stack!.split("\n").map((line) => line.trim());
  assertEquals(lines[0], "KeyError: 'k'");
  assertMatch(lines[1], /^at inner \(test_module\.py:\d+\)$/);
  assertMatch(lines[2], /^at outer \(test_module\.py:\d+\)$/);
  assert(lines.findIndex((line) => line.includes("errors_test")) > 2, stack);
  assertMatch(raised(py.line).stack!, /at line \(test_module\.py:36\)/);
  const between = raised(() => py.call(() => py.outer())).stack!; // Bun knows the C functions
  assert(/\bin inner|\bat inner/.test(between) && !between.includes("pyawait_"), between);
  const error = await assertRejects(() => py.outer_async()) as PythonError;
  const [head, first, second] = error.stack!.split("\n").map((line) => line.trim());
  assertEquals(head, "LookupError: async");
  assertMatch(first, /^at inner_async \(test_module\.py:\d+\)$/);
  assertMatch(second, /^at outer_async \(test_module\.py:\d+\)$/);
  assertStringIncludes(inspect(error), "inner_async");
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
  for (const code of ["await f()", "async with f(): pass", "async for x in f(): pass", "[x async for x in f()]"]) {
    assertStringIncludes(raised(() => python.exec(code)).hint ?? "", "python.execAsync", code);
  }
});

test("errors of Python's imports", () => {
  assertEquals(raised(() => python.import("there_is_no_such_module")).name, "ModuleNotFoundError");
  assertThrows(() => python.import(5 as unknown as string), TypeError, "name of a module");
  assertThrows(() => python.exec(5 as unknown as string), TypeError, "string");
});

test("many errors leave nothing behind", async () => {
  const gc = python.import("gc");
  const alive = () => (gc.collect(), python.exec("import gc\nsum(type(o) is Leaky for o in gc.get_objects())", { globals: py.__dict__ }));
  python.exec("class Leaky(Exception): pass\ndef leak(): raise Leaky(1)", { globals: py.__dict__ });
  const collect = (globalThis as { gc?: () => void }).gc!;
  for (let i = 0; i < 300; i++) raised(py.leak);
  for (let i = 0; i < 300 && alive() > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve));
    collect();
  }
  assert(alive() <= 1, `${alive()} are alive`);
});

test("the stack of a rejected Promise names the functions that await it", async () => {
  const fail = python.exec("import asyncio\nasync def fail():\n  await asyncio.sleep(0)\n  raise KeyError('k')\nfail");
  // JavaScriptCore knows who awaits a Promise of pyawait's, and not who awaits a thenable.
  const starts = "Bun" in globalThis ? [() => intoPromise(fail())] : [() => intoPromise(fail()), fail];
  let start = fail;
  async function inner() {
    await start();
  }
  async function outer() {
    await inner();
  }
  for (start of starts) {
    const error = await assertRejects(outer, PythonError);
    const frames = error.stack!.split("\n").map((line) => /at (?:async )?(\w+)/.exec(line)?.[1]);
    assertEquals(frames.slice(1, 4), ["fail", "inner", "outer"]);
  }
});

test("a hint names what runs on Python's main thread", () => {
  const signal = python.import("signal");
  assertStringIncludes(raised(() => signal.signal(signal.SIGINT, signal.SIG_IGN)).hint!, "await python.importAsync(name)");
  assertStringIncludes(raised(() => py.raise_it(builtins.RuntimeError("only works in the main thread"))).stack!, "await toLoop(fn, args)");
  assertEquals(raised(() => py.raise_it(builtins.ValueError("another"))).hint, undefined);
});

test("a PythonError is made by Python only", () => {
  assertThrows(() => new (PythonError as unknown as { new (text: string): unknown })("x"), TypeError, "Python makes them");
});
