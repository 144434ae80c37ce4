// What a JavaScript class defines, as Python's class body has it.
import { isClass } from "../values/js_functions.ts";
import { stateOf } from "../values/proxy_state.ts";
import { TupleItems } from "../values/wrappers.ts";
import type { JsClass } from "./js_classes.ts";

/** How `_member` in src/py/js_classes.py takes a member. */
type Role = "method" | "static" | "property" | "static property" | "value";

/** The members of a class. */
interface Members {
  /** (name, role, value or getter, setter) of each. */
  readonly body: TupleItems[];
  /** Static fields whose value needs the Python class: this class, and those that extend it. */
  readonly later: [name: string, value: unknown][];
  /** Static fields that are the same in both languages, and so can be one. */
  readonly shared: string[];
}

/** Whether a member is a function of the class, and not a class or a Python object that it holds. */
const isMethod = (value: unknown) => typeof value === "function" && !isClass(value) && stateOf(value) === undefined;

/** A class's own `name` and `length`, and not static members of these names. */
const isBuiltIn = (key: string, { value, enumerable, get }: PropertyDescriptor) =>
  key === "prototype" || (key === "name" || key === "length") && !enumerable && !get && typeof value !== "function";

const isSame = (value: unknown) =>
  value === null || ["boolean", "number", "string"].includes(typeof value) || !extendsClass(value) && stateOf(value) !== undefined;

/** Whether `value` is `cls`, or a class that extends it, or with no `cls` any class that extends another. */
function extendsClass(value: unknown, cls?: JsClass): boolean {
  if (!isClass(value)) return false;
  if (cls === undefined) return true;
  for (let at = value as object | null; at !== null; at = Object.getPrototypeOf(at)) if (at === cls) return true;
  return false;
}

/** @throws {TypeError} if it defines what its constructor stands for */
export function membersOf(cls: JsClass, name: string): Members {
  const body: TupleItems[] = [], later: [string, unknown][] = [], shared: string[] = [];
  const add = (key: string, role: Role, value: unknown, setter?: unknown) => {
    if (key === "__init__" || key === "__new__") {
      throw new TypeError(
        `Cannot make a Python class of ${name}: it defines ${key}; Python calls its constructor, whose super(...) calls ${key} of the class that it extends`,
      );
    }
    body.push(new TupleItems([key, role, value, setter]));
  };
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(cls.prototype))) {
    const { get, set, value } = descriptor;
    if (key === "constructor") continue;
    if (get || set) add(key, "property", get, set);
    else add(key, isMethod(value) ? "method" : "value", value);
  }
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(cls))) {
    const { get, set, value, enumerable } = descriptor;
    if (isBuiltIn(key, descriptor)) continue;
    if (get || set) add(key, "static property", get, set);
    else if (!enumerable && isMethod(value)) add(key, "static", value); // a field that holds a function is enumerable
    else if (extendsClass(value, cls)) later.push([key, value]);
    else add(key, "value", value);
    if (!get && !set && descriptor.writable && descriptor.configurable && isSame(value)) shared.push(key);
  }
  return { body, later, shared };
}
