/* Outcomes: what a call gave, or what it raised, and taking back what could not be written to its end.
 *
 * The one thing to know: every outcome can be written; what cannot be converted becomes the error that says so.
 */
#ifndef PYAWAIT_OUTCOME_H
#define PYAWAIT_OUTCOME_H
#include "write.h"

/* Gives up the references in values that nobody will read. The wire is flat: a container's head, then its items. */
static void drop_values(struct owner *owner, const u8 *at, const u8 *end) {
  while (at < end) {
    u32 length = 0;
    u64 address = 0;
    u8 tag = *at++;
    switch (tag) {
    case TAG_OBJECT:
      __builtin_memcpy(&address, at + 4, 8);
      release_owned(owner, (PyObject *)(size_t)address);
      at += 12;
      break;
    case TAG_INT32: case TAG_LIST: case TAG_TUPLE: case TAG_SET: case TAG_DICT: case TAG_MAP: case TAG_REFERENCE: at += 4; break;
    case TAG_INT53: case TAG_FLOAT: case TAG_DATE: case TAG_JS: at += 8; break;
    case TAG_ARRAY: at++; /* fall through */
    case TAG_BIGINT: case TAG_ASCII: case TAG_UTF8: case TAG_UTF16: case TAG_BYTES:
      __builtin_memcpy(&length, at, 4);
      at += 4 + (size_t)length;
      if (tag == TAG_ARRAY) at += 1 + 4 * (size_t)*at;
    }
  }
}

/* Takes back what has been written since `start`; an exception that is set stays so. */
static void take_back(struct writer *w, size_t start) {
  PyObject *type, *error, *traceback;
  py.PyErr_Fetch(&type, &error, &traceback); /* releasing an object may run Python */
  drop_values(w->owner, w->data + start, w->data + w->length);
  w->length = start;
  py.PyErr_Restore(type, error, traceback);
}

/* The current exception, fetched and normalized: a new reference, never NULL. */
static PyObject *fetch_error(void) {
  PyObject *type, *error, *traceback;
  py.PyErr_Fetch(&type, &error, &traceback);
  py.PyErr_NormalizeException(&type, &error, &traceback);
  if (traceback && error) py.PyException_SetTraceback(error, traceback);
  release(type), release(traceback);
  return error ? error : new_reference(None);
}

/* Writes an exception: as what JavaScript threw where it came from there, else as TAG_ERROR. */
static void encode_error(struct writer *w, PyObject *error) {
  PyObject *parts = call(helper.describe_error, &error, 1); /* (value,) or (name, message, what else it has) */
  size_t start = w->length;
  w->depth = 0;
  if (parts && py.PyTuple_Size(parts) == 1) {
    write_u8(w, TAG_THROW);
    if (!encode(w, py.PyTuple_GetItem(parts, 0))) {
      py.Py_DecRef(parts);
      return;
    }
  } else {
    write_u8(w, TAG_ERROR);
    encode_object(w, error, kinds_of(error));
    if (parts && !encode(w, py.PyTuple_GetItem(parts, 0)) && !encode(w, py.PyTuple_GetItem(parts, 1)) && !encode(w, py.PyTuple_GetItem(parts, 2))) {
      py.Py_DecRef(parts);
      return;
    }
  }
  release(parts);
  py.PyErr_Clear();
  take_back(w, start); /* it cannot be described (Python's stack is at its end): the exception and its class alone */
  write_u8(w, TAG_ERROR);
  encode_object(w, error, 0);
  PyObject *label = py.PyObject_GetAttrString((PyObject *)type_of(error), "__name__");
  if (!label || !is_text(label) || encode(w, label)) write_u8(w, TAG_NONE);
  release(label);
  py.PyErr_Clear();
  write_u8(w, TAG_NONE), write_u8(w, TAG_NONE);
}

/* Writes `result`, or the current exception where it is NULL; the reference is consumed. */
static void encode_outcome(struct writer *w, PyObject *result) {
  size_t start = w->length;
  int failed = !result || encode(w, result);
  release(result);
  forget_seen(w);
  if (!failed) return;
  take_back(w, start);
  PyObject *error = fetch_error();
  encode_error(w, error);
  py.Py_DecRef(error);
}

#endif
