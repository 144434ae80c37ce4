// py`expression`: a Python expression with JavaScript's values in it.
//
// It is compiled once per place in the program: JavaScript passes the same array of strings at each evaluation.
import { exemptFromTidy } from "./values/handouts.ts";
import { stateOf } from "./values/proxy_state.ts";
import { callHelper } from "./proxy/call.ts";

/** The compiled function of each place. */
const compiled = new WeakMap<TemplateStringsArray, (...values: unknown[]) => unknown>();

function compile(strings: TemplateStringsArray, count: number): (...values: unknown[]) => unknown {
  if (!Array.isArray(strings) || !Array.isArray(strings.raw) || strings.raw.length !== count + 1) {
    throw new TypeError("Cannot evaluate this: py is the tag of a template, as in py`1 + ${x}`; python.builtins.eval takes a string");
  }
  const made = callHelper("compile_expression", [...strings.raw]) as (...values: unknown[]) => unknown;
  exemptFromTidy(stateOf(made)!); // a later evaluation needs it, too
  compiled.set(strings, made);
  return made;
}

/**
 * Evaluates a Python expression with JavaScript's values in it: operators, slices, comprehensions and lambdas, over one
 * line or several.
 *
 * Each value is an argument, converted as the arguments of a call are, so it needs no quotes and is never read as code.
 * Other names are those of `__main__` and of `builtins`. Backslashes are Python's: the text is raw. It is compiled once
 * per place in the program.
 *
 * @param strings the text of the expression
 * @param values what stands in it
 * @returns the expression's value, converted as the result of a call is
 * @throws {PythonError} what the expression raises; a `SyntaxError` for statements (see {@linkcode python}`.exec`), for
 *   `await` (see `execAsync`), and for a value where no expression can stand: in a string, a comment, the name of an
 *   attribute or argument, or a target
 * @throws {TypeError} if it is called otherwise than as a template's tag
 * @example
 * ```ts
 * import { py } from "pyawait";
 * const numbers = [1, 2, 3, 4], low = 2;
 * console.log(py`sum(n ** 2 for n in ${numbers} if n > ${low})`); // 25
 * ```
 */
// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
export function py<T = any>(strings: TemplateStringsArray, ...values: unknown[]): T {
  return (compiled.get(strings) ?? compile(strings, values.length))(...values) as T;
}
