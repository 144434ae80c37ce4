// The numbers and record layouts that JavaScript, the shim and Python share.
//
// This is the table: Python's numbers are made of it when Python is opened (`python_source.ts`), and a test compares it with
// `ffi/shim/numbers.h`. A number here is part of no file format: it only has to be the same within one version.

/** How a value on the wire begins, and what follows the tag. Little-endian, unaligned. */
export const Tag = {
  none: 0,
  true: 1,
  false: 2,
  int32: 3,
  int53: 4,
  bigint: 5,
  float: 6,
  ascii: 7,
  utf8: 8,
  utf16: 9,
  bytes: 10,
  array: 11,
  list: 12,
  tuple: 13,
  set: 14,
  dict: 15,
  map: 16,
  date: 17,
  reference: 18,
  object: 19,
  js: 20,
  error: 21,
  throw: 22,
  missing: 23,
} as const;

/** What follows a tag, where it depends on who writes: `in` is written by JavaScript, `out` by the shim. */
interface Payload {
  readonly in: string | undefined;
  readonly out: string | undefined;
}

const both = (fields: string): Payload => ({ in: fields, out: fields });
const sized = both("u32 length, bytes"), many = both("u32 count, values");

/** The payload of each tag; `undefined` where that side never writes it. `skipValue` is driven by this table. */
export const payloads: Readonly<Record<keyof typeof Tag, Payload>> = {
  none: both(""),
  true: both(""),
  false: both(""),
  int32: both("i32"),
  int53: both("f64"), // integral and safe
  bigint: sized, // "-0x…", from JavaScript with a NUL that counts
  float: both("f64"),
  ascii: sized,
  utf8: sized,
  utf16: sized, // keeps lone surrogates
  bytes: sized,
  array: { in: "u8 code, u32 length, bytes", out: "u8 code, u32 length, bytes, u8 dimensions, u32 each" },
  list: many,
  tuple: many,
  set: many,
  dict: both("u32 count, pairs"), // out: every key is a str
  map: { in: undefined, out: "u32 count, pairs" }, // some key is no str
  date: both("f64"), // milliseconds since 1970
  reference: both("u32"), // the nth container or array of this message again
  object: { in: "address", out: "u32 kinds, address" }, // in: borrowed; out: a new reference
  js: { in: "u32 heap, u32 handle, u8 kind, value", out: "u32 heap, u32 handle" },
  error: { in: undefined, out: "value, value, value, value" }, // exception, name, message, 1 if it has a cause + 2 if it is a group
  throw: both("value"), // out: what JavaScript threw; in: what is to be raised
  missing: { in: undefined, out: "" }, // there is no such attribute
};

/** Bits of what a Python object's type can do: `describe_type` works them out, once per type, and each object brings them. */
export const Kind = {
  js: 1,
  scalar: 2,
  buffer: 4,
  datetime: 8,
  /** A function or method made by `async def`. */
  asyncFunction: 16,
  callable: 32,
  iterable: 64,
  iterator: 128,
  asyncIterable: 256,
  awaitable: 512,
  coroutine: 1024,
  /** A Task or Future. */
  future: 2048,
  sequence: 4096,
  mapping: 8192,
  generator: 16384,
  asyncGenerator: 32768,
  exception: 65536,
  class: 131072,
  /** An object of an event loop's: a call of it may have to wake that loop. */
  loopBound: 262144,
} as const;

/** Kinds of JavaScript values: which Python object is made for one. */
export const JsKind = {
  object: 0,
  function: 1,
  promise: 2,
  asyncFunction: 3,
  error: 4,
  deferred: 5,
  generator: 6,
  asyncGenerator: 7,
} as const;

/** What Python may do with a JavaScript value; `js_operations.ts` does it. */
export const jsOperations = [
  "call",
  "await",
  "get",
  "set",
  "delete",
  "keys",
  "string",
  "new",
  "length",
  "typeof",
  "iterate",
  "getItem",
  "setItem",
  "deleteItem",
  "hasItem",
  "copy",
  "pull",
  "credit",
  "asyncIterate",
  "asyncNext",
  "step",
  "signature",
  "instanceOf",
  "subclassOf",
  "dispose",
  "disposeAsync",
  "callMethod",
  "getItems",
  "splice",
  "advance",
  "text",
] as const;

/** The name of an operation. */
export type JsOperationName = typeof jsOperations[number];

/** Operations that are told apart before they are done. */
export const JsOperation: { readonly call: number; readonly await: number } = {
  call: jsOperations.indexOf("call"),
  await: jsOperations.indexOf("await"),
};

/** Fields of a call: the callee, the arguments, keyword arguments as a dict, or None. */
const call = "value callee, u32 count, values arguments, value keywords";
/** Fields of REQUEST and CALL: where Python asks from, what it asks of which value. */
const asked = "u32 scope, value context, u8 operation, u32 handle, value arguments, value keywords";

/** The fields of each record, behind its `u32 size` and `u8 kind`. */
export const recordLayouts: Readonly<Record<"in" | "out", Readonly<Record<string, string>>>> = {
  in: {
    start: `u32 id, u32 scope, value context, ${call}`,
    await: "u32 id, u32 scope, value context, value awaitable",
    cancel: "u32 id",
    settle: "u32 slot, u32 pinned, value outcome",
    signalTaken: "u32 slot",
    release: "u32 count, addresses",
    unlock: "address",
    heapEnd: "",
    heapLost: "",
  },
  out: {
    done: "u32 id, value outcome",
    request: `u32 loop, u32 slot, ${asked}`,
    abort: "u32 loop, u32 slot, value error",
    call: `u32 id, u32 loop, ${asked}`,
    release: "u32 handle, u32 count",
    event: "u8 code, value",
    scopeEnd: "u32 scope",
    item: "u32 handle, value",
    loopEnd: "u32 loop",
    unpin: "u32 pinned",
  },
};

/** Records in a loop's inbox. `heapEnd` and `heapLost` are written by the shim itself. */
export const In = { start: 1, await: 2, cancel: 3, settle: 4, signalTaken: 5, release: 6, unlock: 7, heapEnd: 8, heapLost: 9 } as const;

/** Records in a heap's outbox. */
export const Out = { done: 1, request: 2, abort: 3, call: 4, release: 5, event: 6, scopeEnd: 7, item: 8, loopEnd: 9, unpin: 10 } as const;

/** What `pyawait_invoke` does; `inContext` and `inScope` are added. */
export const Operation = {
  call: 0,
  get: 1,
  copy: 2,
  callAndCopy: 3,
  lockBuffer: 4,
  refer: 5,
  inContext: 8,
  inScope: 16,
} as const;

/** What `pyawait_open` answers. `failed` is for good; after `refused` another attempt may follow. */
export const Opened = { now: 0, before: 1, closed: 2, failed: -1, refused: -2, foreign: -3 } as const;

/** Codes of `event` records. */
export const EventCode = { stdout: 1, stderr: 2 } as const;

/** The loop of a CALL from a thread on which no loop runs. */
export const NO_LOOP = 0xffff_ffff;

/** The inbox of the background loop. */
export const BACKGROUND = 0;

/** `GET_ITEM` of `getItem`: names as Python writes them. */
const constant = (name: string) => name.replace(/[A-Z]/g, "_$&").toUpperCase();

/** The same numbers as Python source: the first chapter of `src/py`. */
export function pythonNumbers(): string {
  const assign = (prefix: string, entries: Iterable<[string, number]>) =>
    [...entries].map(([name, value]) => `${prefix}${constant(name)} = ${value}\n`).join("");
  return assign("", jsOperations.map((name, number) => [name, number])) +
    assign("", Object.entries(JsKind)) +
    assign("KIND_", Object.entries(Kind));
}
