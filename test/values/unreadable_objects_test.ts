/**
 * Objects whose own code raises while they are looked at or copied: each stays a proxy, and nothing else is lost by it.
 */
import { test } from "node:test";
import { kw, PyProxy, python, PythonError, registerConverter, toJs } from "../../mod.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "#std/assert";

const names = python.exec(
  `
import collections, datetime, decimal, weakref

class Zone(datetime.tzinfo):
    def utcoffset(self, moment): raise ValueError("zone")
class NoDate(datetime.datetime):  # as pandas' NaT
    def utcoffset(self): raise ValueError("NaTType does not support utcoffset")
class Raises(dict):
    def items(self):
        yield "a", [object(), {"b": object()}]
        raise KeyError("items")
class NoItems(dict):
    def items(self): raise OSError("no items")
class NoPairs(dict):
    def items(self): return [1]
class Endless(dict):
    def items(self): return self.items()
class Once(dict):
    asked = 0
    def items(self):
        self.asked += 1
        if self.asked > 1: raise ValueError("once")
        return dict.items(self)
class NoKeys(collections.OrderedDict):
    def keys(self): raise ValueError("keys")
    def __iter__(self): raise ValueError("iter")
    def __len__(self): raise ValueError("len")
    def __getitem__(self, key): raise ValueError("item")
class Iterated(set):
    def __iter__(self):
        yield 1
        raise OSError("iter")
class Listed(list):
    def __iter__(self): raise ValueError("iter")
    def __len__(self): raise ValueError("len")
    def __getitem__(self, index): raise ValueError("item")
class Classless:
    @property
    def __class__(self): raise RuntimeError("class")
    def __getattr__(self, name): raise RuntimeError(name)
    def __len__(self): raise RuntimeError("len")
    def __iter__(self): raise RuntimeError("iter")
    def __eq__(self, other): raise RuntimeError("eq")
    __hash__ = None
class Meta(type):
    def __getattribute__(cls, name): raise RuntimeError(name)
    def __subclasscheck__(cls, other): raise RuntimeError("subclass")
    def __instancecheck__(cls, other): raise RuntimeError("instance")
    def __eq__(cls, other): raise RuntimeError("eq")
    def __hash__(cls): raise RuntimeError("hash")
class Unknown(metaclass=Meta): pass
globals()
`,
  { globals: {} },
);
const py = (code: string): unknown => python.exec(code, { globals: names });
const copy = (code: string): unknown => toJs(py(code));

const unreadable = [
  "datetime.datetime(2026, 1, 1, tzinfo=Zone())",
  "NoDate(2026, 1, 1)",
  "Raises(a=1)",
  "NoItems(a=1)",
  "NoPairs(a=1)",
  "Endless(a=1)",
  "Once({'\\ud800': 1})",
  "Iterated([1])",
  "Classless()",
  "Unknown()",
];

test("an object whose own code raises stays a proxy, alone and among others", () => {
  for (const code of unreadable) {
    const made = `value = ${code}\n`;
    const alone = toJs(py(`${made}value`));
    assert(alone instanceof PyProxy, code);
    const list = copy(`${made}shared = [1]\n[shared, value, {'x': value, 'y': (value, shared)}, shared, 'end']`) as unknown[];
    const inner = list[2] as { x: unknown; y: unknown[] };
    assert(list[1] instanceof PyProxy, code);
    for (const each of [inner.x, inner.y[0]]) assertStrictEquals(each, list[1], code);
    assertEquals([list[0], list[3], list[4]], [[1], [1], "end"], code);
    assertStrictEquals(inner.y[1], list[0], code);
    assertStrictEquals(list[3], list[0], code);
  }
});

test("a container in which one is stays a copy, and cycles through one are kept", () => {
  const circular = copy("value = Raises(a=1)\nlist_ = [1, value]\nvalue.list = list_\nlist_.append(list_)\n{'list': list_}") as {
    list: [number, PyProxy, unknown];
  };
  assertStrictEquals(circular.list[2], circular.list);
  assertEquals([circular.list[0], circular.list[1].$type], [1, "Raises"]);
  const [outer] = copy("class Nest(dict):\n  def items(self): yield 'a', Nest2()\nclass Nest2(Raises): pass\n[Nest()]") as [
    { a: PyProxy },
  ];
  assertEquals(outer.a.$type, "Nest2");
});

test("what a container does not need of its own code is not asked for", () => {
  assertEquals(copy("[Listed([1, 2]), NoKeys(a=1).__class__.__name__]"), [[1, 2], "NoKeys"]);
});

test("default and converters are asked for it, and one that does not fit raises nothing", () => {
  const list = py("[Classless(), NoItems(), decimal.Decimal(1)]");
  const remove = registerConverter({ type: python.import("decimal").Decimal, toJs: String });
  try {
    assertEquals(toJs(list, { default: (proxy) => proxy.$type }), ["Classless", "NoItems", "1"]);
  } finally {
    remove();
  }
});

test("as a result, an argument and an item it is a proxy as well", () => {
  for (const code of unreadable) {
    let seen: unknown;
    const globals = python.builtins.dict(names, kw({ f: (value: unknown) => void (seen = value) }));
    assert(python.exec(`f(${code})\n${code}`, { globals }) instanceof PyProxy, code);
    assert(seen instanceof PyProxy, code);
  }
});

test("nothing that was written before it raised is kept", () => {
  py("class Held: pass\nalive = weakref.WeakSet()");
  py(
    "class Holds(dict):\n  def items(self):\n    held = [Held(), {1: Held()}]\n    alive.update([held[0], held[1][1]])\n" +
      "    yield 'a', held\n    raise ValueError",
  );
  for (let i = 0; i < 3; i++) assert((copy("[Holds(), [Holds()]]") as unknown[])[0] instanceof PyProxy);
  assertEquals(py("__import__('gc').collect()\nlen(alive)"), 0);
});

test("what ends the work, and a lack of memory, are raised: they say nothing about the object", () => {
  for (const name of ["KeyboardInterrupt", "SystemExit", "GeneratorExit", "MemoryError", "__import__('asyncio').CancelledError"]) {
    const code = `class Ends(dict):\n  def items(self): raise ${name}('now')\n[1, [Ends()]]`;
    const error = assertThrows(() => copy(code), PythonError);
    assertEquals([error.name, error.message], [name.split(".").pop(), "now"]);
  }
  assertThrows(() => toJs(py("[Raises(), {1: 2}]"), { dict: "object" }), PythonError, "not a str"); // by contract
});

test("a class that was made where no module has a name is one like any other", () => {
  const made = python.exec("type('Made', (), {'__call__': lambda self: 5, '__iter__': lambda self: iter([1])})()", { globals: {} });
  assertEquals([made(), [...made]], [5, [1]]);
});
