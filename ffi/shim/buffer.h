/* Live buffers: Python memory that JavaScript sees without a copy. While the lock lives and is not released, the exporter
 * stays as it is (a bytearray cannot be resized).
 *
 *    PyBuffer ──── a reference ──────────────────────► lock ──► memoryview ──► exporter
 *    ArrayBuffer ──► memory ── a reference of its own ──► (the same)
 *                      └ given up: UNLOCK (node_api.h)
 *
 * The one thing to know: there are two references, because JavaScript may keep either without the other.
 */
#ifndef PYAWAIT_BUFFER_H
#define PYAWAIT_BUFFER_H
#include "calls.h"

/* It uses the memoryview's memory itself, so that nobody who finds the memoryview (gc.get_objects) can release it. */
struct lock { PyObject *view; Py_buffer buffer; };
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
static PyObject *lock_call(PyObject *self, PyObject *arguments, PyObject *keywords) {
  (void)arguments, (void)keywords;
  struct lock *lock = fields_of(self);
  return lock->view ? py.PyMemoryView_FromObject(lock->view) : raise(EXCEPTION(ValueError), "the buffer was released");
}

/* release_lock(lock): nobody sees its memory any more. */
static PyObject *release_lock(PyObject *self, PyObject *lock) {
  (void)self;
  if (type_of(lock) == lock_type) unlock_buffer(fields_of(lock));
  return new_reference(None);
}

static int make_lock_type(void) { return (lock_type = new_type("pyawait.Lock", sizeof(struct lock), lock_call, lock_dealloc)) ? 0 : -1; }

static void write_int(struct writer *w, long long value) { write_tag_f64(w, TAG_INT53, (double)value); }

/* Locks the memory of `object` and writes (lock, the same for the memory itself, each with a reference, first byte of
   the memory, bytes from there, offset of the first item, itemsize, readonly, format, shape, strides), the last two in bytes
   as Python has them. -1 with an exception. */
static int lock_buffer(struct writer *w, PyObject *object) {
  PyObject *view = py.PyMemoryView_FromObject(object), *lock = view ? py.PyType_GenericAlloc(lock_type, 0) : 0;
  struct lock *made = lock ? fields_of(lock) : 0;
  if (!lock || py.PyObject_GetBuffer(view, &made->buffer, 0x1c /* PyBUF_RECORDS_RO: strides and format */)) return release(lock), release(view), -1;
  made->view = view;
  Py_buffer buffer = made->buffer;
  Py_ssize_t low = 0, high = buffer.itemsize;
  for (int i = 0; i < buffer.ndim; i++) {
    Py_ssize_t last = (buffer.shape[i] - 1) * buffer.strides[i];
    if (last < 0) low += last;
    else high += last;
  }
  if (buffer.len == 0) low = high = 0;
  write_tag_u32(w, TAG_TUPLE, 10);
  own(w->owner, lock);
  for (int i = 0; i < 2; i++) write_int(w, (long long)(size_t)new_reference(lock));
  write_int(w, (long long)(size_t)((char *)buffer.buf + low));
  write_int(w, high - low), write_int(w, -low), write_int(w, buffer.itemsize);
  write_u8(w, buffer.readonly ? TAG_TRUE : TAG_FALSE);
  const char *format = buffer.format ? buffer.format : "B";
  size_t length = 0;
  while (format[length]) length++;
  write_bytes(w, TAG_UTF8, format, length);
  for (int list = 0; list < 2; list++) {
    write_tag_u32(w, TAG_LIST, (u32)buffer.ndim);
    for (int i = 0; i < buffer.ndim; i++) write_int(w, list ? buffer.strides[i] : buffer.shape[i]);
  }
  py.Py_DecRef(lock);
  return 0;
}

#endif
