// Decodes values from the wire.
//
// A Python object without a counterpart becomes a proxy; a value that JavaScript threw or passed comes back as itself.
import { backend } from "../../ffi/mod.ts";
import { bridge } from "../interpreter/bridge.ts";
import { forget } from "../interpreter/inbox.ts";
import { openInterpreter } from "../interpreter/interpreter.ts";
import { receive } from "../interpreter/js_handles.ts";
import { type Reader, textOf } from "../wire/codec.ts";
import { Kind, Tag } from "../wire/numbers.ts";
import { typedArrays } from "../wire/typed_arrays.ts";
import { skipValue } from "../wire/walker.ts";
import { stateOf } from "./proxy_state.ts";
import { newPythonError, pythonError } from "./python_error.ts";

/** What is asked while a copy is read. */
interface CopyHooks {
  /** For each object that stays a proxy: what takes its place. */
  readonly leftover?: (proxy: unknown) => unknown;
  /** For each value of JavaScript that comes back, and the number of containers around it: what takes its place. */
  readonly ownValue?: (value: unknown, level: number) => unknown;
}

let hooks: CopyHooks | undefined;
/** How many containers are being read. Right only while there are hooks: a failed reading leaves it too high. */
let level = 0;

/** Runs `reading`, during which the hooks are asked. */
export function withHooks<T>(given: CopyHooks, reading: () => T): T {
  const outer = hooks, outerLevel = level;
  hooks = given;
  level = 0;
  try {
    return reading();
  } finally {
    hooks = outer;
    level = outerLevel;
  }
}

/** Asks a hook, which may itself read from Python. */
function ask(hook: ((value: unknown, level: number) => unknown) | undefined, value: unknown): unknown {
  if (!hook) return value;
  const asked = hooks, at = level;
  hooks = undefined;
  try {
    return hook(value, at);
  } finally {
    hooks = asked;
    level = at;
  }
}

/** Reads the next value. */
export function read(r: Reader): unknown {
  const tag = r.u8();
  switch (tag) {
    case Tag.none:
      return null;
    case Tag.true:
      return true;
    case Tag.false:
      return false;
    case Tag.int32:
      return r.i32();
    case Tag.int53:
    case Tag.float:
      return r.f64();
    case Tag.latin1:
      return r.latin1();
    case Tag.object: {
      const kinds = r.u32(), type = r.u32();
      const proxy = bridge.makeProxy(r.address(), kinds, type);
      return hooks ? ask(hooks.leftover, proxy) : proxy;
    }
    case Tag.utf16:
      return r.utf16();
    case Tag.bigint:
      return r.bigint();
    case Tag.bytes:
      return r.data(r.u32()).slice();
    case Tag.js: {
      r.u32();
      const value = receive(r.u32());
      return hooks ? ask(hooks.ownValue, value) : value;
    }
    case Tag.missing:
      return undefined;
    case Tag.date:
      return new Date(r.f64());
    case Tag.large:
      return readLarge(r);
    case Tag.array:
      return readArray(r);
    case Tag.list:
    case Tag.tuple:
    case Tag.set:
    case Tag.dict:
    case Tag.map:
    case Tag.numbers:
    case Tag.shape:
    case Tag.record:
      return readWhole(r, tag);
    default:
      throw new Error(`pyawait: malformed message (tag ${tag})`);
  }
}

/** Reads a container. If that fails half-way, the references to the objects that were not read are released. */
function readWhole(r: Reader, tag: number): unknown {
  const start = r.at - 1;
  r.shapes = [];
  try {
    return readContainer(r, tag, []);
  } catch (error) {
    releaseUnread(r, start, 1);
    throw error;
  }
}

/** bytes of an object's kinds and address, behind the tag */
const addressBytes = 12;

/**
 * Skips `count` values from `start` on, of which the ones before the current position were read, and releases the
 * references to the objects in the others.
 */
export function releaseUnread(r: Reader, start: number, count: number): void {
  const stopped = r.at;
  r.at = start;
  for (let left = count; left > 0; left--) skipValue(r, (address) => r.at - addressBytes > stopped && forget(address));
}

function readDeep(r: Reader, containers: unknown[]): unknown {
  const tag = r.bytes[r.at];
  if (tag < Tag.array || tag > Tag.reference || tag === Tag.date) return read(r);
  r.at++;
  if (tag === Tag.array) return containers[containers.length] = readArray(r);
  return tag === Tag.reference ? containers[r.u32()] : readContainer(r, tag, containers);
}

/** The keys of the next records. Engines find a property sooner by its name as they keep it, which this gives. */
function readShape(r: Reader): void {
  r.u8(); // a tuple
  r.shapes.push(Array.from({ length: r.u32() }, () => Object.keys({ [read(r) as string]: 0 })[0]));
}

function readRecord(r: Reader, containers: unknown[]): unknown {
  const keys = r.shapes[r.u32()], count = r.u32();
  const object: Record<string, unknown> = {};
  containers.push(object);
  for (let i = 0; i < count; i++) setItem(object, keys[i], readDeep(r, containers));
  level--;
  return object;
}

function readContainer(r: Reader, tag: number, containers: unknown[]): unknown {
  level++;
  if (tag === Tag.shape) readShape(r), tag = r.u8();
  if (tag === Tag.record) return readRecord(r, containers);
  const count = r.u32();
  if (tag === Tag.list || tag === Tag.tuple) {
    const list: unknown[] = new Array(count < 1 << 20 ? count : 0);
    containers.push(list);
    for (let i = 0; i < count; i++) list[i] = readDeep(r, containers);
    level--;
    return list;
  }
  if (tag === Tag.numbers) {
    const list: number[] = new Array(count);
    containers.push(list);
    r.numbers(list, count);
    level--;
    return list;
  }
  if (tag === Tag.set) {
    const set = new Set();
    containers.push(set);
    for (let i = 0; i < count; i++) set.add(readDeep(r, containers));
    if (set.size < count) throw new TypeError("Cannot convert a set: two of its items are the same in JavaScript");
    level--;
    return set;
  }
  if (tag === Tag.map) {
    const map = new Map();
    containers.push(map);
    for (let i = 0; i < count; i++) map.set(readDeep(r, containers), readDeep(r, containers));
    if (map.size < count) throw new TypeError("Cannot convert a dict: two of its keys are the same in JavaScript");
    level--;
    return map;
  }
  const object: Record<string, unknown> = {};
  containers.push(object);
  for (let i = 0; i < count; i++) {
    const key = read(r) as string;
    const value = readDeep(r, containers);
    setItem(object, key, value);
  }
  level--;
  return object;
}

/** Sets an item of a new object. Assigning is faster than defining or looking first, and fails only for few names. */
export function setItem(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") return defineItem(object, key, value);
  try {
    object[key] = value;
  } catch { // its prototype is frozen, and has a property of this name
    defineItem(object, key, value);
  }
}

/** Defines an own property, whatever the object inherits under this name. */
export function defineItem(object: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The number that 16 bits encode as a float16. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1, exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * 2 ** (Math.max(exponent, 1) - 25) * (exponent ? fraction + 1024 : fraction);
}

/** Bytes or text that JavaScript copies itself from where it lies. */
function readLarge(r: Reader): Uint8Array | string {
  const width = r.u8(), length = r.u32(), data = r.address(), owner = r.address();
  const { shim, addon } = openInterpreter()!;
  try {
    const text = width > 0 ? addon?.text(data, length, width) : undefined;
    if (text !== undefined) return text;
    const bytes = backend.allocate(length);
    shim.pyawait_copy(backend.address(bytes), backend.pointer(data), length);
    return width > 0 ? textOf(bytes, width) : bytes;
  } finally {
    forget(owner);
  }
}

function readArray(r: Reader): unknown {
  const code = String.fromCharCode(r.u8());
  const shape = Array.from({ length: r.u8() }, () => r.u32());
  const { buffer } = read(r) as Uint8Array;
  const array = code in typedArrays ? new typedArrays[code](buffer as ArrayBuffer) : Float32Array.from(new Uint16Array(buffer), fromHalf);
  if (shape.length > 0) Object.defineProperty(array, "shape", { value: shape, configurable: true, writable: true });
  return array;
}

/** Reads what was raised and returns the error to throw. The tag has been read. */
export function readError(r: Reader, tag: number): unknown {
  if (tag === Tag.throw) {
    const thrown = read(r);
    const elsewhere = ((stateOf(thrown)?.kinds ?? 0) & Kind.exception) !== 0;
    return elsewhere ? newPythonError(thrown, "JsException", "raised by another JavaScript thread", 0) : thrown;
  }
  const exception = read(r), name = read(r), message = read(r), has = Number(read(r));
  return pythonError(exception, typeof name === "string" ? name : "BaseException", typeof message === "string" ? message : "", has);
}

/** Reads an outcome: returns its value or throws its error. */
export function readOutcome(r: Reader): unknown {
  const tag = r.bytes[r.at];
  if (tag !== Tag.error && tag !== Tag.throw) return read(r);
  r.at++;
  hooks = undefined; // of a copy that has failed
  throw readError(r, tag);
}
