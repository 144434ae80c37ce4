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
#include "buffer.h"
#include "calls.h"

enum in { IN_START = 1, IN_AWAIT, IN_CANCEL, IN_SETTLE, IN_SIGNAL_TAKEN, IN_RELEASE, IN_UNLOCK };

/* What is called when a task of JavaScript's is done: a Python callable that remembers which one. */
struct done_callback { struct heap *heap; struct loop *loop; u32 id; };
static PyTypeObject *done_type;

static int is_true(PyObject *result) {
  int truth = result ? py.PyObject_IsTrue(result) : -1;
  release(result);
  if (truth < 0) py.PyErr_Clear();
  return truth > 0;
}

static void send_outcome(struct loop *loop, struct heap *heap, u32 id, PyObject *result) {
  PyObject *error = result ? 0 : fetch_error(); /* call_soon, in batch_for, is not called with an exception set */
  struct writer w = begin_batch_record(loop, heap, OUT_DONE);
  write_u32(&w, id);
  if (error) encode_error(&w, error), py.Py_DecRef(error);
  else encode_outcome(&w, result);
  end_batch_record(loop, heap, &w);
}

/* The task (or future) is done: its result or exception goes to JavaScript. */
static void complete(struct loop *loop, struct heap *heap, u32 id, PyObject *task) {
  send_outcome(loop, heap, id, call_method(task, name.result, 0));
}

static PyObject *done_call(PyObject *self, PyObject *arguments, PyObject *keywords) {
  (void)keywords;
  struct done_callback *done = fields_of(self);
  PyObject *task = done->id < done->heap->tasks_capacity ? done->heap->tasks[done->id] : 0;
  if (task) {
    done->heap->tasks[done->id] = 0;
    complete(done->loop, done->heap, done->id, py.PyTuple_GetItem(arguments, 0));
    py.Py_DecRef(task);
  }
  return new_reference(None);
}

static int remember_task(struct heap *heap, u32 id, PyObject *task) {
  if (id >= heap->tasks_capacity) {
    u32 capacity = heap->tasks_capacity ? heap->tasks_capacity : 64;
    while (capacity <= id) capacity *= 2;
    PyObject **tasks = py.PyMem_RawRealloc(heap->tasks, capacity * sizeof *tasks);
    if (!tasks) return py.PyErr_NoMemory(), -1;
    for (u32 i = heap->tasks_capacity; i < capacity; i++) tasks[i] = 0;
    heap->tasks = tasks, heap->tasks_capacity = capacity;
  }
  heap->tasks[id] = new_reference(task);
  return 0;
}

static int opaque_loops; /* loops whose queues cannot be looked into: uvloop's */

/* Whether a method (or function) of an object that belongs to a loop has been called: what tells for uvloop. */
static int touches_loop(PyObject *callee) {
  PyObject *self = py.PyObject_GetAttr(callee, name.__self__);
  int bound = self && kinds_of(self) & KIND_LOOP_BOUND;
  release(self);
  py.PyErr_Clear();
  return bound;
}

/* callee, u32 count, arguments, keywords (a dict or None): calls it. */
static PyObject *decode_call(struct reader *r) {
  PyObject *callee = decode(r), *few[8], **arguments = few, *result = 0, *keywords = 0;
  u32 count = callee ? read_u32(r) : 0, have = 0;
  if (!callee) return 0;
  if (count > (size_t)(r->end - r->at)) return py.Py_DecRef(callee), malformed();
  if (count > 8 && !(arguments = py.PyMem_RawMalloc(count * sizeof *arguments))) return py.Py_DecRef(callee), py.PyErr_NoMemory();
  while (have < count && (arguments[have] = decode(r))) have++;
  if (have == count && (keywords = decode(r))) {
    if (opaque_loops) r->touched = touches_loop(callee);
    if (keywords == None) result = call(callee, arguments, count);
    else if (!(py.PyType_GetFlags(type_of(keywords)) & (1ul << 29))) malformed();
    else {
      PyObject *tuple = py.PyTuple_New(count);
      for (u32 i = 0; tuple && i < count; i++) py.PyTuple_SetItem(tuple, i, new_reference(arguments[i]));
      if (tuple) result = py.PyObject_Call(callee, tuple, keywords);
      release(tuple);
    }
  }
  release(keywords);
  while (have) py.Py_DecRef(arguments[--have]);
  if (arguments != few) py.PyMem_RawFree(arguments);
  py.Py_DecRef(callee);
  return result;
}

/* The same inside a context, which calling an `async def` does not need and calling any other function does. */
static PyObject *decode_call_in(PyObject *context, struct reader *r) {
  if (!context) return decode_call(r);
  if (py.PyContext_Enter(context)) return 0;
  PyObject *result = decode_call(r), *error = result ? 0 : fetch_error();
  py.PyContext_Exit(context);
  if (error) py.PyErr_SetObject((PyObject *)type_of(error), error), py.Py_DecRef(error);
  return result;
}

/* Keyword names of asyncio.Task: ("loop",), with "eager_start" for bit 0 and "context" for bit 1. */
static PyObject *task_keywords[4];

static int make_task_keywords(void) {
  for (int bits = 0; bits < 4; bits++) {
    PyObject *names = task_keywords[bits] = py.PyTuple_New(1 + (bits & 1) + (bits >> 1));
    if (!names) return -1;
    py.PyTuple_SetItem(names, 0, py.PyUnicode_InternFromString("loop"));
    if (bits & 1) py.PyTuple_SetItem(names, 1, py.PyUnicode_InternFromString("eager_start"));
    if (bits & 2) py.PyTuple_SetItem(names, 1 + (bits & 1), py.PyUnicode_InternFromString("context"));
  }
  return 0;
}

/* asyncio.Task(coroutine, loop=…, [eager_start=True], [context=…]) */
static PyObject *call_task_class(struct loop *loop, PyObject *coroutine, PyObject *context) {
  PyObject *arguments[4] = {coroutine, loop->object};
  int bits = (loop->eager ? 1 : 0) | (loop->has_context && context != None ? 2 : 0), count = 2;
  if (bits & 1) arguments[count++] = py._Py_TrueStruct;
  if (bits & 2) arguments[count] = context;
  if (py.PyObject_Vectorcall) return py.PyObject_Vectorcall(helper.Task, arguments, 1, task_keywords[bits]);
  PyObject *keywords = py.PyDict_New(), *tuple = py.PyTuple_New(1), *task = 0;
  if (tuple) py.PyTuple_SetItem(tuple, 0, new_reference(coroutine));
  if (tuple && keywords && !py.PyDict_SetItemString(keywords, "loop", loop->object)) task = py.PyObject_Call(helper.Task, tuple, keywords);
  release(tuple), release(keywords);
  return task;
}

/* A task of `coroutine` on this loop, in `context` (None: that of the loop's reader); started at once where it can be. */
static PyObject *new_task(struct loop *loop, PyObject *coroutine, PyObject *context) {
  int enter = context != None && !loop->has_context;
  if (enter && py.PyContext_Enter(context)) return 0;
  PyObject *task = loop->has_factory ? call_method(loop->object, name.create_task, coroutine) : call_task_class(loop, coroutine, context);
  if (enter) {
    PyObject *error = task ? 0 : fetch_error();
    py.PyContext_Exit(context);
    if (error) py.PyErr_SetObject((PyObject *)type_of(error), error), py.Py_DecRef(error);
  }
  return task;
}

/* An awaitable of JavaScript's, on its way: `id` is the promise. `awaitable` is consumed. */
static void start(struct loop *loop, struct heap *heap, u32 id, PyObject *awaitable, PyObject *context) {
  PyObject *task = 0;
  if (awaitable && type_of(awaitable) == TYPE(Coro)) task = new_task(loop, awaitable, context);
  else if (awaitable) {
    PyObject *arguments[3] = {awaitable, loop->object, context};
    task = call(helper.ensure_task, arguments, 3);
  }
  release(awaitable);
  if (!task) {
    send_outcome(loop, heap, id, 0);
    return;
  }
  if (loop->eager && is_true(call_method(task, name.done, 0))) {
    complete(loop, heap, id, task);
    py.Py_DecRef(task);
    return;
  }
  PyObject *callback = py.PyType_GenericAlloc(done_type, 0), *added = 0;
  if (callback && !remember_task(heap, id, task)) {
    *(struct done_callback *)fields_of(callback) = (struct done_callback){heap, loop, id};
    added = call_method(task, name.add_done_callback, callback);
    if (!added) py.Py_DecRef(heap->tasks[id]), heap->tasks[id] = 0;
  }
  if (!added) send_outcome(loop, heap, id, 0);
  release(added), release(callback);
  py.Py_DecRef(task);
}

static void cancel(struct heap *heap, u32 id) {
  PyObject *task = id < heap->tasks_capacity ? heap->tasks[id] : 0;
  if (!task) return; /* it is done; its completion is on its way */
  py.Py_IncRef(task);
  PyObject *cancelled = call_method(task, name.cancel, 0);
  if (!cancelled) py.PyErr_WriteUnraisable(task);
  release(cancelled);
  py.Py_DecRef(task);
}

/* JavaScript's answer to a request: the future gets it unless it is done already. */
static void settle(struct loop *loop, struct reader *r) {
  u32 slot = read_u32(r);
  PyObject *value = decode(r), *error = value ? 0 : fetch_error();
  PyObject *future = slot < loop->waiters_capacity ? loop->waiters[slot] : 0;
  if (future) loop->waiters[slot] = 0;
  if (!future || future == None || is_true(call_method(future, name.done, 0))) COUNT(late);
  else {
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
  release(future), release(value), release(error);
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

static void take_signal(struct loop *loop, u32 slot) {
  if (slot < loop->waiters_capacity) loop->signal_taken[slot] = 1;
}

static void drain_record(struct loop *loop, struct heap *heap, struct reader *r) {
  u8 kind = read_u8(r);
  if (kind == IN_START || kind == IN_AWAIT) start_record(loop, heap, r, kind);
  else if (kind == IN_CANCEL) cancel(heap, read_u32(r));
  else if (kind == IN_SETTLE) settle(loop, r);
  else if (kind == IN_SIGNAL_TAKEN) take_signal(loop, read_u32(r));
  else if (kind == IN_UNLOCK) unlock_buffer(read_u64(r));
  else if (kind == IN_RELEASE)
    for (u32 count = read_u32(r); count; count--) py.Py_DecRef((PyObject *)(size_t)read_u64(r));
}

static struct loop *loop_of(PyObject *self) { return (struct loop *)(size_t)py.PyLong_AsUnsignedLongLong(self); }

/* drain(): everything in the inbox; src/py has read the wake's bytes before, so what comes later wakes again. */
static PyObject *drain(PyObject *self, PyObject *unused) {
  (void)unused;
  struct loop *loop = loop_of(self);
  PyObject *factory = call_method(loop->object, name.get_task_factory, 0);
  if (!factory) return 0;
  loop->has_factory = factory != None;
  loop->thread = py.PyThread_get_thread_ident();
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
    py.PyMem_RawFree(chunk);
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
  for (struct chunk *chunk = take_all(&loop->inbox), *next; chunk; chunk = next) next = chunk->next, py.PyMem_RawFree(chunk);
  flush_batch(loop);
  lock_registry();
  struct heap *heap = heaps;
  unlock_registry();
  for (; heap; heap = heap->next) send_number(heap, OUT_LOOP_END, wanted); /* promises of its tasks are rejected there */
  for (u32 i = 0; i < loop->waiters_capacity; i++) release(loop->waiters[i]), loop->waiters[i] = 0;
  if (!loop->ready || !loop->scheduled) opaque_loops--;
  release(loop->flush), release(loop->object), release(loop->ready), release(loop->scheduled);
  loop->flush = loop->object = loop->ready = loop->scheduled = 0;
  lock_registry();
  loop->next = free_loops, free_loops = loop;
  unlock_registry();
  return new_reference(None);
}

#endif
