// JavaScript classes that extend Python classes, and the Python class that stands for each.
//
// Such a class is the proxy of its Python class: Python is given that class for it, and it comes back for that class.
import { exemptFromTidy } from "../values/handouts.ts";
import type { State } from "../values/proxy_state.ts";
import { callAndCopy } from "./call.ts";
import { forgetProxy, rememberProxy } from "./registry.ts";

/** A JavaScript class. */
// deno-lint-ignore no-explicit-any -- whatever its constructor takes
export type JsClass = (new (...args: any[]) => object) & { readonly prototype: object };

const states = new WeakMap<object, State>();
/** Classes whose Python class is being made. */
export const beingMade: Set<object> = new Set();

/** The state of a class whose Python class has been made. */
export function stateOfMade(cls: object): State | undefined {
  return states.get(cls);
}

/**
 * While Python classes are made: the JavaScript class for which this one was made, which becomes its proxy. Python may
 * pass a class on before it is complete (`__init_subclass__`).
 */
export function adopt(state: State): object | undefined {
  const [cls] = callAndCopy("js_class_in", [state.self], { depth: 1 }) as [object?];
  if (cls === undefined || !beingMade.has(cls) || states.has(cls)) return undefined;
  exemptFromTidy(state);
  forgetProxy(state);
  rememberProxy(cls, state);
  states.set(cls, state);
  return cls;
}

/** A property that a JavaScript class or prototype has or inherits, up to Python's. */
export function findProperty(object: object, key: PropertyKey, end: object | null): PropertyDescriptor | undefined {
  for (let at: object | null = object; at !== null && at !== end && !pythonPrototypes.has(at); at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, key);
    if (found) return found;
  }
  return undefined;
}

/** The `prototype`s of Python classes, each with the one JavaScript class that extends it there, once that is made. */
export const pythonPrototypes: WeakMap<object, { by: JsClass | undefined }> = new WeakMap();
