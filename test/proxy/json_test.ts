/**
 * `toJson`, and `JSON.stringify` of Python objects, which writes the same: what a web API would send, and an error instead
 * of a loss.
 */
import { test } from "node:test";
import { python, PythonError, registerConverter, toJs, toJson, toPy } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "#std/assert";

const { builtins } = python;
const globals = python.exec(
  "import array, collections, dataclasses, datetime, decimal, enum, pathlib, sqlite3, time, typing, types, urllib.parse, uuid\nglobals()",
  { globals: {} },
);
const py = (code: string) => python.exec(code, { globals });
const json = (code: string) => JSON.stringify(py(code));

test("JSON.stringify writes plain data, and what toJson gives", () => {
  assertEquals(json("{'a': [1, (2.5, None)], 'b': True}"), '{"a":[1,[2.5,null]],"b":true}');
  assertEquals(JSON.stringify({ list: py("[1]") }), '{"list":[1]}');
  assertEquals(toJson(py("{'a': [1, (2.5, None)], '__proto__': {}}")), JSON.parse('{"a":[1,[2.5,null]],"__proto__":{}}'));
  assertEquals(
    json("[2**53 - 1, -2**53 + 1, 2**53, -2**70, 0.5, -0.0]"),
    '[9007199254740991,-9007199254740991,"9007199254740992","-1180591620717411303424",0.5,0]',
  );
  assertEquals(json("[float('nan'), float('inf'), -float('inf')]"), "[null,null,null]");
  assertEquals(json("['é', '\\ud83d', '😀', 'a\\0']"), JSON.stringify(["é", "\ud83d", "😀", "a\0"]));
  assertEquals(json("[]"), "[]");
  const own = py("class Own:\n  def toJSON(self, key=None): return 'mine'\nOwn()");
  assertEquals(JSON.stringify(own), '"mine"');
});

test("dates and times, numbers, paths, enums", () => {
  const cases: [code: string, text: string][] = [
    ["datetime.datetime(2026, 1, 2, 3, 4, 5)", '"2026-01-02T03:04:05"'],
    ["datetime.datetime(2026, 1, 2, 3, 4, 5, 6)", '"2026-01-02T03:04:05.000006"'],
    ["datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)", '"2026-01-02T03:04:05.000Z"'],
    ["datetime.datetime(2026, 1, 2, 3, 4, 5, 6, datetime.timezone.utc)", '"2026-01-02T03:04:05.000006Z"'],
    ["datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))", '"2026-01-02T01:00:00.000Z"'],
    ["datetime.date(2026, 1, 2)", '"2026-01-02"'],
    ["datetime.time(3, 4, 5)", '"03:04:05"'],
    ["datetime.timedelta(minutes=1, milliseconds=500)", "60.5"],
    ["decimal.Decimal('1.50')", '"1.50"'],
    ["uuid.UUID(int=1)", '"00000000-0000-0000-0000-000000000001"'],
    ["pathlib.PurePosixPath('/a/b')", '"/a/b"'],
    ["urllib.parse.urlparse('http://a/b?c=d')", '"http://a/b?c=d"'],
    ["enum.Enum('Plain', {'A': 1}).A", "1"],
    ["enum.IntEnum('Int', {'A': 7}).A", "7"],
    ["enum.Enum('Text', {'A': 'a'}, type=str).A", '"a"'],
    ["enum.Enum('Deep', {'A': (1, decimal.Decimal(2))}).A", '[1,"2"]'],
    ["type('Sub', (int,), {})(5)", "5"],
    ["type('Sub', (int,), {})(2**60)", '"1152921504606846976"'],
    ["type('Sub', (str,), {'__str__': lambda self: 'no'})('text')", '"text"'],
    ["type('Sub', (float,), {})('nan')", "null"],
  ];
  for (const [code, text] of cases) {
    assertEquals(JSON.stringify(toJson(py(code))), text, code);
    assertEquals(json(`[{'deep': ${code}}]`), `[{"deep":${text}}]`, code);
  }
});

test("models and rows are objects", () => {
  py(`
@dataclasses.dataclass
class Point:
    x: int
    y: object = None
    kind: typing.ClassVar = "point"
Named = collections.namedtuple("Named", "a b")
db = sqlite3.connect(":memory:")
db.row_factory = sqlite3.Row
db.execute("create table t (id integer, name text, data blob)")
db.executemany("insert into t values (?, ?, ?)", [(1, "Ada", b"x"), (2, None, b"\\xff")])
class Attrs:  # as attrs' classes
    __attrs_attrs__ = [types.SimpleNamespace(name="size")]
    size = {1}
class Model:  # as pydantic's
    model_fields = {}
    def model_dump(self, by_alias): return {"price": decimal.Decimal("9.90"), "byAlias": by_alias}
`);
  assertEquals(json("Point(1, [Point(2)])"), '{"x":1,"y":[{"x":2,"y":null}]}');
  assertEquals(json("[Named(1, Named(2, 3))]"), '[{"a":1,"b":{"a":2,"b":3}}]');
  assertEquals(
    json("db.execute('select id, name, data from t').fetchall()"),
    '[{"id":1,"name":"Ada","data":"x"},{"id":2,"name":null,"data":"/w=="}]',
  );
  assertEquals(json("[Attrs(), Model()]"), '[{"size":[1]},{"price":"9.90","byAlias":true}]');
});

test("containers of every kind", () => {
  const cases: [code: string, text: string][] = [
    ["range(3)", "[0,1,2]"],
    ["[{'a': 1}.keys(), {'a': 1}.values(), {'a': 1}.items()]", '[["a"],[1],[["a",1]]]'],
    ["collections.deque([1, (2,)])", "[1,[2]]"],
    ["[{1}, frozenset('a')]", '[[1],["a"]]'],
    ["[b'text', b'\\xff\\xfe', bytearray(b'b'), memoryview(b'm')]", '["text","//4=","b","m"]'],
    ["[array.array('d', [0.5]), memoryview(array.array('i', [1, 2]))]", "[[0.5],[1,2]]"],
    ["collections.OrderedDict([('b', 1), ('a', 2)])", '{"b":1,"a":2}'],
    ["collections.defaultdict(list, a=[1])", '{"a":[1]}'],
    ["collections.ChainMap({'a': 1}, {'b': 2})", '{"b":2,"a":1}'],
    ["types.MappingProxyType({'a': {1}})", '{"a":[1]}'],
    ["[collections.UserList([1]), collections.UserDict(a=1), collections.UserString('u')]", '[[1],{"a":1},"u"]'],
    ["type('List', (list,), {'__iter__': None})([1])", "[1]"],
    ["time.gmtime(0)[:3]", "[1970,1,1]"],
  ];
  for (const [code, text] of cases) assertEquals(json(code), text, code);
});

test("keys are text, and none is lost", () => {
  const keys = "{1: 1, None: 2, False: 3, 1.5: 4, 2.0: 5, decimal.Decimal('0.1'): 6, datetime.date(2026, 1, 2): 7, (1, 'a'): 8, b'b': 9}";
  assertEquals(
    json(keys),
    `{"1":1,"null":2,"false":3,"1.5":4,"2.0":5,"0.1":6,"2026-01-02":7,"(1, 'a')":8,"b":9}`,
  );
  assertEquals(json("{'a': {1: {2: 3}}}"), '{"a":{"1":{"2":3}}}');
  for (const code of ["{1: 'a', '1': 'b'}", "[{None: 1, 'null': 2}]", "{'x': {True: 1, 'true': 2}}"]) {
    assertThrows(() => json(code), TypeError, "two of its keys");
  }
  assertThrows(() => json("{'\\ud83d\\ude00': 1, '😀': 2}"), TypeError, "two of its keys");
});

test("what is shared is written twice, and a cycle is an error", () => {
  assertEquals(json("(lambda d: [d, d, {'__proto__': d}])({1: 2})"), '[{"1":2},{"1":2},{"__proto__":{"1":2}}]');
  const shared = toJson(py("(lambda d: [d, d])([1])")) as unknown[];
  assertStrictEquals(shared[0], shared[1]);
  const cycles = [
    "(lambda d: [d, d.update({3: d})])({1: 2})",
    "(lambda l: l.append(l) or l)([])",
    "(lambda l: l.append({'a': (l,)}) or l)([])",
    "(lambda d: d.__setattr__('y', [d]) or d)(Point(1))",
    "(lambda q: q.append(q) or q)(collections.deque())",
  ];
  for (const code of cycles) assertThrows(() => json(code), TypeError, "holds itself");
  const own: unknown[] = [], list = builtins.list([1]);
  own.push(list);
  list.append(toPy(own, { depth: 0 }));
  assertThrows(() => toJson(own), TypeError, "holds itself");
  assertThrows(() => toJson(list), TypeError, "holds itself");
  const deep = py("x = []\nfor _ in range(5000): x = [x]\nx");
  assertEquals((assertThrows(() => toJson(deep), PythonError) as PythonError).name, "RecursionError");
});

test("any other object is an error, unless default answers for it", () => {
  for (const code of ["object()", "[len]", "{'a': 1j}", "(x for x in ())", "iter([])", "type", "ValueError('v')", "types", "lambda: 1"]) {
    assertThrows(() => json(code), TypeError, "as JSON", code);
  }
  assertThrows(() => JSON.stringify({ f: builtins.len }), TypeError, "builtin_function_or_method");
  const asked: string[] = [];
  const options = { default: (value: { $type: string }) => (asked.push(value.$type), `<${value.$type}>`) };
  assertEquals(toJson(py("(lambda o: [o, {'a': [o, 1j]}])(object())"), options), ["<object>", { a: ["<object>", "<complex>"] }]);
  assertEquals(asked, ["object", "complex"]);
  assertEquals(toJson(py("[1j]"), { default: (value) => [value.real, py("decimal.Decimal(1)"), undefined] }), [[0, "1", null]]);
  assertThrows(() => toJson(py("[1j]"), { default: (value) => value }), TypeError, "complex");
  assertThrows(() => toJson(py("1j"), { default: 5 as never }), TypeError, "has to be a function");
  const thrown = new Error("default");
  const fails = () => {
    throw thrown;
  };
  assertStrictEquals(assertThrows(() => toJson(py("[1, 1j, [object()]]"), { default: fails })), thrown);
  const remove = registerConverter({ type: builtins.complex, toJs: (value) => ({ re: value.real, im: value.imag }) });
  assertEquals(json("[1j, decimal.Decimal(1)]"), '[{"re":0,"im":1},"1"]');
  remove();
});

test("an object whose own code raises is one that JSON has nothing for", () => {
  py(`
class Broken(dict):
    def items(self): raise KeyError("items")
@dataclasses.dataclass
class Half:
    a: int
    def __getattribute__(self, name):
        if name == "a": raise ValueError("a")
        return object.__getattribute__(self, name)
class Ends(dict):
    def items(self): raise KeyboardInterrupt("now")
`);
  assertEquals(toJson(py("[1, Broken(), Half(1), 2]"), { default: (value) => value.$type }), [1, "Broken", "Half", 2]);
  assertThrows(() => json("[Broken()]"), TypeError, "Broken");
  assertEquals(assertThrows(() => json("[Ends()]"), PythonError).name, "KeyboardInterrupt");
});

test("JavaScript's own values, with Python's in them or in Python's", () => {
  class Point {
    x: number;
    constructor(x: number) {
      this.x = x;
    }
  }
  const moment = new Date(0), list = py("[decimal.Decimal(1)]");
  const value = {
    list,
    map: new Map<unknown, unknown>([[1, list], [list, new Set([list])]]),
    date: moment,
    n: [5n, 2n ** 64n, NaN],
    none: undefined,
  };
  const wanted = {
    list: ["1"],
    map: { "1": ["1"], '["1"]': [["1"]] },
    date: "1970-01-01T00:00:00.000Z",
    n: [5, "18446744073709551616", null],
  };
  assertEquals(toJson(value) as unknown, wanted);
  assertEquals(toJson([new Point(1), new URL("http://a/"), new Uint8Array([97]), new Uint8Array([255]), new Float32Array([0.5])]), [
    { x: 1 },
    "http://a/",
    "a",
    "/w==",
    [0.5],
  ]);
  assertEquals(
    JSON.stringify(builtins.list([toPy({ map: new Map([["a", list]]) }, { depth: 0 }), moment])),
    '[{"map":{"a":["1"]}},"1970-01-01T00:00:00.000Z"]',
  );
  for (const other of [() => 1, Symbol("s"), /x/, new Error("e"), Promise.resolve(1)]) {
    assertThrows(() => toJson([other]), TypeError, "as JSON");
    assertEquals(toJson([other], { default: () => "other" }), ["other"]);
  }
  assertThrows(() => toJson(new Map<unknown, unknown>([[1, "a"], ["1", "b"]])), TypeError, "two of its keys");
  const circular: unknown[] = [];
  circular.push({ circular });
  assertThrows(() => toJson(circular), TypeError, "holds itself");
  assertEquals([toJson(undefined), toJson(null), toJson(1.5), toJson("a"), toJson(true)], [null, null, 1.5, "a", true]);
});

test("nothing is kept of what could not be written, and toJs asks default for no error", () => {
  py("import weakref\nclass Held: pass\nalive = weakref.WeakSet()");
  assertThrows(() => json("held = [Held(), Held()]\nalive.update(held)\n[held[0], {1: 2, '1': held.pop()}]"), TypeError);
  const asked: unknown[] = [];
  const error = assertThrows(() => toJs(py("{1: 2}"), { dict: "object", default: (value) => asked.push(value) }), PythonError);
  assertEquals([error.name, asked], ["TypeError", []]);
  assertInstanceOf((assertThrows(() => json("{1: 'a', '1': 'b'}")) as Error).cause, PythonError);
  assert(py("len(alive)") >= 0);
});
