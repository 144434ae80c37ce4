/* What only Node-API tells, which Node, Deno and Bun have alike: the shim is an addon as well.
 *
 * Why C: an addon is a C library, and an FFI hears of neither of two things: that memory was given up (JavaScript can
 * move it from one ArrayBuffer to another), and that a heap has ended (by worker.terminate(), for one).
 *
 * Both are told on any thread and at any time, so all that happens here is that records enter queues.
 */
#include "shim.h"

/* Of its types only addresses and statuses cross here; status 0 is success. */
enum { NO_EXTERNAL_BUFFERS_ALLOWED = 22 };
typedef void *(*napi_callback)(void *env, void *info);
typedef void (*napi_finalize)(void *env, void *memory, void *hint);

#define NODE_API(X)                                                                             \
  X(napi_create_function, (void *, const char *, size_t, napi_callback, void *, void **))       \
  X(napi_set_named_property, (void *, void *, const char *, void *))                            \
  X(napi_get_cb_info, (void *, void *, size_t *, void **, void **, void **))                    \
  X(napi_get_value_double, (void *, void *, double *))                                          \
  X(napi_create_external_arraybuffer, (void *, void *, size_t, napi_finalize, void *, void **)) \
  X(napi_detach_arraybuffer, (void *, void *))                                                  \
  X(napi_create_string_latin1, (void *, const char *, size_t, void **))                         \
  X(napi_get_value_string_utf16, (void *, void *, unsigned short *, size_t, size_t *))          \
  X(napi_create_string_utf16, (void *, const unsigned short *, size_t, void **))                \
  X(napi_add_env_cleanup_hook, (void *, void (*)(void *), void *))                              \
  X(napi_get_undefined, (void *, void **))                                                      \
  X(napi_strict_equals, (void *, void *, void *, u8 *))

#define NAPI_FIELD(name, parameters) int(*name) parameters;
static struct {
  NODE_API(NAPI_FIELD)
} node;
static int has_node_api;

/* A program that embeds a runtime may lack it: then there are no live buffers, and ended Workers are not heard of. */
static void resolve_node_api(symbol_finder find, void *program) {
  has_node_api = 1;
#define FIND_NAPI(name, parameters) has_node_api &= (*(void **)&node.name = find(program, #name)) != 0;
  NODE_API(FIND_NAPI)
}

/* JavaScript cannot run any more. On its own thread. */
static int is_ending(void *env) {
  void *value;
  u8 same;
  return node.napi_get_undefined(env, &value) || node.napi_strict_equals(env, value, value, &same);
}

/* The runtime gives the memory up because its heap ends. By then it may have been sent to another heap, which the
   runtime does not tell, so it stays locked for good. */
static int ends_with_heap(void *env, struct heap *heap) {
  switch (heap->memory_end) {
  case MEMORY_STAYS: return 0;
  case MEMORY_ENDS_BEFORE_HOOK: return is_ending(env);
  case MEMORY_ENDS_AFTER_HOOK: return has_ended(heap);
  }
  return 0;
}

/* `hint` is the chunk that unlocks it. Node also calls this for memory that it refuses, at once or later. */
static void on_memory_given_up(void *env, void *memory, void *hint) {
  struct chunk *unlock = hint;
  (void)memory;
  if (unlock->view == VIEW_REFUSED) py.PyMem_RawFree(unlock);
  else if (unlock->view == VIEW_BEING_MADE) unlock->view = VIEW_REFUSED;
  else if (!ends_with_heap(env, unlock->heap)) push_to_loop(0, unlock); /* while Python is closed it is left */
}

/* This heap's JavaScript has ended, its thread has not yet. */
static void on_heap_ended(void *ended) {
  struct heap *heap = ended;
  if (py.PyThread_get_thread_ident() == heap->thread) detach_fully(heap);
  if (is_closing()) return;
  end_heap(heap);
  push_kind(0, heap, IN_HEAP_LOST);
}

/* The arguments of a call: `count` numbers, four at most. */
static int get_numbers(void *env, void *info, size_t count, double *numbers) {
  void *arguments[4];
  size_t given = count;
  if (node.napi_get_cb_info(env, info, &given, arguments, 0, 0)) return 0;
  for (size_t i = 0; i < count; i++)
    if (node.napi_get_value_double(env, arguments[i], &numbers[i])) return 0;
  return 1;
}

/* view(heap, start, bytes, reference): an ArrayBuffer, or undefined where the runtime forbids it. `reference` is the
   address of an object that is released when JavaScript cannot see the memory any more. */
static void *node_view(void *env, void *info) {
  double numbers[4];
  if (!get_numbers(env, info, 4, numbers)) return 0;
  void *start = (void *)(size_t)numbers[1], *result = 0;
  size_t bytes = (size_t)numbers[2];
  u64 reference = (u64)numbers[3];
  u8 record[13] = {sizeof record, 0, 0, 0, IN_UNLOCK};
  __builtin_memcpy(record + 5, &reference, 8);
  struct chunk *unlock = new_chunk((void *)(size_t)numbers[0], record, sizeof record);
  if (!unlock) return 0;
  unlock->view = VIEW_BEING_MADE;
  int status = node.napi_create_external_arraybuffer(env, start, bytes, on_memory_given_up, unlock, &result);
  if (!status) return unlock->view = VIEW_MADE, result;
  if (status == NO_EXTERNAL_BUFFERS_ALLOWED || unlock->view == VIEW_REFUSED) py.PyMem_RawFree(unlock);
  else unlock->view = VIEW_REFUSED;
  return 0;
}

/* detach(memory): for runtimes whose ArrayBuffers have no `transfer`. */
static void *node_detach(void *env, void *info) {
  void *memory;
  size_t count = 1;
  if (!node.napi_get_cb_info(env, info, &count, &memory, 0, 0)) node.napi_detach_arraybuffer(env, memory);
  return 0;
}

/* text(data, bytes, width): a string of this memory; undefined where it cannot be made. */
static void *node_text(void *env, void *info) {
  double numbers[3];
  void *text = 0;
  if (!get_numbers(env, info, 3, numbers)) return 0;
  const void *data = (const void *)(size_t)numbers[0];
  size_t bytes = (size_t)numbers[1];
  int failed = numbers[2] == 1 ? node.napi_create_string_latin1(env, data, bytes, &text)
                               : node.napi_create_string_utf16(env, data, bytes / 2, &text);
  return failed ? 0 : text;
}

/* units(text, address, count): writes so many units of UTF-16 and a NUL to aligned memory. The text, or undefined. */
static void *node_units(void *env, void *info) {
  void *arguments[3];
  size_t given = 3, written;
  double address, count;
  if (node.napi_get_cb_info(env, info, &given, arguments, 0, 0)) return 0;
  if (node.napi_get_value_double(env, arguments[1], &address)) return 0;
  if (node.napi_get_value_double(env, arguments[2], &count)) return 0;
  unsigned short *to = (unsigned short *)(size_t)address;
  int failed = node.napi_get_value_string_utf16(env, arguments[0], to, (size_t)count + 1, &written);
  return failed || written != (size_t)count ? 0 : arguments[0];
}

/* watch(heap, memory_end): hears of the heap's end. */
static void *node_watch(void *env, void *info) {
  double numbers[2];
  if (!get_numbers(env, info, 2, numbers)) return 0;
  struct heap *heap = (void *)(size_t)numbers[0];
  heap->memory_end = (enum memory_end)numbers[1];
  node.napi_add_env_cleanup_hook(env, on_heap_ended, heap);
  return 0;
}

static void export_function(void *env, void *exports, const char *exported, napi_callback callback) {
  void *function;
  if (!node.napi_create_function(env, exported, (size_t)-1, callback, 0, &function))
    node.napi_set_named_property(env, exports, exported, function);
}

/* The addon's entry, called in each heap that loads it. */
EXPORT void *napi_register_module_v1(void *env, void *exports) {
  if (!has_node_api) return exports;
  export_function(env, exports, "view", node_view);
  export_function(env, exports, "detach", node_detach);
  export_function(env, exports, "text", node_text);
  export_function(env, exports, "units", node_units);
  export_function(env, exports, "watch", node_watch);
  return exports;
}
