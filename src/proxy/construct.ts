// Objects of JavaScript classes that extend Python classes: what their constructors' `super(...)` does.
//
// Whoever asks for an object, JavaScript's constructor runs, and its `super(...)` becomes the `construct` trap of the
// Python class. In `new J()` that makes the object; where Python makes it, it initialises the one that Python has
// allocated (src/py/js_classes.py).
import { helper } from "../interpreter/invoke.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { KeywordArguments } from "../values/wrappers.ts";
import { Kind } from "../wire/numbers.ts";
import { callAt, callOnLoop } from "./call.ts";
import { becomeHalf } from "./halves.ts";
import { type JsClass, stateOfMade } from "./js_classes.ts";
import { loopOfCallee } from "./current_loop.ts";

/** An object that Python makes, whose constructor has not reached `super(...)` yet. */
interface Pending {
  readonly newTarget: object;
  /** The Python class that `super(...)` calls. */
  readonly base: object;
  /** The class that extends it, and the one whose constructor runs. */
  readonly anchor: JsClass;
  readonly cls: JsClass;
  /** The keyword arguments, as the constructor gets them. */
  readonly keywords: unknown;
  /** The object, if it is allocated. */
  self: object | null;
  used: boolean;
}

/** The objects that are being made, innermost last; only this file writes it. */
const pendings: Pending[] = [];

/** The class from `cls` upwards that extends `base` directly. */
function anchorOf(cls: object, base: object): JsClass | undefined {
  for (let at: object | null = cls; at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.getPrototypeOf(at) === base) return at as JsClass;
  }
  return undefined;
}

/** Calls a helper where calls of this class are made: on the loop's thread if it is asynchronous. */
function call({ kinds }: State, name: string, args: readonly unknown[]): unknown {
  const loop = loopOfCallee(kinds), address = helper(name);
  return loop === undefined ? callAt(address, args) : callOnLoop(loop, address, args);
}

/**
 * `super(...args)` of a class that extends the Python class `base`; `undefined` if `newTarget` does not.
 *
 * @param stateOfClass gives the state of a class's Python class, which it makes if need be
 */
export function constructBase(
  base: object,
  args: readonly unknown[],
  newTarget: object,
  stateOfClass: (cls: JsClass) => State,
): object | undefined {
  const pending = pendings[pendings.length - 1];
  if (pending && !pending.used && pending.newTarget === newTarget && pending.base === base) return resume(pending, args);
  const anchor = anchorOf(newTarget, base);
  if (anchor === undefined) return undefined;
  const made = call(stateOfClass(newTarget as JsClass), "construct_planned", [newTarget, anchor, ...args]), state = stateOf(made);
  if (state && state.kinds & Kind.half) becomeHalf(state, newTarget as JsClass, true);
  return made as object;
}

function resume(pending: Pending, args: readonly unknown[]): object {
  const { newTarget, anchor } = pending, state = stateOf(newTarget)!;
  pending.used = true;
  const last = args[args.length - 1];
  // Passed on as they are, as by a class without a constructor of its own, they are keyword arguments again.
  if (last !== undefined && last === pending.keywords) args = [...args.slice(0, -1), new KeywordArguments(last as Record<string, unknown>)];
  if (pending.self === null) pending.self = call(state, "construct_base", [newTarget, anchor, ...args]) as object;
  else call(state, "initialise_base", [pending.self, anchor, ...args]);
  const own = stateOf(pending.self);
  if (own && own.kinds & Kind.half) {
    const exact = stateOfMade(newTarget) !== undefined;
    becomeHalf(own, exact ? newTarget as JsClass : pending.cls, exact);
  }
  return pending.self;
}

/**
 * Python makes an object of `cls`, which is this JavaScript class or extends it: runs the constructor.
 *
 * @param self the object, or `null` if the constructor's `super(...)` has to make it
 * @param hasKeywords whether the last argument has Python's keyword arguments
 */
export function constructForPython(
  constructor: JsClass,
  self: object | null,
  cls: object,
  hasKeywords: boolean,
  ...args: unknown[]
): object {
  let anchor: object = constructor;
  while (stateOfMade(Object.getPrototypeOf(anchor))) anchor = Object.getPrototypeOf(anchor);
  const base = Object.getPrototypeOf(anchor), keywords = hasKeywords ? args[args.length - 1] : undefined;
  pendings.push({ newTarget: cls, base, anchor: anchor as JsClass, cls: constructor, keywords, self, used: false });
  try {
    const made = Reflect.construct(constructor, args, cls as JsClass);
    if (self === null || made === self) return made;
    throw new TypeError(
      `Cannot make a ${constructor.name}: its constructor has returned another object than Python has allocated, or made one before super(...)`,
    );
  } finally {
    pendings.pop();
  }
}
