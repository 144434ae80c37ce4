/* Values to JavaScript: Python objects become bytes.
 *
 * Why C: this is the inner loop of every result and argument. What is rare or needs Python's own modules (kinds of
 * types, buffers, dates) is a helper in src/py; kinds are looked up in its dict before it is asked.
 *
 * A plain value goes as itself, anything else by reference; `depth` says how many levels of containers are copied
 * instead. Encoding may run Python code (an `items()`, a `utcoffset`), which may change what is being encoded.
 *
 * Where an object's own code raises, the object goes by reference, and the rest of the message is written: one value
 * never spoils the others (is_own_failure).
 */
#include "shim.h"

/* Returned for a container whose own code has raised; the exception is set. */
enum { UNREADABLE = 1 };

static int encode(struct writer *w, PyObject *object);

/* By reference ---------------------------------------------------------------------------------------------------- */

/* Writes the handle, if `proxy` stands for a value of the heap that will read it; 1 if so. */
static int encode_handle(struct writer *w, PyObject *proxy) {
  PyObject *heap = py.PyObject_GetAttr(proxy, name._pyawait_heap);
  PyObject *handle = heap ? py.PyObject_GetAttr(proxy, name._pyawait_handle) : 0;
  int written = handle && py.PyLong_AsUnsignedLongLong(heap) == w->owner->id;
  if (written) {
    write_tag_u32(w, TAG_JS, w->owner->id);
    write_u32(w, (u32)py.PyLong_AsUnsignedLongLong(handle));
    keep_until_sent(w, proxy);
  }
  release(heap), release(handle);
  py.PyErr_Clear();
  return written;
}

/* An `async def` of src/py that stands for a JavaScript function goes back as that one; 1 if it is written. */
static int encode_js_function(struct writer *w, PyObject *function) {
  PyObject *code = py.PyFunction_GetCode(function);
  if (code != py.PyTuple_GetItem(helper.async_codes, 0) && code != py.PyTuple_GetItem(helper.async_codes, 1)) return 0;
  PyObject *proxy = py.PyObject_GetAttr(function, name.__pyawait_js__);
  int written = proxy && encode_handle(w, proxy);
  release(proxy);
  py.PyErr_Clear();
  return written;
}

/* By kind --------------------------------------------------------------------------------------------------------- */

/* An object whose own code has raised goes by reference; -1: the exception is not its own. */
static int write_unreadable(struct writer *w, PyObject *object, u64 kinds) {
  if (!is_own_failure()) return -1;
  py.PyErr_Clear();
  return write_object(w, object, kinds), 0;
}

/* A buffer whose items a typed array has, as `from_buffer` gives it: (typecode, bytes, shape); else by reference. */
static int encode_buffer(struct writer *w, PyObject *object, u64 kinds) {
  if (write_reference(w, object)) return 0;
  PyObject *parts = vectorcall(helper.from_buffer, &object, 1);
  if (!parts) return write_unreadable(w, object, kinds);
  if (parts == None) return py.Py_DecRef(parts), write_object(w, object, kinds), 0;
  const char *code = py.PyUnicode_AsUTF8AndSize(py.PyTuple_GetItem(parts, 0), 0);
  PyObject *shape = py.PyTuple_GetItem(parts, 2);
  Py_ssize_t dimensions = py.PyTuple_Size(shape);
  add_seen(w, object);
  write_u8(w, TAG_ARRAY), write_u8(w, (u8)*code), write_u8(w, (u8)dimensions);
  for (Py_ssize_t i = 0; i < dimensions; i++) write_u32(w, argument_u32(shape, i));
  int failed = encode_bytes(w, py.PyTuple_GetItem(parts, 1));
  py.Py_DecRef(parts);
  return failed ? -1 : 0;
}

/* A subclass of float, or numpy's scalars, whose `item()` gives a plain number. */
static int encode_scalar(struct writer *w, PyObject *object, u64 kinds) {
  PyTypeObject *type = type_of(object);
  if (py.PyType_IsSubtype(type, TYPE(Float))) return write_tag_f64(w, TAG_FLOAT, py.PyFloat_AsDouble(object)), 0;
  PyObject *item = call_method(object, name.item, 0);
  if (!item) return write_unreadable(w, object, kinds);
  int failed = 0;
  if (type_of(item) == type) write_object(w, object, kinds);
  else failed = encode(w, item);
  release(item);
  return failed ? -1 : 0;
}

/* A naive datetime names no moment and goes by reference. */
static int encode_datetime(struct writer *w, PyObject *object, u64 kinds) {
  PyObject *milliseconds = vectorcall(helper.from_datetime, &object, 1);
  if (!milliseconds) return write_unreadable(w, object, kinds);
  if (milliseconds == None) write_object(w, object, kinds);
  else write_tag_f64(w, TAG_DATE, py.PyFloat_AsDouble(milliseconds));
  py.Py_DecRef(milliseconds);
  return 0;
}

/* What is no container: `deep` if it may be copied, too. */
static int encode_by_kind(struct writer *w, PyObject *object, int deep) {
  PyTypeObject *type = type_of(object);
  u64 kinds = kinds_of(object);
  if (!kinds && py.PyErr_Occurred()) return -1;
  if (kinds & KIND_JS && encode_handle(w, object)) return 0;
  if (kinds & KIND_SCALAR) return encode_scalar(w, object, kinds);
  if (type == TYPE(Function) && encode_js_function(w, object)) return 0;
  u64 async = type == TYPE(Function) ? async_kind(object) : type == TYPE(Method) ? async_kind_of_method(object) : 0;
  if (async) kinds |= async;
  else if (kinds & (KIND_CALLABLE | KIND_GENERATOR) && is_asynchronous(object, kinds)) kinds |= KIND_ASYNCHRONOUS;
  if (deep && kinds & KIND_BUFFER) return encode_buffer(w, object, kinds);
  if (deep && kinds & KIND_DATETIME) return encode_datetime(w, object, kinds);
  write_object(w, object, kinds);
  return 0;
}

/* Containers ------------------------------------------------------------------------------------------------------ */

/* Items are read by index: another thread, or a __del__, may shorten a list meanwhile. */
static int encode_sequence(struct writer *w, PyObject *sequence, int is_list) {
  Py_ssize_t count = is_list ? py.PyList_Size(sequence) : py.PyTuple_Size(sequence);
  if (encode_numbers(w, sequence, is_list, count)) return 0;
  write_tag_u32(w, is_list ? TAG_LIST : TAG_TUPLE, (u32)count);
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject *item = item_of(sequence, is_list, i);
    if (!item) { /* what is gone is None */
      py.PyErr_Clear();
      write_u8(w, TAG_NONE);
      continue;
    }
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
  if (w->failure) return raise_failure(w);
  PyObject *iterator = py.PyObject_GetIter(set), *item;
  if (!iterator) return UNREADABLE;
  int failed = 0;
  while (!failed && (item = py.PyIter_Next(iterator))) {
    failed = encode(w, item);
    py.Py_DecRef(item);
    count++;
  }
  py.Py_DecRef(iterator);
  patch_u32(w, start + 1, count);
  return failed ? -1 : py.PyErr_Occurred() ? UNREADABLE : 0;
}

static int is_text(PyObject *object) { return has_flag(object, Py_TPFLAGS_UNICODE_SUBCLASS); }

/* What a dict's keys are. `plain`: every one is a str. `odd`: one is of a subclass or has surrogates, so another key
   may be the same text in JavaScript. */
struct keys {
  u32 count;
  int plain, odd;
};

static int may_be_same(PyObject *key) {
  struct text text;
  return !find_text(key, &text) || has_surrogates(&text);
}

static int encode_item(struct writer *w, struct keys *keys, PyObject *key, PyObject *value) {
  size_t start = w->length;
  if (encode(w, key)) return -1;
  keys->count++;
  if (!is_text(key)) keys->plain = 0;
  else if (type_of(key) != TYPE(Unicode) || (w->data[start] != TAG_LATIN1 && may_be_same(key))) keys->odd = 1;
  return encode(w, value);
}

/* The items of a plain dict. */
static int encode_items(struct writer *w, PyObject *dict, struct keys *keys) {
  Py_ssize_t position = 0, size = py.PyDict_Size(dict);
  PyObject *key, *value;
  while (py.PyDict_Next(dict, &position, &key, &value)) {
    py.Py_IncRef(key), py.Py_IncRef(value);
    int failed = encode_item(w, keys, key, value);
    py.Py_DecRef(key), py.Py_DecRef(value);
    if (failed) return -1;
    if (py.PyDict_Size(dict) == size) continue;
    raise_error(EXCEPTION(RuntimeError), "dictionary changed size during iteration");
    return -1;
  }
  return 0;
}

/* The items of a subclass, as its items() gives them: an OrderedDict has an order of its own. */
static int encode_given_items(struct writer *w, PyObject *dict, struct keys *keys) {
  PyObject *items = call_method(dict, name.items, 0), *iterator = items ? py.PyObject_GetIter(items) : 0, *pair;
  release(items);
  int failed = iterator ? 0 : UNREADABLE;
  while (!failed && (pair = py.PyIter_Next(iterator))) {
    if (has_flag(pair, Py_TPFLAGS_TUPLE_SUBCLASS) && py.PyTuple_Size(pair) == 2) {
      failed = encode_item(w, keys, py.PyTuple_GetItem(pair, 0), py.PyTuple_GetItem(pair, 1));
    } else {
      raise_error(EXCEPTION(TypeError), "Cannot convert a dict whose items() are no pairs");
      failed = UNREADABLE;
    }
    py.Py_DecRef(pair);
  }
  release(iterator);
  return !failed && py.PyErr_Occurred() ? UNREADABLE : failed;
}

static int changed_keys(void) {
  raise_error(EXCEPTION(RuntimeError), "dictionary keys changed during iteration");
  return -1;
}

/* The values of a dict with keys that were written before. Encoding one may run code that changes the dict, or ends the
   shape. */
static int encode_values(struct writer *w, PyObject *dict, const struct shape *shape) {
  Py_ssize_t position = 0;
  PyObject *key, *value;
  for (u32 i = 0; i < shape->count; i++) {
    if (!py.PyDict_Next(dict, &position, &key, &value) || key != shape->keys[i]) return changed_keys();
    py.Py_IncRef(value);
    int failed = encode(w, value);
    py.Py_DecRef(value);
    if (failed) return -1;
  }
  return 0;
}

static int encode_dict(struct writer *w, PyObject *dict) {
  size_t start = w->length;
  struct keys keys = {.plain = 1};
  int exact = type_of(dict) == TYPE(Dict);
  struct shape *shape = exact && w->dict_as != DICT_AS_MAP ? find_shape(w, dict) : 0;
  if (shape) return begin_shaped(w, shape), encode_values(w, dict, shape);
  write_tag_u32(w, TAG_DICT, 0);
  if (w->failure) return raise_failure(w);
  int failed = exact ? encode_items(w, dict, &keys) : encode_given_items(w, dict, &keys);
  if (failed) return failed;
  if (!keys.plain && w->dict_as == DICT_AS_OBJECT) {
    raise_error(EXCEPTION(TypeError),
                "Cannot convert a dict to an object: it has a key that is not a str; use { dict: \"map\" }");
    return -1;
  }
  int is_object = keys.plain && w->dict_as != DICT_AS_MAP;
  w->data[start] = is_object ? TAG_DICT : TAG_MAP;
  patch_u32(w, start + 1, keys.count);
  if (is_object && exact && w->level > 1) remember_shape(w, dict);
  if (!is_object || (!keys.odd && (Py_ssize_t)keys.count == py.PyDict_Size(dict))) return 0;
  PyObject *checked = vectorcall(helper.check_keys, &dict, 1);
  if (checked == None) raise_error(EXCEPTION(TypeError), "Cannot convert a dict that gives its items once");
  release(checked);
  return checked == None ? UNREADABLE : checked ? 0 : -1;
}

static int encode_unseen(struct writer *w, PyObject *object, unsigned long flags) {
  size_t start = w->length;
  u32 count = w->seen_count;
  add_seen(w, object);
  w->level++;
  int failed = flags & Py_TPFLAGS_DICT_SUBCLASS    ? encode_dict(w, object)
               : flags & Py_TPFLAGS_LIST_SUBCLASS  ? encode_sequence(w, object, 1)
               : flags & Py_TPFLAGS_TUPLE_SUBCLASS ? encode_sequence(w, object, 0)
                                                   : encode_set(w, object);
  w->level--;
  if (failed != UNREADABLE) return failed;
  if (!is_own_failure()) return -1;
  py.PyErr_Clear();
  roll_back(w, start);
  forget_shapes(w, start);
  forget_seen(w, count);
  refuse(w, object); /* else it would be tried again wherever it occurs */
  return encode_by_kind(w, object, 0);
}

static int encode_container(struct writer *w, PyObject *object, unsigned long flags) {
  if (w->level >= MAX_NESTING) {
    raise_error(EXCEPTION(RecursionError), "Cannot convert a value that is nested more than 3000 deep");
    return -1;
  }
  if (is_refused(w, object)) return encode_by_kind(w, object, 0);
  return write_reference(w, object) ? 0 : encode_unseen(w, object, flags);
}

static int encode_value(struct writer *w, PyObject *object) {
  const unsigned long sequences = Py_TPFLAGS_LIST_SUBCLASS | Py_TPFLAGS_TUPLE_SUBCLASS;
  PyTypeObject *type = type_of(object);
  if (object == None) return write_u8(w, TAG_NONE), 0;
  if (type == TYPE(Bool)) return write_u8(w, object == py._Py_TrueStruct ? TAG_TRUE : TAG_FALSE), 0;
  if (type == TYPE(Float)) return write_tag_f64(w, TAG_FLOAT, py.PyFloat_AsDouble(object)), 0;
  unsigned long flags = py.PyType_GetFlags(type);
  if (flags & Py_TPFLAGS_LONG_SUBCLASS) return encode_int(w, object);
  if (flags & Py_TPFLAGS_UNICODE_SUBCLASS) return encode_text(w, object);
  if (flags & Py_TPFLAGS_BYTES_SUBCLASS) return encode_bytes(w, object);
  if (w->level >= w->depth) return encode_by_kind(w, object, 0);
  if (flags & (sequences | Py_TPFLAGS_DICT_SUBCLASS) || py.PyType_IsSubtype(type, TYPE(Set)) ||
      py.PyType_IsSubtype(type, TYPE(FrozenSet)))
    return encode_container(w, object, flags);
  return encode_by_kind(w, object, 1);
}

/* JSON ------------------------------------------------------------------------------------------------------------ */

/* A dict whose keys all are str, and of no subclass. */
static int has_text_keys(PyObject *dict) {
  Py_ssize_t position = 0;
  PyObject *key, *value;
  while (py.PyDict_Next(dict, &position, &key, &value))
    if (type_of(key) != TYPE(Unicode)) return 0;
  return 1;
}

/* 1 if this container is written: a reference to it. -1: it holds itself. */
static int refer_in_json(struct writer *w, const PyObject *container) {
  u32 index = index_of(w, container);
  if (index == NOT_SEEN) return 0;
  if (!(index & BEING_WRITTEN)) return write_tag_u32(w, TAG_REFERENCE, index), 1;
  raise_error(EXCEPTION(TypeError), "Cannot write this as JSON: it holds itself");
  return -1;
}

static int is_json_container(PyObject *object) {
  PyTypeObject *type = type_of(object);
  return type == TYPE(List) || type == TYPE(Tuple) || (type == TYPE(Dict) && has_text_keys(object));
}

static int encode_json_container(struct writer *w, PyObject *object) {
  int referred = refer_in_json(w, object);
  if (referred) return referred < 0 ? -1 : 0;
  add_seen(w, object);
  mark_written(w, object, 1);
  int failed = type_of(object) == TYPE(Dict) ? encode_dict(w, object)
                                             : encode_sequence(w, object, type_of(object) == TYPE(List));
  mark_written(w, object, 0);
  return failed;
}

/* What to_json puts in an object's place, or the object itself by reference, for JavaScript's `default`. An object that
   becomes a container is that container wherever it occurs. */
static int encode_as_json(struct writer *w, PyObject *object) {
  int referred = refer_in_json(w, object);
  if (referred) return referred < 0 ? -1 : 0;
  PyObject *plain = vectorcall(helper.to_json, &object, 1);
  if (!plain) return -1;
  if (plain == object) return py.Py_DecRef(plain), encode_by_kind(w, object, 0);
  int is_new = is_json_container(plain) && index_of(w, plain) == NOT_SEEN;
  if (is_new) put_seen(w, object, w->seen_count | BEING_WRITTEN);
  int failed = encode(w, plain);
  if (is_new) mark_written(w, object, 0);
  py.Py_DecRef(plain);
  return failed;
}

/* What JSON has: exact types here, everything else as to_json says. */
static int encode_json(struct writer *w, PyObject *object) {
  PyTypeObject *type = type_of(object);
  if (object == None) return write_u8(w, TAG_NONE), 0;
  if (type == TYPE(Unicode)) return encode_text(w, object);
  if (type == TYPE(Bool)) return write_u8(w, object == py._Py_TrueStruct ? TAG_TRUE : TAG_FALSE), 0;
  if (type == TYPE(Float)) {
    double number = py.PyFloat_AsDouble(object);
    if (number - number == 0) write_tag_f64(w, TAG_FLOAT, number);
    else write_u8(w, TAG_NONE); /* NaN and the infinities */
    return 0;
  }
  double number;
  if (type == TYPE(Long) && get_number(object, &number)) return encode_int(w, object);
  if (w->level >= MAX_NESTING) {
    raise_error(EXCEPTION(RecursionError), "Cannot write a value as JSON that is nested more than 3000 deep");
    return -1;
  }
  w->level++;
  int failed = is_json_container(object) ? encode_json_container(w, object) : encode_as_json(w, object);
  w->level--;
  return failed;
}

/* Writes a value; -1 with an exception set, and then the message has to be rolled back. */
static int encode(struct writer *w, PyObject *object) {
  int failed = w->dict_as == DICT_AS_JSON ? encode_json(w, object) : encode_value(w, object);
  return failed || !w->failure ? failed : raise_failure(w);
}
