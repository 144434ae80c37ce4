// What a Python object's type can do, as bits: `describe_type` of src/py works them out, once per type.
//
// The one thing to know: they come with every object, so a proxy knows without asking Python what it is.

/** The bits, in the order of `describe_type` in src/py. */
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
  /** An object of asyncio's: a call of it may have to wake its loop. */
  loopBound: 262144,
} as const;
