/* Writing the wire: Python objects become bytes that JavaScript reads.
 *
 * The one thing to know: what is no plain value goes by reference, and each reference written is a new one that its
 * reader owns; `depth` says how many levels of containers are copied instead.
 */
#ifndef PYAWAIT_WRITE_H
#define PYAWAIT_WRITE_H
#include "owner.h"

struct writer {
  u8 *data;
  size_t length, capacity;
  u8 *lent;          /* the caller's buffer, as long as it is large enough; else data is ours */
  struct owner *owner; /* of the JavaScript heap that will read it */
  int depth;         /* how many levels of containers to copy: 0 none */
  int dict_as;       /* TAG_DICT: an object if every key is a str, else a Map; 1: always an object; 2: always a Map */
  int level;
  PyObject **held;   /* where `holds`: what stands for JavaScript values that are written, until the records are sent */
  u32 held_count, held_capacity, holds;
  PyObject **seen;   /* containers and buffers by address, an open hash table that keeps a new reference to each */
  u32 *indexes;
  u32 seen_count, seen_capacity;
};

/* Makes room for `more` bytes and returns where they go; a failed allocation ends the process, as in CPython's core. */
static u8 *reserve(struct writer *w, size_t more) {
  if (w->length + more > w->capacity) {
    size_t capacity = w->capacity * 2 > w->length + more ? w->capacity * 2 : w->length + more + 256;
    u8 *data = w->data == w->lent ? py.PyMem_RawMalloc(capacity) : py.PyMem_RawRealloc(w->data, capacity);
    if (!data) __builtin_trap();
    if (w->data == w->lent && w->length) memcpy(data, w->data, w->length);
    w->data = data, w->capacity = capacity;
  }
  u8 *at = w->data + w->length;
  w->length += more;
  return at;
}

static void write_u8(struct writer *w, u8 value) { *reserve(w, 1) = value; }
static void write_u32(struct writer *w, u32 value) { __builtin_memcpy(reserve(w, 4), &value, 4); }
static void write_tag_u32(struct writer *w, u8 tag, u32 value) {
  u8 *at = reserve(w, 5);
  *at = tag;
  __builtin_memcpy(at + 1, &value, 4);
}
static void write_tag_f64(struct writer *w, u8 tag, double value) {
  u8 *at = reserve(w, 9);
  *at = tag;
  __builtin_memcpy(at + 1, &value, 8);
}
static void write_bytes(struct writer *w, u8 tag, const char *bytes, size_t length) {
  write_tag_u32(w, tag, (u32)length);
  memcpy(reserve(w, length), bytes, length);
}

static int encode(struct writer *w, PyObject *object);

static int too_large(size_t length) {
  if (length < 0x7fffffff) return 0;
  py.PyErr_SetString(EXCEPTION(ValueError), "Cannot convert a value of 2 GiB or more to JavaScript");
  return 1;
}

static int encode_int(struct writer *w, PyObject *object) {
  int overflow;
  long long value = py.PyLong_AsLongLongAndOverflow(object, &overflow);
  if (!overflow && value == (int)value) return write_tag_u32(w, TAG_INT32, (u32)value), 0;
  if (!overflow && value <= 9007199254740991 && value >= -9007199254740991) return write_tag_f64(w, TAG_INT53, (double)value), 0;
  PyObject *text = py.PyNumber_ToBase(object, 16);
  Py_ssize_t length = 0;
  const char *bytes = text ? py.PyUnicode_AsUTF8AndSize(text, &length) : 0;
  if (bytes && !too_large((size_t)length)) write_bytes(w, TAG_BIGINT, bytes, (size_t)length);
  else bytes = 0;
  release(text);
  return bytes ? 0 : -1;
}

static int encode_text(struct writer *w, PyObject *object) {
  Py_ssize_t length = 0;
  const char *bytes = py.PyUnicode_AsUTF8AndSize(object, &length);
  if (bytes) {
    if (too_large((size_t)length)) return -1;
    return write_bytes(w, length == py.PyUnicode_GetLength(object) ? TAG_ASCII : TAG_UTF8, bytes, (size_t)length), 0;
  }
  py.PyErr_Clear(); /* lone surrogates have no UTF-8 */
  PyObject *encoded = py.PyUnicode_AsEncodedString(object, "utf-16-le", "surrogatepass");
  char *units = 0;
  int failed = !encoded || py.PyBytes_AsStringAndSize(encoded, &units, &length) || too_large((size_t)length);
  if (!failed) write_bytes(w, TAG_UTF16, units, (size_t)length);
  release(encoded);
  return failed ? -1 : 0;
}

static int encode_bytes(struct writer *w, PyObject *object) {
  char *bytes;
  Py_ssize_t length;
  if (py.PyBytes_AsStringAndSize(object, &bytes, &length) || too_large((size_t)length)) return -1;
  return write_bytes(w, TAG_BYTES, bytes, (size_t)length), 0;
}

/* The kinds of an object's type: src/py keeps them under its address, as long as it lives. */
static u32 kinds_of(PyObject *object) {
  PyObject *type = (PyObject *)type_of(object), *address = py.PyLong_FromUnsignedLongLong((size_t)type);
  PyObject *known = address ? py.PyDict_GetItemWithError(helper.kinds_by_type, address) : 0, *described = 0;
  if (!known && address) known = described = call(helper.describe_type, &type, 1);
  u32 value = known ? (u32)py.PyLong_AsUnsignedLongLong(known) : 0;
  release(described), release(address);
  if (!known) py.PyErr_Clear();
  return value;
}

/* The value's RELEASE, which is sent when its proxy is freed, must not overtake the record that names it. */
static void hold(struct writer *w, PyObject *proxy) {
  if (!w->holds) return;
  if (w->held_count == w->held_capacity) {
    u32 capacity = w->held_capacity ? 2 * w->held_capacity : 16;
    PyObject **held = py.PyMem_RawRealloc(w->held, capacity * sizeof *held);
    if (!held) __builtin_trap();
    w->held = held, w->held_capacity = capacity;
  }
  w->held[w->held_count++] = new_reference(proxy);
}

/* The records are sent. Freeing a proxy may run Python, which may write more: what is held then is another list. */
static void let_go(struct writer *w) {
  PyObject **held = w->held;
  u32 count = w->held_count;
  w->held = 0, w->held_count = w->held_capacity = 0;
  while (count) py.Py_DecRef(held[--count]);
  py.PyMem_RawFree(held);
}

/* 1 if it is written: `attribute` of `object` is a handle of the heap that will read it. */
static int encode_handle(struct writer *w, PyObject *proxy) {
  PyObject *heap = py.PyObject_GetAttr(proxy, name._pyawait_heap), *handle = heap ? py.PyObject_GetAttr(proxy, name._pyawait_handle) : 0;
  int written = 0;
  if (handle && py.PyLong_AsUnsignedLongLong(heap) == w->owner->id) {
    write_tag_u32(w, TAG_JS, w->owner->id);
    write_u32(w, (u32)py.PyLong_AsUnsignedLongLong(handle));
    hold(w, proxy);
    written = 1;
  }
  release(heap), release(handle);
  py.PyErr_Clear();
  return written;
}

/* Whether a function (or method) is an `async def`; one that stands for a JavaScript function gives that back. */
static int encode_function(struct writer *w, PyObject *function, u32 *value) {
  PyObject *code = py.PyFunction_GetCode(function), *flags = code ? py.PyObject_GetAttr(code, name.co_flags) : 0;
  int written = 0;
  if (flags && py.PyLong_AsUnsignedLongLong(flags) & 0x80) { /* CO_COROUTINE */
    *value |= KIND_ASYNC_FUNCTION;
    int ours = code == py.PyTuple_GetItem(helper.async_codes, 0) || code == py.PyTuple_GetItem(helper.async_codes, 1);
    PyObject *js = ours ? py.PyObject_GetAttr(function, name.__pyawait_js__) : 0;
    if (js) written = encode_handle(w, js), py.Py_DecRef(js);
  }
  release(flags);
  py.PyErr_Clear();
  return written;
}

static int encode_object(struct writer *w, PyObject *object, u32 value) {
  u8 *at = reserve(w, 13);
  u64 address = (u64)(size_t)new_reference(object);
  own(w->owner, object);
  at[0] = TAG_OBJECT;
  __builtin_memcpy(at + 1, &value, 4);
  __builtin_memcpy(at + 5, &address, 8);
  return 0;
}

/* Where this container (or buffer) is in the table of those that were written, or is to be put. */
static u32 seen_at(const struct writer *w, const PyObject *container) {
  u32 at = (u32)((size_t)container >> 4) & (w->seen_capacity - 1);
  while (w->seen[at] && w->seen[at] != container) at = (at + 1) & (w->seen_capacity - 1);
  return at;
}

/* 1 and a reference is written if it has been written before. */
static int encode_again(struct writer *w, PyObject *container) {
  u32 at = w->seen_capacity ? seen_at(w, container) : 0;
  if (!w->seen_capacity || !w->seen[at]) return 0;
  write_tag_u32(w, TAG_REFERENCE, w->indexes[at]);
  return 1;
}

/* It is written now. */
static void remember_seen(struct writer *w, PyObject *container) {
  if (2 * w->seen_count >= w->seen_capacity) {
    struct writer old = *w;
    w->seen_capacity = old.seen_capacity ? 2 * old.seen_capacity : 32;
    w->seen = py.PyMem_RawMalloc(w->seen_capacity * sizeof *w->seen);
    w->indexes = py.PyMem_RawMalloc(w->seen_capacity * sizeof *w->indexes);
    if (!w->seen || !w->indexes) __builtin_trap();
    for (u32 i = 0; i < w->seen_capacity; i++) w->seen[i] = 0;
    for (u32 i = 0; i < old.seen_capacity; i++) {
      if (!old.seen[i]) continue;
      u32 at = seen_at(w, old.seen[i]);
      w->seen[at] = old.seen[i], w->indexes[at] = old.indexes[i];
    }
    py.PyMem_RawFree(old.seen), py.PyMem_RawFree(old.indexes);
  }
  u32 at = seen_at(w, container);
  w->seen[at] = new_reference(container), w->indexes[at] = w->seen_count++;
}

static void forget_seen(struct writer *w) {
  for (u32 i = 0; i < w->seen_capacity; i++) release(w->seen[i]);
  py.PyMem_RawFree(w->seen), py.PyMem_RawFree(w->indexes);
  w->seen = 0, w->indexes = 0, w->seen_count = w->seen_capacity = 0;
}

/* Lists and tuples are read by index: another thread (or a __del__) may change a list meanwhile. */
static int encode_sequence(struct writer *w, PyObject *sequence, int is_list) {
  Py_ssize_t count = is_list ? py.PyList_Size(sequence) : py.PyTuple_Size(sequence);
  write_tag_u32(w, is_list ? TAG_LIST : TAG_TUPLE, (u32)count);
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject *item = !is_list ? new_reference(py.PyTuple_GetItem(sequence, i))
                     : py.PyList_GetItemRef ? py.PyList_GetItemRef(sequence, i)
                                            : py.PyList_GetItem(sequence, i);
    if (!item) { /* the list has shrunk: what is gone is None */
      py.PyErr_Clear();
      write_u8(w, TAG_NONE);
      continue;
    }
    if (is_list && !py.PyList_GetItemRef) py.Py_IncRef(item);
    int failed = encode(w, item);
    py.Py_DecRef(item);
    if (failed) return -1;
  }
  return 0;
}

static int encode_set(struct writer *w, PyObject *set) {
  size_t start = w->length;
  u32 count = 0;
  write_tag_u32(w, TAG_SET, 0);
  PyObject *iterator = py.PyObject_GetIter(set), *item;
  if (!iterator) return -1;
  while ((item = py.PyIter_Next(iterator))) {
    int failed = encode(w, item);
    py.Py_DecRef(item);
    if (failed) return py.Py_DecRef(iterator), -1;
    count++;
  }
  py.Py_DecRef(iterator);
  __builtin_memcpy(w->data + start + 1, &count, 4);
  return py.PyErr_Occurred() ? -1 : 0;
}

static int is_text(PyObject *key) { return (py.PyType_GetFlags(type_of(key)) & (1ul << 28)) != 0; }

/* What there is to know of a dict's keys: whether every one is a str, and one of a subclass, or with surrogates, so that
   another key may have the same text in JavaScript. */
struct keys { u32 count; int plain, odd; };

static int encode_key(struct writer *w, struct keys *keys, PyObject *key) {
  size_t start = w->length;
  if (encode(w, key)) return -1;
  keys->count++;
  if (!is_text(key)) keys->plain = 0;
  else if (type_of(key) != TYPE(Unicode) || w->data[start] == TAG_UTF16) keys->odd = 1;
  return 0;
}

/* The items of a dict, in its own order. */
static int encode_items(struct writer *w, PyObject *dict, struct keys *keys) {
  Py_ssize_t position = 0, size = py.PyDict_Size(dict);
  PyObject *key, *value;
  while (py.PyDict_Next(dict, &position, &key, &value)) {
    py.Py_IncRef(key), py.Py_IncRef(value);
    int failed = encode_key(w, keys, key) || encode(w, value);
    py.Py_DecRef(key), py.Py_DecRef(value);
    if (failed) return -1;
    if (py.PyDict_Size(dict) != size) return py.PyErr_SetString(EXCEPTION(RuntimeError), "dictionary changed size during iteration"), -1;
  }
  return 0;
}

/* The same as its class gives them: an OrderedDict has an order of its own. */
static int encode_given_items(struct writer *w, PyObject *dict, struct keys *keys) {
  PyObject *items = call_method(dict, name.items, 0), *iterator = items ? py.PyObject_GetIter(items) : 0, *pair;
  release(items);
  int failed = !iterator;
  while (!failed && (pair = py.PyIter_Next(iterator))) {
    int is_pair = py.PyType_GetFlags(type_of(pair)) & (1ul << 26) && py.PyTuple_Size(pair) == 2;
    if (!is_pair) py.PyErr_SetString(EXCEPTION(TypeError), "Cannot convert a dict whose items() are no pairs"), failed = 1;
    else failed = encode_key(w, keys, py.PyTuple_GetItem(pair, 0)) || encode(w, py.PyTuple_GetItem(pair, 1));
    py.Py_DecRef(pair);
  }
  release(iterator);
  return failed || py.PyErr_Occurred() ? -1 : 0;
}

static int encode_dict(struct writer *w, PyObject *dict) {
  size_t start = w->length;
  struct keys keys = {.plain = 1};
  int exact = type_of(dict) == TYPE(Dict);
  write_tag_u32(w, TAG_DICT, 0);
  if (exact ? encode_items(w, dict, &keys) : encode_given_items(w, dict, &keys)) return -1;
  if (!keys.plain && w->dict_as == 1) {
    py.PyErr_SetString(EXCEPTION(TypeError), "Cannot convert a dict to an object: it has a key that is not a str; use { dict: \"map\" }");
    return -1;
  }
  int is_object = keys.plain && w->dict_as != 2;
  w->data[start] = is_object ? TAG_DICT : TAG_MAP;
  __builtin_memcpy(w->data + start + 1, &keys.count, 4);
  if (!is_object || (!keys.odd && (Py_ssize_t)keys.count == py.PyDict_Size(dict))) return 0;
  PyObject *checked = call(helper.check_keys, &dict, 1);
  release(checked);
  return checked ? 0 : -1;
}

/* A (code, bytes, shape) of from_buffer, as TAG_ARRAY; `bytes` as it is; None: no typed array can hold it. */
static int encode_buffer(struct writer *w, PyObject *object, u32 value) {
  if (encode_again(w, object)) return 0;
  PyObject *parts = call(helper.from_buffer, &object, 1);
  if (!parts) return -1;
  int failed = 0;
  if (parts == None) failed = encode_object(w, object, value);
  else {
    char *bytes, code = *py.PyUnicode_AsUTF8AndSize(py.PyTuple_GetItem(parts, 0), 0);
    PyObject *shape = py.PyTuple_GetItem(parts, 2);
    Py_ssize_t length, dimensions = py.PyTuple_Size(shape);
    failed = py.PyBytes_AsStringAndSize(py.PyTuple_GetItem(parts, 1), &bytes, &length) || too_large((size_t)length);
    if (!failed) {
      remember_seen(w, object);
      write_u8(w, TAG_ARRAY), write_u8(w, (u8)code), write_u32(w, (u32)length);
      memcpy(reserve(w, (size_t)length), bytes, (size_t)length);
      write_u8(w, (u8)dimensions);
      for (Py_ssize_t i = 0; i < dimensions; i++) write_u32(w, (u32)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(shape, i)));
    }
  }
  py.Py_DecRef(parts);
  return failed ? -1 : 0;
}

static int encode_container(struct writer *w, PyObject *object, unsigned long flags, int set) {
  if (w->level >= 3000) return py.PyErr_SetString(EXCEPTION(RecursionError), "Cannot convert a value that is nested more than 3000 deep"), -1;
  if (encode_again(w, object)) return 0;
  remember_seen(w, object);
  w->level++;
  int failed = set                   ? encode_set(w, object)
               : flags & (1ul << 29) ? encode_dict(w, object)
                                     : encode_sequence(w, object, (flags & (1ul << 25)) != 0);
  w->level--;
  return failed;
}

/* Writes a value; -1 with an exception set. What is no plain value, and not copied for `depth`, goes by reference. */
static int encode(struct writer *w, PyObject *object) {
  PyTypeObject *type = type_of(object);
  if (object == None) return write_u8(w, TAG_NONE), 0;
  if (type == TYPE(Bool)) return write_u8(w, object == py._Py_TrueStruct ? TAG_TRUE : TAG_FALSE), 0;
  if (type == TYPE(Float)) return write_tag_f64(w, TAG_FLOAT, py.PyFloat_AsDouble(object)), 0;
  unsigned long flags = py.PyType_GetFlags(type);
  if (flags & (1ul << 24)) return encode_int(w, object);
  if (flags & (1ul << 28)) return encode_text(w, object);
  if (flags & (1ul << 27)) return encode_bytes(w, object);
  int deep = w->level < w->depth;
  if (deep && flags & ((1ul << 25) | (1ul << 26) | (1ul << 29))) return encode_container(w, object, flags, 0);
  if (deep && (py.PyType_IsSubtype(type, TYPE(Set)) || py.PyType_IsSubtype(type, TYPE(FrozenSet)))) return encode_container(w, object, flags, 1);
  u32 value = kinds_of(object);
  if (value & KIND_JS && encode_handle(w, object)) return 0;
  if (value & KIND_SCALAR) {
    if (py.PyType_IsSubtype(type, TYPE(Float))) return write_tag_f64(w, TAG_FLOAT, py.PyFloat_AsDouble(object)), 0;
    PyObject *item = call_method(object, name.item, 0);
    if (item && type_of(item) == type) return py.Py_DecRef(item), encode_object(w, object, value);
    int failed = item ? encode(w, item) : -1;
    release(item);
    return failed;
  }
  if (type == TYPE(Function) && encode_function(w, object, &value)) return 0;
  if (type == TYPE(Method)) {
    PyObject *function = py.PyObject_GetAttrString(object, "__func__");
    struct owner nobody = {.id = ~0u};
    struct writer nowhere = {.owner = &nobody};
    if (function && type_of(function) == TYPE(Function)) encode_function(&nowhere, function, &value);
    release(function);
    py.PyErr_Clear();
  }
  if (deep && value & KIND_BUFFER) return encode_buffer(w, object, value);
  if (deep && value & KIND_DATETIME) {
    PyObject *milliseconds = call(helper.from_datetime, &object, 1);
    int failed = !milliseconds ? -1 : milliseconds == None ? encode_object(w, object, value) : (write_tag_f64(w, TAG_DATE, py.PyFloat_AsDouble(milliseconds)), 0);
    release(milliseconds);
    return failed;
  }
  return encode_object(w, object, value);
}

#endif
