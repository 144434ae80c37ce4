// Encodes JavaScript's values for the wire.
//
// A value without a form of its own crosses by reference: a proxy as its object's address, a JavaScript object as a
// handle.
import { types } from "node:util";
import { watch } from "../context/rejections.ts";
import { bridge } from "../interpreter/bridge.ts";
import { send } from "../interpreter/js_handles.ts";
import { limits } from "../wire/codec.ts";
import { JsKind, Kind, LARGE, Tag } from "../wire/numbers.ts";
import { codeByName } from "../wire/typed_arrays.ts";
import { Deferred } from "./deferred.ts";
import type { Encoding } from "./encoding.ts";
import { aboutError, aboutThrown, isError } from "./js_errors.ts";
import { isAsync, traitsOf } from "./js_functions.ts";
import { keep } from "./kept_halves.ts";
import { bytesOf, isMemory, mayLend } from "./lending.ts";
import { type State, stateOf } from "./proxy_state.ts";
import { exceptionOf, returning } from "./python_error.ts";
import { rules } from "./rules.ts";
import { beginRecord } from "./shapes.ts";
import {
  ArrayItems,
  ByReference,
  FloatValue,
  KeywordArguments,
  memoryviewOf,
  SliceBounds,
  Thrown,
  type Tuple,
  TupleItems,
} from "./wrappers.ts";

/**
 * Writes a value by one of the user's rules, if one applies. Each value is converted once per message, which keeps
 * shared and circular references.
 */
function writeByRule(e: Encoding, value: object): boolean {
  if (e.converted?.has(value)) {
    write(e, e.converted.get(value));
    return true;
  }
  for (const rule of [...rules.encode]) {
    const converted = rule.matches(value) ? rule.toPy(value as never) : value;
    if (converted === value) continue;
    e.converted ??= new Map();
    e.converted.set(value, converted);
    write(e, converted);
    return true;
  }
  return false;
}

/**
 * Writes a value.
 *
 * @throws {TypeError | RangeError} if Python has nothing for it
 */
export function write(e: Encoding, value: unknown): void {
  const { writer } = e;
  switch (typeof value) {
    case "number":
      return writer.number(value);
    case "string":
      return writer.string(value);
    case "boolean":
      return writer.u8(value ? Tag.true : Tag.false);
    case "undefined":
      return writer.u8(Tag.none);
    case "bigint":
      return writer.bigint(value);
    case "symbol":
      throw new TypeError(`Cannot convert ${String(value)} to Python: a symbol has no counterpart there; pass its description`);
    case "function":
      return writeFunction(e, value);
    default:
      return value === null ? writer.u8(Tag.none) : writeObject(e, value as object);
  }
}

function writeProxy(e: Encoding, proxy: object, state: State): void {
  if (state.kept === false) keep(state);
  e.writer.object(state.reference.address || bridge.addressOf(proxy));
  if (e.pins) {
    state.reference.pins++;
    e.pins.push(state.reference);
  }
}

// deno-lint-ignore ban-types
function nameOf(value: Function): string {
  try {
    const { name } = value; // read once: a getter may give something else the next time
    return typeof name === "string" ? name : "";
  } catch {
    return ""; // `name` is a getter that throws
  }
}

// deno-lint-ignore ban-types
function writeFunction(e: Encoding, value: Function): void {
  const state = stateOf(value);
  if (state) return writeProxy(e, value, state);
  const name = nameOf(value), traits = traitsOf(value);
  writeHandle(e, value, isAsync(value) ? JsKind.asyncFunction : JsKind.function, traits ? new TupleItems([name, traits, false]) : name);
}

/** Writes a value by reference. */
export function writeHandle(e: Encoding, value: unknown, kind: number, about: unknown): void {
  const { writer } = e;
  const id = send(value);
  e.handles.push(id);
  writer.tagged32(Tag.js, e.heap);
  writer.u32(id);
  writer.u8(kind);
  write(e, about);
}

/** Writes an object as a JsProxy: an Array as one that is a list, a thenable as one that can be awaited. */
function writeByReference(e: Encoding, value: object): void {
  const thenable = typeof (value as { then?: unknown }).then === "function";
  writeHandle(e, value, thenable ? JsKind.promise : JsKind.object, aboutObject(value));
}

function aboutObject(value: object): Tuple | null {
  const traits = traitsOf(value);
  return traits ? new TupleItems([null, traits, Array.isArray(value)]) : null;
}

/** Whether this container or typed array was written before; if so, writes a reference to it. */
function seen(e: Encoding, value: object): boolean {
  if (e.containers === undefined) e.containers = new Map();
  const index = e.containers.get(value);
  if (index === undefined) {
    e.containers.set(value, e.containers.size);
    return false;
  }
  e.writer.tagged32(Tag.reference, index);
  return true;
}

/** Writes a container with `body`, unless it was written before or lies deeper than is copied. */
function writeContainer<T extends object>(e: Encoding, value: T, body: (e: Encoding, value: T) => void): void {
  if (e.depth <= 0) return writeByReference(e, value);
  if (seen(e, value)) return;
  e.depth--;
  body(e, value);
  e.depth++;
}

function writeObject(e: Encoding, value: object): void {
  if (rules.encode.length > 0 && !stateOf(value) && writeByRule(e, value)) return;
  if (Array.isArray(value)) return writeContainer(e, value, writeList);
  if (Object.getPrototypeOf(value) === Object.prototype && !isSpecial(value)) return writeContainer(e, value, writeDict);
  const state = stateOf(value);
  if (state) return writeProxy(e, value, state);
  writeBranded(e, value);
}

const { toStringTag, iterator, asyncIterator } = Symbol;
const { dispose = iterator, asyncDispose = iterator } = Symbol as unknown as Record<string, symbol>;

/**
 * Whether it looks plain but is not data: `Math`, a module namespace, the global object, an iterable or disposable
 * object.
 */
function isSpecial(value: object): boolean {
  const has = value as Record<symbol, unknown>;
  const found = has[toStringTag] ?? has[iterator] ?? has[asyncIterator] ?? has[dispose] ?? has[asyncDispose];
  return found !== undefined || value === globalThis;
}

/** Writes a value that is recognised by its brand, so that values of other realms convert alike. */
function writeBranded(e: Encoding, value: object): void {
  if (isMemory(value)) return writeBuffer(e, value);
  if (types.isMap(value)) return writeContainer(e, value, writeMap);
  if (types.isSet(value)) return writeContainer(e, value, writeSet);
  if (types.isDate(value)) return writeDate(e, value);
  if (types.isPromise(value)) {
    watch(value as Promise<unknown>); // Python handles its rejection; the runtime must not report it
    return writeHandle(e, value, JsKind.promise, aboutObject(value));
  }
  if (isError(value)) return writeError(e, value as Error);
  if (types.isGeneratorObject(value)) {
    return writeHandle(e, value, Symbol.asyncIterator in value ? JsKind.asyncGenerator : JsKind.generator, null);
  }
  const memoryview = memoryviewOf(value);
  if (memoryview !== undefined) return write(e, memoryview);
  if (value instanceof FloatValue) return e.writer.tagged64(Tag.float, value.value);
  if (value instanceof TupleItems) return writeTuple(e, value);
  if (value instanceof ArrayItems) return writeArray(e, value, bytesOf(value.items), typedArrayName.call(value.items)!);
  if (value instanceof SliceBounds) return writeSlice(e, value);
  if (value instanceof Deferred) return writeHandle(e, value, JsKind.deferred, null);
  if (value instanceof ByReference) return writeByReference(e, value.value);
  if (value instanceof Thrown) return writeThrowable(e, value.value);
  if (value instanceof KeywordArguments) {
    throw new TypeError("Cannot convert keyword arguments to Python: kw({...}) is the last argument of a call, and nothing else");
  }
  if (isPlainObject(value)) return writeContainer(e, value, writeDict);
  const other = e.fallback ? fallbackOf(e, value) : value;
  if (other === value || other === undefined) return writeByReference(e, value);
  write(e, other);
}

/**
 * What `default` makes of a value. It is asked once per value and message, which keeps shared and circular references.
 */
function fallbackOf(e: Encoding, value: object): unknown {
  e.defaults ??= new Map();
  if (!e.defaults.has(value)) e.defaults.set(value, e.fallback!(value));
  return e.defaults.get(value);
}

/** Whether its prototype is `null` or the `Object.prototype` of any realm. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "hasOwnProperty");
  return plain && !isSpecial(value);
}

/** Writes an Array; numbers without their tags, if it has nothing else. */
function writeList(e: Encoding, value: readonly unknown[]): void {
  const { writer } = e, count = countOf(value, limits.message - writer.at), start = writer.at;
  writer.tagged32(count > 0 ? Tag.numbers : Tag.list, count);
  const { written, next } = writer.numbers(value, count);
  if (written === count) return;
  if (written === 0 && typeof next === "string") return writeTexts(e, value, count, start, next);
  const numbers = writer.takeBack(start + 5, written);
  writer.bytes[start] = Tag.list;
  for (const number of numbers) writer.number(number);
  write(e, next);
  for (let i = written + 1; i < count; i++) write(e, value[i]);
}

/** Writes an Array whose first item is text; as one text, if it has nothing else. */
function writeTexts(e: Encoding, value: readonly unknown[], count: number, start: number, first: string): void {
  const { writer } = e, texts = [first];
  let item: unknown;
  while (texts.length < count && typeof (item = value[texts.length]) === "string") texts.push(item);
  writer.at = start;
  if (texts.length === count && writer.texts(texts)) return;
  writer.tagged32(Tag.list, count);
  for (const text of texts) writer.string(text);
  if (texts.length < count) write(e, item);
  for (let i = texts.length + 1; i < count; i++) write(e, value[i]);
}

function writeTuple(e: Encoding, value: Tuple): void {
  if (!seen(e, value)) writeItems(e, Tag.tuple, value.items);
}

/**
 * Writes the items of an Array, as many as it has now: a getter may change that. The `length` of a Proxy may be
 * anything, and the count on the wire has to be the number of items behind it.
 */
function writeItems(e: Encoding, tag: number, value: readonly unknown[]): void {
  const count = countOf(value, limits.message - e.writer.at);
  e.writer.tagged32(tag, count);
  for (let i = 0; i < count; i++) write(e, value[i]);
}

/** Its length as an Array can have it, and at most `most`. */
function countOf({ length }: readonly unknown[], most: number): number {
  if (length !== length >>> 0) length = Math.max(0, Math.trunc(Number(length)) || 0);
  if (length > most) throw new RangeError(`Cannot convert an Array of ${length} items: a message has less than 2 GiB`);
  return length | 0;
}

function writeDict(e: Encoding, value: object): void {
  const keys = Object.keys(value);
  if (beginRecord(e, keys)) {
    for (let i = 0; i < keys.length; i++) write(e, (value as Record<string, unknown>)[keys[i]]);
    return;
  }
  e.writer.tagged32(Tag.dict, keys.length);
  for (const key of keys) {
    e.writer.string(key);
    write(e, (value as Record<string, unknown>)[key]);
  }
}

// The built-in methods, whatever prototype the value has. The count is known only when all entries are written.
const entriesOf = Map.prototype.entries, valuesOf = Set.prototype.values;

function writeMap(e: Encoding, value: Map<unknown, unknown>): void {
  e.writer.tagged32(Tag.dict, 0);
  const count = e.writer.at - 4;
  let written = 0;
  for (const [key, item] of entriesOf.call(value)) {
    write(e, key);
    write(e, item);
    written++;
  }
  e.writer.patch32(count, written);
}

function writeSet(e: Encoding, value: Set<unknown>): void {
  e.writer.tagged32(Tag.set, 0);
  const count = e.writer.at - 4;
  let written = 0;
  for (const item of valuesOf.call(value)) {
    write(e, item);
    written++;
  }
  e.writer.patch32(count, written);
}

function writeDate(e: Encoding, value: Date): void {
  const time = Date.prototype.getTime.call(value);
  if (!(time >= -62135596800000 && time <= 253402300799999)) {
    const given = Number.isNaN(time) ? "an invalid Date" : `a Date of the year ${new Date(time).getUTCFullYear()}`;
    throw new RangeError(`Cannot convert ${given} to datetime, which has the years 1 to 9999`);
  }
  e.writer.tagged64(Tag.date, time);
}

const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!.get!;

function writeBuffer(e: Encoding, value: ArrayBufferView | ArrayBufferLike): void {
  const bytes = bytesOf(value);
  const name = typedArrayName.call(value) as string | undefined;
  if (name !== undefined && name !== "Uint8Array") return writeArray(e, value, bytes, name);
  writeBytes(e, bytes); // also of an ArrayBuffer or a DataView
}

function writeBytes({ writer, lent }: Encoding, bytes: Uint8Array): void {
  if (lent !== undefined && bytes.byteLength >= LARGE) {
    writer.tagged32(Tag.large, lent.length);
    lent.push(bytes);
  } else {
    writer.u8(Tag.bytes);
    writer.block(bytes);
  }
}

/** Writes an `array.array` of the items that typed arrays of this name have. */
function writeArray(e: Encoding, value: object, bytes: Uint8Array, name: string): void {
  const code = name === "Uint8Array" ? "B" : codeByName.get(name);
  if (!code) throw new TypeError(`Cannot convert a ${name} to Python: its array module has no such items`);
  if (seen(e, value)) return; // bytes are immutable in Python, so equal ones need not be the same object
  e.writer.u8(Tag.array);
  e.writer.u8(code.charCodeAt(0));
  writeBytes(e, bytes);
}

function writeSlice(e: Encoding, { start, stop, step }: SliceBounds): void {
  e.writer.u8(Tag.slice);
  write(e, start);
  write(e, stop);
  write(e, step);
}

function writeError(e: Encoding, error: Error): void {
  const exception = exceptionOf(error);
  if (exception) { // a PythonError becomes its original exception again
    returning.set(exception, error);
    return write(e, exception);
  }
  e.errors ??= new Set();
  e.errors.add(error);
  writeHandle(e, error, JsKind.error, new TupleItems(aboutError(error, e.errors)));
  e.errors.delete(error);
}

/** Writes what was thrown, to be raised in Python. */
export function writeThrown(e: Encoding, thrown: unknown): void {
  e.writer.u8(Tag.throw);
  writeThrowable(e, thrown);
}

/** The same as a value: what is no exception in Python becomes a JsException. */
function writeThrowable(e: Encoding, thrown: unknown): void {
  const about = aboutThrown(thrown);
  if (about) return writeHandle(e, thrown, JsKind.error, new TupleItems(about));
  const own = stateOf(thrown);
  if (own?.half && own.kinds & Kind.exception) returning.set(thrown as object, thrown as Error); // comes back as itself
  isError(thrown) && !own ? writeError(e, thrown as Error) : write(e, thrown); // no conversion rule applies to it
}

/**
 * Writes the arguments of a call: their count, the arguments, the keyword arguments.
 *
 * @param lent takes large memory among them, for a message that is read before JavaScript goes on
 */
export function writeArguments(e: Encoding, args: readonly unknown[], lent?: Uint8Array[]): void {
  const { writer } = e;
  const last = args.length > 0 ? args[args.length - 1] : undefined;
  const keywords = last instanceof KeywordArguments ? last : undefined;
  const count = keywords ? args.length - 1 : args.length;
  writer.u32(count);
  for (let i = 0; i < count; i++) {
    e.lent = lent !== undefined && mayLend(args, i) ? lent : undefined;
    write(e, args[i]);
  }
  e.lent = undefined;
  if (!keywords) return writer.u8(Tag.none);
  seen(e, keywords.values); // the decoder numbers it like every container
  writeDict(e, keywords.values);
}
