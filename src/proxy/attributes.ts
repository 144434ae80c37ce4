// What a proxy finds by name: Python's attributes, JavaScript's own names where Python has none, and symbols.
import { resolved } from "../../ffi/intrinsics.ts";
import { bridge } from "../interpreter/bridge.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { Kind } from "../wire/numbers.ts";
import { attributeAt, callAndCopy, callAt, callCode, callHelper, callOnLoop, missing } from "./call.ts";
import { isInstanceOf, toPrimitive } from "./coercion.ts";
import { loopOfCallee, loopOfCode } from "./current_loop.ts";
import { iterate } from "./iteration.ts";
import { lazyCoroutine } from "./lazy_coroutine.ts";
import { addressOf, destroy } from "./lifetime.ts";
import { livingProxy } from "./registry.ts";
import { toJson } from "./to_json.ts";

/** JavaScript's own names, where Python has no such attribute. */
export function fallback(state: State, proxy: object, key: string): unknown {
  const callable = (state.kinds & Kind.callable) !== 0;
  switch (key) {
    case "toString":
      return () => String(callCode("str", proxy));
    case "toJSON":
      return () => toJson(proxy);
    case "length":
      return attribute(state, "__len__") === missing ? undefined : callCode("len", proxy);
    case "name":
      if (state.half && state.kinds & Kind.exception) return callHelper("type_name", proxy);
      return callable ? ifThere(attribute(state, "__name__")) : undefined;
    case "message":
      return state.half && state.kinds & Kind.exception ? String(callHelper("str", proxy)) : undefined;
    case "stack":
      if (state.half?.frames === undefined) return undefined;
      return [`${callHelper("type_name", proxy)}: ${callHelper("str", proxy)}`, state.half.frames].join("\n");
    case "constructor":
      return callHelper("type", proxy);
    case "valueOf":
      return () => proxy;
    case "hasOwnProperty":
      return (key: PropertyKey) => Object.hasOwn(proxy, key);
    case "call":
      return callable ? (_this: unknown, ...args: unknown[]) => callProxy(proxy, args) : undefined;
    case "apply":
      return callable ? (_this: unknown, args: unknown[] = []) => callProxy(proxy, args) : undefined;
    case "bind":
      return callable ? (_this: unknown, ...first: unknown[]) => (...args: unknown[]) => callProxy(proxy, [...first, ...args]) : undefined;
  }
  return undefined;
}

/** As the user would, through the trap. */
const callProxy = (proxy: object, args: unknown[]) => Reflect.apply(proxy as () => unknown, undefined, args);

const ifThere = (value: unknown) => value === missing ? undefined : value;

/** An attribute, or {@linkcode missing}. */
export function attribute(state: State, name: string): unknown {
  const known = state.methods?.get(name);
  const method = known === undefined ? undefined : livingProxy(known); // kept here while its address is on its way
  const loop = method ? undefined : loopOfCode(); // to find a method again runs no code
  const value = attributeAt(addressOf(state), name, method && stateOf(method), loop);
  if (typeof value === "function" && value !== method) rememberMethod(state, name, value);
  return value;
}

/** The same method is the same proxy as long as that is alive. */
function rememberMethod(state: State, name: string, value: object): void {
  const method = stateOf(value);
  if (method) (state.methods ??= new Map()).set(name, method.reference.address);
}

/** `list[5]` in JavaScript is never an IndexError. */
export function item(state: State, proxy: object, index: number | bigint): unknown {
  const loop = loopOfCode();
  if (typeof index === "number") return ifThere(attributeAt(addressOf(state), index, undefined, loop));
  return (callAndCopy("item_at", [proxy, index], { depth: 1 }, loop) as unknown[])[0];
}

/** Calls the object. */
export function apply(state: State, args: readonly unknown[]): unknown {
  if (state.kinds & Kind.asyncFunction) {
    addressOf(state); // throws if it was destroyed
    return lazyCoroutine(state, args, bridge.traps.apply!);
  }
  const loop = loopOfCallee(state.kinds), address = addressOf(state);
  return loop === undefined ? callAt(address, args) : callOnLoop(loop, address, args);
}

const { dispose, asyncDispose } = Symbol as { dispose?: symbol; asyncDispose?: symbol };

/** What Python's object has for one of JavaScript's well-known symbols. */
export function symbolMember(state: State, proxy: object, key: symbol): unknown {
  switch (key) {
    case Symbol.iterator:
      if (state.kinds & Kind.generator) return () => proxy; // it has next, throw and return itself
      return state.kinds & Kind.iterable && !(state.kinds & Kind.coroutine) ? () => iterate(proxy) : undefined;
    case Symbol.asyncIterator:
      return state.kinds & Kind.asyncIterable ? () => bridge.asyncIterator(proxy) : undefined;
    case Symbol.toPrimitive:
      return (hint: string) => toPrimitive(proxy, hint);
    case Symbol.hasInstance:
      return (value: unknown) => isInstanceOf(proxy, value);
  }
  if (key === dispose) return () => destroy(state);
  if (key === asyncDispose) return () => resolved(destroy(state));
  return undefined;
}
