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
