/**
 * `toJson` and `toJs` of what numpy, pandas, pydantic and attrs have. The test installs them into a temporary folder
 * where the Python in use has none.
 */
import { after, test } from "node:test";
import { PyProxy, python, toJs, toJson } from "../../mod.ts";
import { assert, assertEquals, assertThrows } from "#std/assert";
import { providePackages } from "../support/packages.ts";

const { missing, remove } = providePackages("numpy", "pandas", "pydantic", "attrs");
after(remove);
const skip = missing && `NUMPY, PANDAS, PYDANTIC AND ATTRS HAVE NOT BEEN TESTED: ${missing}`;
if (skip) console.log(`skip: ${skip}`);
const globals = skip
  ? undefined
  : python.exec("import attr, datetime, decimal, enum, typing\nimport numpy as np, pandas as pd, pydantic\nglobals()", { globals: {} });
const py = (code: string) => python.exec(code, { globals });
const json = (code: string) => JSON.stringify(toJson(py(code)));

test("numpy: arrays and scalars of every kind", { skip }, () => {
  const cases: [code: string, text: string][] = [
    ["np.array([[1, 2], [3, 4]])", "[[1,2],[3,4]]"],
    ["np.array([0.5, np.nan, np.inf])", "[0.5,null,null]"],
    ["np.array([True, False])", "[true,false]"],
    ["np.array([2**53, 1], 'uint64')", '["9007199254740992",1]'],
    ["np.array(['a', 'b'])", '["a","b"]'],
    ["np.array([b'a'])", '["a"]'],
    ["np.array([1, 'a', None, {1}], object)", '[1,"a",null,[1]]'],
    ["np.array([0.5], 'float16')", "[0.5]"],
    ["np.array([0.5], 'longdouble')", "[0.5]"],
    ["[np.longdouble(0.5), np.float32(0.5), np.int8(1), np.bool_(True), np.str_('s'), np.float64('nan')]", '[0.5,0.5,1,true,"s",null]'],
    ["np.array(['2026-01-02', 'NaT'], 'datetime64[D]')", '["2026-01-02",null]'],
    ["np.array(['2026-01-02T03:04', 'NaT'], 'datetime64[ns]')", '["2026-01-02T03:04:00",null]'],
    [
      "[np.datetime64('2026-01-02T03', 'ns'), np.datetime64('NaT'), np.timedelta64(90, 's'), np.timedelta64(5, 'ms')]",
      '["2026-01-02T03:00:00",null,90,0.005]',
    ],
    ["np.array([(1, 'x')], [('a', int), ('b', 'U1')])", '[{"a":1,"b":"x"}]'],
    ["np.array([(1, 'x')], [('a', int), ('b', 'U1')])[0]", '{"a":1,"b":"x"}'],
    ["np.ma.array([1, 2], mask=[0, 1])", "[1,null]"],
    ["np.array(5)", "5"],
    ["[np.arange(6).reshape(2, 3).T[::-1]]", "[[[2,5],[1,4],[0,3]]]"],
  ];
  for (const [code, text] of cases) assertEquals(json(code), text, code);
  assertThrows(() => json("np.array([1j])"), TypeError, "complex");
});

test("pandas: frames are records, series and indexes Arrays", { skip }, () => {
  py(`frame = pd.DataFrame({
    "n": [1, 2], "x": [0.5, None], "t": pd.to_datetime(["2026-01-02", None]), "s": ["a", None],
    "z": pd.to_datetime(["2026-01-02", None]).tz_localize("UTC"), "d": pd.to_timedelta([90, None], unit="s"),
    "c": pd.Categorical(["p", "q"]), "i": pd.array([1, None], dtype="Int64"),
})`);
  assertEquals(JSON.parse(json("frame")), [
    { n: 1, x: 0.5, t: "2026-01-02T00:00:00", s: "a", z: "2026-01-02T00:00:00.000Z", d: 90, c: "p", i: 1 },
    { n: 2, x: null, t: null, s: null, z: null, d: null, c: "q", i: null },
  ]);
  assertEquals(
    json("{'rows': frame[['n']], 'none': frame[:0], 'sum': frame.n.sum(), 'index': frame.index}"),
    '{"rows":[{"n":1},{"n":2}],"none":[],"sum":3,"index":[0,1]}',
  );
  assertEquals(
    json("[frame.t, frame.x, frame.c, frame.s.values, frame.t.array]"),
    '[["2026-01-02T00:00:00",null],[0.5,null],["p","q"],["a",null],["2026-01-02T00:00:00",null]]',
  );
  assertEquals(
    json("[pd.NaT, pd.NA, pd.Timestamp(0, tz='UTC'), pd.Timedelta(1, 'h'), pd.Period('2026-01', 'M')]"),
    '[null,null,"1970-01-01T00:00:00.000Z",3600,"2026-01"]',
  );
  assertEquals(json("pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([('a', 1), ('b', 2)]))"), `[{"('a', 1)":1,"('b', 2)":2}]`);
  assertEquals(json("pd.Series({'a': 1})"), "[1]");
  assertEquals(json("frame.groupby('c', observed=True).n.sum().to_dict()"), '{"p":1,"q":2}');
  assertThrows(() => json("pd.DataFrame([[1, 2]], columns=['a', 'a'])"), TypeError, "two of its keys");
});

test("pandas: NaT and what is beside it in toJs", { skip }, () => {
  assert(toJs(py("pd.NaT")) instanceof PyProxy);
  const rows = toJs(py("frame[['n', 't']].to_dict('records')"), { default: ({ $type }) => $type });
  assertEquals(rows, [{ n: 1, t: "Timestamp" }, { n: 2, t: "NaTType" }]);
  const zoned = toJs(py("frame[['z']].to_dict('records')")) as { z: unknown }[];
  assertEquals(zoned[0].z, new Date("2026-01-02"));
  assert(zoned[1].z instanceof PyProxy);
});

test("pydantic and attrs: models are objects", { skip }, () => {
  py(`
class Kind(enum.Enum): A = "a"
class Item(pydantic.BaseModel):
    name: str
    price: decimal.Decimal = decimal.Decimal("9.90")
    at: datetime.datetime = datetime.datetime(2026, 1, 2)
    took: datetime.timedelta = datetime.timedelta(seconds=90)
    kind: Kind = Kind.A
    inner: typing.Optional["Item"] = None
    alias: int = pydantic.Field(1, alias="byAlias")
@attr.s(auto_attribs=True)
class Box:
    size: int
    item: object = None
`);
  const plain = '{"name":"x","price":"9.90","at":"2026-01-02T00:00:00","took":90,"kind":"a","inner":null,"byAlias":1}';
  assertEquals(json("Item(name='x')"), plain);
  assertEquals(json("[Item(name='x', inner=Item(name='x'))]"), `[${plain.replace("null", plain)}]`);
  assertEquals(json("Box(1, [Box(2, Item(name='x'))])"), `{"size":1,"item":[{"size":2,"item":${plain}}]}`);
});
