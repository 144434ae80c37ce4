/* Synchronous operations: one crossing that attaches, reads, does, writes the outcome and detaches.
 *
 * Why C: an FFI call costs more than the conversion of a small value, so a call, an attribute or a copy crosses once
 * with all of its values, instead of once per function of CPython's.
 *
 * It returns nothing: V8 ends the process if a fast call that returns a value has called JavaScript and its caller is
 * no longer valid (denoland/deno#31122). The length stands in the outcome.
 */
#include "shim.h"

enum { SCOPE_BYTES = 4, KEPT_AT = 4 }; /* behind the length, whether Python has kept the scope */
enum {
  FLAGS = DO_IN_CONTEXT | DO_IN_SCOPE | DO_ON_LOOP | DO_RELEASE | DO_LEND,
  BLOCK_BYTES = sizeof(u64) + sizeof(u32)
};

static int is_method(PyObject *object) { return type_of(object) == TYPE(Method) || type_of(object) == TYPE(CFunction); }

/* Every access makes a bound method anew. An equal one that JavaScript has takes its place, so that the same method is the
   same proxy. */
static int is_known_method(PyObject *value, PyObject *known) {
  if (known == None || !is_method(value) || type_of(known) != type_of(value)) return 0;
  int same = py.PyObject_RichCompareBool(value, known, Py_EQ);
  if (same < 0) py.PyErr_Clear();
  return same > 0;
}

static int is_no_such_item(void) {
  return py.PyErr_ExceptionMatches(EXCEPTION(IndexError)) || py.PyErr_ExceptionMatches(EXCEPTION(KeyError));
}

/* DO_GET: an attribute, or with a number an item. TAG_MISSING if there is none, for no other exception. */
static void get_attribute(struct writer *w, struct reader *r) {
  PyObject *object = decode(r), *attribute = object ? decode(r) : 0, *known = attribute ? decode(r) : 0;
  end_reading(r);
  int item = known && type_of(attribute) == TYPE(Long), missing = 0;
  PyObject *value = 0;
  if (known && r->visitor) value = get_on_loop(r->visitor, r->loop, object, attribute, item);
  else if (item) value = py.PyObject_GetItem(object, attribute);
  else if (known) value = py.PyObject_GetAttr(object, attribute);
  if (!value && known) missing = item ? is_no_such_item() : py.PyErr_ExceptionMatches(EXCEPTION(AttributeError));
  int same = value && is_known_method(value, known);
  release(object), release(attribute), release(known);
  if (missing) py.PyErr_Clear(), write_u8(w, TAG_MISSING);
  else if (same) release(value), write_u8(w, TAG_KNOWN);
  else encode_outcome(w, value);
}

/* DO_REFER. The object itself, by reference, where every other way out would give its value. */
static void refer(struct writer *w, struct reader *r) {
  PyObject *object = decode(r);
  u64 kinds = object ? kinds_of(object) & ~(u64)KIND_JS : 0;
  if (object && !py.PyErr_Occurred()) write_object(w, object, kinds);
  else encode_outcome(w, 0);
  release(object);
}

/* DO_LOCK_BUFFER */
static void lock_memory(struct writer *w, struct reader *r) {
  PyObject *object = decode(r);
  if (!object || lock_buffer(w, object)) encode_outcome(w, 0);
  release(object);
}

static void operate(struct writer *w, struct reader *r, enum operation operation) {
  if (operation == DO_COPY || operation == DO_CALL_AND_COPY) {
    w->depth = (int)read_u32(r);
    w->dict_as = read_u8(r);
  }
  if (operation == DO_GET) get_attribute(w, r);
  else if (operation == DO_LOCK_BUFFER) lock_memory(w, r);
  else if (operation == DO_REFER) refer(w, r);
  else if (operation == DO_STAY) encode_outcome(w, stay_on(r->visitor, r->loop));
  else encode_outcome(w, operation == DO_COPY ? decode(r) : decode_call(r, call_framed));
}

/* ... in the scope whose number comes last. */
static void operate_in_scope(struct writer *w, struct reader *r, struct heap *heap, enum operation operation) {
  struct reader behind = {.at = r->end, .end = r->end + SCOPE_BYTES};
  struct scope *scope;
  int ended = 0;
  PyObject *token = enter_scope(heap, read_u32(&behind), &scope);
  if (!token) {
    encode_outcome(w, 0);
    return;
  }
  scope->ended = &ended;
  operate(w, r, operation);
  leave_scope(token);
  if (!ended) scope->ended = 0, w->data[KEPT_AT] = 1;
}

static void operate_in(struct writer *w, struct reader *r, struct heap *heap, int operation) {
  enum operation plain = operation & ~FLAGS;
  if (operation & DO_IN_SCOPE) operate_in_scope(w, r, heap, plain);
  else operate(w, r, plain);
}

/* ... in a copy of the context that comes first: a property and a `__str__` are code as well. */
static void operate_in_context(struct writer *w, struct reader *r, struct heap *heap, int operation) {
  PyObject *given = decode(r), *context = given ? new_context(heap, given, 0) : 0;
  if (context && !py.PyContext_Enter(context)) operate_in(w, r, heap, operation), py.PyContext_Exit(context);
  else encode_outcome(w, 0);
  release(given), release(context);
}

/* Releases what JavaScript has given up; later, while a message is being read that may borrow it. (A finalizer has called
   JavaScript then.) */
static void give_up(struct heap *heap, const u8 *addresses, u32 count) {
  struct reader r = {.at = addresses, .end = addresses + count * sizeof(u64)};
  for (u32 i = 0; i < count; i++) {
    PyObject *object = read_object(&r);
    if (heap->reading <= 1) {
      release_owned(&heap->owner, object);
      continue;
    }
    if (heap->given_up_count == heap->given_up_capacity) {
      PyObject **more = grow(heap->given_up, &heap->given_up_capacity, heap->given_up_count, sizeof *more);
      if (!more) return; /* they leak: there is no memory */
      heap->given_up = more;
    }
    heap->given_up[heap->given_up_count++] = object;
  }
}

static void release_given_up(struct heap *heap) {
  while (!heap->reading && heap->given_up_count) release_owned(&heap->owner, heap->given_up[--heap->given_up_count]);
}

/* Cuts off what comes last: items of `size` bytes, and their count. */
static const u8 *cut_items(struct reader *r, size_t size, u32 *count) {
  struct reader last = {.at = r->end - sizeof(u32), .end = r->end};
  *count = read_u32(&last);
  if (*count > (size_t)(r->end - r->at) / size) *count = 0;
  r->end -= sizeof(u32) + *count * size;
  return r->end;
}

/* DO_LEND: copies what JavaScript lends, at once and before any Python code runs: that could call JavaScript, which could
   give the memory up. -1 with an exception set. */
static int take_lent(struct reader *r, const u8 *blocks, u32 count) {
  struct reader each = {.at = blocks, .end = blocks + count * BLOCK_BYTES};
  if (count && !(r->lent = py.PyMem_RawMalloc(count * sizeof *r->lent))) return py.PyErr_NoMemory(), -1;
  for (; r->lent_count < count; r->lent_count++) {
    const char *start = (const char *)(size_t)read_u64(&each);
    u32 length = read_u32(&each);
    PyObject *bytes = py.PyBytes_FromStringAndSize(start, length);
    if (!bytes) return -1;
    r->lent[r->lent_count] = bytes;
  }
  return 0;
}

static void release_lent(struct reader *r) {
  while (r->lent_count) py.Py_DecRef(r->lent[--r->lent_count]);
  py.PyMem_RawFree(r->lent);
}

/* A thread that waits for this one's JavaScript looks at these (calls.c). */
static void enter_invoke(struct attachment *attachment) {
  if (!attachment->invokes) __atomic_store_n(&attachment->entered, attachment->entered + 1, __ATOMIC_RELAXED);
  __atomic_store_n(&attachment->invokes, attachment->invokes + 1, __ATOMIC_RELAXED);
}

static void leave_invoke(struct attachment *attachment) {
  __atomic_store_n(&attachment->invokes, attachment->invokes - 1, __ATOMIC_RELAXED);
}

/* Reads the operation's layout, and writes the length of all and the outcome; minus the length where `capacity` is too
   small: pyawait_overflow then gives it. 0: Python is closed. */
static void invoke(struct heap *heap, int operation, const u8 *in, size_t length, u8 *out, size_t capacity) {
  if (is_closing()) { /* another heap on this thread, whose JavaScript does not know it yet, must not run Python */
    memset(out, 0, sizeof(u32));
    return;
  }
  struct reader r = {.at = in, .end = in + length};
  struct writer w = {.data = out, .lent = out, .capacity = capacity, .owner = &heap->owner};
  u32 releases = 0, lent = 0;
  const u8 *addresses = operation & DO_RELEASE ? cut_items(&r, sizeof(u64), &releases) : in;
  const u8 *blocks = operation & DO_LEND ? cut_items(&r, BLOCK_BYTES, &lent) : in;
  reserve(&w, 4);
  if (operation & DO_IN_SCOPE) r.end -= SCOPE_BYTES, write_u8(&w, 0);
  if (operation & DO_ON_LOOP) r.loop = read_u32(&r), r.visitor = heap;
  attach(heap);
  enter_invoke(heap->attachment);
  begin_reading(&r, heap);
  int failed = take_lent(&r, blocks, lent);
  give_up(heap, addresses, releases);
  if (failed) encode_outcome(&w, 0);
  else if (operation & DO_IN_CONTEXT) operate_in_context(&w, &r, heap, operation);
  else operate_in(&w, &r, heap, operation);
  close_reader(&r);
  end_reading(&r);
  release_lent(&r);
  release_given_up(heap);
  operation &= ~FLAGS;
  if (!r.visitor && (operation == DO_CALL || operation == DO_CALL_AND_COPY)) wake_touched_loops(r.called_loop_bound);
  leave_invoke(heap->attachment);
  detach(heap);
  int total = w.data == out ? (int)w.length : -(int)w.length;
  __builtin_memcpy(out, &total, 4);
  if (w.data == out) return;
  py.PyMem_RawFree(heap->overflow);
  heap->overflow = w.data, heap->overflow_length = w.length;
}
