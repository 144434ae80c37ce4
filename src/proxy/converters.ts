// Converting ahead, and rules of the user's own.
//
// The one thing to know: a rule is tried before the table of what Python gets, and in `toJs` on what would stay a proxy;
// the one with the highest priority first.
import { addRule, rules } from "../values/rules.ts";
import { throughPython } from "./call.ts";
import { isClass } from "../values/js_functions.ts";
import { Kind } from "../wire/numbers.ts";
import { isInstanceOf, PyProxy } from "./proxy.ts";
import { stateOf } from "../values/proxy_state.ts";

/** Options of {@linkcode toPy}. */
export interface ToPyOptions {
  /** Levels of containers to copy. Default: all of them; 0 passes an Array or object by reference. */
  depth?: number;
  /** Asked for each object that would go by reference; what it gives is converted instead. */
  default?: (value: unknown) => unknown;
}

/**
 * Converts a value ahead of its use, and gives the proxy of what it became; what Python and JavaScript share as plain
 * values (numbers, strings …) comes back as it is.
 *
 * @param value anything that may be passed to Python
 * @param options `depth` and `default`, see {@linkcode ToPyOptions}
 * @throws {TypeError} for what Python cannot have
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

/** A rule of {@linkcode registerConverter}. */
export interface Converter<J extends object = object> {
  /** Rules of higher priority are tried first. Default: 0. */
  priority?: number;
  /** JavaScript → Python: a class, or a function that tells whether the rule is for a value. */
  matches?: (new (...args: never[]) => J) | ((value: object) => boolean);
  /** What to convert instead; the value itself leaves it to the other rules. */
  toPy?: (value: J) => unknown;
  /** Python → JavaScript, for what would stay a proxy in `toJs`: the Python class that the rule is for. */
  type?: PyProxy;
  /** What takes the object's place in JavaScript; the proxy itself leaves it to the other rules. */
  toJs?: (proxy: PyProxy) => unknown;
}

function matcher(matches: NonNullable<Converter["matches"]>): (value: object) => boolean {
  return isClass(matches) ? (value) => value instanceof matches : matches as (value: object) => boolean;
}

/**
 * Adds a rule to the conversions: what an object of a JavaScript class is in Python, and what an object of a Python
 * class is in what `toJs` gives.
 *
 * @param converter the rule; either half may be left out
 * @returns a function that takes the rule away again
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
    const convert = (proxy: unknown) => isInstanceOf(type, proxy) ? toJs(proxy as PyProxy) : proxy;
    removers.push(addRule(rules.copy, { priority, toJs: convert }));
  }
  return () => removers.forEach((remove) => remove());
}
