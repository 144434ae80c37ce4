/**
 * Every row of the tables in docs/conversions.md is run.
 */
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect, isDeepStrictEqual } from "node:util";
import { array, asyncDef, buffer, float, kw, PyProxy, python, registerConverter, slice, toJs, tuple } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "#std/assert";
import { isAtLeast } from "../support/define.ts";

interface Row {
  readonly line: number;
  readonly about: string;
  readonly example: string;
  readonly gives: string;
}

/** What a cell has between backticks, whole. */
function code(cell: string): string {
  const found = /^`+ ?(.*?) ?`+$/.exec(cell.trim());
  assert(found, `no code: ${cell}`);
  return found[1].replaceAll("\\|", "|");
}

/** The rows of the tables with these titles of the last two columns, under a heading. */
function rows(heading: string, titles: string): Row[] {
  const lines = readFileSync("docs/conversions.md", "utf8").split("\n");
  const found: Row[] = [];
  let under = "", here = false;
  lines.forEach((line, index) => {
    if (/^#+ /.test(line)) under = line.replace(/^#+ /, "");
    if (!line.startsWith("|")) here = false;
    else if (line.replace(/ +/g, " ").endsWith(`| ${titles} |`)) here = under === heading;
    else if (here && !line.startsWith("| ---")) {
      const cells = line.slice(1, -1).split(/(?<!\\)\|/);
      assertEquals(cells.length, 4, line);
      found.push({ line: index + 1, about: cells[0].trim(), example: code(cells[2]), gives: code(cells[3]) });
    }
  });
  assert(found.length > 3, `the table "${titles}" under "${heading}" has ${found.length} rows`);
  return found;
}

const object = new (class Thing {})();
const promise = Promise.resolve(1);
function caught(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (error) {
    return error;
  }
}
const names = { array, asyncDef, buffer, caught, float, js: object, kw, promise, PyProxy, python, slice, tuple };

const evaluate = (expression: string): unknown => new Function(...Object.keys(names), `return (${expression});`)(...Object.values(names));

const globals = python.exec(
  "import array, collections, datetime, http, signal, types\ntypes.SimpleNamespace(**globals()).__dict__",
  { globals: {} },
);
globals.$set("js", object);
globals.$set("promise", promise);

/** A pattern in which `…` stands for any text. */
const pattern = (text: string) =>
  new RegExp(`^${text.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[^]*")}$`);

function check(list: Row[], problemOf: (row: Row) => string | undefined): void {
  const wrong = list.flatMap((row) => {
    const problem = problemOf(row);
    return problem === undefined ? [] : [`docs/conversions.md:${row.line}: ${row.example} is not ${row.gives} but ${problem}`];
  });
  assertEquals(wrong, []);
}

/** Whether a value is what the page says: `PyProxy` means any. */
const fits = (value: unknown, wanted: unknown) => wanted === PyProxy ? value instanceof PyProxy : isDeepStrictEqual(value, wanted);

test("JavaScript to Python, row by row", () => {
  check(rows("JavaScript to Python", "example | gives"), ({ about, example, gives }) => {
    if (about.includes("3.11") && !isAtLeast(3, 11)) return;
    const text = python.builtins.repr(evaluate(example));
    return pattern(gives).test(text) ? undefined : text;
  });
});

test("what is refused, row by row", () => {
  check(rows("JavaScript to Python", "example | throws"), ({ example, gives }) => {
    const value = evaluate(example);
    for (const use of [() => python.builtins.repr(value), () => python.builtins.repr([{ deep: value }])]) {
      const error = caught(use);
      if (!(error instanceof Error) || !pattern(`${gives}…`).test(String(error))) return String(error);
    }
  });
});

test("Python to JavaScript, row by row", () => {
  check(rows("Python to JavaScript", "example | gives"), ({ example, gives }) => {
    let seen: unknown;
    const result = python.exec(example, { globals });
    python.exec(`f(${example})`, { globals: python.builtins.dict(globals, kw({ f: (value: unknown) => void (seen = value) })) });
    const wanted = evaluate(gives);
    for (const value of [result, seen]) if (!fits(value, wanted)) return inspect(value);
  });
  assertStrictEquals(python.exec("js", { globals }), object);
  assertStrictEquals(python.exec("promise", { globals }), promise);
});

test("toJs, row by row", () => {
  check(rows("`toJs(proxy)`", "example | gives"), ({ example, gives }) => {
    const proxy = python.exec(example, { globals });
    const [inside] = toJs(python.builtins.list([proxy])) as unknown[];
    for (const value of [toJs(proxy), inside]) {
      const wanted = evaluate(gives) as Uint8Array & { shape?: number[] };
      const { shape } = wanted === PyProxy as unknown ? {} : wanted;
      if (!fits(value, shape ? wanted.slice() : wanted)) return inspect(value);
      assertEquals((value as { shape?: number[] }).shape, shape);
    }
  });
});

test("what does not come back apart in JavaScript, row by row", () => {
  const list = rows("What does not come back apart", "example | comes back as").filter(({ example }) =>
    caught(() => evaluate(example)) !== undefined
  );
  const javaScript = list.slice(0, list.findIndex(({ about }) => about.startsWith("an integral `float`")));
  assert(javaScript.length > 5);
  check(javaScript, ({ example, gives }) => {
    const back = toJs(python.exec("value", { globals: python.builtins.dict(kw({ value: evaluate(example) })) }));
    const wanted = evaluate(gives);
    return fits(back, wanted) ? undefined : inspect(back);
  });
});

test("what does not come back apart in Python, row by row", () => {
  const list = rows("What does not come back apart", "example | comes back as");
  const ofPython = list.slice(list.findIndex(({ about }) => about.startsWith("an integral `float`")));
  assert(ofPython.length > 3);
  check(ofPython, ({ example, gives }) => {
    const value = python.exec(example, { globals });
    const back = python.builtins.repr(python.builtins.list([value])).slice(1, -1);
    return pattern(gives).test(back) ? undefined : back;
  });
});

test("the tables name every kind of api value", () => {
  const text = readFileSync("docs/conversions.md", "utf8");
  for (
    const name of ["symbol", "SharedArrayBuffer", "DataView", "generator", "Promise", "numpy", "frozenset", "asyncDef", "kw(", "buffer("]
  ) {
    assert(text.includes(name), name);
  }
  const links = [...text.matchAll(/test\/[\w/]+_test\.ts/g)].map(([path]) => path);
  assertEquals(links.filter((path) => caught(() => readFileSync(path)) instanceof Error), []);
});

test("the example of a rule runs", () => {
  const [, block] = /```ts\n([^`]*registerConverter[^]*?)```/.exec(readFileSync("docs/conversions.md", "utf8"))!;
  const lines = block.split("\n").filter((line) => !line.startsWith("import")).join("\n")
    .replace("registerConverter<Money>", "registerConverter")
    .replace(" as Money[]", "")
    .replace("constructor(public amount: string) {}", "constructor(amount) { this.amount = amount; }");
  const logged: unknown[] = [];
  new Function("console", "python", "registerConverter", "toJs", lines)(
    { log: (...values: unknown[]) => logged.push(values) },
    python,
    registerConverter,
    toJs,
  );
  assertEquals(logged, [[true, "9.90"]]);
  assertInstanceOf(toJs(python.exec("import decimal\n[decimal.Decimal(1)]")), Array);
});
