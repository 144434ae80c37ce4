/* Live buffers: Python memory that JavaScript sees without a copy. A memoryview is the lock: while it lives and is not
 * released, its exporter stays as it is (a bytearray cannot be resized).
 *
 *    PyBuffer ──── a reference ──────────────────────► memoryview ──► exporter
 *    ArrayBuffer ──► memory ── a reference of its own ──► (the same)
 *                      └ given up: UNLOCK (node_api.h)
 *
 * The one thing to know: there are two references, because JavaScript may keep either without the other.
 */
#ifndef PYAWAIT_BUFFER_H
#define PYAWAIT_BUFFER_H
#include "outcome.h"

static void write_int(struct writer *w, long long value) { write_tag_f64(w, TAG_INT53, (double)value); }

/* Locks the memory of `object` and writes (memoryview, the same for the memory itself, each with a reference, first byte of
   the memory, bytes from there, offset of the first item, itemsize, readonly, format, shape, strides), the last two in bytes
   as Python has them. -1 with an exception. */
static int lock_buffer(struct writer *w, PyObject *object) {
  PyObject *lock = py.PyMemoryView_FromObject(object);
  Py_buffer buffer;
  if (!lock) return -1;
  if (py.PyObject_GetBuffer(lock, &buffer, 0x1c /* PyBUF_RECORDS_RO: strides and format */)) return py.Py_DecRef(lock), -1;
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
  py.PyBuffer_Release(&buffer);
  py.Py_DecRef(lock);
  return 0;
}

#endif
