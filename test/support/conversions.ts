/**
 * For the tests of conversions: Python's view of a value, JavaScript's view of an expression, and a few Python types.
 */
import { inspect, isDeepStrictEqual } from "node:util";
import { python, toJs } from "../../mod.ts";
import { assert, assertEquals } from "#std/assert";
import { define } from "./define.ts";

// deno-lint-ignore no-explicit-any -- its attributes are what the source says
export const py: any = define(`
import array, collections, datetime, enum, struct, sys

def show(value): return repr(value)
def type_of(value): return type(value).__name__
def same(value): return value
def is_same(a, b): return a is b

class Int(int): pass
class Float(float): pass
class Str(str): pass
class Bytes(bytes): pass
class Color(enum.IntEnum): RED = 3
Point = collections.namedtuple("Point", "x y")
class Plain: pass
`);

/** Asserts the repr that each value has in Python. */
export function assertShown(cases: [value: unknown, repr: string][]): void {
  assertEquals(cases.map(([value]) => py.show(value)), cases.map(([, repr]) => repr));
}

/** Asserts what JavaScript gets of Python's expressions; -0 and NaN are told apart. */
export function assertGiven(cases: [expression: string, value: unknown][]): void {
  for (const [expression, value] of cases) {
    const given = python.exec(expression, { globals: py.__dict__ });
    assert(isDeepStrictEqual(given, value), `${expression} is ${String(given)} (${typeof given})`);
  }
}

/** Asserts what `toJs` makes of Python's expressions. */
export function assertCopied(cases: [expression: string, value: unknown][]): void {
  for (const [expression, value] of cases) {
    const copy = toJs(python.exec(expression, { globals: py.__dict__ }));
    assert(isDeepStrictEqual(copy, value), `${expression} is ${inspect(copy)}`);
  }
}
