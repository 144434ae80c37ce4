/* A loop's inbox: opened and closed with its loop, drained on its thread. Tasks are started, futures settled.
 *
 *    submit (a JavaScript turn's records) ──► inbox ── wake ──► drain: START, CANCEL, SETTLE, RELEASE, …
 *      DONE ◄── outbox ◄── flush: once per drain or round of the loop ◄── a task is done (send_result)
 *
 * Why C: one drain reads hundreds of records, and each must be decoded before the next.
 *
 * Tasks and futures are touched by their loop's thread alone. A CANCEL is a record like any other behind its START, so
 * what wins against a cancellation is decided here, in the order of the records.
 */
#include "shim.h"

static void start_record(struct loop *loop, struct heap *heap, struct reader *r, u8 kind) {
  u32 id = read_u32(r);
  u32 serial = read_u32(r);
  u32 scope = read_u32(r);
  PyObject *given = decode(r), *context = given ? new_context(heap, given, scope) : 0, *awaitable = 0;
  release(given);
  if (!py.PyErr_Occurred()) awaitable = kind == IN_START ? decode_call_in(context, r) : decode(r);
  start_task(loop, heap, id, serial, awaitable, context ? context : None);
  release(context);
}

static void release_objects(struct heap *heap, struct reader *r) {
  for (u32 count = read_u32(r); count; count--) release_owned(&heap->owner, read_object(r));
}

/* What a heap that has ended was asked for will not come, and nothing waits for what it has started here. */
static void forget_heap(struct loop *loop, struct heap *heap) {
  fail_requests(loop, heap);
  drop_all(&heap->outbox);
  cancel_tasks(loop, heap);
}

static void cancel_record(struct heap *heap, struct reader *r) {
  u32 id = read_u32(r);
  cancel_task(heap, id, read_u32(r));
}

static void drain_record(struct loop *loop, struct heap *heap, struct reader *r) {
  u8 kind = read_u8(r);
  switch (kind) {
  case IN_START:
  case IN_AWAIT: start_record(loop, heap, r, kind); break;
  case IN_CANCEL: cancel_record(heap, r); break;
  case IN_SETTLE: settle_request(loop, heap, r); break;
  case IN_SIGNAL_TAKEN: mark_signal_taken(loop, read_u32(r)); break;
  case IN_SERVES: show_awaiter(loop, heap, r); break;
  case IN_RELEASE: release_objects(heap, r); break;
  case IN_UNLOCK: release(read_object(r)); break;
  case IN_HEAP_END: forget_heap(loop, heap); break;
  case IN_HEAP_LOST: drop_use(heap); break;
  }
}

static void drain_chunk(struct loop *loop, struct chunk *chunk) {
  struct reader reader;
  int next;
  while ((next = next_record(chunk, &reader)) > 0) {
    drain_record(loop, chunk->heap, &reader);
    close_reader(&reader);
    if (py.PyErr_Occurred()) py.PyErr_WriteUnraisable(loop->object);
  }
  if (next < 0) malformed(), py.PyErr_WriteUnraisable(loop->object);
}

static struct loop *loop_argument(PyObject *address) {
  return (struct loop *)(size_t)py.PyLong_AsUnsignedLongLong(address);
}

/* drain(): reads everything in the inbox. src/py has read the wake's bytes before, so what comes later wakes again. True:
   there is more by now. */
static PyObject *loop_drain(PyObject *self, PyObject *unused) {
  (void)unused;
  struct loop *loop = loop_argument(self);
  PyObject *factory = call_method(loop->object, name.get_task_factory, 0);
  if (!factory) return 0;
  loop->has_factory = factory != None;
  py.Py_DecRef(factory);
  unsigned long thread = py.PyThread_get_thread_ident();
  if (loop->thread != thread) lock_registry(), loop->thread = thread, unlock_registry();
  loop->woken = 0;
  loop->draining++;
  for (struct chunk *chunk = take_all(&loop->inbox), *next; chunk; chunk = next) {
    next = chunk->next;
    drain_chunk(loop, chunk);
    free_chunk(chunk);
  }
  if (--loop->draining || !loop->batch_heap) return new_reference(py._Py_FalseStruct);
  flush_batch(loop);
  int opaque = is_opaque(loop);
  if (opaque) schedule_flush(loop); /* which spins when what is ready has run */
  return new_reference(!opaque && spin_on_inbox(loop) ? py._Py_TrueStruct : py._Py_FalseStruct);
}

/* flush(): the loop has gone round once. */
static PyObject *loop_flush(PyObject *self, PyObject *unused) {
  (void)unused;
  struct loop *loop = loop_argument(self);
  loop->flush_scheduled = 0;
  flush_batch(loop);
  return spin_on_inbox(loop) ? vectorcall(loop->take, 0, 0) : new_reference(None);
}

/* `event.set()`, `queue.put_nowait()` or `task.cancel()` on a JavaScript thread put callbacks into a loop that sleeps
   on its own thread, and do not wake it. Must be attached. `called_loop_bound` decides for loops that cannot be looked
   into. */
static void wake_touched_loops(int called_loop_bound) {
  unsigned long thread = py.PyThread_get_thread_ident();
  for (struct loop *loop = loops; loop; loop = loop->next) {
    if (loop->woken || loop->thread == thread) continue;
    int touched = called_loop_bound;
    if (!is_opaque(loop)) {
      Py_ssize_t scheduled = py.PyObject_Size(loop->scheduled);
      touched = py.PyObject_Size(loop->ready) > 0 || scheduled > loop->known_scheduled;
      loop->known_scheduled = scheduled;
    }
    if (touched) loop->woken = 1, wake(loop);
  }
}

/* Opening and closing --------------------------------------------------------------------------------------------- */

static PyMethodDef drain_method = {"drain", loop_drain, METH_NOARGS, 0};
static PyMethodDef flush_method = {"flush", loop_flush, METH_NOARGS, 0};
static struct loop *free_loops; /* [registry] closed ones, for use again */
static u32 last_loop;           /* [registry] the newest number */

/* A closed loop to use again, or a new one; NULL with an exception set. */
static struct loop *new_loop(void) {
  lock_registry();
  struct loop *loop = free_loops;
  if (loop) free_loops = loop->next;
  unlock_registry();
  if (loop) return loop;
  if (!(loop = py.PyMem_RawMalloc(sizeof *loop))) return py.PyErr_NoMemory(), (struct loop *)0;
  memset(loop, 0, sizeof *loop);
  return loop;
}

/* asyncio's own queues, `_ready` and `_scheduled`, where the loop has them. */
static void find_queues(struct loop *loop) {
  loop->ready = py.PyObject_GetAttr(loop->object, name._ready);
  py.PyErr_Clear();
  loop->scheduled = py.PyObject_GetAttr(loop->object, name._scheduled);
  py.PyErr_Clear();
  loop->known_scheduled = 0;
  if (is_opaque(loop)) opaque_loops++;
}

/* Connects it with an event loop, given as (loop, wake, eager, has_context, thread, take); its `drain`. The caller sets `wake`,
   with the lock. */
static PyObject *connect(struct loop *loop, PyObject *tuple) {
  loop->object = new_reference(py.PyTuple_GetItem(tuple, 0));
  loop->eager = is_true(new_reference(py.PyTuple_GetItem(tuple, 2)));
  loop->has_context = is_true(new_reference(py.PyTuple_GetItem(tuple, 3)));
  loop->thread = (unsigned long)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(tuple, 4));
  loop->take = new_reference(py.PyTuple_GetItem(tuple, 5));
  loop->flush_scheduled = loop->draining = loop->woken = loop->visited = 0;
  find_queues(loop);
  PyObject *address = py.PyLong_FromUnsignedLongLong((u64)(size_t)loop);
  PyObject *drain = address ? py.PyCFunction_NewEx(&drain_method, address, 0) : 0;
  loop->flush = drain ? py.PyCFunction_NewEx(&flush_method, address, 0) : 0;
  release(address);
  return loop->flush ? drain : (release(drain), (PyObject *)0);
}

static void disconnect(struct loop *loop) {
  if (is_opaque(loop)) opaque_loops--;
  release(loop->flush), release(loop->take), release(loop->object), release(loop->ready), release(loop->scheduled);
  loop->flush = loop->take = loop->object = loop->ready = loop->scheduled = 0;
}

static long long wake_of(PyObject *tuple) {
  return (long long)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(tuple, 1));
}

/* open_loop(loop, wake, eager, has_context, thread, take, background): (id, drain). thread: where it runs, or 0 until it
   drains. The background loop has the number 0, also that of a second attempt to open Python. */
static PyObject *shim_open_loop(PyObject *self, PyObject *tuple) {
  (void)self;
  int background = is_true(new_reference(py.PyTuple_GetItem(tuple, 6)));
  struct loop *loop = new_loop();
  PyObject *drain = loop ? connect(loop, tuple) : 0;
  if (!drain) return 0;
  lock_registry();
  loop->id = background ? 0 : ++last_loop;
  loop->wake = wake_of(tuple);
  struct loop **at = &loops; /* the background loop comes last: see end_heap */
  while (background && *at) at = &(*at)->next;
  loop->next = *at, *at = loop;
  unlock_registry();
  return pair_of(py.PyLong_FromLongLong(loop->id), drain);
}

/* move_background(loop, wake, eager, has_context, thread, take): (0, drain). Python code has closed the background loop, and
   this one takes its place. What runs on the closed one fails; what waits in the inbox runs on the new one. */
static PyObject *shim_move_background(PyObject *self, PyObject *tuple) {
  (void)self;
  lock_registry();
  struct loop *loop = find_loop(0);
  unlock_registry();
  for (struct heap *heap = newest_heap(); heap; heap = heap->next) drop_tasks(loop, heap, 1);
  flush_batch(loop);
  abandon_slots(loop);
  disconnect(loop);
  PyObject *drain = connect(loop, tuple);
  lock_registry(); /* JavaScript wakes it, without the GIL */
  loop->wake = wake_of(tuple);
  unlock_registry();
  return drain ? pair_of(py.PyLong_FromLongLong(0), drain) : 0;
}

/* The loop with this id, which is then in no list; NULL: there is none. */
static struct loop *unlink_loop(u32 id) {
  struct loop *loop = 0;
  lock_registry();
  for (struct loop **at = &loops; *at; at = &(*at)->next)
    if ((*at)->id == id) {
      loop = *at, *at = loop->next;
      break;
    }
  unlock_registry();
  return loop;
}

/* A record that will not be read: JavaScript gets back what it lends. From any thread, attached or not. */
static void refuse_record(struct heap *heap, struct reader *r) {
  static const struct visitor nothing = {0};
  u8 kind = read_u8(r);
  if (kind == IN_START || kind == IN_AWAIT) {
    read_u32(r), read_u32(r); /* id, serial */
    u32 scope = read_u32(r);
    if (scope) send_number(heap, OUT_SCOPE_END, scope);
    skip_tag(r, FROM_JAVASCRIPT, &nothing);                                    /* context */
    if (kind == IN_START) skip_tag(r, FROM_JAVASCRIPT, &nothing), read_u32(r); /* callee, count */
  } else if (kind == IN_SETTLE) {
    read_u32(r), read_u32(r); /* slot; pin, which ends with the loop */
  } else {
    r->at = r->end;
  }
  close_reader(r);
}

/* The loop that these records are for is closed. From any thread, attached or not. */
static void refuse_chunk(struct chunk *chunk) {
  struct reader reader;
  while (next_record(chunk, &reader) > 0) refuse_record(chunk->heap, &reader);
}

/* Empties the inbox of a loop that is closed. What a heap gives back to Python does not depend on the loop. */
static void refuse_inbox(struct loop *loop) {
  for (struct chunk *chunk = take_all(&loop->inbox), *next; chunk; chunk = next) {
    struct reader reader;
    next = chunk->next;
    while (next_record(chunk, &reader) > 0) {
      u8 kind = *reader.at;
      if (kind == IN_RELEASE || kind == IN_UNLOCK || kind == IN_HEAP_LOST) drain_record(loop, chunk->heap, &reader);
      else refuse_record(chunk->heap, &reader);
    }
    free_chunk(chunk);
  }
}

/* Everything that is kept for a loop, by the loop or by a heap. What is added to either has its end here. */
static void empty_loop(struct loop *loop) {
  refuse_inbox(loop);
  flush_batch(loop);
  for (struct heap *heap = newest_heap(); heap; heap = heap->next) {
    drop_tasks(loop, heap, 0);
    send_number(heap, OUT_LOOP_END, loop->id);
  }
  free_slots(loop);
  disconnect(loop);
}

/* close_loop(id): it takes no more records, and every heap is told. */
static PyObject *shim_close_loop(PyObject *self, PyObject *id_object) {
  (void)self;
  u32 id = (u32)py.PyLong_AsUnsignedLongLong(id_object);
  struct loop *loop = unlink_loop(id);
  if (!loop) return new_reference(None);
  empty_loop(loop);
  lock_registry();
  loop->next = free_loops, free_loops = loop;
  unlock_registry();
  return new_reference(None);
}

/* A heap's JavaScript has ended (a Worker's): nothing is sent to it any more, and what waits for it is told. From any
   thread, attached or not. Newer loops come first, and have heard nothing of this heap. */
static void end_heap(struct heap *heap) {
  if (__atomic_exchange_n(&heap->ended, 1, __ATOMIC_RELAXED)) return;
  fail_calls(heap);
  for (u32 id = ~0u;; id--) {
    lock_registry();
    struct loop *loop = loops;
    while (loop && loop->id > id) loop = loop->next;
    if (loop) id = loop->id;
    unlock_registry();
    if (!loop || !push_kind(id, heap, IN_HEAP_END) || !id) break;
  }
}
