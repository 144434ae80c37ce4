/**
 * py`expression`: Python expressions with JavaScript's values in them, and values where no expression can stand.
 */
import { test } from "node:test";
import { py, python, PythonError, tidy, toJs, withLoop } from "../../mod.ts";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";

python.exec("from_main = 10\ndef add(*args, **kwargs): return [list(args), kwargs]");

function refused(evaluate: () => unknown): string {
  const error = assertThrows(evaluate, PythonError) as PythonError;
  assertEquals(error.name, "SyntaxError");
  return error.message;
}

test("operators, items, slices and attributes", () => {
  const list = python.exec("list(range(10))"), matrix = python.exec("class M:\n  def __matmul__(self, other): return ['@', other]\nM()");
  assertEquals(py`${2} ** ${10} + 1`, 1025);
  assertEquals(py`-${3}**2`, -9);
  assertEquals(toJs(py`${list}[1:${8}:2]`), [1, 3, 5, 7]);
  assertEquals(toJs(py`${matrix} @ ${1}`), ["@", 1]);
  assertEquals(py`${list}[-1] in ${list} and not ${false}`, true);
  assertEquals(py`${"text"}.upper()`, "TEXT");
  assertEquals(py`len(${"é"})`, 1);
  assertEquals(py`${1} if ${true} else ${2}`, 1);
  assertEquals(py`${1}if ${false}else ${2}`, 2);
});

test("comprehensions and lambdas see the values", () => {
  const f = (n: number) => n * 2;
  assertEquals(toJs(py`[${f}(n) for n in ${[1, 2, 3]} if n > ${1}]`), [4, 6]);
  assertEquals(py`(lambda x: x + ${5})(1)`, 6);
  assertEquals(toJs(py`{k: v for k, v in ${{ a: 1 }}.items()}`), { a: 1 });
  assertEquals(py`sum(x * y for x in ${[1, 2]} for y in ${[3, 4]})`, 21);
  assertEquals(py`(y := ${4}) + y`, 8);
});

test("values are converted as arguments, and proxies are themselves", () => {
  const object = python.exec("object()"), own = { any: "thing" };
  assertStrictEquals(py`${object}`, object);
  assertEquals(py`type(${1n << 70n}).__name__ + type(${1.5}).__name__ + type(${null}).__name__`, "intfloatNoneType");
  assertEquals(toJs(py`add(*${[1, 2]}, **${{ key: 3 }})`), [[1, 2], { key: 3 }]);
  assertEquals(toJs(py`add(${1}, name=${own})`), [[1], { name: own }]);
  assertEquals(py`${"'); import os; ('"}`, "'); import os; ('");
  assertEquals(py`f"{${3}!r:>{${4}}}|{${"x"}}"`, "   3|x");
});

test("other names are __main__'s and builtins'", () => {
  assertEquals(py`from_main + len("abc")`, 13);
  python.exec("from_main = 20");
  assertEquals(py`from_main`, 20);
  assertStrictEquals(py`globals()`, python.import("__main__").__dict__);
  assertEquals(assertThrows(() => py`no_such_name + ${1}`, PythonError).name, "NameError");
});

test("backslashes are Python's, and an expression may have several lines", () => {
  assertEquals(py`"a\n\x41\\"`, "a\nA\\");
  assertEquals(
    py`
    ${1}
      + 2   # a comment
    + len(
"x")
  `,
    4,
  );
  assertEquals(
    py`"""two
lines"""`,
    "two\nlines",
  );
  assertEquals(toJs(py`${1}, 2,`), [1, 2]);
  assertEquals(toJs(py`*${[1]}, 2`), [1, 2]);
  assertEquals(py`()`.length, 0);
  assertEquals(py`1 # at the end`, 1);
});

test("a value where no expression can stand is a SyntaxError that says so", () => {
  const x = "x";
  assertMatch(refused(() => py`'hello ${x}'`), /value 1 stands where no expression can: in a string.*py`…`/);
  assertMatch(refused(() => py`b'${x}'`), /in a string/);
  assertMatch(refused(() => py`f"{${1}} ${x}"`), /value 2 .*in a string/);
  assertMatch(refused(() => py`f"{1:${x}}"`), /in a string/);
  assertMatch(refused(() => py`f"{${x}=}"`), /in a string/);
  assertMatch(refused(() => py`1 # ${x}`), /in a comment/);
  assertMatch(refused(() => py`dict(${x}=1)`), /as the name of an argument/);
  assertMatch(refused(() => py`"".${x}`), /as the name of an attribute/);
  assertMatch(refused(() => py`[1 for ${x} in [1]]`), /as a target/);
  assertMatch(refused(() => py`(${x} := 1)`), /as a target/);
  assertMatch(refused(() => py`(lambda ${x}: 1)(2)`), /as the name of a parameter/);
});

test("what joins a value with its surroundings is a SyntaxError", () => {
  refused(() => py`from${1}`);
  refused(() => py`1${2}`);
  refused(() => py`${1}${2}`);
  refused(() => py`len${"abc"}`);
  refused(() => py`1) + (${2}`);
  refused(() => py`1] + [${2}`);
  assertMatch(refused(() => py`x for x in ${[1]}`), /parentheses of its own/);
  assertMatch(refused(() => py``), /there is no expression/);
  assertMatch(refused(() => py` # nothing`), /there is no expression/);
});

test("statements name python.exec, and await names execAsync", () => {
  assertStringIncludes(refused(() => py`y = ${1}`), "python.exec runs statements");
  assertStringIncludes(refused(() => py`import os`), "python.exec runs statements");
  assertStringIncludes(
    refused(() =>
      py`
    for i in ${[1]}:
      print(i)
  `
    ),
    "python.exec runs statements",
  );
  assertStringIncludes(refused(() => py`await ${1}`), "python.execAsync");
  assertStringIncludes(refused(() => py`y = await ${1}`), "python.execAsync");

  assertStringIncludes(refused(() => py`[x async for x in ${[]}]`), "python.execAsync");
  refused(() => py`(yield ${1})`);
  assertEquals(refused(() => py`1 +`).includes("python.exec"), false);
});

test("it is compiled once per place, also within tidy", () => {
  const compiled = () => python.exec("import pyawait; pyawait._last_expression", { globals: {} });
  const before = compiled();
  const evaluate = (n: number) => py`${n} + 1`;
  assertEquals(tidy(() => evaluate(1)), 2);
  for (let i = 0; i < 10; i++) assertEquals(evaluate(i), i + 1);
  assertEquals(compiled(), before + 1);
  assertEquals([py`1`, py`1`], [1, 1]);
  assertEquals(compiled(), before + 3);
});

test("names in the text do not meet those of the values", () => {
  python.exec("_0 = 100\n__1 = 200");
  assertEquals(py`_0 + ${1} + __1 + ${2}`, 303);
});

test("an error shows the expression's line, and the values' conversion fails as in a call", () => {
  const error = assertThrows(() => py`1 / ${0}`, PythonError) as PythonError;
  assertEquals(error.name, "ZeroDivisionError");
  assertMatch(error.traceback, /File "<py( \d+)?>", line 1, in <lambda>\n {4}1 \/ {2}_0\n/);
  assertEquals(/javascript|pyawait/.test(error.traceback), false, error.traceback);
  assertThrows(() => py`${new Map<unknown, unknown>([[1, 1], [true, 2]])}`, Error, "equal in Python");
});

test("only a template's tag", () => {
  assertThrows(() => py("1" as never), TypeError, "py is the tag of a template");
  assertThrows(() => py(["1"] as never), TypeError, "py is the tag of a template");
});

test("within withLoop it is evaluated on the loop's thread", () => {
  python.exec("import asyncio");
  assertEquals(withLoop(() => py`asyncio.get_running_loop() is not ${null}`), true);
  assert(py<number>`1` === 1);
});
