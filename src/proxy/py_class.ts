// deno-lint-ignore-file no-explicit-any -- what Python gives is what Python decides
// Python classes with JavaScript methods.
//
// A method gets `self` as its first argument, as in Python; accessors become properties.
import { callHelper } from "./call.ts";
import { Kind } from "../wire/numbers.ts";
import type { PyProxy } from "./py_proxy.ts";
import { stateOf } from "../values/proxy_state.ts";
import { TupleItems } from "../values/wrappers.ts";

const identifier = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;

/**
 * Makes a Python class with JavaScript methods.
 *
 * @param name the class's name, a Python identifier
 * @param bases its Python base classes; none: `object`
 * @param methods functions, which get `self` first; async functions, which become `async def`s; accessors, which become
 *   properties; any other value becomes a class attribute
 * @returns the class
 * @throws {TypeError} if an argument is not of that kind; a JavaScript class can be a base only if it extends a
 *   Python class
 * @throws {PythonError} if Python refuses the class, for example two bases that do not go together
 * @example
 * ```ts
 * import { pyClass, python } from "pyawait";
 * const Upper = pyClass("Upper", [python.import("string").Formatter], {
 *   get_field: (self, name, args, kwargs) => [name.toUpperCase(), name],
 * });
 * ```
 */
// Python decides what it passes:
export function pyClass(name: string, bases: readonly PyProxy[], methods: Record<string, any> & ThisType<never>): PyProxy {
  if (typeof name !== "string" || !identifier.test(name)) {
    throw new TypeError(`Cannot make a class named ${JSON.stringify(name)}: it has to be a name that Python can have`);
  }
  if (!Array.isArray(bases) || !bases.every((base) => (stateOf(base)?.kinds ?? 0) & Kind.class)) {
    throw new TypeError(
      `Cannot make the class ${name}: its bases have to be an Array of Python classes, and a JavaScript class is one only if it extends a Python class`,
    );
  }
  if (typeof methods !== "object" || methods === null) {
    throw new TypeError(`Cannot make the class ${name}: its methods have to be an object`);
  }
  const members: Record<string, unknown> = {}, properties: Record<string, unknown> = {};
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(methods))) {
    if (!descriptor.get && !descriptor.set) members[key] = descriptor.value;
    else {properties[key] = new TupleItems([
        descriptor.get && ((self: unknown) => descriptor.get!.call(self)),
        descriptor.set && ((self: unknown, value: unknown) => descriptor.set!.call(self, value)),
      ]);}
  }
  return callHelper("make_class", name, new TupleItems(bases), members, properties) as PyProxy;
}
