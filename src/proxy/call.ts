// Synchronous calls into Python: attach, call, convert and detach in one crossing.
//
// Whatever a proxy does that is neither a call nor an attribute is a call of a Python function (`operator.getitem`,
// `builtins.len`) or of one in src/py, which is looked up once by name.
import { captureScope, endOffer, offerScope } from "../context/async_scopes.ts";
import { currentCallContext } from "../context/call_context.ts";
import { interpreter } from "../interpreter/interpreter.ts";
import { begin, end, helper, invoke, type Level } from "../interpreter/invoke.ts";
import { countHandles } from "../interpreter/js_handles.ts";
import type { Reference } from "../interpreter/reference.ts";
import { readOutcome, withHooks } from "../values/decode.ts";
import { handOut } from "../values/handouts.ts";
import { write, writeArguments } from "../values/encode.ts";
import { encoding, rollBack } from "../values/encoding.ts";
import type { LazyCall, State } from "../values/proxy_state.ts";
import { rules } from "../values/rules.ts";
import type { Reader, Writer } from "../wire/codec.ts";
import { keep, type KeptBytes, keptIn } from "../wire/kept_bytes.ts";
import { Operation, Tag } from "../wire/numbers.ts";
import { currentLoopId, loopOfCode } from "./current_loop.ts";

/** Options of {@linkcode toJs} and `$toJs`. */
export interface CopyOptions {
  /** How many levels of containers to copy; negative: all. Default: all. */
  depth?: number;
  /**
   * What a dict becomes. `"auto"` (default): an object if every key is a `str`, else a Map. `"object"`: an object; another
   * key raises `TypeError`. `"map"`: a Map.
   */
  dict?: "auto" | "object" | "map";
  /** Asked for each object that would stay a proxy; its result takes the object's place. */
  // deno-lint-ignore no-explicit-any -- a proxy: proxy.ts has its type
  default?: (proxy: any) => unknown;
}

/** Makes the operation run in a copy of the caller's context, in a function that Python called with one. */
function inContext(writer: Writer, operation: number): number {
  const context = currentCallContext()?.context;
  if (context === undefined || context.address === 0) return operation;
  writer.object(context.address);
  return operation | Operation.inContext;
}

/** Makes the call. If Python holds JavaScript functions, the call carries a scope in which they can run. */
function invokeCall(level: Level, operation: number): Reader {
  if (countHandles() === 0) return invoke(level, operation);
  const scope = offerScope();
  level.input.u32(scope);
  const r = invoke(level, operation | Operation.inScope);
  endOffer(scope, r.u8() !== 0);
  return r;
}

/** Writes arguments that are all plain values, so that nothing has to be rolled back. False: another kind was met. */
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
    return makeCall(level, Operation.call, address, args);
  } finally {
    end();
  }
}

/** ... on the thread of the current event loop, or of the one that it belongs to. */
export function callOnLoop(loop: number, address: number, args: readonly unknown[]): unknown {
  const level = begin();
  try {
    level.input.u32(loop);
    return makeCall(level, Operation.call | Operation.onLoop, address, args);
  } finally {
    end();
  }
}

/** The loop that is current stands still from now on. Returns what {@linkcode endStay} takes. */
export function beginStay(): number {
  const loop = currentLoopId();
  const level = begin();
  try {
    level.input.u32(loop);
    return readOutcome(invokeCall(level, Operation.stay | Operation.onLoop)) as number;
  } finally {
    end();
  }
}

export function endStay(stay: number): void {
  const { shim, heap } = interpreter();
  if (stay !== 0) shim.pyawait_end_stay(heap, stay);
}

function makeCall(level: Level, plain: number, address: number, args: readonly unknown[]): unknown {
  const writer = level.input;
  const operation = inContext(writer, plain);
  writer.object(address);
  const start = writer.at;
  if (!writePlainArguments(writer, args)) {
    writer.at = start;
    writeAnyArguments(level, args);
  }
  return readOutcome(invokeCall(level, operation));
}

function writeAnyArguments({ input, lent }: Level, args: readonly unknown[]): void {
  const e = encoding(input, interpreter().heapId);
  try {
    writeArguments(e, args, lent);
  } catch (error) {
    throw rollBack(e, error);
  }
}

/** Calls a function of src/py, operator or builtins. */
export function callHelper(name: string, ...args: unknown[]): unknown {
  return callAt(helper(name), args);
}

/** ... that runs the program's code, as that of an object: where {@linkcode loopOfCode} says. */
export function callCode(name: string, ...args: unknown[]): unknown {
  const loop = loopOfCode();
  return loop === undefined ? callAt(helper(name), args) : callOnLoop(loop, helper(name), args);
}

/** @throws {TypeError} for options that are none */
export function checkCopyOptions({ depth = -1, dict = "auto" }: CopyOptions): void {
  if (typeof depth !== "number" || Number.isNaN(depth)) {
    throw new TypeError(`Cannot copy with depth ${String(depth)}: it has to be a number`);
  }
  if (!["auto", "object", "map"].includes(dict)) {
    throw new TypeError(`Cannot copy with dict ${String(dict)}: it has to be "auto", "object" or "map"`);
  }
}

/** How an operation copies; `json`: into plain data for JSON. */
function writeCopy(level: Level, options: CopyOptions, json = false): void {
  checkCopyOptions(options);
  const { depth = -1, dict = "auto" } = options;
  level.input.u32(depth < 0 || depth > 0x7fff_ffff ? 0x7fff_ffff : Math.trunc(depth));
  level.input.u8(json ? 3 : dict === "auto" ? 0 : dict === "object" ? 1 : 2);
}

/** Calls a helper and copies its result: containers become JavaScript's own. With `loop`, as {@linkcode callOnLoop}. */
export function callAndCopy(name: string, args: readonly unknown[], options: CopyOptions = {}, loop?: number): unknown {
  const { heapId } = interpreter();
  const address = helper(name);
  const level = begin();
  try {
    if (loop !== undefined) level.input.u32(loop);
    const operation = inContext(level.input, Operation.callAndCopy | (loop === undefined ? 0 : Operation.onLoop));
    writeCopy(level, options);
    const e = encoding(level.input, heapId);
    e.writer.object(address);
    try {
      writeArguments(e, args, level.lent);
    } catch (error) {
      throw rollBack(e, error);
    }
    return readOutcome(invokeCall(level, operation));
  } finally {
    end();
  }
}

/** Asked for each JavaScript value in a copy, with the number of containers around it; see `withHooks`. */
export type OwnValue = (value: unknown, level: number) => unknown;

/** Copies the object at this address. */
export function copyAt(address: number, options: CopyOptions, ownValue?: OwnValue): unknown {
  return copyWith(options, ownValue, (level) => level.input.object(address));
}

/** Copies an Array of proxies, each as deep as `options` says. */
export function copyAll(proxies: readonly object[], options: CopyOptions, ownValue?: OwnValue): unknown[] {
  const { depth = -1 } = options, { heapId } = interpreter();
  return copyWith({ ...options, depth: depth < 0 ? depth : depth + 1 }, ownValue, (level) => {
    const e = encoding(level.input, heapId);
    try {
      write(e, proxies);
    } catch (error) {
      throw rollBack(e, error);
    }
  }) as unknown[];
}

function copyWith(options: CopyOptions, ownValue: OwnValue | undefined, writeValue: (level: Level) => void): unknown {
  const level = begin();
  try {
    writeCopy(level, options);
    writeValue(level);
    const r = invoke(level, Operation.copy);
    if (!options.default && rules.copy.length === 0) return withHooks({ ownValue }, () => readOutcome(r));
    const copies = new Map<unknown, unknown>(); // a shared object is converted once
    const leftover = (proxy: unknown) => {
      if (!copies.has(proxy)) copies.set(proxy, copyLeftover(proxy, options));
      return copies.get(proxy);
    };
    return withHooks({ leftover, ownValue }, () => readOutcome(r));
  } finally {
    end();
  }
}

/** What the first rule that applies makes of an object that stays a proxy; the proxy itself where none does. */
export function copyByRule(proxy: unknown): unknown {
  for (const rule of [...rules.copy]) {
    const converted = rule.toJs(proxy);
    if (converted !== proxy) return converted;
  }
  return proxy;
}

function copyLeftover(proxy: unknown, options: CopyOptions): unknown {
  const converted = copyByRule(proxy);
  return converted === proxy && options.default ? options.default(proxy) : converted;
}

/** The object at this address as plain data for JSON; the hooks are asked for what JSON has nothing for. */
export function copyForJson(address: number, leftover: (proxy: unknown) => unknown, ownValue: OwnValue): unknown {
  const level = begin();
  try {
    writeCopy(level, {}, true);
    level.input.object(address);
    const r = invoke(level, Operation.copy);
    return withHooks({ leftover, ownValue }, () => readOutcome(r));
  } finally {
    end();
  }
}

/**
 * An attribute, or the item with this index; {@linkcode missing} if there is none.
 *
 * @param known a bound method that takes the place of an equal one
 * @param loop where its code runs, as {@linkcode loopOfCode} says
 */
export function attributeAt(address: number, name: string | number, known?: State, loop?: number): unknown {
  const level = begin();
  try {
    if (loop !== undefined) level.input.u32(loop);
    const operation = inContext(level.input, Operation.get | (loop === undefined ? 0 : Operation.onLoop));
    level.input.object(address);
    if (typeof name === "number") level.input.number(name);
    else level.input.string(name);
    if (known === undefined) level.input.u8(Tag.none);
    else level.input.object(known.reference.address);
    const r = invoke(level, operation), tag = r.bytes[r.at];
    if (tag === Tag.missing) return missing;
    if (tag !== Tag.known) return readOutcome(r);
    if (known!.destroyed) return attributeAt(address, name, undefined, loop); // by what Python has called meanwhile
    handOut(known!);
    return known!.self;
  } finally {
    end();
  }
}

/** The result of {@linkcode attributeAt} for an AttributeError, IndexError or KeyError. */
export const missing: unique symbol = Symbol("missing");

const none: readonly never[] = [];

/** Encodes a call to be made later. Its arguments are converted now. */
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
      throw rollBack(e, error);
    }
    const length = e.writer.at, start = keep(e.writer), bytes = keptIn();
    const context = currentCallContext(), scope = captureScope();
    // Every member by its name: a spread takes longer than the call. An empty Array takes memory in each call that waits.
    return {
      bytes,
      start,
      end: start + length,
      pins: pins.length > 0 ? pins : none,
      callee,
      handles: e.handles.length > 0 ? e.handles : none,
      context,
      scope,
      used: false,
      looked: false,
      awaited: false,
      watched: false,
      trace: undefined,
      place: undefined,
    };
  } finally {
    end();
  }
}

/** Makes a call that {@linkcode encodeCall} encoded. */
export function callEncoded(call: KeptBytes): unknown {
  const level = begin();
  try {
    level.input.data(call.bytes, call.start, call.end);
    return readOutcome(invoke(level, Operation.call));
  } finally {
    end();
  }
}

/** The proxy of what a value becomes in Python, even if it would come back as a plain value. */
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
      throw rollBack(e, error);
    }
    return readOutcome(invoke(level, Operation.refer));
  } finally {
    end();
  }
}
