/* The queues between JavaScript threads and Python's: chunks of records, first in first out.
 *
 *    JavaScript heap                                                    Python loop
 *      submit ──── push ──► loop.inbox ──── take all ────► drain          wake: one byte, when it was empty
 *      take  ◄── take all ── heap.outbox ◄──── push ──── flush            bell: one byte, when it was empty
 *
 * The one thing to know: a queue is a stack that producers push onto by compare-and-swap and that its consumer takes
 * whole by one exchange, then turns round. "Was it empty?" is the answer of the push itself, so there is no flag
 * that could be cleared too early, and whoever finds it empty wakes the consumer: once per batch, never per record.
 */
#ifndef PYAWAIT_QUEUE_H
#define PYAWAIT_QUEUE_H
#include "platform.h"
#include "read.h"
#include "outcome.h"

struct heap;

struct chunk {
  struct chunk *next;
  struct heap *heap; /* in an inbox: who submitted it */
  size_t length, at; /* at: how much of it has been taken */
  int counted;       /* in an inbox: its heap is busy until it is read */
  enum { VIEW_MADE, VIEW_BEING_MADE, VIEW_REFUSED } view; /* of an UNLOCK (node_api.h) */
  u8 data[];         /* records: u32 size (of all of it), then what the record's kind says */
};

/* A call of a JavaScript function that a Python thread waits for. */
struct call {
  struct call *next;
  u32 id;
  u8 *answer; /* ours; NULL when the heap ended before it answered */
  size_t length;
  int answered;
  PyThread_type_lock lock; /* held by the waiting thread; NULL on the heap's own thread */
};

/* A JavaScript thread in Python, which several copies of pyawait on that thread share. */
struct attachment {
  PyThreadState *state; /* this thread's, kept for life */
  int attached;         /* how often this thread has attached: the GIL is held above 0 */
  int inside;           /* how many `invoke`s are on this thread's stack */
  int busy;             /* it holds the GIL, waits for it or will want it back */
  char *stack_at;       /* where Python was told that the stack is */
};

/* What becomes of Python's memory that a heap has seen first when that ends: nothing; it is given up before the hook is
   called that tells of the end, or after that. */
enum memory_end { MEMORY_STAYS, NODE_ENDS, BUN_ENDS };

/* One JavaScript heap (an isolate: the main thread, a Worker, a `deno test` file) that uses Python. */
struct heap {
  struct heap *next;
  struct owner owner;
  unsigned long thread;
  struct attachment *in;
  int dead;             /* its JavaScript has ended, or is ending */
  int busy;             /* who may still use the references that it owns: itself, and what it sent that is not read yet */
  long long bell;       /* write end of the bell's pipe, or -1 */
  void (*ring)(void);   /* or a callback that may be called from any thread (Bun) */
  void (*on_call)(int); /* JavaScript's handler of a CALL, on its own thread only */
  size_t stack_bytes;   /* the size of the stack that the FFI runs C on, where it is not the thread's own (koffi) */
  struct chunk *outbox, *taken; /* taken: in order, touched by this heap's thread only */
  struct call *calls;           /* under `registry` */
  struct writer call_record;    /* arguments of the CALL that on_call is about to fetch */
  u8 *overflow;                 /* a result that did not fit into the caller's buffer */
  size_t overflow_length;
  enum memory_end memory_ends_with_it;
  PyObject **tasks; /* by id of the promise; guarded by the GIL */
  u32 tasks_capacity;
};

/* One asyncio event loop: the background loop (id 0), and each loop of the user's that awaits JavaScript. */
struct loop {
  struct loop *next;
  u32 id;
  unsigned long thread;
  PyObject *object;
  long long wake;
  struct chunk *inbox;
  PyObject *flush; /* a Python callable: flush_batch(loop) */
  struct heap *batch_heap;
  struct writer batch; /* records for batch_heap since the last flush, made on this loop's thread: whole ones only */
  struct writer spare; /* memory for the next record */
  int flush_scheduled, draining, eager, has_context, has_factory;
  PyObject *ready, *scheduled; /* asyncio's queues, to see whether somebody else has put something in; or NULL */
  Py_ssize_t known_scheduled;
  int nudged; /* woken for that, and not yet awake */
  struct waiter *waiters; /* by slot */
  u32 waiters_capacity, waiters_free;
};

/* A future that JavaScript settles. */
struct waiter {
  PyObject *future;  /* None: given up; NULL: this slot is free */
  struct heap *heap; /* whose JavaScript has been asked */
  int signal_taken;  /* it listens for the await's cancellation */
};

/* This thread's JavaScript will not detach it any more: it was ended inside of attach(fn), or by an exit there. */
static void detach_wholly(struct heap *heap) {
  struct attachment *in = heap->in;
  if (!in->attached) return;
  in->attached = 0, in->state = py.PyEval_SaveThread();
  __atomic_store_n(&in->busy, 0, __ATOMIC_RELAXED);
}

static struct { u32 wakes, rings, attaches, submissions, takes, late, calls; } counters;
#define COUNT(name) __atomic_add_fetch(&counters.name, 1, __ATOMIC_RELAXED)

static struct heap *heaps; /* never freed: a late record may still name one */
static struct loop *loops;
static PyThread_type_lock registry; /* guards both lists and every heap's calls; held for a few instructions */
static int closing;                 /* no JavaScript will be entered any more */
static struct heap *closer;         /* by this one */

static void lock_registry(void) { py.PyThread_acquire_lock(registry, 1); }
static void unlock_registry(void) { py.PyThread_release_lock(registry); }

/* Puts a chunk in; 1 if the queue was empty. */
static int push(struct chunk **queue, struct chunk *chunk) {
  struct chunk *head = __atomic_load_n(queue, __ATOMIC_RELAXED);
  do chunk->next = head;
  while (!__atomic_compare_exchange_n(queue, &head, chunk, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
  return !head;
}

/* Takes all that is there, in the order in which it was pushed. */
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
  chunk->next = 0, chunk->heap = heap, chunk->length = length, chunk->at = 0, chunk->counted = 0, chunk->view = VIEW_MADE;
  memcpy(chunk->data, data, length);
  return chunk;
}

static void wake(struct loop *loop) {
  COUNT(wakes);
  write_wake(loop->wake);
}

/* Rings JavaScript; may be called from every thread, with the GIL or at the end of Python: no JavaScript runs in it. */
static void ring(struct heap *heap) {
  if (__atomic_load_n(&heap->dead, __ATOMIC_ACQUIRE) || (__atomic_load_n(&closing, __ATOMIC_ACQUIRE) && heap == closer)) return;
  COUNT(rings);
  if (heap->ring) heap->ring();
  else if (heap->bell >= 0) write_bell(heap->bell);
}

/* Puts a chunk into a loop's inbox, from any thread, attached or not; 0: there is no such loop. */
static int push_to_loop(u32 id, struct chunk *chunk) {
  lock_registry();
  struct loop *loop = loops;
  while (loop && loop->id != id) loop = loop->next;
  if (loop && push(&loop->inbox, chunk)) wake(loop);
  unlock_registry();
  return loop != 0;
}

static struct heap *find_heap(u32 id) {
  struct heap *heap;
  lock_registry();
  for (heap = heaps; heap && heap->owner.id != id; heap = heap->next);
  unlock_registry();
  return heap && !__atomic_load_n(&heap->dead, __ATOMIC_ACQUIRE) ? heap : 0;
}

/* Records for JavaScript: `begin` writes the size's place and the kind, `end` fills in the size. */
static size_t begin_record(struct writer *w, struct heap *heap, u8 kind) {
  size_t start = w->length;
  w->owner = &heap->owner;
  w->depth = w->level = 0;
  reserve(w, 4);
  write_u8(w, kind);
  return start;
}

static void end_record(struct writer *w, size_t start) {
  u32 size = (u32)(w->length - start);
  __builtin_memcpy(w->data + start, &size, 4);
}

/* Somebody is through with what this heap has sent, or it has ended. What it owned is given up after the last. Attached. */
static void end_use(struct heap *heap) {
  if (__atomic_sub_fetch(&heap->busy, 1, __ATOMIC_ACQ_REL)) return;
  disown_all(&heap->owner);
  if (heap->bell >= 0) close_bell(heap->bell); /* whoever rings is attached, too */
  heap->bell = -1;
}

static void send_records(struct heap *heap, struct writer *w) {
  if (w->length && !__atomic_load_n(&heap->dead, __ATOMIC_ACQUIRE)) {
    struct chunk *chunk = new_chunk(heap, w->data, w->length);
    if (!chunk) __builtin_trap();
    if (push(&heap->outbox, chunk)) ring(heap);
  }
  w->length = 0;
}

static void flush_batch(struct loop *loop) {
  if (loop->batch_heap) send_records(loop->batch_heap, &loop->batch);
  loop->batch_heap = 0;
  if (loop->batch.held_count) let_go(&loop->batch);
}

/* The writer that collects what this loop has for `heap` until the loop has gone round once: one ring for all of it. */
static struct writer *batch_for(struct loop *loop, struct heap *heap) {
  if (!loop->flush_scheduled && !loop->draining) {
    PyObject *handle = call_method(loop->object, name.call_soon, loop->flush);
    if (handle) loop->flush_scheduled = 1;
    else py.PyErr_Clear(); /* the loop is closed: end_batch_record sends at once */
    release(handle);
  }
  if (loop->batch_heap != heap) flush_batch(loop);
  loop->batch_heap = heap;
  loop->batch.holds = 1;
  return &loop->batch;
}

/* A record of this loop's, in memory of its own until it is whole: encoding runs Python (a `__str__`, a `__del__`), which
   may write other records, or call JavaScript, before which all that is in the batch is sent. */
static struct writer begin_batch_record(struct loop *loop, struct heap *heap, u8 kind) {
  struct writer w = loop->spare;
  memset(&loop->spare, 0, sizeof loop->spare);
  w.holds = 1;
  begin_record(&w, heap, kind);
  return w;
}

static void drop_batch_record(struct loop *loop, struct writer *w) {
  if (w->held_count) let_go(w);
  if (loop->spare.data || w->capacity > 1u << 20) py.PyMem_RawFree(w->data);
  else loop->spare.data = w->data, loop->spare.capacity = w->capacity;
}

/* Whole records that belong to no loop's batch, from any thread: behind what this thread has batched before. Nothing in
   it runs Python code, so it may be called from a deallocator. */
static void send_in_order(struct heap *heap, struct writer *w) {
  unsigned long thread = py.PyThread_get_thread_ident();
  struct loop *loop;
  lock_registry();
  for (loop = loops; loop && loop->thread != thread; loop = loop->next);
  unlock_registry();
  if (loop && loop->batch_heap == heap && (loop->draining || loop->flush_scheduled)) memcpy(reserve(&loop->batch, w->length), w->data, w->length);
  else send_records(heap, w); /* at the end too: JavaScript looks once more, without being rung */
}

/* A record of one number. */
static void send_number(struct heap *heap, u8 kind, u32 number) {
  u8 data[9];
  struct writer w = {.data = data, .lent = data, .capacity = sizeof data};
  reserve(&w, 4);
  write_u8(&w, kind);
  write_u32(&w, number);
  u32 size = (u32)w.length;
  __builtin_memcpy(w.data, &size, 4);
  send_in_order(heap, &w);
}

static void end_batch_record(struct loop *loop, struct heap *heap, struct writer *w) {
  end_record(w, 0);
  struct writer *batch = batch_for(loop, heap);
  memcpy(reserve(batch, w->length), w->data, w->length);
  for (u32 i = 0; i < w->held_count; i++) hold(batch, w->held[i]);
  drop_batch_record(loop, w);
  if (!loop->flush_scheduled && !loop->draining) flush_batch(loop);
}

#endif
