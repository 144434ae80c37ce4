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
enum { NO_FOREIGN_MEMORY = 22 /* napi_no_external_buffers_allowed */ };
typedef void *(*node_callback)(void *env, void *info);
typedef void (*node_finalizer)(void *env, void *memory, void *hint);

#define NODE_API(X) \
  X(napi_create_function, (void *, const char *, size_t, node_callback, void *, void **)) \
  X(napi_set_named_property, (void *, void *, const char *, void *)) \
  X(napi_get_cb_info, (void *, void *, size_t *, void **, void **, void **)) \
  X(napi_get_value_double, (void *, void *, double *)) \
  X(napi_create_external_arraybuffer, (void *, void *, size_t, node_finalizer, void *, void **)) \
  X(napi_detach_arraybuffer, (void *, void *)) \
  X(napi_add_env_cleanup_hook, (void *, void (*)(void *), void *)) \
  X(napi_get_undefined, (void *, void **)) \
  X(napi_strict_equals, (void *, void *, void *, u8 *))
#define NODE_FUNCTION(name, parameters) int(*name) parameters;
static struct { NODE_API(NODE_FUNCTION) } node;
static int has_node_api;

/* A program that embeds a runtime may be without it: then there are no live buffers, and ended Workers are not heard of. */
static void resolve_node_api(symbol_finder find, void *program) {
  has_node_api = 1;
#define FIND_NODE_FUNCTION(name, parameters) has_node_api &= (*(void **)&node.name = find(program, #name)) != 0;
  NODE_API(FIND_NODE_FUNCTION)
}

/* JavaScript cannot run any more. On its own thread. */
static int is_ending(void *env) {
  void *value;
  u8 same;
  return node.napi_get_undefined(env, &value) || node.napi_strict_equals(env, value, value, &same);
}

/* Node and Bun also give memory up when the heap ends in which it was seen first, though another heap may have been sent
   it by then. Nobody can tell, so it stays locked for ever. */
static void on_memory_given_up(void *env, void *memory, void *hint) {
  struct chunk *release = hint;
  struct heap *heap = release->heap;
  (void)memory;
  /* Node says this of memory that it refuses as well, at once or later. */
  if (release->view != VIEW_MADE) {
    if (release->view == VIEW_REFUSED) py.PyMem_RawFree(release);
    else release->view = VIEW_REFUSED;
    return;
  }
  if (heap->memory_ends_with_it == NODE_ENDS ? is_ending(env) : heap->memory_ends_with_it && __atomic_load_n(&heap->dead, __ATOMIC_ACQUIRE)) return;
  push_to_loop(0, release); /* Python is closed: it is left, as everything is then */
}

/* This heap's JavaScript has ended, its thread has not yet. At the end of the process nobody cares. */
static void on_heap_ended(void *ended) {
  static const u8 record[] = {5, 0, 0, 0, IN_HEAP_LOST};
  struct heap *heap = ended;
  if (py.PyThread_get_thread_ident() == heap->thread) detach_wholly(heap);
  if (__atomic_load_n(&closing, __ATOMIC_ACQUIRE)) return;
  end_heap(heap);
  struct chunk *chunk = new_chunk(heap, record, sizeof record);
  if (chunk && !push_to_loop(0, chunk)) py.PyMem_RawFree(chunk);
}

/* The arguments of a call: `count` numbers. */
static int get_numbers(void *env, void *info, size_t count, double *numbers) {
  void *arguments[4];
  size_t given = count;
  if (node.napi_get_cb_info(env, info, &given, arguments, 0, 0)) return 0;
  for (size_t i = 0; i < count; i++)
    if (node.napi_get_value_double(env, arguments[i], &numbers[i])) return 0;
  return 1;
}

/* view(heap, start, bytes, reference): an ArrayBuffer, or undefined where the runtime forbids it; `reference` is the
   address of an object that is given up when nobody can see the memory any more. */
static void *node_view(void *env, void *info) {
  void *result = 0;
  double numbers[4];
  u8 record[13] = {sizeof record, 0, 0, 0, IN_UNLOCK};
  if (!get_numbers(env, info, 4, numbers)) return 0;
  struct heap *heap = (void *)(size_t)numbers[0];
  u64 reference = (u64)numbers[3];
  __builtin_memcpy(record + 5, &reference, 8);
  struct chunk *release = new_chunk(heap, record, sizeof record);
  if (!release) return 0;
  release->view = VIEW_BEING_MADE;
  int status = node.napi_create_external_arraybuffer(env, (void *)(size_t)numbers[1], (size_t)numbers[2], on_memory_given_up, release, &result);
  if (!status) return release->view = VIEW_MADE, result;
  if (status == NO_FOREIGN_MEMORY || release->view == VIEW_REFUSED) py.PyMem_RawFree(release);
  else release->view = VIEW_REFUSED;
  return 0;
}

/* detach(memory): for runtimes whose ArrayBuffers have no `transfer`. */
static void *node_detach(void *env, void *info) {
  void *memory;
  size_t count = 1;
  if (!node.napi_get_cb_info(env, info, &count, &memory, 0, 0)) node.napi_detach_arraybuffer(env, memory);
  return 0;
}

/* watch(heap, how): hears of its end; `how` memory that it saw is given up then (enum memory_end). */
static void *node_watch(void *env, void *info) {
  double numbers[2];
  if (!get_numbers(env, info, 2, numbers)) return 0;
  struct heap *heap = (void *)(size_t)numbers[0];
  heap->memory_ends_with_it = (int)numbers[1];
  node.napi_add_env_cleanup_hook(env, on_heap_ended, heap);
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
