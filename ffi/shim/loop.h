/* From JavaScript to a Python loop: the inbox is drained on the loop's thread, tasks are started, futures settled.
 *
 *    submit (one chunk per JavaScript turn) ──► inbox ── wake ──► drain: START, CANCEL, SETTLE, RELEASE, …
 *      DONE ◄── outbox ◄── flush: once per drain or round of the loop ◄── a task is done (`complete`)
 *
 * The one thing to know: only the loop's own thread touches its tasks and futures, so every race between a result
 * and a cancellation is decided there, by `if not done()`, in the order of the records.
 */
#ifndef PYAWAIT_LOOP_H
#define PYAWAIT_LOOP_H
#include "tasks.h"

enum in { IN_START = 1, IN_AWAIT, IN_CANCEL, IN_SETTLE, IN_SIGNAL_TAKEN, IN_RELEASE, IN_UNLOCK, IN_HEAP_END, IN_HEAP_LOST };

/* It is read, or will not be: its loop is closed. Attached. */
static void free_chunk(struct chunk *chunk) {
  if (chunk->counted) end_use(chunk->heap);
  py.PyMem_RawFree(chunk);
}

/* Settles a future of a request, unless it is done already. */
static void settle_future(PyObject *future, PyObject *value, PyObject *error) {
  if (future == None || is_true(call_method(future, name.done, 0))) {
    COUNT(late);
    return;
  }
  PyObject *set = error ? call_method(future, name.set_exception, error) : call_method(future, name.set_result, value);
  if (!set && error) { /* StopIteration is refused, and would leave whoever awaits waiting for ever */
    py.PyErr_Clear();
    PyObject *guarded = call(helper.guard_error, &error, 1);
    set = guarded ? call_method(future, name.set_exception, guarded) : 0;
    release(guarded);
  }
  if (!set) py.PyErr_WriteUnraisable(future);
  release(set);
}

/* JavaScript's answer to a request. */
static void settle(struct loop *loop, struct heap *heap, struct reader *r) {
  u32 slot = read_u32(r);
  PyObject *value = decode_borrowing(r, heap), *error = value ? 0 : fetch_error();
  struct waiter *waiter = find_waiter(loop, slot);
  PyObject *future = waiter ? new_reference(waiter->future) : 0;
  if (waiter) free_slot(waiter), settle_future(future, value, error);
  else COUNT(late);
  release(future), release(value), release(error);
}

/* A heap's JavaScript has ended: what it was asked for will not come, and nobody waits for what it has started here. */
static void forget_heap(struct loop *loop, struct heap *heap) {
  for (u32 slot = 0; slot < loop->waiters_capacity; slot++) {
    if (!loop->waiters[slot].future || loop->waiters[slot].heap != heap) continue;
    PyObject *future = new_reference(loop->waiters[slot].future);
    free_slot(&loop->waiters[slot]);
    raise(helper.JavaScriptEnded, "The JavaScript function did not return: its thread has ended, or is ending with the process");
    PyObject *error = fetch_error();
    settle_future(future, 0, error);
    py.Py_DecRef(error), py.Py_DecRef(future);
  }
  for (struct chunk *chunk = take_all(&heap->outbox), *next; chunk; chunk = next) next = chunk->next, py.PyMem_RawFree(chunk);
  for (u32 id = 0; id < heap->tasks_capacity; id++) {
    PyObject *task = heap->tasks[id], *its_loop = task ? call_method(task, name.get_loop, 0) : 0;
    if (its_loop == loop->object) cancel(heap, id);
    release(its_loop);
    py.PyErr_Clear();
  }
}

static void start_record(struct loop *loop, struct heap *heap, struct reader *r, u8 kind) {
  u32 id = read_u32(r);
  u32 scope = read_u32(r);
  PyObject *given = decode(r), *context = given ? new_context(heap, given, scope) : 0, *awaitable = 0;
  release(given);
  if (!py.PyErr_Occurred()) awaitable = kind == IN_START ? decode_call_in(context, r) : decode(r);
  start(loop, heap, id, awaitable, context ? context : None);
  release(context);
}

/* A heap's JavaScript has ended (a Worker's): nothing is sent to it any more, and who waits for it is told. From any
   thread, attached or not. Memory is had outside of the lock: with tracemalloc that wants the GIL. */
static void end_heap(struct heap *heap) {
  static const u8 record[] = {5, 0, 0, 0, IN_HEAP_END};
  if (__atomic_exchange_n(&heap->dead, 1, __ATOMIC_ACQ_REL)) return;
  fail_calls(heap);
  for (u32 id = ~0u;; id--) { /* newer loops come first, and have heard nothing of this heap */
    lock_registry();
    struct loop *loop = loops;
    while (loop && loop->id > id) loop = loop->next;
    if (loop) id = loop->id;
    unlock_registry();
    struct chunk *chunk = loop ? new_chunk(heap, record, sizeof record) : 0;
    if (!chunk) break;
    if (!push_to_loop(id, chunk)) py.PyMem_RawFree(chunk);
    if (!id) break;
  }
}

static void take_signal(struct loop *loop, u32 slot) {
  struct waiter *waiter = find_waiter(loop, slot);
  if (waiter) waiter->signal_taken = 1;
}

static void drain_record(struct loop *loop, struct heap *heap, struct reader *r) {
  u8 kind = read_u8(r);
  if (kind == IN_START || kind == IN_AWAIT) start_record(loop, heap, r, kind);
  else if (kind == IN_CANCEL) cancel(heap, read_u32(r));
  else if (kind == IN_SETTLE) settle(loop, heap, r);
  else if (kind == IN_SIGNAL_TAKEN) take_signal(loop, read_u32(r));
  else if (kind == IN_UNLOCK) py.Py_DecRef((PyObject *)(size_t)read_u64(r));
  else if (kind == IN_HEAP_END) forget_heap(loop, heap);
  else if (kind == IN_HEAP_LOST) end_use(heap);
  else if (kind == IN_RELEASE)
    for (u32 count = read_u32(r); count; count--) release_owned(&heap->owner, (PyObject *)(size_t)read_u64(r));
}

static struct loop *loop_of(PyObject *self) { return (struct loop *)(size_t)py.PyLong_AsUnsignedLongLong(self); }

/* drain(): everything in the inbox; src/py has read the wake's bytes before, so what comes later wakes again. */
static PyObject *drain(PyObject *self, PyObject *unused) {
  (void)unused;
  struct loop *loop = loop_of(self);
  PyObject *factory = call_method(loop->object, name.get_task_factory, 0);
  if (!factory) return 0;
  loop->has_factory = factory != None;
  unsigned long thread = py.PyThread_get_thread_ident();
  if (loop->thread != thread) lock_registry(), loop->thread = thread, unlock_registry();
  loop->nudged = 0;
  py.Py_DecRef(factory);
  loop->draining++;
  for (struct chunk *chunk = take_all(&loop->inbox), *next; chunk; chunk = next) {
    next = chunk->next;
    for (const u8 *at = chunk->data, *end = at + chunk->length; end - at > 4;) {
      u32 size;
      __builtin_memcpy(&size, at, 4);
      struct reader reader = {.at = at + 4, .end = at + size};
      drain_record(loop, chunk->heap, &reader);
      close_reader(&reader);
      if (py.PyErr_Occurred()) py.PyErr_WriteUnraisable(loop->object);
      at += size;
    }
    free_chunk(chunk);
  }
  if (!--loop->draining) flush_batch(loop);
  return new_reference(None);
}

static PyObject *flush(PyObject *self, PyObject *unused) {
  (void)unused;
  struct loop *loop = loop_of(self);
  loop->flush_scheduled = 0;
  flush_batch(loop);
  return new_reference(None);
}

/* `event.set()`, `queue.put_nowait()`, `task.cancel()` from a JavaScript thread put callbacks into a loop that sleeps
   on its own thread: wakes it. Attached. */
static void nudge_loops(int touched) {
  unsigned long thread = py.PyThread_get_thread_ident();
  for (struct loop *loop = loops; loop; loop = loop->next) {
    if (loop->nudged || loop->thread == thread) continue;
    int waits = touched;
    if (loop->ready && loop->scheduled) {
      Py_ssize_t scheduled = py.PyObject_Size(loop->scheduled);
      waits = py.PyObject_Size(loop->ready) > 0 || scheduled > loop->known_scheduled;
      loop->known_scheduled = scheduled;
    }
    if (waits) loop->nudged = 1, wake(loop);
  }
}

static PyMethodDef drain_method = {"drain", drain, METH_NOARGS, 0}, flush_method = {"flush", flush, METH_NOARGS, 0};
static struct loop *free_loops; /* closed ones, for use again: a late record may still name one */
static u32 last_loop;

/* open_loop(loop, wake, eager, has_context, thread): (id, drain); thread: where it runs, or 0 until it drains. */
static PyObject *open_loop(PyObject *self, PyObject *tuple) {
  (void)self;
  lock_registry();
  struct loop *loop = free_loops;
  if (loop) free_loops = loop->next;
  unlock_registry();
  if (!loop) {
    if (!(loop = py.PyMem_RawMalloc(sizeof *loop))) return py.PyErr_NoMemory();
    memset(loop, 0, sizeof *loop);
  }
  loop->object = new_reference(py.PyTuple_GetItem(tuple, 0));
  loop->wake = (long long)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(tuple, 1));
  loop->eager = is_true(new_reference(py.PyTuple_GetItem(tuple, 2)));
  loop->has_context = is_true(new_reference(py.PyTuple_GetItem(tuple, 3)));
  loop->thread = (unsigned long)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(tuple, 4));
  loop->flush_scheduled = loop->draining = loop->nudged = 0;
  loop->ready = py.PyObject_GetAttr(loop->object, name._ready);
  py.PyErr_Clear();
  loop->scheduled = py.PyObject_GetAttr(loop->object, name._scheduled);
  loop->known_scheduled = 0;
  if (!loop->ready || !loop->scheduled) opaque_loops++;
  py.PyErr_Clear();
  PyObject *self_object = py.PyLong_FromUnsignedLongLong((u64)(size_t)loop), *pair = py.PyTuple_New(2);
  PyObject *drain_function = self_object ? py.PyCFunction_NewEx(&drain_method, self_object, 0) : 0;
  if (!pair || !drain_function || !(loop->flush = py.PyCFunction_NewEx(&flush_method, self_object, 0))) return 0;
  py.Py_DecRef(self_object);
  lock_registry();
  loop->id = last_loop++;
  loop->next = loops, loops = loop;
  unlock_registry();
  py.PyTuple_SetItem(pair, 0, py.PyLong_FromLongLong(loop->id));
  py.PyTuple_SetItem(pair, 1, drain_function);
  return pair;
}

/* close_loop(id): it takes no more; what is still in its inbox is dropped, and every heap hears of it. */
static PyObject *close_loop(PyObject *self, PyObject *id) {
  (void)self;
  u32 wanted = (u32)py.PyLong_AsUnsignedLongLong(id);
  struct loop *loop = 0;
  lock_registry();
  for (struct loop **at = &loops; *at; at = &(*at)->next)
    if ((*at)->id == wanted) {
      loop = *at, *at = loop->next;
      break;
    }
  unlock_registry();
  if (!loop) return new_reference(None);
  for (struct chunk *chunk = take_all(&loop->inbox), *next; chunk; chunk = next) next = chunk->next, free_chunk(chunk);
  flush_batch(loop);
  lock_registry();
  struct heap *heap = heaps;
  unlock_registry();
  for (; heap; heap = heap->next) send_number(heap, OUT_LOOP_END, wanted); /* promises of its tasks are rejected there */
  for (u32 slot = 0; slot < loop->waiters_capacity; slot++)
    if (find_waiter(loop, slot)) free_slot(&loop->waiters[slot]);
  if (!loop->ready || !loop->scheduled) opaque_loops--;
  release(loop->flush), release(loop->object), release(loop->ready), release(loop->scheduled);
  loop->flush = loop->object = loop->ready = loop->scheduled = 0;
  lock_registry();
  loop->next = free_loops, free_loops = loop;
  unlock_registry();
  return new_reference(None);
}

#endif
