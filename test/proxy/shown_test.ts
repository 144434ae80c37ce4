/**
 * How consoles, `util.inspect` and the diffs of assertions show a Python object: its `repr`, cut where it is long, and
 * nothing of pyawait's inside.
 */
import nodeAssert from "node:assert";
import { spawnSync } from "node:child_process";
import { Console } from "node:console";
import process from "node:process";
import repl from "node:repl";
import { Writable } from "node:stream";
import { test } from "node:test";
import { format, formatWithOptions, inspect } from "node:util";
import { type PyProxy, python } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";
import { prints, runtime } from "../support/child.ts";

const py = define(`
import dataclasses

@dataclasses.dataclass
class Point:
    x: int
    y: int

class Long:
    def __init__(self, length): self.length = length
    def __repr__(self): return "\\N{GRINNING FACE}" * self.length

class Table:
    def __repr__(self): return "   x  y\\n0  1  2"

class Broken:
    def __repr__(self): raise LookupError("no repr here")

class Exiting:
    def __repr__(self): raise SystemExit(3)

def function(a): pass
async def coroutine(): pass
`);

const { Deno, Bun } = globalThis as {
  Deno?: { inspect(value: unknown, options?: object): string };
  Bun?: { inspect: { (value: unknown): string; table(data: unknown): string } };
};

/** What a console method writes. */
function written(use: (console: Console) => void): string {
  let text = "";
  const stdout = new Writable({ write: (chunk, _encoding, done) => (text += chunk, done()) });
  use(new Console({ stdout, colorMode: false }));
  return text;
}

/** What `console.table` writes. Bun's `Console` cannot draw tables. */
const table = (data: unknown) => Bun?.inspect.table(data) ?? written((console) => console.table(data));

const values: [string, unknown][] = [
  ["Point(x=1, y=2)", py.Point(1, 2)],
  ["[1, 'a']", python.exec("[1, 'a']")],
  ["<class 'test_module.Point'>", py.Point],
  ["<built-in function len>", python.builtins.len],
  ["<coroutine, not started>", py.coroutine()],
];

/** Words of pyawait's state and handler, and of JavaScript's for what stands behind a Proxy. */
const inside = /\bState\b|reference:|address:|kinds:|getOwnPropertyDescriptor|deleteProperty|Symbol\(pyawait/;

test("with every option an object is shown by its repr, and nothing of the inside", () => {
  const switches = [true, false];
  for (const [repr, value] of values) {
    for (const customInspect of switches) {
      for (const showHidden of switches) {
        for (const showProxy of switches) {
          const options = { customInspect, showHidden, showProxy, depth: 10 };
          for (const shown of [inspect(value, options), inspect({ a: [value], m: new Map([[value, 1]]) }, options)]) {
            assertStringIncludes(shown, repr);
            assert(!inside.test(shown), shown);
          }
        }
      }
    }
  }
});

test("console.log, console.dir, %o, %O and %s", () => {
  for (const [repr, value] of values) {
    assertEquals(written((console) => console.log(value)), `${repr}\n`);
    assertEquals(format("%O", value), repr);
    if (!repr.startsWith("<coroutine")) assertEquals(format("%s", value), repr);
    for (const shown of [written((console) => console.dir(value)), format("%o", value), formatWithOptions({ colors: true }, "%o", value)]) {
      assertStringIncludes(shown, repr);
      assert(!inside.test(shown), shown);
    }
  }
});

test("console.table shows repr in the cells of records", () => {
  const shown = table([{ name: "p", value: py.Point(1, 2) }, { name: "l", value: python.exec("[3]") }]);
  assertMatch(shown, /p.*Point\(x=1, y=2\)[^]*l.*\[3\]/);
});

test("console.table of objects throws nothing, of destroyed ones neither", () => {
  const destroyed = python.builtins.list([1]);
  destroyed.$destroy();
  for (const data of [[py.Point(1, 2), destroyed], python.exec("[1]")]) table(data);
  assertEquals(Reflect.ownKeys(destroyed).map(String), ["Symbol(Python object)"]);
});

test("the diff of an assertion shows the two reprs", () => {
  for (const [a, b] of [[py.Point(1, 2), py.Point(3, 4)], [py.function, py.Point]]) {
    for (const compare of [nodeAssert.deepStrictEqual, nodeAssert.strictEqual]) {
      for (const wrapped of [false, true]) {
        const { message } = assertThrows(() => wrapped ? compare({ v: a } as unknown, { v: b }) : compare(a, b)) as Error;
        if (wrapped && compare === nodeAssert.strictEqual) continue;
        assertStringIncludes(message, python.builtins.repr(a));
        assertStringIncludes(message, python.builtins.repr(b));
        assert(!inside.test(message), message);
      }
    }
  }
});

test("a JavaScript class that extends Python's says how its objects are shown", () => {
  class Shown extends (py.Point as PyProxy) {
    #secret = 5;
    [inspect.custom](depth: number, options: { showHidden?: boolean }, show: typeof inspect) {
      return `Shown ${this.x} ${this.#secret} ${typeof depth} ${typeof options} ${typeof show}`;
    }
  }
  class Plain extends (py.Point as PyProxy) {}
  const shown = new Shown(1, 2);
  assertEquals(inspect(shown), "Shown 1 5 number object function");
  assertStringIncludes(inspect([shown]), "Shown 1 5");
  assertEquals(inspect(new Plain(1, 2)), "Plain(x=1, y=2)");
});

test("a long repr is cut", () => {
  const faces = "\u{1F600}".repeat(10_000);
  assertEquals(inspect(py.Long(10_000)), faces);
  assertEquals(inspect(py.Long(10_001)), `${faces}... 1 more character`);
  assertEquals(inspect([py.Long(10_000_000)]), `[\n  ${faces}... 9990000 more characters\n]`);
  if (Deno ?? Bun) assertEquals((Deno ?? Bun)!.inspect(py.Long(10_500)), `${faces}... 500 more characters`);
  assertEquals(inspect(py.Long(5), { maxStringLength: 2 }), "\u{1F600}\u{1F600}... 3 more characters");
  assertEquals(inspect(py.Long(10_001), { maxStringLength: null }), `${faces}\u{1F600}`);
  assert(inspect(py.Long(20_000), { customInspect: false }).length < 20_100);
  assertEquals(String(py.Long(10_001)), `${faces}\u{1F600}`); // only what is shown is cut
});

test("a repr of several lines keeps its columns where it stands in another value", () => {
  assertEquals(inspect(py.Table()), "   x  y\n0  1  2");
  assertEquals(inspect({ table: py.Table() }), "{\n  table: \n       x  y\n    0  1  2\n}");
  const lines = (Bun ?? Deno)?.inspect({ table: py.Table() }).split("\n") ?? [];
  for (const line of lines.filter((line) => /x {2}y|0 {2}1/.test(line))) assertMatch(line, /^ {4}( {3}x|0 )/);
});

test("a repr that raises is told, and stops nothing", () => {
  assertEquals(inspect([py.Broken(), 1]), "[ [Python object whose repr failed: LookupError: no repr here], 1 ]");
  assertMatch(inspect(py.Exiting()), /repr failed: SystemExit: 3/);
  assertStringIncludes(inspect(py.Broken(), { customInspect: false }), "no repr here");
});

test("a destroyed object, and a coroutine that was started", async () => {
  const list = python.builtins.list([1]), coroutine = py.coroutine();
  list.$destroy();
  await coroutine;
  for (const shown of [inspect(list), inspect([list]), format("%o", list), inspect(list, { customInspect: false })]) {
    assertStringIncludes(shown, "[destroyed: it was a list]");
  }
  assertEquals(inspect(coroutine), "<coroutine, started>");
});

test("showing evaluates no property, also with the getters option", () => {
  const watched = define("seen = []\nclass Watched:\n  @property\n  def watched(self): seen.append(1)\n  def __repr__(self): return 'w'");
  const value = watched.Watched();
  for (const customInspect of [true, false]) inspect([value, { value }], { showHidden: true, getters: true, customInspect });
  assertEquals(watched.seen.$toJs(), []);
});

test("after the end of Python its objects are still shown", async () => {
  assertEquals(await prints("closes", ["shown"]), "[ [Python object; Python has ended] ]\nend\n");
});

test("the REPL shows a repr", { timeout: 60_000 }, () => {
  if (runtime === "node") {
    for (const [repr, value] of values) assertEquals((repl.writer as (value: unknown) => string)(value), `Proxy [ ${repr}, PyProxy ]`); // as it shows every Proxy
    return;
  }
  const lines = [
    `const { python } = await import(${JSON.stringify(new URL("../../mod.ts", import.meta.url).href)})`,
    `python.exec("[1, 'a']")`,
    "({ a: python.builtins.len })",
    "python.exec('1 / 0')",
    "",
  ];
  const { stdout, stderr } = spawnSync(process.execPath, runtime === "deno" ? ["repl", "-A"] : ["repl"], {
    input: lines.join("\n"),
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  for (const shown of ["[1, 'a']", "<built-in function len>", "ZeroDivisionError: division by zero"]) {
    assertStringIncludes(stdout + stderr, shown);
  }
  assert(!/PyProxy|reference/.test(stdout.slice(stdout.indexOf("[1, 'a']"))), stdout);
});
