/* The wire: how a value is written when it crosses between JavaScript and Python. `src/wire.ts` is the other end.
 *
 * The one thing to know: every crossing - a synchronous call, a submission, a completion, a call of a JavaScript
 * function - carries its values in this one form, so a list of 10,000 numbers crosses in one call and not in 20,000.
 * A value is a tag and its payload, little-endian, unaligned. What has no form of its own crosses by reference: a
 * Python object as its address (out: a new reference; in: borrowed), a JavaScript value as its handle.
 */
#ifndef PYAWAIT_WIRE_H
#define PYAWAIT_WIRE_H
#include "capi.h"

enum tag {
  TAG_NONE, TAG_TRUE, TAG_FALSE,
  TAG_INT32,    /* i32 */
  TAG_INT53,    /* f64, integral and safe */
  TAG_BIGINT,   /* u32 length, "-0x…" */
  TAG_FLOAT,    /* f64 */
  TAG_ASCII, TAG_UTF8, TAG_UTF16, /* u32 length in bytes, bytes; UTF-16 keeps lone surrogates */
  TAG_BYTES,    /* u32 length, bytes */
  TAG_ARRAY,    /* u8 typecode of Python's array, u32 length in bytes, bytes, u8 dimensions, u32 each */
  TAG_LIST, TAG_TUPLE, TAG_SET, /* u32 count, values */
  TAG_DICT,     /* u32 count, key and value each; out: every key is a str */
  TAG_MAP,      /* as TAG_DICT, out only: some key is no str */
  TAG_DATE,     /* f64 milliseconds since 1970 */
  TAG_REFERENCE,/* u32: the nth container of this message again; in: arrays count, too */
  TAG_OBJECT,   /* u64 address; out: u32 kinds before it */
  TAG_JS,       /* u32 heap, u32 handle; in: u8 kind and the name, a value */
  TAG_ERROR,    /* out: exception object, name, message, 1 if it has a cause + 2 if it is a group */
  TAG_THROW,    /* out: the JavaScript value that was thrown; in: a value to raise */
  TAG_MISSING   /* out: there is no such attribute */
};

/* What a Python type can do, worked out once per type by `describe_type` in src/py, which lists all of them. */
enum { KIND_JS = 1, KIND_SCALAR = 2, KIND_BUFFER = 4, KIND_DATETIME = 8, KIND_ASYNC_FUNCTION = 16,
  KIND_LOOP_BOUND = 1 << 18 };

/* Python functions and classes that the shim calls: `setup` takes them from src/py. */
#define HELPERS(X) \
  X(kinds_by_type) X(describe_type) X(describe_error) X(wrap_js) X(to_error) X(to_array) X(from_buffer) X(to_datetime) \
  X(from_datetime) X(check_keys) X(async_codes) X(guard_error) X(entry) X(ensure_task) X(new_loop) X(JsProxy) X(JavaScriptEnded) X(Task) X(get_running_loop) X(_get_running_loop) X(CancelledError)
#define HELPER(name) PyObject *name;
static struct { HELPERS(HELPER) } helper;

/* Names that are looked up often, made once. */
#define NAMES(X) \
  X(done) X(result) X(set_result) X(set_exception) X(add_done_callback) X(call_soon) X(cancel) X(create_future) \
  X(create_task) X(get_task_factory) X(co_flags) X(item) X(copy) X(_ready) X(_scheduled) X(__self__) X(_pyawait_handle) X(_pyawait_heap) X(__pyawait_js__) X(append) X(get_loop) X(items)
#define NAME(name) PyObject *name;
static struct { NAMES(NAME) } name;


#endif
