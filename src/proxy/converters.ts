// `toPy`, and the user's conversion rules (`registerConverter`).
//
// A rule is tried before the conversion table towards Python, and in `toJs` on what would stay a proxy; higher
// priorities come first.
import { addRule, rules } from "../values/rules.ts";
import { callHelper, throughPython } from "./call.ts";
import { isClass } from "../values/js_functions.ts";
import { Kind } from "../wire/numbers.ts";
import type { PyProxy } from "./py_proxy.ts";
import { stateOf } from "../values/proxy_state.ts";

/** Options of {@linkcode toPy}. */
export interface ToPyOptions {
  /** How many levels of containers to copy; negative: all. Default: all. 0 passes an Array or object by reference. */
  depth?: number;
  /** Asked for each object that would cross by reference; its result is converted instead. */
  default?: (value: unknown) => unknown;
}

/**
 * Converts a value ahead of its use and returns the proxy of what it became.
 *
 * Values that both languages share (numbers, strings, booleans, `null`) are returned as they are. As Pyodide's `toPy`.
 *
 * @param value anything that may be passed to Python
 * @param options `depth` and `default`, see {@linkcode ToPyOptions}
 * @returns the proxy, or the plain value
 * @throws {TypeError} if Python has nothing for the value, or for a wrong option
 * @throws {RangeError} for an invalid Date or one outside of the years 1 to 9999
 * @throws {PythonError} a `TypeError` for keys, or items of a Set, that Python cannot hash or that are equal there
 * @example
 * ```ts
 * import { toPy } from "pyawait";
 * const list = toPy([1, 2, 3]);
 * list.append(4);
 * ```
 */
// deno-lint-ignore no-explicit-any
export function toPy(value: unknown, options?: ToPyOptions): any {
  const { depth, default: fallback } = options ?? {};
  if (depth !== undefined && (typeof depth !== "number" || Number.isNaN(depth))) {
    throw new TypeError(`Cannot convert with depth ${String(depth)}: it has to be a number`);
  }
  if (fallback !== undefined && typeof fallback !== "function") {
    throw new TypeError(`Cannot convert with default ${String(fallback)}: it has to be a function, which is given a value`);
  }
  if ((typeof value !== "object" || value === null) && typeof value !== "function") {
    if (typeof value === "symbol") throughPython(value); // throws
    return value;
  }
  return throughPython(value, options ?? {});
}

/**
 * A rule of {@linkcode registerConverter}. `matches` goes with `toPy`, `type` with `toJs`; either pair may be left out.
 */
export interface Converter<J extends object = object> {
  /** Rules of higher priority are tried first. Default: 0. */
  priority?: number;
  /** JavaScript → Python: a class, or a function that decides whether the rule applies to an object. */
  matches?: (new (...args: never[]) => J) | ((value: object) => boolean);
  /** Returns what to convert in its place; the value itself leaves it to the other rules. */
  toPy?: (value: J) => unknown;
  /**
   * Python → JavaScript, in `toJs`: the Python class to whose instances the rule applies, where they would stay
   * proxies.
   */
  type?: PyProxy;
  /** Returns what takes the object's place in JavaScript; the proxy itself leaves it to the other rules. */
  toJs?: (proxy: PyProxy) => unknown;
}

function matcher(matches: NonNullable<Converter["matches"]>): (value: object) => boolean {
  return isClass(matches) ? (value) => value instanceof matches : matches as (value: object) => boolean;
}

/**
 * Adds a conversion rule: what an object of a JavaScript class becomes in Python, and what an object of a Python class
 * becomes in what `toJs` returns. As PythonCall.jl's `pyconvert_add_rule`.
 *
 * @param converter the rule; either direction may be left out
 * @returns a function that removes the rule
 * @throws {TypeError} if the rule is incomplete or one of its members has the wrong type
 * @example
 * ```ts
 * import { python, registerConverter, toJs } from "pyawait";
 * const { Fraction } = python.import("fractions");
 * class Ratio {
 *   constructor(public over: number, public under: number) {}
 * }
 * registerConverter<Ratio>({
 *   matches: Ratio,
 *   toPy: ({ over, under }) => Fraction(over, under),
 *   type: Fraction,
 *   toJs: (fraction) => new Ratio(fraction.numerator, fraction.denominator),
 * });
 * toJs(python.builtins.list([new Ratio(1, 2)]));
 * ```
 */
export function registerConverter<J extends object = object>(converter: Converter<J>): () => void {
  const { priority = 0, matches, toPy, type, toJs } = converter;
  if ((matches === undefined) !== (toPy === undefined) || (type === undefined) !== (toJs === undefined)) {
    throw new TypeError("Cannot register this converter: matches goes with toPy, and type with toJs");
  }
  if (matches === undefined && type === undefined) throw new TypeError("Cannot register this converter: it converts nothing");
  for (const [name, value] of Object.entries({ matches, toPy, toJs })) {
    if (value !== undefined && typeof value !== "function") {
      throw new TypeError(`Cannot register this converter: ${name} is ${String(value)} and no function`);
    }
  }
  if (typeof priority !== "number" || Number.isNaN(priority)) {
    throw new TypeError(`Cannot register this converter: its priority is ${String(priority)} and no number`);
  }
  if (type !== undefined && !((stateOf(type)?.kinds ?? 0) & Kind.class)) {
    throw new TypeError(`Cannot register a converter for ${String(type)}: type has to be a Python class`);
  }
  const removers: (() => void)[] = [];
  if (matches && toPy) removers.push(addRule(rules.encode, { priority, matches: matcher(matches as never), toPy: toPy as never }));
  if (type && toJs) {
    const convert = (proxy: unknown) => callHelper("is_of_type", proxy, type) ? toJs(proxy as PyProxy) : proxy;
    removers.push(addRule(rules.copy, { priority, toJs: convert }));
  }
  return () => removers.forEach((remove) => remove());
}
