/* What only Node-API can do, which Node, Deno and Bun have alike: this library is an addon as well.
 *
 * The one thing to know: two things are told to nobody else. When memory is given up: JavaScript can move it from one
 * ArrayBuffer to another, and an FFI hears nothing of that. And when a heap has ended, by worker.terminate() for one.
 * Both come on any thread and at any time, so all that is done is to put records into queues.
 */
#ifndef PYAWAIT_NODE_API_H
#define PYAWAIT_NODE_API_H
#include "loop.h"

/* Of its types only addresses and statuses cross here; 0 is success. */
typedef void *(*node_callback)(void *env, void *info);
typedef void (*node_finalizer)(void *env, void *memory, void *hint);

#define NODE_API(X) \
  X(napi_create_function, (void *, const char *, size_t, node_callback, void *, void **)) \
  X(napi_set_named_property, (void *, void *, const char *, void *)) \
  X(napi_get_cb_info, (void *, void *, size_t *, void **, void **, void **)) \
  X(napi_get_value_double, (void *, void *, double *)) \
  X(napi_create_external_arraybuffer, (void *, void *, size_t, node_finalizer, void *, void **)) \
  X(napi_detach_arraybuffer, (void *, void *)) \
  X(napi_add_env_cleanup_hook, (void *, void (*)(void *), void *))
#define NODE_FUNCTION(name, parameters) int(*name) parameters;
static struct { NODE_API(NODE_FUNCTION) } node;
static int has_node_api;

/* A program that embeds a runtime may be without it: then there are no live buffers, and ended Workers are not heard of. */
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

/* This heap's JavaScript has ended, its thread has not yet. At the end of the process nobody cares. */
static void on_heap_ended(void *ended) {
  struct heap *heap = ended;
  if (__atomic_load_n(&closing, __ATOMIC_ACQUIRE)) return;
  if (py.PyThread_get_thread_ident() == heap->thread) detach_wholly(heap);
  end_heap(heap);
  lose_heap(heap);
}

/* watch(heap): hears of its end. */
static void *node_watch(void *env, void *info) {
  void *argument;
  size_t count = 1;
  double heap;
  if (node.napi_get_cb_info(env, info, &count, &argument, 0, 0) || node.napi_get_value_double(env, argument, &heap)) return 0;
  node.napi_add_env_cleanup_hook(env, on_heap_ended, (void *)(size_t)heap);
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
  export_to_node(env, exports, "watch", node_watch);
  return exports;
}

#endif
