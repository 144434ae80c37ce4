/* Live buffers: Python's memory that JavaScript sees without a copy. While the lock lives and is not released, the
 * exporter stays as it is (a bytearray cannot be resized).
 *
 *    PyBuffer ──── a reference ──────────────────────► lock ──► memoryview ──► exporter
 *    ArrayBuffer ──► memory ── a reference of its own ──► (the same)
 *                      └ given up: UNLOCK (napi.c)
 *
 * Why C: Python code cannot read an address, a stride or a format without a copy, nor keep a Py_buffer.
 *
 * There are two references, because JavaScript may keep the PyBuffer or the ArrayBuffer without the other.
 */
#include "shim.h"

/* It holds a Py_buffer of its own, so that code that finds the memoryview (gc.get_objects) cannot release it. */
struct lock {
  PyObject *view;
  Py_buffer buffer;
};
static PyTypeObject *lock_type;

static void unlock_buffer(struct lock *lock) {
  PyObject *view = lock->view;
  if (!view) return;
  lock->view = 0;
  py.PyBuffer_Release(&lock->buffer);
  py.Py_DecRef(view);
}

static void lock_dealloc(PyObject *self) {
  unlock_buffer(fields_of(self));
  free_object(self);
}

/* lock(): a memoryview of the same memory. */
static PyObject *lock_called(PyObject *self, PyObject *arguments, PyObject *keywords) {
  (void)arguments, (void)keywords;
  struct lock *lock = fields_of(self);
  if (!lock->view) return raise_error(EXCEPTION(ValueError), "the buffer was released");
  return py.PyMemoryView_FromObject(lock->view);
}

/* release_lock(lock): JavaScript does not see the memory any more. */
static PyObject *shim_release_lock(PyObject *self, PyObject *lock) {
  (void)self;
  if (type_of(lock) == lock_type) unlock_buffer(fields_of(lock));
  return new_reference(None);
}

static int make_lock_type(void) {
  lock_type = new_type("pyawait.Lock", sizeof(struct lock), Py_tp_call, (void (*)(void))lock_called, lock_dealloc);
  return lock_type ? 0 : -1;
}

static void write_int(struct writer *w, long long value) { write_tag_f64(w, TAG_INT53, (double)value); }

static void write_ints(struct writer *w, const Py_ssize_t *values, int count) {
  write_tag_u32(w, TAG_LIST, (u32)count);
  for (int i = 0; i < count; i++) write_int(w, values[i]);
}

/* (lock, the same for the memory, first byte, bytes from there, offset of the first item, itemsize, readonly, format,
   shape, strides in bytes): addresses as integers, the two of the lock with a reference each. */
static void write_lock(struct writer *w, PyObject *lock, const Py_buffer *buffer, PyObject *format) {
  Py_ssize_t low = 0, high = buffer->itemsize; /* of the bytes that the items have, from the first item */
  for (int i = 0; i < buffer->ndim; i++) {
    Py_ssize_t last = (buffer->shape[i] - 1) * buffer->strides[i];
    if (last < 0) low += last;
    else high += last;
  }
  if (buffer->len == 0) low = high = 0;
  write_tag_u32(w, TAG_TUPLE, 10);
  own(w->owner, lock);
  for (int i = 0; i < 2; i++) write_int(w, (long long)(size_t)new_reference(lock));
  write_int(w, (long long)(size_t)((char *)buffer->buf + low));
  write_int(w, high - low), write_int(w, -low), write_int(w, buffer->itemsize);
  write_u8(w, buffer->readonly ? TAG_TRUE : TAG_FALSE);
  encode_text(w, format);
  write_ints(w, buffer->shape, buffer->ndim);
  write_ints(w, buffer->strides, buffer->ndim);
}

/* Names of fields may be of any encoding. */
static PyObject *text_of(const char *format) {
  return py.PyUnicode_DecodeUTF8(format, (Py_ssize_t)text_length(format), "replace");
}

/* Locks the memory of `object` and writes what JavaScript needs to see it. -1 with an exception set. */
static int lock_buffer(struct writer *w, PyObject *object) {
  PyObject *view = py.PyMemoryView_FromObject(object), *lock = view ? py.PyType_GenericAlloc(lock_type, 0) : 0;
  struct lock *locked = lock ? fields_of(lock) : 0;
  int failed = !lock || py.PyObject_GetBuffer(view, &locked->buffer, PyBUF_RECORDS_RO);
  if (failed) release(view);
  else locked->view = view;
  PyObject *format = failed ? 0 : text_of(locked->buffer.format ? locked->buffer.format : "B");
  if (format) write_lock(w, lock, &locked->buffer, format);
  else failed = 1;
  release(format), release(lock);
  return failed ? -1 : 0;
}
