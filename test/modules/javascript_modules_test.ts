/**
 * JavaScript modules in Python: registered, imported in every way, replaced and taken away.
 */
import path from "node:path";
import { test } from "node:test";
import { asyncDef, python, PythonError, registerJsModule, toJs, toThread, unregisterJsModule } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const py = define(`
import importlib, inspect, sys

def run(code):
    names = {"__name__": "importer"}
    exec(code, names)
    return names.get("result")

def signature(function): return str(inspect.signature(function))
is_async = inspect.iscoroutinefunction
def loaded(name): return name in sys.modules
`);

class Point {
  readonly x: number;
  readonly y: number;
  constructor(x: number, y = 0) {
    this.x = x;
    this.y = y;
  }
  norm() {
    return Math.hypot(this.x, this.y);
  }
  static origin() {
    return new Point(0);
  }
}

const shapes = {
  __doc__: "Shapes of all kinds.",
  add: (a: number, b: number) => a + b,
  async js_sleep(ms: number) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return ms;
  },
  Point,
  PI: 3.25,
  names: ["a", "b"],
  nothing: null,
  nested: { f: () => "nested", deeper: { value: 42 } },
  _private: "not for all",
};

/** Runs Python that ends by setting `result`. */
const result = (code: string) => toJs(py.run(code));
const errorOf = (fn: () => unknown) => {
  const error = assertThrows(fn, PythonError) as PythonError;
  return [error.name, error.message];
};

test("functions, async functions, classes and constants", async () => {
  registerJsModule("shapes", shapes);
  assertEquals(result("import shapes\nresult = [shapes.add(1, 2), shapes.PI, shapes.names, shapes.nothing, shapes._private]"), [
    3,
    3.25,
    ["a", "b"],
    null,
    "not for all",
  ]);
  assertEquals(result("from shapes import Point\np = Point(3, 4)\nresult = [p.x, p.norm(), Point.origin().y, isinstance(p, Point)]"), [
    3,
    5,
    0,
    true,
  ]);
  assertStrictEquals(result("from shapes import Point as result"), Point);
  assertStrictEquals(result("import shapes\nresult = shapes.add"), shapes.add);
  const globals = python.builtins.dict();
  assertEquals(await python.execAsync("from shapes import js_sleep\nawait js_sleep(1)", { globals }), 1);
  assertEquals(await toThread(python.exec("import asyncio\nlambda: asyncio.run(__import__('shapes').js_sleep(2))")), 2);
});

test("nested names are submodules and attributes", () => {
  registerJsModule("shapes", shapes);
  assertEquals(result("import shapes\nresult = [shapes.nested.f(), shapes.nested.deeper.value]"), ["nested", 42]);
  assertEquals(result("import shapes.nested.deeper as d\nresult = d.value"), 42);
  assertEquals(result("from shapes.nested import f, deeper\nresult = [f(), deeper.value, deeper.__name__]"), [
    "nested",
    42,
    "shapes.nested.deeper",
  ]);
  registerJsModule("outer_of.inner", { value: 1 });
  assertEquals(result("import outer_of.inner\nfrom outer_of import inner\nresult = [inner.value, outer_of.inner.value]"), [1, 1]);
  registerJsModule("outer_of.other", { value: 2 });
  assertEquals(result("from outer_of import inner, other\nresult = [inner.value, other.value]"), [1, 2]);
});

test("a submodule of a module that is Python's own", () => {
  registerJsModule("json.from_js", { parse: JSON.parse });
  assertEquals(result("from json.from_js import parse\nimport json\nresult = [parse('[1]')[0], json.dumps([1])]"), [1, "[1]"]);
  unregisterJsModule("json.from_js");
  assertEquals(errorOf(() => result("import json.from_js"))[0], "ModuleNotFoundError");
});

test("what Python's tools say of it", () => {
  registerJsModule("shapes", shapes);
  const module = python.import("shapes");
  assertEquals([module.__doc__, module.__name__, String(module)], ["Shapes of all kinds.", "shapes", "<module 'shapes' (javascript)>"]);
  assertEquals([module.__spec__.name, module.__spec__.origin, module.__package__], ["shapes", "javascript", "shapes"]);
  const names = toJs(python.builtins.dir(module)) as string[];
  assertEquals(Object.keys(shapes).filter((name) => !names.includes(name)), []);
  assertEquals((toJs(module.__all__) as string[]).sort(), ["PI", "Point", "add", "js_sleep", "names", "nested", "nothing"]);
  assertEquals(
    result("import shapes\nresult = [shapes.add.__name__, shapes.js_sleep.__name__, shapes.js_sleep.__module__, shapes.Point.__name__]"),
    ["add", "js_sleep", "shapes", "Point"],
  );
  registerJsModule("undocumented", {});
  assertEquals(python.import("undocumented").__doc__, null);
});

test("inspect.signature and iscoroutinefunction, where the source tells", () => {
  registerJsModule("signed", {
    plain(a: number, b: number) {
      return a + b;
    },
    rest: (first: number, ...others: number[]) => first + others.length,
    optional(a: number, b = [1, 2], c = "x,y)") {
      return [a, b, c];
    },
    none: () => 0,
    async later(ms: number, { signal }: { signal?: AbortSignal } = {}) {
      return await Promise.resolve([ms, signal]);
    },
    single: async (x: number) => await x,
    marked: asyncDef((a: number) => Promise.resolve(a)),
    Point,
    native: Math.max,
  });
  const signed = python.import("signed");
  const signatures = Object.fromEntries(
    ["plain", "rest", "optional", "none", "later", "single", "marked", "Point", "native"].map((name) => [name, py.signature(signed[name])]),
  );
  assertEquals(signatures, {
    plain: "(a, b, /)",
    rest: "(first, /, *others)",
    optional: "(a, b=None, c=None, /)",
    none: "()",
    later: "(ms, arg1=None, /)",
    single: "(x, /)",
    marked: "(a, /)",
    Point: "(x, y=None, /)",
    native: "(arg0, arg1, /)",
  });
  assertEquals(["plain", "later", "single", "marked"].map((name) => py.is_async(signed[name])), [false, true, true, true]);
});

test("star import takes what does not begin with an underscore, or what __all__ says", () => {
  registerJsModule("shapes", shapes);
  assertEquals(result("from shapes import *\nresult = [add(1, 1), PI, nested.f(), '_private' in globals()]"), [2, 3.25, "nested", false]);
  registerJsModule("chosen", { __all__: ["a"], a: 1, b: 2 });
  assertEquals(result("from chosen import *\nresult = [a, 'b' in globals()]"), [1, false]);
});

test("registering a known name replaces its contents in place", () => {
  registerJsModule("replaced", { old: 1, both: 1, __doc__: "first", inner: { value: 1 }, gone: { value: 1 } });
  const module = python.import("replaced"), { inner } = module;
  registerJsModule("replaced", { both: 2, added: 2, inner: { value: 2 } });
  assertStrictEquals(python.import("replaced"), module);
  assertStrictEquals(module.inner, inner);
  assertEquals([module.both, module.added, inner.value, module.__doc__], [2, 2, 2, null]);
  assertEquals(["old" in module, "gone" in module, py.loaded("replaced.gone")], [false, false, false]);
  assertEquals(toJs(module.__all__), ["both", "added", "inner"]);
});

test("a submodule that was registered by itself stays when its parent is registered again", () => {
  registerJsModule("again.inner", { value: 1 });
  registerJsModule("again.replaced", { value: 1 });
  for (const text of ["first", "second"]) {
    registerJsModule("again", { text, replaced: { text } });
    const code =
      "import again.inner\nfrom again import text, inner, replaced\nresult = [text, inner.value, again.inner.value, replaced.text]";
    assertEquals(result(code), [text, 1, 1, text]);
  }
  const circular: Record<string, unknown> = {};
  circular.replaced = circular.inner = circular;
  for (let round = 0; round < 2; round++) {
    registerJsModule("again", circular);
    assertEquals(result("import again.inner, again.replaced\nresult = again.inner.replaced is again"), true);
  }
  registerJsModule("again", { inner: { value: 2 } });
  assertEquals(result("import again.inner\nresult = [again.inner.value, again.inner is again, hasattr(again, 'replaced')]"), [
    2,
    false,
    false,
  ]);
  assertEquals(unregisterJsModule("again"), true);
  assertEquals(["again", "again.inner", "again.replaced"].map((name) => py.loaded(name)), [false, false, false]);
});

test("importlib.reload gives what is registered", () => {
  registerJsModule("reloaded", { value: 1 });
  const module = python.import("reloaded");
  module.value = "changed by Python";
  module.extra = "of Python's";
  assertStrictEquals(py.importlib.reload(module), module);
  assertEquals([module.value, "extra" in module], [1, false]);
});

test("unregisterJsModule takes it away; what was imported stays", () => {
  registerJsModule("leaving", { value: 1, nested: { value: 2 } });
  const module = python.import("leaving");
  assertEquals(unregisterJsModule("leaving"), true);
  assertEquals(unregisterJsModule("leaving"), false);
  assertEquals([module.value, py.loaded("leaving"), py.loaded("leaving.nested")], [1, false, false]);
  for (const name of ["leaving", "leaving.nested"]) {
    const [error, message] = errorOf(() => result(`import ${name}`));
    assertEquals([error, message.split("\n")[0]], ["ModuleNotFoundError", "No module named 'leaving'"]);
  }
  registerJsModule("leaving", { value: 3 });
  assertEquals(result("import leaving\nresult = leaving.value"), 3);
  unregisterJsModule("leaving");
  assertEquals(unregisterJsModule("never_registered"), false);
});

test("what is not there is an ImportError, as of any module", () => {
  registerJsModule("shapes", shapes);
  assertEquals(errorOf(() => result("import shapes.nothing_here")), ["ModuleNotFoundError", "No module named 'shapes.nothing_here'"]);
  const [name, message] = errorOf(() => result("from shapes import nothing_here"));
  assertEquals(name, "ImportError");
  assertMatch(message, /cannot import name 'nothing_here' from 'shapes'/);
  assertEquals(errorOf(() => result("import shapes\nshapes.nothing_here")), [
    "AttributeError",
    "module 'shapes' has no attribute 'nothing_here'",
  ]);
});

test("a name of Python's own is covered while it is registered, for new imports only", () => {
  assertEquals(py.loaded("this_one_is_not"), false);
  registerJsModule("colorsys", { mine: true });
  assertEquals(result("import colorsys\nresult = colorsys.mine"), true);
  unregisterJsModule("colorsys");
  assertEquals(result("import colorsys\nresult = colorsys.rgb_to_hsv(0, 0, 0)[0]"), 0);
});

test("a module that Python has imported is set aside, not emptied, and is put back", () => {
  const importer = define(
    "import colorsys, json.decoder, xml.sax\ndef hue(): return colorsys.rgb_to_hsv(0, 1, 0)[0]\ndef parse(): return json.loads('[5]')[0]",
  );
  const [hue, decoder, sax] = [importer.hue(), importer.json.decoder, importer.xml.sax];
  for (const contents of [{ mine: 1 }, { mine: 2 }]) {
    registerJsModule("colorsys", contents);
    registerJsModule("json", { decoder: contents });
    registerJsModule("xml.sax", contents);
    assertEquals(
      result(
        "import colorsys, json, json.decoder, xml.sax\nresult = [colorsys.mine, json.decoder.mine, hasattr(json, 'loads'), xml.sax.mine]",
      ),
      [contents.mine, contents.mine, false, contents.mine],
    );
    assertEquals([importer.hue(), importer.parse()], [hue, 5]);
  }
  for (const name of ["colorsys", "json", "xml.sax"]) assertEquals(unregisterJsModule(name), true);
  assertEquals([importer.hue(), importer.parse()], [hue, 5]);
  for (const name of ["colorsys", "json"]) assertStrictEquals(python.import(name), importer[name]);
  assertStrictEquals(python.import("json.decoder"), decoder);
  assertStrictEquals(result("import xml.sax\nresult = xml.sax"), sax);
});

test("what Python cannot do without is not covered, and a module that is no package gets no submodules", () => {
  for (const name of ["sys", "builtins", "__main__", "pyawait", "sys.inner"]) {
    assertThrows(() => registerJsModule(name, {}), TypeError, "is one that Python cannot do without; take another name");
  }
  assertThrows(() => registerJsModule("colorsys.inner", {}), TypeError, '"colorsys" is a module of Python\'s, but no package');
});

test("what Python has made is an export as it is", () => {
  const math = python.import("math"), list = python.exec("[1, 2]"), dict = python.exec("{'a': 1}");
  registerJsModule("proxied", { math, list, dict, inner: { math } });
  const [math2, list2, dict2, sqrt] = result(
    "from proxied import math, list, dict, inner\nresult = [math, list, dict, inner.math.sqrt(9)]",
  ) as unknown[];
  assertStrictEquals(math2, math);
  assertEquals([list2, dict2, sqrt], [[1, 2], { a: 1 }, 3]);
  assertStrictEquals(python.import("proxied").list, list);
  assertStrictEquals(python.import("proxied").dict, dict);
});

test("bad names and exports are refused, and nothing is registered", () => {
  for (const name of ["", "a-b", "1a", "a..b", ".a", "a.", "a b", "a/b", 5, null, undefined]) {
    assertThrows(() => registerJsModule(name as string, {}), TypeError, "name has to be one that Python can import");
    assertThrows(() => unregisterJsModule(name as string), TypeError, "name has to be one that Python can import");
  }
  for (const name of ["class", "None", "a.import", "async.a"]) {
    assertThrows(
      () => registerJsModule(name, {}),
      TypeError,
      `my.module; "${name.replaceAll(/\ba\b|\./g, "")}" is one of Python's keywords`,
    );
  }
  assertThrows(() => registerJsModule("\ufb01", {}), TypeError, 'Python reads "\ufb01" as "fi"');
  const wrong: [unknown, string][] = [
    ...[null, undefined, 5, "text"].map((value): [unknown, string] => [value, `with ${value}: its exports have to be a plain object`]),
    [Promise.resolve({}), "with a Promise: its exports have to be a plain object or a module's namespace; await it first"],
    [python.import("math"), "import it from Python"],
    [new Map(), "[object Map]"],
    [[1], "[object Array]"],
    [Math, "[object Math]"],
    [new Point(1), "{ ...value }"],
    [Point, "the function Point"],
  ];
  for (const [exports, message] of wrong) assertThrows(() => registerJsModule("refused", exports as object), TypeError, message);
  for (const name of ["__dict__", "__class__", "__name__", "__path__"]) {
    for (const exports of [{ [name]: 5 }, { [name]: {} }, { inner: { [name]: {} } }]) {
      assertThrows(() => registerJsModule("refused", exports), TypeError, `with the export "${name}": every module`);
    }
  }
  assertThrows(() => registerJsModule("refused", { symbol: Symbol("s") }), TypeError, "symbol");
  assertEquals(errorOf(() => result("import refused"))[0], "ModuleNotFoundError");
  registerJsModule("modul_ö", { value: 1 });
  assertEquals(result("import modul_ö\nresult = modul_ö.value"), 1);
});

test("a module's namespace, and the same object nested twice", async () => {
  registerJsModule("query_of_js", await import("node:querystring"));
  assertEquals(
    result("from query_of_js import escape\nimport query_of_js\nresult = [escape('a b'), query_of_js.default.unescape('a%20b')]"),
    ["a%20b", "a b"],
  );
  const namespaces = await import("../support/namespaces.ts");
  registerJsModule("namespaces", namespaces);
  assertEquals(result("import namespaces\nfrom namespaces.nested import define\nresult = [define.__name__, namespaces.own]"), [
    "define",
    5,
  ]);
  assertStrictEquals(result("import namespaces\nresult = namespaces.standard"), Math);
  const shared = { value: 1 };
  registerJsModule("twice", { a: shared, b: { c: shared } });
  assertEquals(result("import twice.b.c\nfrom twice import a, b\nresult = [a.value, b.c.value, a is b.c, a is twice.b.c]"), [
    1,
    1,
    true,
    true,
  ]);
  assert(py.loaded("twice.b.c"));
  registerJsModule("twice", { a: { value: 2 }, b: {} });
  assertEquals(result("import twice\nresult = [twice.a.value, hasattr(twice.b, 'c')]"), [2, false]);
  assertEquals(py.loaded("twice.b.c"), false);
});

test("exports that hold themselves", async () => {
  registerJsModule("path_of_js", await import("node:path")); // its `posix` holds a `posix`
  assertEquals(
    result(`
import path_of_js
from path_of_js import join, posix
from path_of_js.posix import win32
result = [join("a", "b"), posix.join("a", "b"), win32.join("a", "b"), posix.posix is posix, win32.posix is posix]`),
    [path.join("a", "b"), "a/b", "a\\b", true, true],
  );
  const circular: Record<string, unknown> = { value: 1 };
  circular.itself = circular;
  registerJsModule("circular", circular);
  assertEquals(result("import circular.itself\nresult = [circular.itself is circular, circular.itself.value]"), [true, 1]);
  assert(unregisterJsModule("circular"));
  assertEquals([py.loaded("circular"), py.loaded("circular.itself")], [false, false]);
});
