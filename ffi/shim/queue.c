/* The queues between JavaScript threads and Python's, and the heaps and loops at their ends.
 *
 *    JavaScript heap                                                    Python loop
 *      submit ──── push ──► loop.inbox ──── take all ────► drain          wake: one byte, when it was empty
 *      take  ◄── take all ── heap.outbox ◄──── push ──── flush            bell: one byte, when it was empty
 *
 * Why C: JavaScript submits without the GIL, Python answers without JavaScript, and no memory may be shared between
 * JavaScript and another thread (a Worker's SharedArrayBuffer that is written after terminate() ends the process).
 *
 * A queue is a stack onto which producers push by compare-and-swap; its consumer takes it whole by one exchange and
 * reverses it. The push itself tells whether the queue was empty, so no flag can be cleared too early, and the producer
 * that found it empty wakes the consumer: once per batch, not once per record.
 */
#include "shim.h"

static void lock_registry(void) { py.PyThread_acquire_lock(registry, 1); }
static void unlock_registry(void) { py.PyThread_release_lock(registry); }

/* Chunks ---------------------------------------------------------------------------------------------------------- */

/* Puts a chunk in; 1 if the queue was empty. Sequentially consistent, for set_bell as well (shim.h); a failed attempt
   only learns the head, for which relaxed is enough. */
static int push(struct chunk **queue, struct chunk *chunk) {
  struct chunk *head = __atomic_load_n(queue, __ATOMIC_RELAXED);
  do chunk->next = head;
  while (!__atomic_compare_exchange_n(queue, &head, chunk, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
  return !head;
}

/* Takes all that is there, in the order in which it was pushed. Sequentially consistent, for who has just ceased to spin:
   what was pushed without a wake is seen. */
static struct chunk *take_all(struct chunk **queue) {
  struct chunk *newest = __atomic_exchange_n(queue, 0, __ATOMIC_SEQ_CST), *oldest = 0;
  while (newest) {
    struct chunk *next = newest->next;
    newest->next = oldest, oldest = newest, newest = next;
  }
  return oldest;
}

static struct chunk *new_chunk(struct heap *heap, const u8 *data, size_t length) {
  struct chunk *chunk = py.PyMem_RawMalloc(sizeof *chunk + length);
  if (!chunk) return 0;
  *chunk = (struct chunk){.heap = heap, .length = length, .view = VIEW_MADE};
  memcpy(chunk->data, data, length);
  return chunk;
}

/* Adds a use of a heap that has one already. */
static void add_use(struct heap *heap) { __atomic_add_fetch(&heap->uses, 1, __ATOMIC_RELAXED); }

/* Drops one use of `heap`; the last one releases every reference that it owns and closes its bell. Must be attached. */
static void drop_use(struct heap *heap) {
  if (__atomic_sub_fetch(&heap->uses, 1, __ATOMIC_ACQ_REL)) return;
  release_all_owned(&heap->owner);
  long long bell = __atomic_exchange_n(&heap->bell, -1, __ATOMIC_SEQ_CST);
  if (bell >= 0) close_bell(bell); /* a thread that rings is attached as well, so it does not write to a closed one */
}

/* The chunk is read, or will not be: its loop is closed. Must be attached. */
static void free_chunk(struct chunk *chunk) {
  if (chunk->counts_use) drop_use(chunk->heap);
  py.PyMem_RawFree(chunk);
}

/* The next record of a chunk, without its size; 0: there is none. -1: its size cannot be right, and would be read for
   ever, or beyond the end. */
static int next_record(struct chunk *chunk, struct reader *r) {
  size_t left = chunk->length - chunk->at;
  u32 size;
  if (!left) return 0;
  *r = (struct reader){.at = chunk->data + chunk->at, .end = chunk->data + chunk->length};
  size = read_u32(r);
  if (size < RECORD_HEAD || size > left) return -1;
  r->end = chunk->data + chunk->at + size;
  chunk->at += size;
  return 1;
}

static void drop_all(struct chunk **queue) {
  for (struct chunk *chunk = take_all(queue), *next; chunk; chunk = next) next = chunk->next, free_chunk(chunk);
}

/* Heaps and loops ------------------------------------------------------------------------------------------------- */

static int has_ended(struct heap *heap) { return __atomic_load_n(&heap->ended, __ATOMIC_RELAXED); }
static int is_closing(void) { return __atomic_load_n(&closing, __ATOMIC_ACQUIRE); }

/* The newest heap; the ones behind it are linked for good. */
static struct heap *newest_heap(void) {
  lock_registry();
  struct heap *heap = heaps;
  unlock_registry();
  return heap;
}

/* NULL: its JavaScript has ended, or this is a forked child. */
static struct heap *find_heap(u32 id) {
  struct heap *heap = forked ? 0 : newest_heap();
  while (heap && heap->owner.id != id) heap = heap->next;
  return heap && !has_ended(heap) ? heap : 0;
}

/* The heap whose JavaScript runs on this thread, open or closing; NULL: it is not a JavaScript thread. */
static struct heap *heap_on_thread(unsigned long thread) {
  struct heap *heap = newest_heap();
  while (heap && (heap->thread != thread || has_ended(heap))) heap = heap->next;
  return heap;
}

/* NULL also while Python is closed. */
static struct heap *find_open_heap(u32 id) { return is_closing() ? 0 : find_heap(id); }

/* ... with an exception set. */
static struct heap *require_heap(u32 id) {
  struct heap *heap = find_open_heap(id);
  if (!heap && forked)
    raise_error(EXCEPTION(RuntimeError),
                "Cannot call into JavaScript from a forked child: it is not in there; use multiprocessing's spawn");
  else if (!heap)
    raise_error(helper.JavaScriptEnded,
                is_closing() ? "Cannot call into JavaScript: Python is ending; what `atexit` and cleanup call in "
                               "JavaScript runs only in `await python.close()`"
                             : "Cannot call into JavaScript: its thread has ended, or is ending with the process");
  return heap;
}

/* The caller holds the registry's lock. */
static struct loop *find_loop(u32 id) {
  struct loop *loop = loops;
  while (loop && loop->id != id) loop = loop->next;
  return loop;
}

/* The loop that runs on this thread. */
static struct loop *loop_here(void) {
  unsigned long thread = py.PyThread_get_thread_ident();
  lock_registry();
  struct loop *loop = loops;
  while (loop && loop->thread != thread) loop = loop->next;
  unlock_registry();
  return loop;
}

static struct loop *loop_of(PyObject *object) {
  lock_registry();
  struct loop *loop = loops;
  while (loop && loop->object != object) loop = loop->next;
  unlock_registry();
  return loop;
}

/* The inbox of an event loop; src/py makes it for one that is seen for the first time. Consumes `object`. */
static struct loop *connect_loop(PyObject *object) {
  struct loop *loop = loop_of(object);
  PyObject *made = loop ? 0 : vectorcall(helper.new_loop, &object, 1);
  if (made) loop = loop_of(object);
  release(made), release(object);
  if (!loop && !py.PyErr_Occurred())
    raise_error(EXCEPTION(RuntimeError), "pyawait: this event loop could not be connected to JavaScript");
  return loop;
}

/* NULL with an exception set: none runs on this thread. */
static struct loop *running_loop(void) {
  PyObject *object = vectorcall(helper.get_running_loop, 0, 0);
  return object ? connect_loop(object) : 0;
}

/* The id of the loop that runs on this thread; NO_LOOP: none does, or none that JavaScript can reach. */
static u32 running_loop_id(void) {
  PyObject *object = vectorcall(helper._get_running_loop, 0, 0);
  struct loop *loop = 0;
  if (object == None) py.Py_DecRef(object);
  else if (object) loop = connect_loop(object);
  py.PyErr_Clear();
  return loop ? loop->id : NO_LOOP;
}

/* Waking either side ---------------------------------------------------------------------------------------------- */

static void wake(struct loop *loop) {
  if (forked) return; /* the other end of the pipe is the parent's loop */
  COUNT(COUNT_WAKES);
  write_wake(loop->wake);
}

/* Has JavaScript take; 0: it cannot be told yet. */
static int ring_bell(struct heap *heap) {
  long long bell = __atomic_load_n(&heap->bell, __ATOMIC_SEQ_CST);
  if (heap->ring) heap->ring();
  else if (bell >= 0) write_bell(bell);
  return heap->ring || bell >= 0;
}

/* Rings JavaScript, from any thread, attached or while Python ends. It does not enter JavaScript. */
static void ring(struct heap *heap) {
  if (forked || has_ended(heap) || (is_closing() && heap == closing_heap)) return;
  if (__atomic_load_n(&heap->spins, __ATOMIC_SEQ_CST)) return; /* it has rung itself, and takes soon */
  COUNT(COUNT_RINGS);
  ring_bell(heap);
}

/* Puts a chunk into a loop's inbox, from any thread, attached or not. */
static enum pushed push_to_loop(u32 id, struct chunk *chunk) {
  enum pushed pushed = PUSHED;
  lock_registry();
  struct loop *loop = find_loop(id);
  int was_empty = loop && push(&loop->inbox, chunk);
  if (!loop) pushed = NO_SUCH_LOOP;
  else if (__atomic_load_n(&loop->spins, __ATOMIC_SEQ_CST)) pushed = PUSHED_TO_SPINNING;
  else if (was_empty) wake(loop);
  unlock_registry();
  return pushed;
}

/* Puts a record that is only its kind into a loop's inbox. 0: there is no memory. */
static int push_kind(u32 id, struct heap *heap, u8 kind) {
  const u8 record[] = {5, 0, 0, 0, kind};
  struct chunk *chunk = new_chunk(heap, record, sizeof record); /* before the lock: with tracemalloc it takes the GIL */
  if (!chunk) return 0;
  if (!push_to_loop(id, chunk)) py.PyMem_RawFree(chunk);
  return 1;
}
