/* Values from JavaScript: bytes become Python objects.
 *
 * Why C: this is the inner loop of every call, submission and answer, and a drain runs it where no JavaScript can. What
 * is rare or needs Python's own modules (arrays, dates, proxies, errors) is a helper in src/py.
 *
 * A message may be shorter than it says, or wrong in any byte: a function gives a new reference, or NULL with an
 * exception set, and never reads past the end.
 */
#include "shim.h"

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
  u64 bits = read_u64(r);
  double value;
  __builtin_memcpy(&value, &bits, 8);
  return value;
}

static PyObject *read_object(struct reader *r) { return (PyObject *)(size_t)read_u64(r); } /* borrowed */

/* TAG_OBJECT. An address that JavaScript was not given is memory of any content: a build with PYAWAIT_CHECK_OBJECTS
   refuses it. (Looking it up costs more than the conversion of most values.) */
static PyObject *decode_object(struct reader *r) {
  PyObject *object = read_object(r);
#ifdef PYAWAIT_CHECK_OBJECTS
  if (!is_given(object))
    return raise_error(EXCEPTION(RuntimeError), "pyawait: an object that JavaScript was not given");
#endif
  return new_reference(object);
}

/* The start of `length` bytes, or NULL where the message has fewer. */
static const char *read_bytes(struct reader *r, u32 length) {
  const char *start = (const char *)r->at;
  if ((size_t)(r->end - r->at) < length) return 0;
  r->at += length;
  return start;
}

/* For TAG_REFERENCE; NULL holds the place of a tuple until its items are read. */
static void add_container(struct reader *r, PyObject *container) {
  if (r->count == r->capacity) {
    PyObject **more = grow(r->containers, &r->capacity, r->count, sizeof *more);
    if (!more) return;
    r->containers = more;
  }
  r->containers[r->count++] = container ? new_reference(container) : 0;
}

static PyObject *malformed(void) {
  return py.PyErr_Occurred() ? 0 : raise_error(EXCEPTION(RuntimeError), "pyawait: malformed message");
}

static PyObject *decode(struct reader *r);

static PyObject *decode_text(struct reader *r, u8 tag) {
  u32 length = read_u32(r);
  const char *bytes = read_bytes(r, length);
  if (!bytes) return malformed();
  if (tag == TAG_BYTES) return py.PyBytes_FromStringAndSize(bytes, length);
  return tag == TAG_LATIN1 ? py.PyUnicode_FromKindAndData(1, bytes, length) : new_text((const u8 *)bytes, length / 2);
}

/* TAG_LARGE. */
static PyObject *decode_lent(struct reader *r) {
  u32 index = read_u32(r);
  return index < r->lent_count ? new_reference(r->lent[index]) : malformed();
}

static PyObject *decode_bigint(struct reader *r) {
  u32 length = read_u32(r);
  const char *bytes = read_bytes(r, length);
  return bytes && length && !bytes[length - 1] ? py.PyLong_FromString(bytes, 0, 16) : malformed();
}

/* While its items are read, which runs Python code, a list or tuple has NULLs in it: no code may find it through
   gc.get_objects(). (The empty tuple is shared, and stays as it is.) */
static PyObject *hide(PyObject *sequence, u32 count) {
  if (sequence && count) py.PyObject_GC_UnTrack(sequence);
  return sequence;
}

static PyObject *show(PyObject *sequence, u32 count) {
  if (count) py.PyObject_GC_Track(sequence);
  return sequence;
}

/* A list that is still being read is referred to by what it contains, which code can find: it gets None for NULLs. The
   items are read in order, so the last one tells. */
static void fill_list(PyObject *list) {
  Py_ssize_t count = py.PyList_Size(list);
  while (count && !py.PyList_GetItem(list, count - 1)) py.PyList_SetItem(list, --count, new_reference(None));
}

/* Consumes `value`; -1 with an exception set. */
static int put_item(PyObject *sequence, u8 tag, u32 index, PyObject *value) {
  if (tag == TAG_LIST) return py.PyList_SetItem(sequence, index, value);
  if (tag == TAG_TUPLE) return py.PyTuple_SetItem(sequence, index, value);
  int failed = py.PySet_Add(sequence, value);
  py.Py_DecRef(value);
  return failed;
}

static PyObject *decode_sequence(struct reader *r, u8 tag) {
  u32 count = read_u32(r);
  if (count > (size_t)(r->end - r->at)) return malformed();
  PyObject *sequence = tag == TAG_LIST    ? hide(py.PyList_New(count), count)
                       : tag == TAG_TUPLE ? hide(py.PyTuple_New(count), count)
                                          : py.PySet_New(0);
  if (!sequence) return 0;
  u32 index = r->count;
  add_container(r, tag == TAG_TUPLE ? 0 : sequence);
  for (u32 i = 0; i < count; i++) {
    PyObject *value = decode(r);
    if (!value || put_item(sequence, tag, i, value)) return release(sequence), (PyObject *)0;
  }
  if (tag == TAG_SET && py.PySet_Size(sequence) != (Py_ssize_t)count) {
    release(sequence);
    return raise_error(EXCEPTION(TypeError), "Cannot convert this Set to a set: two of its items are equal in Python, "
                                             "as 1 and true are; convert it to an array first");
  }
  if (tag == TAG_TUPLE && index < r->count) r->containers[index] = new_reference(sequence);
  return tag == TAG_SET ? sequence : show(sequence, count);
}

/* As JavaScript writes a number by itself: an int if it is a safe integer and not -0. */
static PyObject *new_number(u64 bits) {
  double number;
  __builtin_memcpy(&number, &bits, sizeof number);
  if (!(number >= -MAX_SAFE && number <= MAX_SAFE)) return py.PyFloat_FromDouble(number);
  long long integer = (long long)number;
  if ((double)integer != number || (!integer && bits)) return py.PyFloat_FromDouble(number);
  return py.PyLong_FromLongLong(integer);
}

static PyObject *decode_numbers(struct reader *r) {
  u32 count = read_u32(r);
  if (count > (size_t)(r->end - r->at) / sizeof(double)) return malformed();
  PyObject *list = hide(py.PyList_New(count), count);
  if (!list) return 0;
  add_container(r, list);
  for (u32 i = 0; i < count; i++, r->at += sizeof(u64)) {
    u64 bits;
    __builtin_memcpy(&bits, r->at, sizeof bits);
    PyObject *number = new_number(bits);
    if (!number || py.PyList_SetItem(list, i, number)) return release(list), (PyObject *)0;
  }
  return show(list, count);
}

/* TAG_TEXTS: the text of all of them is cut into its parts. */
static PyObject *decode_texts(struct reader *r) {
  u32 count = read_u32(r);
  struct reader lengths = {.at = r->at};
  if (count > (size_t)(r->end - r->at) / sizeof(u32)) return malformed();
  r->at += count * sizeof(u32), lengths.end = r->at;
  u8 tag = read_u8(r);
  size_t width = tag == TAG_UTF16 ? 2 : 1, left = read_u32(r);
  const char *text = tag == TAG_LATIN1 || tag == TAG_UTF16 ? read_bytes(r, (u32)left) : 0;
  PyObject *list = text ? hide(py.PyList_New(count), count) : malformed();
  if (!list) return 0;
  add_container(r, list);
  for (u32 i = 0; i < count; i++) {
    size_t length = read_u32(&lengths);
    PyObject *part = length > left / width ? malformed()
                     : width == 2          ? new_text((const u8 *)text, length)
                                           : py.PyUnicode_FromKindAndData(1, text, (Py_ssize_t)length);
    if (!part || py.PyList_SetItem(list, i, part)) return release(list), (PyObject *)0;
    text += length * width, left -= length * width;
  }
  return show(list, count);
}

static PyObject *decode_dict(struct reader *r) {
  u32 count = read_u32(r);
  if (count > (size_t)(r->end - r->at)) return malformed();
  PyObject *dict = py.PyDict_New();
  if (!dict) return 0;
  add_container(r, dict);
  for (u32 i = 0; i < count; i++) {
    PyObject *key = decode(r), *value = key ? decode(r) : 0;
    int failed = !value || py.PyDict_SetItem(dict, key, value);
    release(key), release(value);
    if (failed) return release(dict), (PyObject *)0;
  }
  if (py.PyDict_Size(dict) == (Py_ssize_t)count) return dict;
  release(dict);
  return raise_error(EXCEPTION(TypeError), "Cannot convert this Map to a dict: two of its keys are equal in Python, "
                                           "as 1 and true are; give it keys that differ");
}

/* The keys of a shape: nothing but text. */
static PyObject *decode_keys(struct reader *r) {
  u8 tag = read_u8(r);
  u32 count = read_u32(r);
  if (tag != TAG_TUPLE || count > (size_t)(r->end - r->at)) return malformed();
  PyObject *shape = py.PyTuple_New(count);
  for (u32 i = 0; shape && i < count; i++) {
    u8 kind = read_u8(r);
    PyObject *key = kind == TAG_LATIN1 || kind == TAG_UTF16 ? decode_text(r, kind) : malformed();
    if (!key || py.PyTuple_SetItem(shape, i, key)) return release(shape), (PyObject *)0;
  }
  return shape;
}

static PyObject *decode_container(struct reader *r, u8 tag);

/* TAG_SHAPE: the keys, and the first dict with them. */
static PyObject *decode_shape(struct reader *r) {
  PyObject *shape = decode_keys(r), **more = r->shapes;
  if (shape && r->shape_count == r->shape_capacity)
    more = grow(r->shapes, &r->shape_capacity, r->shape_count, sizeof *more);
  if (!shape || !more) return release(shape), malformed();
  r->shapes = more;
  r->shapes[r->shape_count++] = shape;
  return read_u8(r) == TAG_RECORD ? decode_container(r, TAG_RECORD) : malformed();
}

static PyObject *decode_record(struct reader *r) {
  u32 index = read_u32(r);
  u32 count = read_u32(r);
  if (index >= r->shape_count || count != py.PyTuple_Size(r->shapes[index])) return malformed();
  PyObject *dict = py.PyDict_New();
  if (!dict) return 0;
  add_container(r, dict);
  for (u32 i = 0; i < count; i++) {
    PyObject *value = decode(r);
    int failed = !value || py.PyDict_SetItem(dict, py.PyTuple_GetItem(r->shapes[index], i), value);
    release(value);
    if (failed) return release(dict), (PyObject *)0;
  }
  return dict;
}

/* Calls a helper with arguments that are consumed; NULL where one of them is. */
static PyObject *decode_with(PyObject *function, PyObject **arguments, size_t count) {
  int complete = 1;
  for (size_t i = 0; i < count; i++) complete &= arguments[i] != 0;
  PyObject *result = complete ? vectorcall(function, arguments, count) : 0;
  for (size_t i = 0; i < count; i++) release(arguments[i]);
  return result;
}

static PyObject *decode_array(struct reader *r) {
  char code[2] = {(char)read_u8(r), 0};
  PyObject *data = decode(r);
  PyObject *arguments[2] = {py.PyUnicode_FromString(code), data};
  PyObject *array = decode_with(helper.to_array, arguments, 2);
  if (array) add_container(r, array);
  return array;
}

static PyObject *decode_js(struct reader *r) {
  u32 heap = read_u32(r); /* one statement each: C does not define the order within an initialiser */
  u32 handle = read_u32(r);
  u8 kind = read_u8(r);
  PyObject *about = decode(r);
  PyObject *arguments[4] = {py.PyLong_FromLongLong(heap), py.PyLong_FromLongLong(handle), py.PyLong_FromLongLong(kind),
                            about};
  return decode_with(helper.wrap_js, arguments, 4);
}

static PyObject *decode_date(struct reader *r) {
  PyObject *milliseconds = py.PyFloat_FromDouble(read_f64(r));
  return decode_with(helper.to_datetime, &milliseconds, 1);
}

static PyObject *decode_slice(struct reader *r) {
  PyObject *parts[3] = {0};
  for (int i = 0; i < 3 && (!i || parts[i - 1]); i++) parts[i] = decode(r);
  PyObject *slice = parts[2] ? py.PySlice_New(parts[0], parts[1], parts[2]) : 0;
  for (int i = 0; i < 3; i++) release(parts[i]);
  return slice;
}

/* Sets the value as the current exception. */
static PyObject *decode_throw(struct reader *r) {
  PyObject *value = decode(r), *error = decode_with(helper.to_error, &value, 1);
  if (error) raise_object(error);
  return 0;
}

static PyObject *decode_reference(struct reader *r) {
  u32 index = read_u32(r);
  if (index >= r->count) return malformed();
  PyObject *container = r->containers[index];
  if (container && has_flag(container, Py_TPFLAGS_LIST_SUBCLASS)) fill_list(container);
  if (container) return new_reference(container);
  return raise_error(EXCEPTION(TypeError), "Cannot convert a tuple that contains itself: Python has no such tuples");
}

/* What has values in it but is no container: JavaScript nests these a few deep. */
static PyObject *decode_compound(struct reader *r, u8 tag) {
  if (r->depth == MAX_NESTING) return r->at = r->end, malformed();
  r->depth++;
  PyObject *value = tag == TAG_ARRAY   ? decode_array(r)
                    : tag == TAG_JS    ? decode_js(r)
                    : tag == TAG_THROW ? decode_throw(r)
                                       : decode_slice(r);
  r->depth--;
  return value;
}

static PyObject *decode_container(struct reader *r, u8 tag) {
  if (++r->depth > MAX_NESTING) {
    if (tag == TAG_RECORD) read_u32(r);
    read_u32(r); /* its count: what follows are values again */
    return raise_error(EXCEPTION(RecursionError), "Cannot convert a value that is nested more than 3000 deep");
  }
  PyObject *container = tag == TAG_DICT     ? decode_dict(r)
                        : tag == TAG_RECORD ? decode_record(r)
                                            : decode_sequence(r, tag);
  r->depth--;
  return container;
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
  case TAG_LATIN1:
  case TAG_UTF16:
  case TAG_BYTES: return decode_text(r, tag);
  case TAG_LARGE: return decode_lent(r);
  case TAG_OBJECT: return decode_object(r);
  case TAG_DATE: return decode_date(r);
  case TAG_NUMBERS: return decode_numbers(r);
  case TAG_REFERENCE: return decode_reference(r);
  case TAG_TEXTS: return decode_texts(r);
  case TAG_SHAPE: return decode_shape(r);
  case TAG_ARRAY:
  case TAG_JS:
  case TAG_THROW:
  case TAG_SLICE: return decode_compound(r, tag);
  case TAG_LIST:
  case TAG_TUPLE:
  case TAG_SET:
  case TAG_RECORD:
  case TAG_DICT: return decode_container(r, tag);
  default: return malformed();
  }
}
