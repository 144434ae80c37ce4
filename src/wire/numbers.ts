// The numbers and record layouts that JavaScript, the shim and Python share.
//
// Python's numbers are generated from this table when Python is opened (`python_source.ts`); C's are in
// `ffi/shim/numbers.h`, which a test compares with it. No file format depends on them: they only have to agree within
// one version.

/** The first byte of a value on the wire; it says what follows. Numbers are little-endian and unaligned. */
export const Tag = {
  none: 0,
  true: 1,
  false: 2,
  int32: 3,
  int53: 4,
  bigint: 5,
  float: 6,
  latin1: 7,
  utf16: 8,
  bytes: 9,
  array: 10,
  list: 11,
  tuple: 12,
  set: 13,
  dict: 14,
  map: 15,
  numbers: 16,
  texts: 17,
  shape: 18,
  record: 19,
  date: 20,
  reference: 21,
  object: 22,
  js: 23,
  error: 24,
  throw: 25,
  missing: 26,
  slice: 27,
  known: 28,
  large: 29,
} as const;

/**
 * The payload behind a tag, per direction (`in`: to Python); `undefined` where a tag does not cross in that direction.
 */
interface Payload {
  readonly in: string | undefined;
  readonly out: string | undefined;
}

const both = (layout: string): Payload => ({ in: layout, out: layout });
const text = both("length:u32 text:u8*"), items = both("count:u32 items:value*");

/**
 * The layout of each tag's payload, in the notation of `ffi/shim/numbers.h`: `field:type`, where `TYPE*` stands for as
 * many as the number before it says. `skipValue` interprets them.
 */
export const payloads: Readonly<Record<keyof typeof Tag, Payload>> = {
  none: both(""),
  true: both(""),
  false: both(""),
  int32: both("number:i32"),
  int53: both("number:f64"), // an integer beyond 32 bits that a float64 holds exactly
  bigint: text, // "-0x1f", from JavaScript with a NUL that its length counts
  float: both("number:f64"),
  latin1: text,
  utf16: text,
  bytes: both("length:u32 data:u8*"),
  array: { in: "code:u8 data:value", out: "code:u8 dimensions:u8 shape:u32* data:value" },
  list: items,
  tuple: items,
  set: items,
  dict: both("count:u32 items:pair*"), // to JavaScript, every key is a str
  map: { in: undefined, out: "count:u32 items:pair*" },
  numbers: both("count:u32 numbers:f64*"), // a list, in Python of an int where a number is a safe integer, else of a float
  texts: { in: "count:u32 lengths:u32* all:value", out: undefined }, // a list of text, which is one text on the wire
  shape: both("keys:value first:value"), // the keys of the next dicts of many, as a tuple; the first of these
  record: both("shape:u32 count:u32 items:value*"), // a dict with the keys of the nth shape of this message
  date: both("milliseconds:f64"), // since 1970
  reference: both("index:u32"), // the nth container or array of this message again
  // `type`: the number of its type's name, in the lower half; above, of an `async def`, bits of its code's address.
  object: { in: "address:u64", out: "kinds:u32 type:u32 address:u64" }, // in: borrowed; out: a new reference
  js: { in: "heap:u32 handle:u32 kind:u8 about:value", out: "heap:u32 handle:u32" },
  error: { in: undefined, out: "exception:value name:value message:value extra:value" },
  throw: both("thrown:value"), // what JavaScript threw; from JavaScript: what Python has to raise
  missing: { in: undefined, out: "" }, // no such attribute
  slice: { in: "start:value stop:value step:value", out: undefined },
  known: { in: undefined, out: "" }, // the attribute is the method that JavaScript has
  large: { in: "index:u32", out: "width:u8 length:u32 data:u64 address:u64" }, // read where it lies
};

/**
 * What objects of a Python type can do, as bits. `describe_type` determines them once per type; every object carries
 * them.
 */
export const Kind = {
  js: 1,
  scalar: 2,
  buffer: 4,
  datetime: 8,
  /** A function or method defined by `async def`. */
  asyncFunction: 16,
  callable: 32,
  iterable: 64,
  iterator: 128,
  asyncIterable: 256,
  awaitable: 512,
  coroutine: 1024,
  /** A Task or a Future. */
  future: 2048,
  sequence: 4096,
  mapping: 8192,
  generator: 16384,
  asyncGenerator: 32768,
  exception: 65536,
  class: 131072,
  /** Belongs to an event loop (asyncio, uvloop): a call of it may have to wake that loop. */
  loopBound: 262144,
  /** Awaitable, an asynchronous iterator or an asynchronous context manager. */
  asyncObject: 524288,
  /** A callable whose synchronous calls are made on an event loop's thread, or a generator whose steps are. */
  asynchronous: 1048576,
  /** Its class is, or extends, one that stands for a JavaScript class (js_classes.py). */
  half: 2097152,
} as const;

/** Kinds of JavaScript values; each is represented by a different Python object. */
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

/** The operations that Python can ask of a JavaScript value, by number; `js_operations.ts` implements them. */
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
  "lookUp",
  "list",
] as const;

/** The name of an operation. */
export type JsOperationName = typeof jsOperations[number];

/** The operations that `serve.ts` distinguishes. */
export const JsOperation: { readonly call: number; readonly await: number } = {
  call: jsOperations.indexOf("call"),
  await: jsOperations.indexOf("await"),
};

/** Layouts that several records contain, by name. */
export const sharedLayouts: Readonly<Record<string, string>> = {
  call: "callee:value count:u32 arguments:value* keywords:value",
  copy: "depth:i32 dict_as:u8",
  request: "scope:u32 context:value operation:u8 handle:u32 arguments:value keywords:value",
  answer: "pin:u32 outcome:value",
};

/** The layout of each record after `size:u32 kind:u8`, and of the input of `pyawait_invoke`. */
export const recordLayouts: Readonly<Record<"in" | "out" | "operation", Readonly<Record<string, string>>>> = {
  in: {
    start: "id:u32 serial:u32 scope:u32 context:value call",
    await: "id:u32 serial:u32 scope:u32 context:value awaitable:value",
    cancel: "id:u32 serial:u32",
    settle: "slot:u32 answer",
    signalTaken: "slot:u32",
    release: "count:u32 addresses:u64*",
    unlock: "address:u64",
    heapEnd: "none",
    heapLost: "none",
    serves: "id:u32 serial:u32 slot:u32",
  },
  out: {
    done: "id:u32 serial:u32 outcome:value",
    request: "loop:u32 slot:u32 request",
    abort: "loop:u32 slot:u32 error:value",
    call: "id:u32 loop:u32 request",
    release: "handle:u32 count:u32",
    event: "code:u8 value:value",
    scopeEnd: "scope:u32",
    item: "handle:u32 item:value",
    loopEnd: "loop:u32",
    unpin: "pin:u32",
  },
  operation: {
    call: "call",
    get: "object:value name:value known:value",
    copy: "copy object:value",
    callAndCopy: "copy call",
    lockBuffer: "object:value",
    refer: "object:value",
    stay: "none",
    inContext: "context:value ...",
    inScope: "... scope:u32",
    onLoop: "loop:u32 ...",
    release: "... addresses:u64* count:u32",
    lend: "... blocks:block* count:u32",
  },
};

/** Bytes and text of so many bytes do not pass through a message's memory, where that can be. */
export const LARGE = 65536;

/** Kinds of records in a loop's inbox. The shim itself writes `heapEnd` and `heapLost`. */
export const In = {
  start: 1,
  await: 2,
  cancel: 3,
  settle: 4,
  signalTaken: 5,
  release: 6,
  unlock: 7,
  heapEnd: 8,
  heapLost: 9,
  serves: 10,
} as const;

/** Kinds of records in a heap's outbox. */
export const Out = { done: 1, request: 2, abort: 3, call: 4, release: 5, event: 6, scopeEnd: 7, item: 8, loopEnd: 9, unpin: 10 } as const;

/** Operations of `pyawait_invoke`. `inContext`, `inScope`, `onLoop` and `release` are flags, added to an operation. */
export const Operation = {
  call: 0,
  get: 1,
  copy: 2,
  callAndCopy: 3,
  lockBuffer: 4,
  refer: 5,
  stay: 6,
  inContext: 8,
  inScope: 16,
  onLoop: 32,
  release: 64,
  lend: 128,
} as const;

/** Results of `pyawait_open`. `failed` and `foreign` are final; after `refused` another attempt is possible. */
export const Opened = { now: 0, before: 1, closed: 2, failed: -1, refused: -2, foreign: -3 } as const;

/** Codes of `event` records. The value of `signal` is the signal's number << 2 | a {@linkcode SignalOwner}. */
export const EventCode = { stdout: 1, stderr: 2, signal: 3 } as const;

/** Whose a signal is. `none`: Python ignores it, so the host's handler stays only if JavaScript listens. */
export const SignalOwner = { host: 0, python: 1, none: 2 } as const;

/** Results of `pyawait_submit`. */
export const Submitted = { done: 0, noLoop: -1, noMemory: -2 } as const;

/** The loop id of a CALL from a thread on which no event loop runs. */
export const NO_LOOP = 0xffff_ffff;

/** The loop id of the background loop. */
export const BACKGROUND = 0;

/** Python's spelling of a name: `GET_ITEM` for `getItem`. */
const constant = (name: string) => name.replace(/[A-Z]/g, "_$&").toUpperCase();

/** The numbers as Python source: the second chapter of the module `pyawait`. */
export function pythonNumbers(): string {
  const assign = (prefix: string, entries: Iterable<[string, number]>) =>
    [...entries].map(([name, value]) => `${prefix}${constant(name)} = ${value}\n`).join("");
  return assign("", jsOperations.map((name, number) => [name, number])) +
    assign("", Object.entries(JsKind)) +
    assign("KIND_", Object.entries(Kind)) +
    assign("EVENT_", Object.entries(EventCode)) +
    assign("OWNER_", Object.entries(SignalOwner));
}
