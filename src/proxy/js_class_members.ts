// What a JavaScript class defines, as Python's class body has it.
import { isClass } from "../values/js_functions.ts";
import { stateOf } from "../values/proxy_state.ts";
import { TupleItems } from "../values/wrappers.ts";
import type { JsClass } from "./js_classes.ts";

/** How `_member` in src/py/js_classes.py takes a member. */
type Role = "method" | "static" | "property" | "static property" | "value";

/** The static members of a class. */
export interface Statics {
  readonly body: TupleItems[];
  /** Fields whose value needs the Python class: this class, and those that extend it. */
  readonly later: [name: string, value: unknown][];
  /** Fields that are the same in both languages, and so can be one. */
  readonly shared: string[];
}

/** Whether a member is a function of the class, and not a class or a Python object that it holds. */
const isMethod = (value: unknown) => typeof value === "function" && !isClass(value) && stateOf(value) === undefined;

/** Whether a value that has gone to Python comes back as itself. */
const isSame = (value: unknown) =>
  value === null || ["boolean", "number", "string"].includes(typeof value) || !isClass(value) && stateOf(value) !== undefined;

/** A class's own `prototype`, `name` and `length`, and not static members of these names. */
const isBuiltIn = (key: string, { value, enumerable, get }: PropertyDescriptor) =>
  key === "prototype" || (key === "name" || key === "length") && !enumerable && !get && typeof value !== "function";

function isOrExtends(value: unknown, cls: JsClass): boolean {
  if (!isClass(value)) return false;
  for (let at = value as object | null; at !== null; at = Object.getPrototypeOf(at)) if (at === cls) return true;
  return false;
}

/** (name, role, value or getter, setter) */
function member(key: string, role: Role, value: unknown, setter?: unknown): TupleItems {
  return new TupleItems([key, role, value, setter]);
}

/**
 * The members that the class's objects have.
 *
 * @throws {TypeError} if it defines what its constructor stands for
 */
export function membersOf({ prototype }: JsClass, name: string): TupleItems[] {
  const body: TupleItems[] = [];
  for (const [key, { get, set, value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (key === "__init__" || key === "__new__") {
      throw new TypeError(
        `Cannot make a Python class of ${name}: it defines ${key}; Python calls its constructor, whose super(...) calls ${key} of the class that it extends`,
      );
    }
    if (key === "constructor") continue;
    body.push(get || set ? member(key, "property", get, set) : member(key, isMethod(value) ? "method" : "value", value));
  }
  return body;
}

/** Its static members that are not `known`, which become so. */
export function staticsOf(cls: JsClass, known: Set<string>): Statics {
  const statics: Statics = { body: [], later: [], shared: [] };
  for (const key of Object.getOwnPropertyNames(cls)) {
    const descriptor = Object.getOwnPropertyDescriptor(cls, key)!, { get, set, value, enumerable, writable, configurable } = descriptor;
    if (known.has(key) || isBuiltIn(key, descriptor) || typeof value === "symbol") continue;
    known.add(key);
    if (get || set) statics.body.push(member(key, "static property", get, set));
    else if (isOrExtends(value, cls)) statics.later.push([key, value]);
    // A field that holds a function is enumerable.
    else statics.body.push(member(key, !enumerable && isMethod(value) ? "static" : "value", value));
    if (!get && !set && writable && configurable && isSame(value)) statics.shared.push(key);
  }
  return statics;
}
