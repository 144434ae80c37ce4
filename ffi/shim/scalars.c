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

static const long long max_safe = 9007199254740991; /* the largest n for which JavaScript tells n and n + 1 apart */

/* Whether it becomes a number, and not a bigint. */
static int is_safe(PyObject *object) {
  int overflow;
  long long value = py.PyLong_AsLongLongAndOverflow(object, &overflow);
  return !overflow && value <= max_safe && value >= -max_safe;
}

static int encode_int(struct writer *w, PyObject *object) {
  int overflow;
  long long value = py.PyLong_AsLongLongAndOverflow(object, &overflow);
  if (!overflow && value == (int)value) return write_tag_u32(w, TAG_INT32, (u32)value), 0;
  if (!overflow && value <= max_safe && value >= -max_safe) return write_tag_f64(w, TAG_INT53, (double)value), 0;
  PyObject *text = py.PyNumber_ToBase(object, 16);
  Py_ssize_t length = 0;
  const char *bytes = text ? py.PyUnicode_AsUTF8AndSize(text, &length) : 0;
  int failed = !bytes || too_large((size_t)length);
  if (!failed) write_bytes(w, TAG_BIGINT, bytes, (size_t)length);
  release(text);
  return failed ? -1 : 0;
}

static int encode_text(struct writer *w, PyObject *object) {
  Py_ssize_t length = 0;
  const char *bytes = py.PyUnicode_AsUTF8AndSize(object, &length);
  if (bytes) {
    if (too_large((size_t)length)) return -1;
    u8 tag = length == py.PyUnicode_GetLength(object) ? TAG_ASCII : TAG_UTF8;
    return write_bytes(w, tag, bytes, (size_t)length), 0;
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
