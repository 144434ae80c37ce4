/* Live buffers: Python memory that JavaScript sees without a copy. A memoryview is the lock: while it lives and is not
 * released, its exporter stays as it is (a bytearray cannot be resized).
 *
 *    PyBuffer ──── a proxy ──────────────────────────► memoryview ──► exporter
 *    ArrayBuffer ──► memory ── a reference of its own ──► (the same)
 *                      └ given up, on any thread: UNLOCK ──► inbox
 *
 * The one thing to know: JavaScript can move memory from one ArrayBuffer to another, and an FFI hears nothing of that.
 * So the ArrayBuffer is made through Node-API, which Node, Deno and Bun have alike and for which this library is an
 * addon: its finalizer runs when the memory is given up, whoever had it last. It may run on a helper thread of the
 * collector's, or while a Worker ends, so it takes nothing but a lock and pushes a record that was made before.
 */
#ifndef PYAWAIT_BUFFER_H
#define PYAWAIT_BUFFER_H
#include "loop.h"

static void write_int(struct writer *w, long long value) { write_tag_f64(w, TAG_INT53, (double)value); }

/* Locks the memory of `object` and writes (memoryview, its address with a reference for the memory, first byte of the
   memory, bytes from there, offset of the first item, itemsize, readonly, format, shape, strides), the last two in bytes
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
  encode_object(w, lock, kinds_of(lock));
  write_int(w, (long long)(size_t)new_reference(lock)), write_int(w, (long long)(size_t)((char *)buffer.buf + low));
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

/* Node-API: of its types only addresses and statuses, 0 for success, cross here. */
typedef void *(*node_callback)(void *env, void *info);
typedef void (*node_finalizer)(void *env, void *memory, void *hint);

#define NODE_API(X) \
  X(napi_create_function, (void *, const char *, size_t, node_callback, void *, void **)) \
  X(napi_set_named_property, (void *, void *, const char *, void *)) \
  X(napi_get_cb_info, (void *, void *, size_t *, void **, void **, void **)) \
  X(napi_get_value_double, (void *, void *, double *)) \
  X(napi_create_external_arraybuffer, (void *, void *, size_t, node_finalizer, void *, void **)) \
  X(napi_detach_arraybuffer, (void *, void *))
#define NODE_FUNCTION(name, parameters) int(*name) parameters;
static struct { NODE_API(NODE_FUNCTION) } node;
static int has_node_api;

/* A program that embeds a runtime may be without it: then there are no live buffers. */
static void resolve_node_api(symbol_finder find, void *program) {
  has_node_api = 1;
#define FIND_NODE_FUNCTION(name, parameters) has_node_api &= (*(void **)&node.name = find(program, #name)) != 0;
  NODE_API(FIND_NODE_FUNCTION)
}

static void on_memory_given_up(void *env, void *memory, void *release) {
  (void)env, (void)memory;
  push_to_loop(0, release); /* Python is closed: it is left, as everything is then */
}

/* view(start, bytes, reference): an ArrayBuffer, or undefined where the runtime forbids it; `reference` is the address of
   an object that is given up when nobody can see the memory any more. */
static void *node_view(void *env, void *info) {
  void *arguments[3], *result = 0;
  size_t count = 3;
  double numbers[3];
  u8 record[13] = {sizeof record, 0, 0, 0, IN_UNLOCK};
  if (node.napi_get_cb_info(env, info, &count, arguments, 0, 0)) return 0;
  for (int i = 0; i < 3; i++)
    if (node.napi_get_value_double(env, arguments[i], &numbers[i])) return 0;
  u64 reference = (u64)numbers[2];
  __builtin_memcpy(record + 5, &reference, 8);
  struct chunk *chunk = new_chunk(0, record, sizeof record);
  if (!chunk) return 0;
  if (!node.napi_create_external_arraybuffer(env, (void *)(size_t)numbers[0], (size_t)numbers[1], on_memory_given_up, chunk, &result)) return result;
  py.PyMem_RawFree(chunk);
  return 0;
}

/* detach(memory): for runtimes whose ArrayBuffers have no `transfer`. */
static void *node_detach(void *env, void *info) {
  void *memory;
  size_t count = 1;
  if (!node.napi_get_cb_info(env, info, &count, &memory, 0, 0)) node.napi_detach_arraybuffer(env, memory);
  return 0;
}

static void export_to_node(void *env, void *exports, const char *name, node_callback callback) {
  void *function;
  if (!node.napi_create_function(env, name, (size_t)-1, callback, 0, &function)) node.napi_set_named_property(env, exports, name, function);
}

/* The addon's entry, called in each heap that loads it. */
EXPORT void *napi_register_module_v1(void *env, void *exports) {
  if (!has_node_api) return exports;
  export_to_node(env, exports, "view", node_view);
  export_to_node(env, exports, "detach", node_detach);
  return exports;
}

#endif
