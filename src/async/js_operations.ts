// The operations that Python performs on JavaScript values through JsProxy.
//
// Each runs JavaScript's own operation; what it throws is raised in Python.
import { types } from "node:util";
import { callHelper } from "../proxy/call.ts";
import { copyIn } from "../values/copy_in.ts";
import { defineItem } from "../values/decode.ts";
import { asError } from "../proxy/error_details.ts";
import { isClass, isMapping, type JsMapping } from "../values/js_functions.ts";
import { asyncSteps, stepOf, Stepped } from "./js_iterators.ts";
import { signatureOf } from "../values/js_signature.ts";
import { type JsOperationName, jsOperations } from "../wire/numbers.ts";
import { stateOf } from "../values/proxy_state.ts";
import { TupleItems } from "../values/wrappers.ts";

// deno-lint-ignore no-explicit-any
type Value = any;

/** Calls a function. Python's keyword arguments arrive as one plain object after the positional ones. */
function callFunction(fn: Value, args: unknown[], keywords: Record<string, unknown> | null): unknown {
  if (typeof fn !== "function") fail("it is no function");
  if (keywords !== null) args.push(keywords);
  return isClass(fn) ? Reflect.construct(fn, args) : fn(...args);
}

/** Whether an object has this item; `__proto__` is an ordinary key. */
const hasItem = (value: Value, key: Value): boolean => key === "__proto__" ? Object.hasOwn(value, key) : key in Object(value);

/** What a key of a mapping has, in a list; `null` where it is none. A repeated key has its first value. */
function lookUp(value: JsMapping, key: Value): [unknown] | null {
  if (!value.has(key)) return null;
  const cookies = String(key).toLowerCase() === "set-cookie" ? value.getSetCookie?.() : undefined;
  return [cookies ? cookies[0] : value.get(key)];
}

/** The pairs of a mapping without those that repeat a key. */
function distinct(value: JsMapping): Map<unknown, unknown> {
  if (types.isMap(value)) return value;
  const found = new Map<unknown, unknown>();
  for (const [key, item] of value) if (!found.has(key)) found.set(key, item);
  return found;
}

/** What a mapping has, for Python to iterate over. */
const lists: Record<string, (value: JsMapping) => unknown[]> = {
  keys: (value) => [...distinct(value).keys()],
  values: (value) => [...distinct(value).values()],
  items: (value) => Array.from(distinct(value), (pair) => new TupleItems(pair)),
  entries: (value) => Array.from(value, ([key, item]) => new TupleItems([key, item])),
};

type Implementation = (value: Value, args: Value[], keywords: Record<string, unknown> | null) => unknown;

/** The operations by name. */
const operations: Record<JsOperationName, Implementation> = {
  call: callFunction,
  await: () => undefined, // serve.ts awaits the value itself
  get: (value, [name]) => {
    const member = value[name];
    if (member === undefined && !(name in Object(value))) return null; // becomes an AttributeError
    return isMethod(value, member) ? [member, true] : [member];
  },
  set: (value, [name, item]) => void (value[name] = item),
  delete: (value, [name]) => {
    if (!(name in Object(value))) raise("AttributeError", `JavaScript has no property '${name}' here`);
    const own = types.isProxy(value) || Object.hasOwn(value, name);
    if (!Reflect.deleteProperty(value, name)) fail(`its property '${name}' cannot be deleted`);
    if (!own && name in Object(value)) raise("AttributeError", `the property '${name}' is inherited and cannot be deleted here`);
  },
  keys: (value) => allKeys(value),
  string: (value) => describe(value),
  new: (value, args, keywords) => Reflect.construct(value, keywords === null ? args : [...args, keywords]),
  length: (value) => isMapping(value) ? distinct(value).size : value.length ?? value.size ?? fail("it has no length and no size"),
  typeof: (value) => typeof value,
  iterate: (value) => new Stepped(value[Symbol.iterator]?.() ?? fail("it is not iterable")),
  getItem: (value, [key]) => {
    if (isMapping(value)) return (lookUp(value, key) ?? raise("KeyError", key))[0];
    if (typeof key === "number" && isArrayLike(value)) return value[indexIn(value, key)];
    const item = value[key]; // a Proxy may return items for keys that it does not report
    return item !== undefined && key !== "__proto__" || hasItem(value, key) ? item : raise("KeyError", key);
  },
  setItem: (value, [key, item]) => {
    if (isMapping(value)) value.set ? value.set(key, item) : fail("it has no set");
    else if (typeof key === "number" && isArrayLike(value)) value[indexIn(value, key)] = item;
    else if (key === "__proto__") defineItem(value, key, item); // an ordinary key
    else value[key] = item;
  },
  deleteItem: (value, [key]) => {
    if (isMapping(value)) {
      if (!value.delete) fail("it has no delete");
      return value.has(key) ? void value.delete(key) : raise("KeyError", key);
    }
    if (typeof key === "number" && Array.isArray(value)) return void value.splice(indexIn(value, key), 1);
    if (!hasItem(value, key)) raise("KeyError", key);
    if (!Reflect.deleteProperty(value, key)) fail(`its item ${String(key)} cannot be deleted`);
  },
  hasItem: (value, [key]) =>
    typeof value.has === "function" ? Boolean(value.has(key)) : Array.isArray(value) ? value.includes(key) : hasItem(value, key),
  copy: (value, [depth]) => copyIn(value, depth),
  pull: (stream, item) => stream.pull(item),
  credit: (stream) => stream.credit(),
  asyncIterate: (value) => asyncSteps(value) ?? fail("it is neither iterable nor async iterable"),
  asyncNext: (iterator, command) => iterator.step(command),
  step: (iterator, command) => iterator.step(command),
  signature: (value) => signatureOf(value),
  instanceOf: (cls, [value]) => value instanceof cls,
  subclassOf: (cls, [other]) => cls === other || other?.prototype instanceof cls,
  dispose: (value) => void (disposerOf(value, false) ?? fail("it has no Symbol.dispose")).call(value),
  disposeAsync: async (value) => void await (disposerOf(value, true) ?? fail("it has no Symbol.asyncDispose")).call(value),
  callMethod: (fn, [self, ...args], keywords) => Reflect.apply(fn, self, keywords === null ? args : [...args, keywords]),
  getItems: (value, indexes) => indexes.map((index: number) => value[index]),
  splice: (value, [start, count, ...items]) => void value.splice(start, count, ...items),
  advance: (value) => stepOf(value.next()),
  text: (value) => textOf(value),
  lookUp: (value, [key]) => lookUp(value, key),
  list: (value, [what]) => lists[what](value),
};

/** The operations by number. */
const byNumber = jsOperations.map((name) => operations[name]);

const { dispose, asyncDispose } = Symbol as { dispose?: symbol; asyncDispose?: symbol };

function disposerOf(value: Value, async: boolean): (() => unknown) | undefined {
  return (async && asyncDispose ? value[asyncDispose] : undefined) ?? (dispose ? value[dispose] : undefined);
}

/** Raises one of Python's own exceptions. */
function raise(name: string, argument: unknown): never {
  throw asError(callHelper(name, argument));
}

/**
 * Raises the TypeError that Python raises for an unsupported operation: code such as `list(x)` then tries another way.
 */
function fail(why: string): never {
  return raise("TypeError", `Cannot do this with a JavaScript value: ${why}`);
}

const isArrayLike = (value: Value) => Array.isArray(value) || ArrayBuffer.isView(value) && !(value instanceof DataView);

/** Resolves an index as Python does: negative ones count from the end, others outside raise IndexError. */
function indexIn(value: Value, key: number): number {
  const index = key < 0 ? key + value.length : key;
  return Number.isInteger(index) && index >= 0 && index < value.length ? index : raise("IndexError", "JavaScript array index out of range");
}

/** Whether a member is called with its object as `this`; Python then keeps both. */
function isMethod(self: Value, member: Value): boolean {
  return typeof member === "function" && (typeof self === "object" || typeof self === "function") && self !== null && !stateOf(member) &&
    !isClass(member);
}

function allKeys(value: Value): string[] {
  const keys = new Set<string>();
  for (let at = Object(value); at && at !== Object.prototype && at !== Function.prototype; at = Object.getPrototypeOf(at)) {
    for (const key of Object.getOwnPropertyNames(at)) keys.add(key);
  }
  return [...keys];
}

/** The object's `toString`, if that says more than its kind. */
function textOf(value: Value): string {
  if (typeof value === "function" || Array.isArray(value)) return describe(value);
  const text = String(value);
  return /^\[object .*\]$/s.test(text) ? describe(value) : text;
}

/** The name of its class, or of its built-in kind. */
function kindOf(value: Value): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1), made = tag === "Object" ? value.constructor?.name : undefined;
  return typeof made === "string" && made !== "" ? made : tag;
}

function describe(value: Value): string {
  if (typeof value === "function") return `<JavaScript ${isClass(value) ? "class" : "function"} ${value.name || "(anonymous)"}>`;
  if (value instanceof Error) return String(value);
  try {
    return `<JavaScript ${kindOf(value)} ${JSON.stringify(value)?.slice(0, 120) ?? ""}>`;
  } catch {
    return `<JavaScript ${Object.prototype.toString.call(value).slice(8, -1)}>`;
  }
}

/** Performs one operation. */
export function operate(operation: number, value: unknown, args: unknown[], keywords: Record<string, unknown> | null): unknown {
  return byNumber[operation](value, args, keywords);
}
