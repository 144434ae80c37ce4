/* Reading the wire: bytes that JavaScript wrote become Python objects.
 *
 * The one thing to know: every function gives a new reference, or NULL with an exception set; a message that is shorter
 * than it says is refused and never read past its end.
 */
#ifndef PYAWAIT_READ_H
#define PYAWAIT_READ_H
#include "wire.h"

struct reader {
  const u8 *at, *end;
  PyObject **containers; /* and arrays, for TAG_REFERENCE; NULL: a tuple that is not complete */
  u32 count, capacity;
  int depth;
  int touched; /* a method of an object that belongs to a loop has been called */
};

static u8 read_u8(struct reader *r) { return r->at < r->end ? *r->at++ : 0; }

static u32 read_u32(struct reader *r) {
  u32 value = 0;
  if (r->end - r->at >= 4) __builtin_memcpy(&value, r->at, 4), r->at += 4;
  return value;
}

static u64 read_u64(struct reader *r) {
  u64 value = 0;
  if (r->end - r->at >= 8) __builtin_memcpy(&value, r->at, 8), r->at += 8;
  return value;
}

static double read_f64(struct reader *r) {
  double value = 0;
  if (r->end - r->at >= 8) __builtin_memcpy(&value, r->at, 8), r->at += 8;
  return value;
}

/* The start of `length` bytes, or NULL where the message is shorter, which only a fault of ours can make. */
static const char *read_bytes(struct reader *r, u32 length) {
  const char *start = (const char *)r->at;
  if ((size_t)(r->end - r->at) < length) return 0;
  r->at += length;
  return start;
}

static void remember(struct reader *r, PyObject *container) {
  if (r->count == r->capacity) {
    u32 capacity = r->capacity ? 2 * r->capacity : 16;
    PyObject **more = py.PyMem_RawRealloc(r->containers, capacity * sizeof *more);
    if (!more) return;
    r->containers = more, r->capacity = capacity;
  }
  r->containers[r->count++] = container ? new_reference(container) : 0;
}

/* JavaScript values in a message that could not be read to its end: they are given back. */
static void give_back_unread(struct reader *r);

static void close_reader(struct reader *r) {
  if (r->at < r->end) give_back_unread(r);
  for (u32 i = 0; i < r->count; i++) release(r->containers[i]);
  py.PyMem_RawFree(r->containers), r->containers = 0, r->count = r->capacity = 0;
}

static PyObject *decode(struct reader *r);

static PyObject *malformed(void) {
  if (!py.PyErr_Occurred()) py.PyErr_SetString(EXCEPTION(RuntimeError), "pyawait: malformed message");
  return 0;
}

static PyObject *decode_text(struct reader *r, u8 tag) {
  u32 length = read_u32(r);
  const char *bytes = read_bytes(r, length);
  if (!bytes) return malformed();
  if (tag == TAG_BYTES) return py.PyBytes_FromStringAndSize(bytes, length);
  if (tag == TAG_UTF16) {
    int little = -1;
    return py.PyUnicode_DecodeUTF16(bytes, length, "surrogatepass", &little);
  }
  return py.PyUnicode_DecodeUTF8(bytes, length, "strict");
}

static PyObject *decode_bigint(struct reader *r) {
  u32 length = read_u32(r);
  const char *bytes = read_bytes(r, length); /* JavaScript ends it with a NUL that is part of the length */
  return bytes && length && !bytes[length - 1] ? py.PyLong_FromString(bytes, 0, 16) : malformed();
}

static PyObject *decode_sequence(struct reader *r, u8 tag) {
  u32 count = read_u32(r);
  if (count > (size_t)(r->end - r->at)) return malformed();
  PyObject *sequence = tag == TAG_LIST ? py.PyList_New(count) : tag == TAG_TUPLE ? py.PyTuple_New(count) : py.PySet_New(0);
  if (!sequence) return 0;
  u32 index = r->count;
  remember(r, tag == TAG_TUPLE ? 0 : sequence);
  for (u32 i = 0; i < count; i++) {
    PyObject *value = decode(r);
    if (!value) return py.Py_DecRef(sequence), (PyObject *)0;
    if (tag == TAG_LIST) py.PyList_SetItem(sequence, i, value);
    else if (tag == TAG_TUPLE) py.PyTuple_SetItem(sequence, i, value);
    else {
      int failed = py.PySet_Add(sequence, value);
      py.Py_DecRef(value);
      if (failed) return py.Py_DecRef(sequence), (PyObject *)0;
    }
  }
  if (tag == TAG_SET && py.PySet_Size(sequence) != (Py_ssize_t)count) {
    py.Py_DecRef(sequence);
    py.PyErr_SetString(EXCEPTION(TypeError), "Cannot convert this Set to a set: two of its items are equal in Python, "
                       "as 1 and true are; convert it to an array first");
    return 0;
  }
  if (tag == TAG_TUPLE && index < r->count) r->containers[index] = new_reference(sequence);
  return sequence;
}

static PyObject *decode_dict(struct reader *r) {
  u32 count = read_u32(r);
  if (count > (size_t)(r->end - r->at)) return malformed();
  PyObject *dict = py.PyDict_New();
  if (!dict) return 0;
  remember(r, dict);
  for (u32 i = 0; i < count; i++) {
    PyObject *key = decode(r), *value = key ? decode(r) : 0;
    int failed = !value || py.PyDict_SetItem(dict, key, value);
    release(key), release(value);
    if (failed) return py.Py_DecRef(dict), (PyObject *)0;
  }
  if (py.PyDict_Size(dict) != (Py_ssize_t)count) {
    py.Py_DecRef(dict);
    py.PyErr_SetString(EXCEPTION(TypeError), "Cannot convert this Map to a dict: two of its keys are equal in Python, "
                       "as 1 and true are; give it keys that differ");
    return 0;
  }
  return dict;
}

static PyObject *decode_array(struct reader *r) {
  u8 code = read_u8(r);
  u32 length = read_u32(r);
  const char *bytes = read_bytes(r, length);
  if (!bytes) return malformed();
  char text[2] = {(char)code, 0};
  PyObject *arguments[2] = {py.PyUnicode_FromString(text), py.PyBytes_FromStringAndSize(bytes, length)};
  PyObject *array = arguments[0] && arguments[1] ? call(helper.to_array, arguments, 2) : 0;
  release(arguments[0]), release(arguments[1]);
  if (array) remember(r, array);
  return array;
}

static PyObject *decode_js(struct reader *r) {
  PyObject *arguments[4] = {
    py.PyLong_FromLongLong(read_u32(r)), py.PyLong_FromLongLong(read_u32(r)), py.PyLong_FromLongLong(read_u8(r)), decode(r),
  };
  PyObject *proxy = arguments[0] && arguments[1] && arguments[2] && arguments[3] ? call(helper.wrap_js, arguments, 4) : 0;
  for (int i = 0; i < 4; i++) release(arguments[i]);
  return proxy;
}

static PyObject *decode_date(struct reader *r) {
  PyObject *milliseconds = py.PyFloat_FromDouble(read_f64(r));
  PyObject *datetime = milliseconds ? call(helper.to_datetime, &milliseconds, 1) : 0;
  release(milliseconds);
  return datetime;
}

/* TAG_THROW: the value as an exception, set as the current one. */
static PyObject *decode_throw(struct reader *r) {
  PyObject *value = decode(r), *error = value ? call(helper.to_error, &value, 1) : 0;
  release(value);
  if (error) py.PyErr_SetObject((PyObject *)type_of(error), error), py.Py_DecRef(error);
  return 0;
}

/* The next value as a new reference; NULL with an exception set. */
static PyObject *decode(struct reader *r) {
  if (r->at >= r->end) return malformed();
  u8 tag = read_u8(r);
  switch (tag) {
  case TAG_NONE: return new_reference(None);
  case TAG_TRUE: return new_reference(py._Py_TrueStruct);
  case TAG_FALSE: return new_reference(py._Py_FalseStruct);
  case TAG_INT32: return py.PyLong_FromLongLong((int)read_u32(r));
  case TAG_INT53: return py.PyLong_FromLongLong((long long)read_f64(r));
  case TAG_FLOAT: return py.PyFloat_FromDouble(read_f64(r));
  case TAG_BIGINT: return decode_bigint(r);
  case TAG_ASCII: case TAG_UTF8: case TAG_UTF16: case TAG_BYTES: return decode_text(r, tag);
  case TAG_OBJECT: return new_reference((PyObject *)(size_t)read_u64(r));
  case TAG_ARRAY: return decode_array(r);
  case TAG_DATE: return decode_date(r);
  case TAG_JS: return decode_js(r);
  case TAG_THROW: return decode_throw(r);
  case TAG_REFERENCE: {
    u32 index = read_u32(r);
    if (index >= r->count) return malformed();
    if (r->containers[index]) return new_reference(r->containers[index]);
    return py.PyErr_SetString(EXCEPTION(TypeError), "Cannot convert a tuple that contains itself: Python has no such tuples"), (PyObject *)0;
  }
  case TAG_LIST: case TAG_TUPLE: case TAG_SET: case TAG_DICT: {
    if (++r->depth > 3000) return read_u32(r), py.PyErr_SetString(EXCEPTION(RecursionError), "Cannot convert a value that is nested more than 3000 deep"), (PyObject *)0;
    PyObject *container = tag == TAG_DICT ? decode_dict(r) : decode_sequence(r, tag);
    r->depth--;
    return container;
  }
  default: return malformed();
  }
}

#endif
