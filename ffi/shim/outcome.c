/* Outcomes: what a call has returned or raised.
 *
 * Why C: the done callback and the loop's drain write outcomes where no JavaScript can run.
 *
 * Every outcome can be written: what cannot be converted becomes the error that says so.
 */
#include "shim.h"

/* TAG_THROW or TAG_ERROR as describe_error gives it: (thrown,), or (name, message, extra). */
static int encode_description(struct writer *w, PyObject *error, PyObject *parts) {
  Py_ssize_t count = py.PyTuple_Size(parts);
  write_u8(w, count == 1 ? TAG_THROW : TAG_ERROR);
  if (count != 1) write_object(w, error, kinds_of(error));
  for (Py_ssize_t i = 0; i < count; i++)
    if (encode(w, py.PyTuple_GetItem(parts, i))) return -1;
  return 0;
}

/* Writes an exception; where JavaScript threw it, what was thrown. */
static void encode_error(struct writer *w, PyObject *error) {
  PyObject *parts = vectorcall(helper.describe_error, &error, 1);
  size_t start = w->length;
  w->depth = 0, w->dict_as = DICT_AS_FITS;
  int failed = !parts || encode_description(w, error, parts);
  release(parts);
  if (!failed) return;
  /* It cannot be described (Python's stack is at its end): the exception, the name of its class, and its text. */
  py.PyErr_Clear();
  roll_back(w, start);
  write_u8(w, TAG_ERROR);
  write_object(w, error, 0);
  PyObject *label = py.PyObject_GetAttrString((PyObject *)type_of(error), "__name__");
  if (!label || !is_text(label) || encode(w, label)) w->failure = WRITES, write_u8(w, TAG_NONE);
  release(label);
  py.PyErr_Clear();
  start = w->length;
  PyObject *text = w->failure ? 0 : py.PyObject_Str(error);
  if (!text || !is_text(text) || encode(w, text)) roll_back(w, start), write_u8(w, TAG_NONE);
  release(text);
  py.PyErr_Clear();
  write_u8(w, TAG_NONE);
}

/* Writes `result`, or the current exception where it is NULL; consumes the reference. */
static void encode_outcome(struct writer *w, PyObject *result) {
  size_t start = w->length;
  int failed = !result || encode(w, result);
  release(result);
  clear_seen(w), clear_shapes(w);
  if (!failed) return;
  roll_back(w, start);
  PyObject *error = fetch_error();
  encode_error(w, error);
  py.Py_DecRef(error);
}
