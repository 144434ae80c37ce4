// Synchronous calls into Python: attach, call, convert, detach, in one crossing.
//
// The one thing to know: everything a proxy does that is not a call or an attribute is a call of a function of
// Python's (operator.getitem, builtins.len) or of src/py, found once by name.
import { Operation } from "../../ffi/native/symbols.ts";
import { readOutcome, withLeftovers } from "../values/decode.ts";
import { write, writeArguments } from "../values/encode.ts";
import { encoding } from "../values/encoding.ts";
import { countHandles, giveBack } from "../interpreter/js_handles.ts";
import { begin, end, helper, interpreter, invoke, type Level } from "../interpreter/interpreter.ts";
import { captureScope, currentPlace, endOffer, offerScope } from "../context/call_context.ts";
import type { Reference } from "../interpreter/reference.ts";
import type { LazyCall, State } from "../values/proxy_state.ts";
import { type Reader, Tag, type Writer } from "../wire/codec.ts";

/** How deep a result is copied, and what a dict becomes: as `toJs` takes it. */
export interface CopyOptions {
  /** Levels of containers to copy. Default: all of them. */
  depth?: number;
  /** `"auto"`: an object if every key is a `str`, else a Map. */
  dict?: "auto" | "object" | "map";
  /** Asked for each object that would stay a proxy; what it gives takes its place. */
  default?: (proxy: PyProxyLike) => unknown;
}

// A proxy: `proxy.ts` has its type.
// deno-lint-ignore no-explicit-any
type PyProxyLike = any;

export function takeBack(handles: readonly number[]): void {
  for (const id of handles) giveBack(id, 1);
}

/** In a function that Python called in some context, calls run in a copy of it. */
function inContext(writer: Writer, operation: number): number {
  const context = currentPlace()?.context;
  if (context === undefined || context.address === 0) return operation;
  writer.object(context.address);
  return operation | Operation.inContext;
}

/** Makes the call; where Python holds functions of JavaScript, they can tell in which scope it was made. */
function invokeCall(level: Level, operation: number): Reader {
  if (countHandles() === 0) return invoke(level, operation);
  const scope = offerScope();
  level.input.u32(scope);
  const r = invoke(level, operation | Operation.inScope);
  endOffer(scope, r.u8() !== 0);
  return r;
}

/** Writes the arguments where all of them are plain: no containers, nothing to give back if it fails. */
function writePlainArguments(writer: Writer, args: readonly unknown[]): boolean {
  const { length } = args;
  writer.u32(length);
  for (let i = 0; i < length; i++) {
    const arg = args[i];
    if (typeof arg === "number") writer.number(arg);
    else if (typeof arg === "string") writer.string(arg);
    else if (typeof arg === "boolean") writer.u8(arg ? Tag.true : Tag.false);
    else if (arg === null || arg === undefined) writer.u8(Tag.none);
    else return false;
  }
  writer.u8(Tag.none);
  return true;
}

/** Calls the callable at this address. */
export function callAt(address: number, args: readonly unknown[]): unknown {
  const level = begin();
  try {
    const writer = level.input;
    const operation = inContext(writer, Operation.call);
    writer.object(address);
    const start = writer.at;
    if (!writePlainArguments(writer, args)) {
      writer.at = start;
      writeAnyArguments(writer, args);
    }
    return readOutcome(invokeCall(level, operation));
  } finally {
    end();
  }
}

function writeAnyArguments(writer: Writer, args: readonly unknown[]): void {
  const e = encoding(writer, interpreter().heapId);
  try {
    writeArguments(e, args);
  } catch (error) {
    takeBack(e.handles);
    throw error;
  }
}

/** Calls a function of src/py, operator or builtins. */
export function callHelper(name: string, ...args: unknown[]): unknown {
  return callAt(helper(name), args);
}

function writeCopy(level: Level, { depth = -1, dict = "auto" }: CopyOptions): void {
  if (typeof depth !== "number" || Number.isNaN(depth)) {
    throw new TypeError(`Cannot copy with depth ${String(depth)}: it has to be a number`);
  }
  if (!["auto", "object", "map"].includes(dict)) {
    throw new TypeError(`Cannot copy with dict ${String(dict)}: it has to be "auto", "object" or "map"`);
  }
  level.input.u32(depth < 0 || depth > 0x7fff_ffff ? 0x7fff_ffff : Math.trunc(depth));
  level.input.u8(dict === "auto" ? 0 : dict === "object" ? 1 : 2);
}

/** Calls a helper and copies its result: containers come as JavaScript's own. */
export function callAndCopy(name: string, args: readonly unknown[], options: CopyOptions = {}): unknown {
  const { heapId } = interpreter();
  const address = helper(name);
  const level = begin();
  try {
    const operation = inContext(level.input, Operation.callAndCopy);
    writeCopy(level, options);
    const e = encoding(level.input, heapId);
    e.writer.object(address);
    try {
      writeArguments(e, args);
    } catch (error) {
      takeBack(e.handles);
      throw error;
    }
    return readOutcome(invokeCall(level, operation));
  } finally {
    end();
  }
}

/** Copies the object at this address. */
export function copyAt(address: number, options: CopyOptions): unknown {
  const level = begin();
  try {
    writeCopy(level, options);
    level.input.object(address);
    const r = invoke(level, Operation.copy);
    if (!options.default && !copyRules) return readOutcome(r);
    const copies = new Map<unknown, unknown>(); // what is shared is converted once
    const leftover = (proxy: unknown) => {
      if (!copies.has(proxy)) copies.set(proxy, copyLeftover(proxy, options));
      return copies.get(proxy);
    };
    return withLeftovers(leftover, () => readOutcome(r));
  } finally {
    end();
  }
}

let copyRules: ((proxy: unknown) => unknown) | undefined;

/** Says what the user's rules make of what stays a proxy; they return the proxy itself where none fits. */
export function copyLeftoversWith(rules: ((proxy: unknown) => unknown) | undefined): void {
  copyRules = rules;
}

function copyLeftover(proxy: unknown, options: CopyOptions): unknown {
  const converted = copyRules ? copyRules(proxy) : proxy;
  return converted === proxy && options.default ? options.default(proxy) : converted;
}

/** An attribute; {@linkcode missing} where there is none. */
export function attributeAt(address: number, name: string): unknown {
  const level = begin();
  try {
    const operation = inContext(level.input, Operation.get);
    level.input.object(address);
    level.input.string(name);
    const r = invoke(level, operation);
    if (r.bytes[r.at] === Tag.missing) return missing;
    return readOutcome(r);
  } finally {
    end();
  }
}

/** What {@linkcode attributeAt} gives for an AttributeError. */
export const missing: unique symbol = Symbol("missing");

/** A call as bytes, to be made later: its arguments are converted now. */
export function encodeCall(callee: State, args: readonly unknown[]): LazyCall {
  const { heapId } = interpreter();
  const level = begin();
  const pins: Reference[] = [];
  try {
    const e = encoding(level.input, heapId);
    e.pins = pins;
    e.writer.object(callee.reference.address);
    try {
      writeArguments(e, args);
    } catch (error) {
      takeBack(e.handles);
      for (const reference of pins) reference.unpin();
      throw error;
    }
    const bytes = e.writer.bytes.slice(0, e.writer.at);
    return { bytes, pins, callee, handles: e.handles, used: false, place: currentPlace(), resource: captureScope() };
  } finally {
    end();
  }
}

/** Takes a coroutine's call, to send it or to make it. */
export function takeLazy(state: State): LazyCall {
  const lazy = state.lazy!;
  const { callee: { reference, epitaph }, pins } = lazy;
  if (reference.address === 0) throw new TypeError(`Cannot run this coroutine: its function was destroyed: ${epitaph}`);
  state.lazy = undefined;
  lazy.used = true;
  reference.pins++, pins.push(reference);
  return lazy;
}

/** Gives a call up that will never be made. */
export function dropLazy(lazy: LazyCall | undefined): void {
  if (!lazy || lazy.used) return;
  lazy.used = true;
  takeBack(lazy.handles);
  for (const reference of lazy.pins) reference.unpin();
}

/** Makes the call of {@linkcode encodeCall}. */
export function callEncoded(bytes: Uint8Array): unknown {
  const level = begin();
  try {
    level.input.data(bytes);
    return readOutcome(invoke(level, Operation.call));
  } finally {
    end();
  }
}

/** The proxy of what a value is in Python, even where that would come back as a plain value. */
export function throughPython(value: unknown, options: { depth?: number; default?: (value: unknown) => unknown } = {}): unknown {
  const { heapId } = interpreter();
  const level = begin();
  try {
    const e = encoding(level.input, heapId);
    e.depth = options.depth === undefined || options.depth < 0 ? Infinity : options.depth;
    e.fallback = options.default;
    try {
      write(e, value);
    } catch (error) {
      takeBack(e.handles);
      throw error;
    }
    return readOutcome(invoke(level, Operation.refer));
  } finally {
    end();
  }
}
