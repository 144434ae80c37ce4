/* Every number and layout that C shares with TypeScript (src/wire/numbers.ts). Plain C without an include: the test
 * harness includes it as well. A test compares names, numbers and layouts with the TypeScript table, so this file has a
 * fixed form:
 *
 *   member   One a line: `NAME = number,` and then, in a comment on the same line, its layout and nothing else. Prose
 *            stands on lines of its own.
 *   tag      `BOTH(TAG_NAME, "layout")`, or `EACH(TAG_NAME, "layout from JavaScript", "layout to JavaScript")`, with 0
 *            for a direction that it does not cross in. The numbers count from 0. skip.c interprets these strings, so
 *            a tag without a layout does not compile.
 *   layout   Fields in the order of their bytes, a blank between them: `field:type`, or the name of a shared layout.
 *            `none` (of a tag: ""): no bytes. `...`: what the operation itself reads.
 *   type     u8 i32 u32 u64 f64   little-endian and unaligned
 *            value                a tag and what its layout says
 *            pair                 two values, key and value
 *            block                address:u64 length:u32
 *            TYPE*                as many of TYPE as the number right before it says
 *            Values and pairs come last in a tag's layout: skip.c walks them as the values that follow.
 *
 * Shared layouts, `name = layout`:
 *
 *   call = callee:value count:u32 arguments:value* keywords:value
 *   copy = depth:i32 dict_as:u8
 *   request = scope:u32 context:value operation:u8 handle:u32 arguments:value keywords:value
 *   answer = pin:u32 outcome:value
 *
 * `keywords` is None or a dict, `context` None or a contextvars.Context; scope, pin and loop are 0 where there is none
 * (a CALL's loop: NO_LOOP). An outcome is a value, or TAG_ERROR or TAG_THROW.
 */
#ifndef PYAWAIT_NUMBERS_H
#define PYAWAIT_NUMBERS_H

/* clang-format off */

/* A value is its tag, one byte, and the payload. What has no form of its own crosses by reference: a Python object by
   its address (from JavaScript borrowed, to JavaScript a new reference), a JavaScript value by its heap and handle. */
#define TAGS(BOTH, EACH) \
  BOTH(TAG_NONE, "") \
  BOTH(TAG_TRUE, "") \
  BOTH(TAG_FALSE, "") \
  BOTH(TAG_INT32, "number:i32") \
  /* An integer beyond 32 bits that a float64 holds exactly. */ \
  BOTH(TAG_INT53, "number:f64") \
  /* "-0x…"; from JavaScript it ends with a NUL that its length counts. */ \
  BOTH(TAG_BIGINT, "length:u32 text:u8*") \
  BOTH(TAG_FLOAT, "number:f64") \
  /* Text: both sides keep it with 8 or 16 bits a character and copy it as it is. The length is in bytes. */ \
  BOTH(TAG_LATIN1, "length:u32 text:u8*") \
  BOTH(TAG_UTF16, "length:u32 text:u8*") \
  BOTH(TAG_BYTES, "length:u32 data:u8*") \
  /* `code` is a typecode of Python's array module, `data` is bytes. From JavaScript there is no shape. */ \
  EACH(TAG_ARRAY, "code:u8 data:value", "code:u8 dimensions:u8 shape:u32* data:value") \
  BOTH(TAG_LIST, "count:u32 items:value*") \
  BOTH(TAG_TUPLE, "count:u32 items:value*") \
  BOTH(TAG_SET, "count:u32 items:value*") \
  /* To JavaScript every key is a str; otherwise the dict is a TAG_MAP. */ \
  BOTH(TAG_DICT, "count:u32 items:pair*") \
  EACH(TAG_MAP, 0, "count:u32 items:pair*") \
  /* A list. In Python a safe integer is an int, another number a float; no number is where JavaScript tells them apart. */ \
  BOTH(TAG_NUMBERS, "count:u32 numbers:f64*") \
  /* A list of text, which is one text on the wire. A length is in characters as JavaScript counts them. */ \
  EACH(TAG_TEXTS, "count:u32 lengths:u32* all:value", 0) \
  /* The keys that several dicts have, as a tuple of str, and the first TAG_RECORD with them. */ \
  BOTH(TAG_SHAPE, "keys:value first:value") \
  /* A dict with the keys of the nth shape of this message. */ \
  BOTH(TAG_RECORD, "shape:u32 count:u32 items:value*") \
  /* Milliseconds since 1970. */ \
  BOTH(TAG_DATE, "milliseconds:f64") \
  /* The nth container of this message once more; arrays count as containers. */ \
  BOTH(TAG_REFERENCE, "index:u32") \
  /* `type` is the number of its type's name (src/py/type_kinds.py). */ \
  EACH(TAG_OBJECT, "address:u64", "kinds:u32 type:u32 address:u64") \
  /* `kind` is an enum js_kind; `about` is the value's name, or more (src/py/wrapping.py, wrap_js). */ \
  EACH(TAG_JS, "heap:u32 handle:u32 kind:u8 about:value", "heap:u32 handle:u32") \
  /* `extra` is 1 if the exception has a cause, plus 2 if it is a group. */ \
  EACH(TAG_ERROR, 0, "exception:value name:value message:value extra:value") \
  /* What JavaScript threw; from JavaScript: what Python raises. */ \
  BOTH(TAG_THROW, "thrown:value") \
  /* There is no such attribute. */ \
  EACH(TAG_MISSING, 0, "") \
  EACH(TAG_SLICE, "start:value stop:value step:value", 0) \
  /* The attribute is the method that JavaScript has. */ \
  EACH(TAG_KNOWN, 0, "") \
  /* Bytes or text from LARGE bytes on, read where they lie: the nth block that the operation lends; `data` in the */ \
  /* memory of the object at `address`, a new reference. `width` is that of a character, 0 of bytes. */ \
  EACH(TAG_LARGE, "index:u32", "width:u8 length:u32 data:u64 address:u64")

#define TAG_MEMBER(name, ...) name,
enum tag { TAGS(TAG_MEMBER, TAG_MEMBER) TAG_COUNT };

/* Records from JavaScript, in a loop's inbox. A record is `size:u32 kind:u8` and its layout; size counts itself. */
enum in {
  IN_START = 1,        /* id:u32 serial:u32 scope:u32 context:value call */
  IN_AWAIT = 2,        /* id:u32 serial:u32 scope:u32 context:value awaitable:value */
  IN_CANCEL = 3,       /* id:u32 serial:u32 */
  IN_SETTLE = 4,       /* slot:u32 answer */
  IN_SIGNAL_TAKEN = 5, /* slot:u32 */
  IN_RELEASE = 6,      /* count:u32 addresses:u64* */
  IN_UNLOCK = 7,       /* address:u64 */
  /* The shim alone makes these: the heap has ended; its last use is dropped. */
  IN_HEAP_END = 8,     /* none */
  IN_HEAP_LOST = 9,    /* none */
  IN_SERVES = 10       /* id:u32 serial:u32 slot:u32 */
};

/* Records to JavaScript, in a heap's outbox: also `size:u32 kind:u8` and the layout. */
enum out {
  OUT_DONE = 1,        /* id:u32 serial:u32 outcome:value */
  OUT_REQUEST = 2,     /* loop:u32 slot:u32 request */
  OUT_ABORT = 3,       /* loop:u32 slot:u32 error:value */
  OUT_CALL = 4,        /* id:u32 loop:u32 request */
  OUT_RELEASE = 5,     /* handle:u32 count:u32 */
  OUT_EVENT = 6,       /* code:u8 value:value */
  OUT_SCOPE_END = 7,   /* scope:u32 */
  OUT_ITEM = 8,        /* handle:u32 item:value */
  OUT_LOOP_END = 9,    /* loop:u32 */
  OUT_UNPIN = 10       /* pin:u32 */
};

/* Bytes and text of so many bytes do not pass through a message's memory, where that can be. */
#define LARGE 65536u

/* What pyawait_invoke does, and reads. It writes `length:i32 outcome:value`, in DO_IN_SCOPE `length:i32 kept:u8
   outcome:value`: whether Python has kept the scope. A length of 0: Python is closed, and nothing was done.
   pyawait_answer reads the layout `answer`. */
enum operation {
  DO_CALL = 0,          /* call */
  DO_GET = 1,           /* object:value name:value known:value */
  DO_COPY = 2,          /* copy object:value */
  DO_CALL_AND_COPY = 3, /* copy call */
  DO_LOCK_BUFFER = 4,   /* object:value */
  DO_REFER = 5,         /* object:value */
  DO_STAY = 6,          /* none */
  /* Flags, added to an operation. Of what comes last, the scope is before what is lent, and that before the releases. */
  DO_IN_CONTEXT = 8,    /* context:value ... */
  DO_IN_SCOPE = 16,     /* ... scope:u32 */
  DO_ON_LOOP = 32,      /* loop:u32 ... */
  DO_RELEASE = 64,      /* ... addresses:u64* count:u32 */
  DO_LEND = 128         /* ... blocks:block* count:u32 */
};

/* What a dict becomes: an object if every key is a str and else a Map; always an object; always a Map. DICT_AS_JSON:
   everything becomes what JSON has (encode_json). */
enum dict_as {
  DICT_AS_FITS = 0,
  DICT_AS_OBJECT = 1,
  DICT_AS_MAP = 2,
  DICT_AS_JSON = 3
};

/* What a Python type can do, as bits: those of describe_type (src/py) that the shim looks at. */
enum kind {
  KIND_JS = 1,
  KIND_SCALAR = 2,
  KIND_BUFFER = 4,
  KIND_DATETIME = 8,
  KIND_ASYNC_FUNCTION = 16,
  KIND_CALLABLE = 32,
  KIND_GENERATOR = 16384,
  KIND_CLASS = 131072,
  KIND_LOOP_BOUND = 262144,
  KIND_ASYNC_OBJECT = 524288,
  KIND_ASYNCHRONOUS = 1048576
};

/* What a JavaScript value is. The shim hands the number on to wrap_js. */
enum js_kind {
  JS_OBJECT = 0,
  JS_FUNCTION = 1,
  JS_PROMISE = 2,
  JS_ASYNC_FUNCTION = 3,
  JS_ERROR = 4,
  JS_DEFERRED = 5,
  JS_GENERATOR = 6,
  JS_ASYNC_GENERATOR = 7
};

/* What pyawait_open answers. After OPENED_REFUSED another attempt may follow. OPENED_FAILED and OPENED_FOREIGN (other
   code has initialised Python) are final. */
enum opened {
  OPENED_NOW = 0,
  OPENED_BEFORE = 1,
  OPENED_CLOSED = 2,
  OPENED_FAILED = -1,
  OPENED_REFUSED = -2,
  OPENED_FOREIGN = -3
};

/* Whose a signal is. NONE: Python ignores it, so the host's handler stays only if JavaScript listens. */
enum signal_owner {
  OWNER_HOST = 0,
  OWNER_PYTHON = 1,
  OWNER_NONE = 2,
};

/* What the runtime does with Python's memory that a heap was the first to see, when that heap ends: nothing (Deno), it
   gives the memory up before it calls the hook that tells of the end (Node), or after that (Bun). */
enum memory_end {
  MEMORY_STAYS = 0,
  MEMORY_ENDS_BEFORE_HOOK = 1,
  MEMORY_ENDS_AFTER_HOOK = 2
};

/* What pyawait_counters gives, a u32 each. */
enum counter {
  COUNT_WAKES = 0,
  COUNT_RINGS = 1,
  COUNT_ATTACHES = 2,
  COUNT_SUBMISSIONS = 3,
  COUNT_TAKES = 4,
  COUNT_LATE = 5,
  COUNT_CALLS = 6,
  COUNTERS = 7
};

/* What pyawait_submit answers: the records are sent; there is no such loop; there is no memory. */
enum submitted {
  SUBMIT_DONE = 0,
  SUBMIT_NO_LOOP = -1,
  SUBMIT_NO_MEMORY = -2
};

/* A CALL comes from no loop that JavaScript can reach. */
#define NO_LOOP 0xffffffffu

/* clang-format on */

#endif
