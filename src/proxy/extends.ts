// `class J extends PythonClass`: makes J's Python class when J first reaches Python, and answers what J inherits.
//
// What J and its instances inherit ends at the proxy of the Python class and at its `prototype`, whose traps see the
// receiver: an inherited read, or `super` where JavaScript defines the name itself.
import { queueMicrotask } from "../../ffi/intrinsics.ts";
import { bridge } from "../interpreter/bridge.ts";
import { isClosed } from "../interpreter/interpreter.ts";
import { isClass } from "../values/js_functions.ts";
import { STATE, type State, stateOf } from "../values/proxy_state.ts";
import { ByReference } from "../values/wrappers.ts";
import { Kind } from "../wire/numbers.ts";
import { attribute, fallback, symbolMember } from "./attributes.ts";
import { isInstanceOf } from "./coercion.ts";
import { callCode, callHelper, missing } from "./call.ts";
import { constructForPython } from "./construct.ts";
import { halfOf, memberOfSuper } from "./halves.ts";
import { membersOf, type Statics, staticsOf } from "./js_class_members.ts";
import { beingMade, findProperty, type JsClass, pythonPrototypes, stateOfMade } from "./js_classes.ts";

/** The receiver, if it is a class that extends this Python class. */
export function extendingClass({ kinds, self }: State, receiver: unknown): JsClass | undefined {
  if (!(kinds & Kind.class) || typeof receiver !== "function") return undefined;
  let at: object | null = receiver;
  while (at !== null && at !== self) at = Object.getPrototypeOf(at);
  return at !== null && isClass(receiver) ? receiver as unknown as JsClass : undefined;
}

function nameOf(cls: JsClass): string {
  const name = Object.getOwnPropertyDescriptor(cls, "name")?.value;
  return typeof name === "string" && name !== "" ? name : "Anonymous";
}

/**
 * The state of a class's Python class, which is made if it is not yet.
 *
 * @throws {TypeError} if it cannot be one
 * @throws {PythonError} if Python refuses it, as a subclass of `bool`
 */
export function stateOfClass(cls: JsClass): State {
  const state = stateOfMade(cls);
  if (state === undefined) return makeClass(cls);
  const known = young.get(cls);
  if (known) addStatics(cls, known);
  return state;
}

/**
 * Classes whose body may still be running, with the static members that Python has: `static only = new this()` makes
 * the class before what stands below it is there.
 */
const young = new Map<JsClass, Set<string>>();

function makeClass(cls: JsClass): State {
  const base = Object.getPrototypeOf(cls), name = nameOf(cls);
  if (beingMade.has(cls)) throw new TypeError(`Cannot pass the class ${name} to Python: its Python class is just being made`);
  stateOf(base); // makes that of a JavaScript class first
  const known = new Set<string>(), members = membersOf(cls, name), statics = staticsOf(cls, known);
  const prototype = pythonPrototypes.get(Object.getPrototypeOf(cls.prototype));
  if (prototype) prototype.by = cls;
  beingMade.add(cls);
  try {
    callHelper("make_js_class", name, base, [...members, ...statics.body], new ByReference(cls), constructForPython);
  } finally {
    beingMade.delete(cls);
  }
  finishStatics(cls, statics);
  young.set(cls, known);
  queueMicrotask(() => grown(cls));
  return stateOfMade(cls)!;
}

/** The body of a class has run. */
function grown(cls: JsClass): void {
  const known = young.get(cls);
  try {
    if (known && !isClosed() && !stateOfMade(cls)?.destroyed) addStatics(cls, known);
  } catch (error) {
    bridge.reportRejection(error, undefined); // a value that Python has nothing for
  }
  young.delete(cls);
}

/** Gives Python the static members that it has not. */
function addStatics(cls: JsClass, known: Set<string>): void {
  const statics = staticsOf(cls, known);
  if (statics.body.length > 0) callHelper("add_members", cls, statics.body);
  finishStatics(cls, statics);
}

function finishStatics(cls: JsClass, { later, shared }: Statics): void {
  for (const [key, value] of later) callHelper("setattr", cls, key, value);
  for (const key of shared) share(cls, key);
}

/** Makes a static field one with the class attribute, so that each language sees what the other assigns. */
function share(cls: JsClass, key: string): void {
  Object.defineProperty(cls, key, {
    get(this: object) {
      const value = attribute(stateOf(this) ?? stateOfMade(cls)!, key);
      return value === missing ? undefined : value;
    },
    set(this: object, value: unknown) {
      callCode("setattr", stateOf(this) ? this : cls, key, value);
    },
    enumerable: true,
    configurable: true,
  });
}

/** A Python attribute that `cls` inherits; where JavaScript defines it itself, `super` asks, for what comes behind. */
export function staticAttribute(state: State, cls: JsClass, key: string): unknown {
  if (!findProperty(cls, key, state.self!)) return attribute(stateOfClass(cls), key);
  stateOfClass(cls);
  let anchor: object = cls;
  while (Object.getPrototypeOf(anchor) !== state.self) anchor = Object.getPrototypeOf(anchor);
  return memberOfSuper(anchor, cls, key);
}

export function staticSymbol(state: State, cls: JsClass, key: symbol): unknown {
  if (key === STATE) return stateOfClass(cls);
  if (key === Symbol.hasInstance) return (value: unknown) => stateOfMade(cls) !== undefined && isInstanceOf(cls, value);
  return symbolMember(state, state.self!, key) === undefined ? undefined : symbolMember(stateOfClass(cls), cls, key);
}

/** Assigns to what `cls` inherits: a class attribute, once Python has the class. */
export function setStatic(state: State, cls: JsClass, key: PropertyKey, value: unknown): boolean {
  if (typeof key === "string" && stateOfMade(cls) && !findProperty(cls, key, state.self!)) {
    callCode("setattr", cls, key, value);
    return true;
  }
  return defineOn(cls, key, value);
}

/** What an assignment does to an ordinary object, where no setter is inherited. */
function defineOn(receiver: object, key: PropertyKey, value: unknown): boolean {
  const own = Object.hasOwn(receiver, key);
  return Reflect.defineProperty(receiver, key, own ? { value } : { value, writable: true, enumerable: true, configurable: true });
}

/**
 * A `prototype` for one class that extends this Python class: of several that extend it, each `super` has to know its
 * place in the order of resolution.
 */
export function newPrototype(state: State): object {
  const isException = callHelper("is_exception_class", state.self) === true;
  const extension: { by: JsClass | undefined } = { by: undefined };
  const prototype = new Proxy(Object.create(isException ? Error.prototype : null), {
    get(_target, key, receiver) {
      const self = stateOf(receiver);
      if (key === "constructor") return state.self;
      if (key === "then") return undefined;
      if (self && extension.by && halfOf(self)) return superMember(self, extension.by, receiver, key);
      return typeof key === "string" ? unbound(state, key) : undefined;
    },
    set(_target, key, value, receiver) {
      const self = stateOf(receiver);
      if (typeof key === "symbol" || !self || !extension.by || !halfOf(self)) return defineOn(receiver, key, value);
      callCode("set_super", extension.by, receiver, key, value);
      return true;
    },
  });
  pythonPrototypes.set(prototype, extension);
  return prototype;
}

/** `super[key]` in a method of `cls`. */
function superMember(self: State, cls: JsClass, receiver: object, key: PropertyKey): unknown {
  if (typeof key === "symbol") return symbolMember(self, receiver, key);
  const value = memberOfSuper(cls, receiver, key as string);
  return value === missing ? fallback(self, receiver, key as string) : value;
}

/** A method that is called with its object as `this`: `prototype.method.call(object, …)`. */
function unbound(state: State, key: string): unknown {
  const member = attribute(state, key);
  if (typeof member !== "function") return undefined;
  return function (this: unknown, ...args: unknown[]) {
    return member(this, ...args);
  };
}
