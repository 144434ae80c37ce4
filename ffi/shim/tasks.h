/* Tasks for JavaScript's awaits: a call is decoded and made, its coroutine becomes a task, whose end goes back.
 *
 * The one thing to know: a coroutine is started in the same call that makes its task where Python can do that (3.12);
 * one that ends at once never becomes a task of the loop's.
 */
#ifndef PYAWAIT_TASKS_H
#define PYAWAIT_TASKS_H
#include "calls.h"

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
  if (__atomic_load_n(&heap->dead, __ATOMIC_ACQUIRE)) {
    release(result), release(error);
    return;
  }
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
#endif
