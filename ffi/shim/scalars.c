/* Numbers, text and bytes to JavaScript.
 *
 * Why C: see encode.c, which calls these for nearly every value. They run no Python code.
 */
#include "shim.h"

static int too_large(size_t length) {
  if (length < 0x7fffffff) return 0;
  raise_error(EXCEPTION(ValueError), "Cannot convert a value of 2 GiB or more to JavaScript");
  return 1;
}

/* The number that it becomes. 0: a bigint, or it is neither an int nor a float. */
static int get_number(PyObject *object, double *number) {
  PyTypeObject *type = type_of(object);
  int overflow;
  if (type == TYPE(Float)) return *number = py.PyFloat_AsDouble(object), 1;
  if (type != TYPE(Long)) return 0;
  long long value = py.PyLong_AsLongLongAndOverflow(object, &overflow);
  *number = (double)value;
  return !overflow && value <= MAX_SAFE && value >= -MAX_SAFE;
}

static int encode_int(struct writer *w, PyObject *object) {
  int overflow;
  long long value = py.PyLong_AsLongLongAndOverflow(object, &overflow);
  if (!overflow && value == (int)value) return write_tag_u32(w, TAG_INT32, (u32)value), 0;
  if (!overflow && value <= MAX_SAFE && value >= -MAX_SAFE) return write_tag_f64(w, TAG_INT53, (double)value), 0;
  PyObject *text = py.PyNumber_ToBase(object, 16);
  Py_ssize_t length = 0;
  const char *bytes = text ? py.PyUnicode_AsUTF8AndSize(text, &length) : 0;
  int failed = !bytes || too_large((size_t)length);
  if (!failed) write_bytes(w, TAG_BIGINT, bytes, (size_t)length);
  release(text);
  return failed ? -1 : 0;
}

/* A new reference. NULL: the list is shorter by now. */
static PyObject *item_of(PyObject *sequence, int is_list, Py_ssize_t index) {
  if (is_list && py.PyList_GetItemRef) return py.PyList_GetItemRef(sequence, index);
  PyObject *item = is_list ? py.PyList_GetItem(sequence, index) : py.PyTuple_GetItem(sequence, index);
  if (item) py.Py_IncRef(item);
  return item;
}

/* Writes a sequence of nothing but numbers. 0: it is another one, and nothing is written. */
static int encode_numbers(struct writer *w, PyObject *sequence, int is_list, Py_ssize_t count) {
  size_t start = w->length, size = sizeof(double) * (size_t)count;
  u8 *at = 0;
  if (size > message_limit) return 0;
  for (Py_ssize_t i = 0; i < count; i++, at += sizeof(double)) {
    PyObject *item = item_of(sequence, is_list, i);
    double number = 0;
    int fits = item && get_number(item, &number) && (w->dict_as != DICT_AS_JSON || number - number == 0);
    if (!item) py.PyErr_Clear();
    release(item);
    if (!fits) return w->length = start, 0;
    if (!i) write_tag_u32(w, TAG_NUMBERS, (u32)count), at = reserve(w, size);
    if (w->failure) return 1;
    __builtin_memcpy(at, &number, sizeof number);
  }
  return count > 0;
}

/* Text whose memory is not known. */
static int encode_by_codec(struct writer *w, PyObject *object) {
  PyObject *encoded = py.PyUnicode_AsEncodedString(object, "utf-16-le", "surrogatepass");
  char *units = 0;
  Py_ssize_t length;
  int failed = !encoded || py.PyBytes_AsStringAndSize(encoded, &units, &length) || too_large((size_t)length);
  if (!failed) write_bytes(w, TAG_UTF16, units, (size_t)length);
  release(encoded);
  return failed ? -1 : 0;
}

static int encode_units(struct writer *w, const struct text *text) {
  size_t length = 2 * count_units(text);
  if (too_large(length)) return -1;
  u8 *at = (write_tag_u32(w, TAG_UTF16, (u32)length), reserve(w, length));
  if (at) write_units(at, text);
  return 0;
}

static int encode_text(struct writer *w, PyObject *object) {
  struct text text;
  if (!find_text(object, &text)) return encode_by_codec(w, object);
  if (text.width == 4) return encode_units(w, &text);
  size_t length = text.width * text.length;
  if (too_large(length)) return -1;
  if (length >= LARGE) write_large(w, object, text.width, text.data, length);
  else write_bytes(w, text.width == 1 ? TAG_LATIN1 : TAG_UTF16, (const char *)text.data, length);
  return 0;
}

static int encode_bytes(struct writer *w, PyObject *object) {
  char *bytes;
  Py_ssize_t length;
  if (py.PyBytes_AsStringAndSize(object, &bytes, &length) || too_large((size_t)length)) return -1;
  if (length >= (Py_ssize_t)LARGE) write_large(w, object, 0, bytes, (size_t)length);
  else write_bytes(w, TAG_BYTES, bytes, (size_t)length);
  return 0;
}
