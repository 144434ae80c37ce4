/* Tasks: what JavaScript awaits. A call is decoded and made, its coroutine becomes a task, and the task's end goes
 * back.
 *
 * Why C: nothing on this path allocates a Python closure or goes through a Python frame; both cost more than the rest
 * of it.
 *
 * From Python 3.12 on a coroutine is started in the same call that makes its task, and one that ends at once is never
 * scheduled: its result is sent in the very drain that has started it.
 */
#include "shim.h"

/* The done callback of a task: a Python callable that remembers whose Promise it is. */
struct done_callback {
  struct heap *heap;
  u32 id, serial;
};
static PyTypeObject *done_type;

/* DONE: a result, or the current exception where it is NULL; consumes the reference. */
static void send_outcome(struct loop *loop, struct heap *heap, u32 id, u32 serial, PyObject *result) {
  PyObject *error = result ? 0 : fetch_error(); /* nothing may call Python with an exception set: batch_for does */
  if (has_ended(heap)) {
    release(result), release(error);
    return;
  }
  struct writer w = begin_batch_record(loop, heap, OUT_DONE);
  write_u32(&w, id), write_u32(&w, serial);
  if (error) encode_error(&w, error), py.Py_DecRef(error);
  else encode_outcome(&w, result);
  end_batch_record(loop, heap, &w);
}

/* The task (or future) is done. */
static void send_result(struct loop *loop, struct heap *heap, u32 id, u32 serial, PyObject *task) {
  send_outcome(loop, heap, id, serial, call_method(task, name.result, 0));
}

/* The task of a Promise, if that is the one with this serial. */
static struct started *find_task(struct heap *heap, u32 id, u32 serial) {
  struct started *started = id < heap->tasks_capacity ? &heap->tasks[id] : 0;
  return started && started->task && started->serial == serial ? started : 0;
}

/* Takes the task out of the table: a new reference. */
static PyObject *take_task(struct started *started) {
  PyObject *task = started->task;
  started->task = 0;
  return task;
}

static int store_task(struct loop *loop, struct heap *heap, u32 id, u32 serial, PyObject *task) {
  if (id >= heap->tasks_capacity) {
    struct started *tasks = grow(heap->tasks, &heap->tasks_capacity, id, sizeof *tasks);
    if (!tasks) return py.PyErr_NoMemory(), -1;
    heap->tasks = tasks;
  }
  PyObject *before = take_task(&heap->tasks[id]); /* of a loop that is just being closed */
  heap->tasks[id] = (struct started){new_reference(task), loop, serial};
  release(before);
  return 0;
}

static PyObject *done_called(PyObject *self, PyObject *arguments, PyObject *keywords) {
  (void)keywords;
  struct done_callback *done = fields_of(self);
  struct started *started = find_task(done->heap, done->id, done->serial);
  if (started) {
    struct loop *loop = started->loop;
    PyObject *task = take_task(started);
    send_result(loop, done->heap, done->id, done->serial, py.PyTuple_GetItem(arguments, 0));
    py.Py_DecRef(task);
  }
  return new_reference(None);
}

/* Calls ----------------------------------------------------------------------------------------------------------- */

/* Whether this is a method of an object that belongs to an event loop. Loops that cannot be looked into are woken after
   a call of one. */
static int is_loop_bound(PyObject *callee) {
  PyObject *owner = py.PyObject_GetAttr(callee, name.__self__);
  int bound = owner && kinds_of(owner) & KIND_LOOP_BOUND;
  release(owner);
  py.PyErr_Clear();
  return bound;
}

/* Decodes the layout `call` and makes it, by `call_plainly` or `call_framed`. */
static PyObject *decode_call(struct reader *r, caller make) {
  PyObject *callee = decode(r), *few[8], **arguments = few, *result = 0, *keywords = 0;
  u32 count = read_u32(r), have = 0; /* also without a callee: what follows are values again, for close_reader */
  if (!callee) return 0;
  if (count > (size_t)(r->end - r->at)) return py.Py_DecRef(callee), malformed();
  if (count > 8 && !(arguments = py.PyMem_RawMalloc(count * sizeof *arguments)))
    return py.Py_DecRef(callee), py.PyErr_NoMemory();
  while (have < count && (arguments[have] = decode(r))) have++;
  if (have == count && (keywords = decode(r))) {
    end_reading(r);
    if (opaque_loops) r->called_loop_bound = is_loop_bound(callee);
    if (r->visitor) result = call_on_loop(r->visitor, r->loop, callee, arguments, count, keywords);
    else result = make(callee, arguments, count, keywords);
  }
  release(keywords);
  while (have) py.Py_DecRef(arguments[--have]);
  if (arguments != few) py.PyMem_RawFree(arguments);
  py.Py_DecRef(callee);
  return result;
}

/* ... in a context, which an `async def` does not need to be called and any other function does. No frame: on a loop's
   thread there is one. */
static PyObject *decode_call_in(PyObject *context, struct reader *r) {
  if (!context) return decode_call(r, call_plainly);
  return py.PyContext_Enter(context) ? 0 : exit_context(context, decode_call(r, call_plainly));
}

/* Tasks ----------------------------------------------------------------------------------------------------------- */

/* Keyword names for asyncio.Task: ("loop",), with "eager_start" for bit 0 and "context" for bit 1. */
static PyObject *task_keywords[4];

static int make_task_types(void) {
  for (int bits = 0; bits < 4; bits++) {
    PyObject *names = task_keywords[bits] = py.PyTuple_New(1 + (bits & 1) + (bits >> 1));
    if (!names) return -1;
    py.PyTuple_SetItem(names, 0, py.PyUnicode_InternFromString("loop"));
    if (bits & 1) py.PyTuple_SetItem(names, 1, py.PyUnicode_InternFromString("eager_start"));
    if (bits & 2) py.PyTuple_SetItem(names, 1 + (bits & 1), py.PyUnicode_InternFromString("context"));
  }
  done_type = new_type("pyawait.DoneCallback", sizeof(struct done_callback), Py_tp_call, (void (*)(void))done_called,
                       free_object);
  return done_type ? 0 : -1;
}

/* asyncio.Task(coroutine, loop=…, [eager_start=True], [context=…]) */
static PyObject *call_task_class(struct loop *loop, PyObject *coroutine, PyObject *context) {
  PyObject *arguments[4] = {coroutine, loop->object};
  int bits = (loop->eager ? 1 : 0) | (loop->has_context && context != None ? 2 : 0), count = 2;
  if (bits & 1) arguments[count++] = py._Py_TrueStruct;
  if (bits & 2) arguments[count] = context;
  if (py.PyObject_Vectorcall) return py.PyObject_Vectorcall(helper.Task, arguments, 1, task_keywords[bits]);
  PyObject *keywords = py.PyDict_New(), *tuple = tuple_of(arguments, 1), *task = 0; /* before 3.11: loop alone */
  if (tuple && keywords && !py.PyDict_SetItemString(keywords, "loop", loop->object))
    task = py.PyObject_Call(helper.Task, tuple, keywords);
  release(tuple), release(keywords);
  return task;
}

/* A task on this loop, in `context` (None: that of the loop's reader). A task factory of the user's makes it, if set;
   it need not have a parameter for the context, so it is called in it. */
static PyObject *new_task(struct loop *loop, PyObject *coroutine, PyObject *context) {
  int enter = context != None && (loop->has_factory || !loop->has_context);
  if (enter && py.PyContext_Enter(context)) return 0;
  PyObject *task = loop->has_factory ? call_method(loop->object, name.create_task, coroutine)
                                     : call_task_class(loop, coroutine, context);
  return enter ? exit_context(context, task) : task;
}

/* A task or future for any awaitable; consumes it. NULL with an exception set, also where `awaitable` is NULL. */
static PyObject *task_for(struct loop *loop, PyObject *awaitable, PyObject *context) {
  PyObject *arguments[3] = {awaitable, loop->object, context}, *task = 0;
  if (awaitable && type_of(awaitable) == TYPE(Coro)) task = new_task(loop, awaitable, context);
  else if (awaitable) task = vectorcall(helper.ensure_task, arguments, 3);
  release(awaitable);
  return task;
}

/* Sees to it that the end of this task is sent. -1 with an exception set. */
static int watch_task(struct loop *loop, struct heap *heap, u32 id, u32 serial, PyObject *task) {
  PyObject *callback = py.PyType_GenericAlloc(done_type, 0), *added = 0;
  if (callback && !store_task(loop, heap, id, serial, task)) {
    *(struct done_callback *)fields_of(callback) = (struct done_callback){heap, id, serial};
    added = call_method(task, name.add_done_callback, callback);
    struct started *started = added ? 0 : find_task(heap, id, serial);
    if (started) py.Py_DecRef(take_task(started)); /* the caller has a reference as well */
  }
  release(added), release(callback);
  return added ? 0 : -1;
}

/* An awaitable of the Promise `id`, which is consumed; NULL: the current exception is its outcome. */
static void start_task(struct loop *loop, struct heap *heap, u32 id, u32 serial, PyObject *awaitable,
                       PyObject *context) {
  PyObject *task = task_for(loop, awaitable, context);
  if (task && loop->eager && is_true(call_method(task, name.done, 0))) send_result(loop, heap, id, serial, task);
  else if (!task || watch_task(loop, heap, id, serial, task)) send_outcome(loop, heap, id, serial, 0);
  release(task);
}

/* IN_SERVES: JavaScript has started this task for a function that Python awaits. */
static void show_awaiter(struct loop *loop, struct heap *heap, struct reader *r) {
  u32 id = read_u32(r), serial = read_u32(r);
  struct started *started = find_task(heap, id, serial);
  struct future_slot *slot = find_slot(loop, read_u32(r));
  if (!started || !slot) return; /* ended already */
  PyObject *both[2] = {started->task, slot->future};
  release(vectorcall(helper.show_awaiter, both, 2));
}

static void cancel_task(struct heap *heap, u32 id, u32 serial) {
  struct started *started = find_task(heap, id, serial);
  if (!started) return;
  PyObject *task = new_reference(started->task), *cancelled = call_method(task, name.cancel, 0);
  if (!cancelled) py.PyErr_WriteUnraisable(task);
  release(cancelled);
  py.Py_DecRef(task);
}

/* The heap has ended: nothing awaits what it has started on this loop. */
static void cancel_tasks(struct loop *loop, struct heap *heap) {
  for (u32 id = 0; id < heap->tasks_capacity; id++)
    if (heap->tasks[id].loop == loop) cancel_task(heap, id, heap->tasks[id].serial);
}

/* The loop is closed: its tasks will not be done. asyncio need not report them: JavaScript is told, by LOOP_END or, with
   `tell`, for each. */
static void drop_tasks(struct loop *loop, struct heap *heap, int tell) {
  for (u32 id = 0; id < heap->tasks_capacity; id++) {
    struct started *started = &heap->tasks[id];
    if (started->loop != loop || !started->task) continue;
    u32 serial = started->serial;
    PyObject *task = take_task(started);
    release(vectorcall(helper.forget_task, &task, 1));
    py.PyErr_Clear();
    py.Py_DecRef(task);
    if (!tell) continue;
    raise_error(
        EXCEPTION(RuntimeError),
        "The background event loop was closed by Python code before this was done; a new one has taken its place");
    send_outcome(loop, heap, id, serial, 0);
  }
}
