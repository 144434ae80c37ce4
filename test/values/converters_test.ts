/**
 * `registerConverter`: the user's own rules for conversions in both directions, their order, and what misuse of it says.
 */
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import vm from "node:vm";
import { kw, PyProxy, python, registerConverter, toJs, toPy, tuple } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "#std/assert";
import { define, thrownBy } from "../support/define.ts";

const py = define(`
import decimal, fractions, uuid

def show(value): return repr(value)
def same(value): return value
def is_same(a, b): return a is b
def call(f, *args): return f(*args)
async def same_async(value): return value
class Base: pass
class Derived(Base): pass
`);
const { show, same } = py;

class Ratio {
  readonly over: number;
  readonly under: number;
  constructor(over: number, under: number) {
    this.over = over, this.under = under;
  }
}
class Special extends Ratio {}

const assertSame = (value: unknown, wanted: unknown) => assert(isDeepStrictEqual(value, wanted), JSON.stringify(value));

/** Runs with rules that are gone afterwards. */
function withRules<T>(rules: Parameters<typeof registerConverter>[0][], fn: () => T): T {
  const removers = rules.map((rule) => registerConverter(rule));
  try {
    return fn();
  } finally {
    removers.forEach((remove) => remove());
  }
}

// deno-lint-ignore no-explicit-any -- what a rule makes is the test's
type Value = any;
const ratioToPy = { matches: Ratio, toPy: (ratio: Value) => py.fractions.Fraction(ratio.over, ratio.under) };
const ratioToJs = { type: py.fractions.Fraction, toJs: (each: Value) => new Ratio(each.numerator, each.denominator) };

test("a rule for a JavaScript class, wherever its objects are", async () => {
  const half = new Ratio(1, 2);
  assertStrictEquals(same(half), half);
  const remove = registerConverter(ratioToPy as never);
  assertEquals(show(half), "Fraction(1, 2)");
  assertEquals(show(new Special(1, 3)), "Fraction(1, 3)");
  assertEquals(
    show([{ a: half }, new Map([[half, half]]), new Set([half])]),
    "[{'a': Fraction(1, 2)}, {Fraction(1, 2): Fraction(1, 2)}, {Fraction(1, 2)}]",
  );
  assertEquals(show(tuple([half])), "(Fraction(1, 2),)");
  assertEquals(python.exec("lambda *, x: repr(x)")(kw({ x: half })), "Fraction(1, 2)");
  assertEquals(show(py.call(() => half)), "Fraction(1, 2)"); // what a callback returns
  assertEquals(show(await py.same_async(half)), "Fraction(1, 2)");
  assertEquals(show(toPy(half)), "Fraction(1, 2)");
  assertEquals(python.builtins.list([1]).__contains__(new Ratio(1, 1)), true);
  remove();
  assertStrictEquals(same(half), half);
  remove(); // once more does nothing
});

test("a rule for a Python class, in what toJs gives", () => {
  const third = py.fractions.Fraction(1, 3), list = python.exec("[f, {'a': f}, (f,)]", { globals: { f: third } });
  withRules([ratioToJs as never], () => {
    assertSame(toJs(third), new Ratio(1, 3));
    assertSame(toJs(list), [new Ratio(1, 3), { a: new Ratio(1, 3) }, [new Ratio(1, 3)]]);
    assertSame(list.$toJs({ depth: 1 })[0], new Ratio(1, 3));
    assertInstanceOf(list[0], PyProxy as never); // only toJs converts
    const asked: string[] = [];
    toJs(python.exec("[f, object()]", { globals: { f: third } }), { default: (each) => (asked.push(each.$type), each) });
    assertEquals(asked, ["object"]); // a rule comes before default
    assertEquals(JSON.stringify(list), '[{"over":1,"under":3},{"a":{"over":1,"under":3}},[{"over":1,"under":3}]]');
  });
  assertStrictEquals(toJs(third), third);
  withRules([{ type: py.Base, toJs: () => "base" }], () => assertEquals(toJs(same([py.Derived(), py.Base(), 1])), ["base", "base", 1]));
});

test("both ways at once: there and back", () => {
  withRules([{ ...ratioToPy, ...ratioToJs } as never], () => {
    const nested = [new Ratio(1, 2), { a: [new Ratio(3, 4)] }];
    assertSame(toJs(same(nested)), nested);
    assertEquals(show(py.fractions.Fraction(1, 2).__add__(new Ratio(1, 2))), "Fraction(1, 1)");
  });
});

test("the highest priority is asked first, equal ones in their order, and the value itself leaves it to the next", () => {
  const asked: string[] = [];
  const rule = (name: string, priority: number | undefined, result: (value: Value) => unknown) => ({
    ...(priority === undefined ? {} : { priority }),
    matches: Ratio,
    toPy: (value: Value) => (asked.push(name), result(value)),
  });
  const leave = (value: unknown) => value;
  withRules([
    rule("default", undefined, leave),
    rule("low", -5, () => "low"),
    rule("high", 10, leave),
    rule("second", undefined, leave),
  ] as never, () => {
    assertEquals(same(new Ratio(1, 2)), "low");
    assertEquals(asked.splice(0), ["high", "default", "second", "low"]);
  });
  withRules([rule("one", 1, leave), rule("two", 2, leave)] as never, () => {
    const value = new Ratio(1, 2);
    assertStrictEquals(same(value), value);
    assertEquals(asked.splice(0), ["two", "one"]);
  });
  const toJsRule = (name: string, priority: number, result: (value: Value) => unknown) => ({
    priority,
    type: py.Base,
    toJs: (value: Value) => (asked.push(name), result(value)),
  });
  withRules([toJsRule("low", 0, () => "low"), toJsRule("high", 1, leave)], () => {
    assertEquals(toJs(py.Base()), "low");
    assertEquals(asked.splice(0), ["high", "low"]);
  });
});

test("a rule by a function may match plain objects, Arrays and what has a brand", () => {
  const isTagged = (value: object) => "$decimal" in value;
  withRules([{ matches: isTagged, toPy: (value: Value) => py.decimal.Decimal(value.$decimal) }] as never, () => {
    assertEquals(show([{ $decimal: "1.50" }, { other: 1 }]), "[Decimal('1.50'), {'other': 1}]");
  });
  withRules(
    [{ matches: Date, toPy: (date: Value) => date.getTime() / 1000 }, { matches: Array, toPy: (items: Value) => tuple(items) }] as never,
    () => {
      assertEquals(show([new Date(1500), [2]]), "(1.5, (2,))");
      assertEquals(show(vm.runInNewContext("[1]")), "[1]"); // instanceof is of this realm
    },
  );
});

test("shared and circular references are kept through a rule", () => {
  class Node {
    next: Node | null = null;
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
  }
  const rule = { matches: Node, toPy: ({ name, next }: Node) => ({ name, next }) };
  withRules([rule as never], () => {
    const a = new Node("a"), b = new Node("b");
    a.next = b, b.next = a;
    const check = (expression: string, x: unknown) => python.exec(expression, { globals: { x } });
    assertEquals(check("x['next']['next'] is x and x['next']['name'] == 'b'", a), true);
    const c = new Node("c");
    assertEquals(check("x[0] is x[1] and x[0]['name'] == 'c'", [c, c]), true);
    assertEquals(py.is_same(c, c), true);
  });
});

test("rules nest: what one makes is converted by the others", () => {
  class Outer {
    readonly inner: unknown;
    constructor(inner: unknown) {
      this.inner = inner;
    }
  }
  class Inner extends Object {
    readonly inner: unknown;
    constructor(inner: unknown) {
      super();
      this.inner = inner;
    }
  }
  withRules([ratioToPy as never, { matches: Outer, toPy: ({ inner }: Value) => [inner, new Inner(inner)] }, {
    matches: (value) => value instanceof Inner,
    toPy: ({ inner }: Value) => ({ inner }),
  }], () => {
    assertEquals(show(new Outer(new Ratio(1, 2))), "[Fraction(1, 2), {'inner': Fraction(1, 2)}]");
  });
  withRules([{ type: py.Base, toJs: (each) => toJs(each.__dict__) }], () => {
    const value = py.Base();
    value.inner = py.Base();
    assertEquals(toJs(value), { inner: {} });
  });
  const endless = { matches: Outer, toPy: ({ inner }: Value) => new Outer(inner) };
  withRules([endless as never], () => assertThrows(() => show(new Outer(1)), RangeError));
  assertEquals(show([1]), "[1]");
});

test("what a rule throws is thrown, and nothing stays behind", () => {
  const thrown = new Error("rule");
  const fail = () => {
    throw thrown;
  };
  withRules([{ matches: Ratio, toPy: fail } as never], () => {
    assertStrictEquals(assertThrows(() => show([1, { a: new Ratio(1, 2) }])), thrown);
    assertStrictEquals(assertThrows(() => py.call(() => new Ratio(1, 2))), thrown); // through Python
    assertStrictEquals(assertThrows(() => py.same_async(new Ratio(1, 2))), thrown);
  });
  withRules([{ matches: fail, toPy: () => 1 } as never], () => assertStrictEquals(assertThrows(() => show([{}])), thrown));
  withRules([{ type: py.Base, toJs: fail }], () => assertStrictEquals(assertThrows(() => toJs(same([py.Base()]))), thrown));
  withRules(
    [{ matches: Ratio, toPy: () => Symbol("s") } as never],
    () => assertThrows(() => show(new Ratio(1, 2)), TypeError, "Symbol(s)"),
  );
  assertEquals(show([new Set([1])]), "[{1}]");
});

test("no rule makes another value of what is thrown", () => {
  const error = new RangeError("mine");
  const throws = () => {
    throw error;
  };
  for (
    const toPyRule of [() => "text", () => {
      throw new Error("of the rule");
    }]
  ) {
    const remove = registerConverter({ matches: RangeError, toPy: toPyRule });
    assertStrictEquals(thrownBy(() => py.call(throws)), error);
    remove();
  }
});

test("a rule may take itself away, and call Python", () => {
  const remove = registerConverter({
    matches: Ratio,
    toPy: ({ over }: Ratio) => (remove(), python.builtins.str(over)),
  } as never);
  const value = new Ratio(7, 1);
  assertEquals(show([value]), "['7']");
  assertStrictEquals(same(value), value);
});

test("rules do not touch proxies and plain values", () => {
  const asked: unknown[] = [];
  const list = python.builtins.list();
  withRules([{ matches: (value) => (asked.push(value), false), toPy: () => 1 }], () => {
    for (const value of [1, "a", null, undefined, true, 2n, list, () => 1]) same(value);
    assertEquals(asked.length, 0);
    same([{}]);
    assertEquals(asked, [[{}], {}]);
  });
});

test("misuse of registerConverter", () => {
  const never = () => 1;
  for (
    const rule of [{}, { priority: 1 }, { matches: Ratio }, { toPy: never }, { type: py.Base }, { toJs: never }, {
      matches: Ratio,
      toPy: never,
      type: py.Base,
    }]
  ) {
    assertThrows(() => registerConverter(rule as never), TypeError, "Cannot register this converter");
  }
  assertThrows(() => registerConverter({ type: "str" as never, toJs: never }), TypeError, "Python class");
  assertThrows(() => registerConverter({ type: py.Base(), toJs: never }), TypeError, "Python class");
  assertThrows(() => registerConverter({ matches: "Ratio" as never, toPy: never }), TypeError, "matches");
  assertThrows(() => registerConverter({ matches: Ratio as never, toPy: 5 as never }), TypeError, "toPy");
  assertThrows(() => registerConverter({ type: py.Base, toJs: 5 as never }), TypeError, "toJs");
  assertThrows(() => registerConverter({ priority: "high" as never, matches: Ratio as never, toPy: never }), TypeError, "priority");
  assertStrictEquals(same(Ratio), Ratio);
});
