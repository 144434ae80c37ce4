// The JavaScript half of an object whose class is a JavaScript class: its own methods, accessors and symbols.
//
// The half is the object's proxy. What JavaScript's class defines JavaScript calls itself, without converting
// arguments; but where an attribute or a class of Python's hides it, Python's lookup decides.
import { keep, keptHalves, unkeep } from "../values/kept_halves.ts";
import { framesOf } from "../values/python_error.ts";
import type { Half, State } from "../values/proxy_state.ts";
import { Kind } from "../wire/numbers.ts";
import { callAndCopy, callHelper, missing } from "./call.ts";
import { loopOfCode } from "./current_loop.ts";
import { findProperty, type JsClass, stateOfMade } from "./js_classes.ts";

function newHalf({ kinds }: State, { prototype }: JsClass, exact: boolean): Half {
  const frames = kinds & Kind.exception ? framesOf(new Error().stack ?? "") : undefined;
  return { prototype, exact, symbols: Object.create(null), frames };
}

/** The half of an object, which has one only if its class is JavaScript's, of this thread. */
export function halfOf(state: State): Half | null {
  if (!(state.kinds & Kind.half) || state.reference.address === 0) return null;
  return state.half === undefined ? findHalf(state) : state.half;
}

function findHalf(state: State): Half | null {
  const [cls, exact] = callAndCopy("js_class_of", [state.self], { depth: 1 }) as [JsClass, boolean];
  const ours = typeof cls === "function" && stateOfMade(cls) !== undefined;
  return state.half = ours ? newHalf(state, cls, exact) : null;
}

/** When Python is asked next which of the halves it still holds: when there are so many, or JavaScript has collected. */
const next = { limit: 64, collected: false };
const sentinels = new FinalizationRegistry(() => {
  next.collected = true;
});

/** A constructor of JavaScript's makes this object: it becomes the half of it, and is kept for Python. */
export function becomeHalf(state: State, cls: JsClass, exact: boolean): void {
  state.half ??= newHalf(state, cls, exact);
  if (keptHalves.size >= (next.collected ? 64 : next.limit)) leaveUnheld();
  keep(state);
}

/** Leaves to the collector the halves of objects to which Python has no reference: only JavaScript uses them. */
export function leaveUnheld(): void {
  const states = [...keptHalves].filter(({ reference }) => reference.address !== 0 && reference.pins === 0);
  const alone = callAndCopy("held_by_javascript_alone", [states.map(({ self }) => self)], { depth: 1 }) as Uint8Array;
  states.forEach((state, index) => alone[index] && unkeep(state));
  next.limit = Math.max(64, 2 * keptHalves.size);
  next.collected = false;
  sentinels.register({}, undefined);
}

/** A member that Python's lookup has found. */
type Found = [value?: unknown];

/** A member of the object that its JavaScript class defines, or {@linkcode missing}: then the attribute is Python's. */
export function memberOfClass({ prototype, exact }: Half, self: object, key: string): unknown {
  const found = key === "constructor" ? undefined : findProperty(prototype, key, null);
  if (!found) return missing;
  if (found.get || found.set) return exact ? found.get && Reflect.apply(found.get, self, []) : missing;
  if (typeof found.value !== "function") return missing;
  // `found.value`, because it may have been replaced since Python got it, by a test's spy
  if (exact) return callHelper("finds_js_method", self, key) === true ? found.value : missing;
  return (callAndCopy("read_member", [self, key], { depth: 1 }, loopOfCode()) as Found)[0];
}

/** Calls the setter that the object's JavaScript class defines. False: there is none. */
export function setByClass({ prototype, exact }: Half, self: object, key: string, value: unknown): boolean {
  const setter = exact ? findProperty(prototype, key, null)?.set : undefined;
  if (setter) Reflect.apply(setter, self, [value]);
  return setter !== undefined;
}

/** What the object has under a symbol, itself or by its class, or {@linkcode missing}. */
export function symbolOfClass({ prototype, symbols }: Half, self: object, key: symbol): unknown {
  const found = Object.getOwnPropertyDescriptor(symbols, key) ?? findProperty(prototype, key, null);
  if (found) return found.get ? Reflect.apply(found.get, self, []) : found.value;
  const hasText = key === Symbol.toPrimitive && (findProperty(prototype, "toString", null) ?? findProperty(prototype, "valueOf", null));
  return hasText ? undefined : missing;
}

/** `super.key` in a method of `cls`, or {@linkcode missing}. */
export function memberOfSuper(cls: object, self: object, key: string): unknown {
  const found = callAndCopy("read_super", [cls, self, key], { depth: 1 }, loopOfCode()) as Found;
  return found.length === 0 ? missing : found[0];
}
