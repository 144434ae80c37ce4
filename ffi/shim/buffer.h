/* Live buffers: Python memory that JavaScript sees without a copy.
 *
 * The one thing to know: the exporter stays locked (a bytearray cannot be resized) until the Py_buffer is released,
 * which is JavaScript's to say: at once, or through the inbox when its ArrayBuffer has been collected.
 */
#ifndef PYAWAIT_BUFFER_H
#define PYAWAIT_BUFFER_H
#include "outcome.h"

static void write_int(struct writer *w, long long value) { write_tag_f64(w, TAG_INT53, (double)value); }

/* Releases what lock_buffer gave. Attached. */
static void unlock_buffer(u64 address) {
  Py_buffer *buffer = (Py_buffer *)(size_t)address;
  py.PyBuffer_Release(buffer);
  py.PyMem_RawFree(buffer);
}

/* ctypes gives no strides, though they are asked for: its arrays are contiguous. */
static Py_ssize_t stride_of(const Py_buffer *buffer, int dimension) {
  if (buffer->strides) return buffer->strides[dimension];
  Py_ssize_t stride = buffer->itemsize;
  for (int i = buffer->ndim - 1; i > dimension; i--) stride *= buffer->shape[i];
  return stride;
}

/* Locks the buffer of `object` and writes (Py_buffer, first byte of the memory, bytes from there, offset of the first
   item, itemsize, readonly, format, shape, strides), the last two in bytes as Python has them. -1 with an exception. */
static int lock_buffer(struct writer *w, PyObject *object) {
  Py_buffer *buffer = py.PyMem_RawMalloc(sizeof *buffer);
  if (!buffer) return py.PyErr_NoMemory(), -1;
  if (py.PyObject_GetBuffer(object, buffer, 0x1c /* PyBUF_RECORDS_RO: strides and format */)) return py.PyMem_RawFree(buffer), -1;
  Py_ssize_t low = 0, high = buffer->itemsize;
  for (int i = 0; i < buffer->ndim; i++) {
    Py_ssize_t last = (buffer->shape[i] - 1) * stride_of(buffer, i);
    if (buffer->shape[i] == 0) low = high = 0;
    else if (last < 0) low += last;
    else high += last;
  }
  if (buffer->len == 0) low = high = 0;
  write_tag_u32(w, TAG_TUPLE, 9);
  write_int(w, (long long)(size_t)buffer), write_int(w, (long long)(size_t)((char *)buffer->buf + low));
  write_int(w, high - low), write_int(w, -low), write_int(w, buffer->itemsize);
  write_u8(w, buffer->readonly ? TAG_TRUE : TAG_FALSE);
  const char *format = buffer->format ? buffer->format : "B";
  size_t length = 0;
  while (format[length]) length++;
  write_bytes(w, TAG_UTF8, format, length);
  for (int list = 0; list < 2; list++) {
    write_tag_u32(w, TAG_LIST, (u32)buffer->ndim);
    for (int i = 0; i < buffer->ndim; i++) write_int(w, list ? stride_of(buffer, i) : buffer->shape[i]);
  }
  return 0;
}

#endif
