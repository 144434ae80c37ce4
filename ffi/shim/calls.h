/* From Python to JavaScript: calls that a thread waits for, requests that a future waits for, notices.
 *
 *    Python thread                        JavaScript thread
 *      call_js ──► CALL record ─ bell ──►  runs the function     (on its own thread: on_call, directly)
 *        waits, detached   ◄──── answer ──
 *      request ──► REQUEST record, batched ──► calls, awaits
 *        future  ◄──── SETTLE in the loop's inbox ──
 *
 * The one thing to know: JavaScript is never entered with the GIL held, and no Python thread but the heap's own ever
 * enters it: others put a record down, ring, and wait on a lock of their own.
 */
#ifndef PYAWAIT_CALLS_H
#define PYAWAIT_CALLS_H
#include "context.h"

static u32 last_call;

#define NO_LOOP 0xffffffffu

static PyObject *raise(PyObject *type, const char *message) {
  py.PyErr_SetString(type, message);
  return 0;
}

static u32 argument_u32(PyObject *tuple, Py_ssize_t index) { return (u32)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(tuple, index)); }

/* (op, heap, handle, arguments, keywords) as both kinds of call have them: where they come from (scope and context),
   u8 op, u32 handle, tuple, dict or None. */
static int encode_request(struct writer *w, struct heap *heap, PyObject *tuple) {
  PyObject *arguments = py.PyTuple_GetItem(tuple, 3), *keywords = py.PyTuple_GetItem(tuple, 4);
  size_t context = w->length + 4; /* behind the scope */
  write_context(w, heap);
  size_t op = w->length;
  write_u8(w, (u8)argument_u32(tuple, 0));
  write_u32(w, argument_u32(tuple, 2));
  size_t start = w->length;
  int failed = encode_sequence(w, arguments, 0);
  if (!failed && (keywords == None || !py.PyDict_Size(keywords))) write_u8(w, TAG_NONE);
  else if (!failed) failed = encode_dict(w, keywords);
  if (failed) take_back(w, start), w->length = op, take_back(w, context);
  return failed;
}

static struct heap *live_heap(u32 id) {
  struct heap *heap = __atomic_load_n(&closing, __ATOMIC_ACQUIRE) ? 0 : find_heap(id);
  if (!heap) raise(helper.JavaScriptEnded, "Cannot call into JavaScript: its thread has ended, or is ending with the process");
  return heap;
}

static void unlink_call(struct heap *heap, struct call *call) {
  for (struct call **at = &heap->calls; *at; at = &(*at)->next)
    if (*at == call) {
      *at = call->next;
      return;
    }
}

/* On the heap's own thread, inside an invoke: JavaScript is entered directly, detached. */
static void call_directly(struct heap *heap, struct call *call, struct writer *record) {
  struct attachment *in = heap->in;
  int attached = in->attached;
  struct writer outer = heap->call_record;
  heap->call_record = *record;
  in->attached = 0;
  in->state = py.PyEval_SaveThread();
  heap->on_call((int)call->id);
  py.PyEval_RestoreThread(in->state);
  in->attached = attached;
  *record = heap->call_record;
  heap->call_record = outer;
}

static void call_and_wait(struct heap *heap, struct call *call, struct writer *record) {
  lock_registry();
  struct loop *loop = loops;
  while (loop && loop->thread != py.PyThread_get_thread_ident()) loop = loop->next;
  unlock_registry();
  if (loop) flush_batch(loop); /* what this thread has sent before comes first */
  send_records(heap, record);
  PyThreadState *state = py.PyEval_SaveThread();
  py.PyThread_acquire_lock(call->lock, 1);
  lock_registry(), unlock_registry(); /* whoever answered has let go of the lock */
  py.PyEval_RestoreThread(state);
}

/* The inbox of a loop that runs on this thread; one that has not been seen yet gets its own from src/py. `object` is consumed. */
static struct loop *connected_loop(PyObject *object) {
  for (int attempt = 0; attempt < 2; attempt++) {
    struct loop *loop;
    lock_registry();
    for (loop = loops; loop && loop->object != object; loop = loop->next);
    unlock_registry();
    if (loop) return py.Py_DecRef(object), loop;
    PyObject *made = attempt ? 0 : call(helper.new_loop, &object, 1);
    if (!made) break;
    py.Py_DecRef(made);
  }
  py.Py_DecRef(object);
  if (!py.PyErr_Occurred()) raise(EXCEPTION(RuntimeError), "pyawait: this event loop could not be connected to JavaScript");
  return 0;
}

static struct loop *running_loop(void) {
  PyObject *object = call(helper.get_running_loop, 0, 0);
  return object ? connected_loop(object) : 0;
}

/* The id of the loop that runs on this thread; NO_LOOP where none does, or none that JavaScript can reach. */
static u32 calling_loop(void) {
  PyObject *object = call(helper._get_running_loop, 0, 0);
  struct loop *loop = object && object != None ? connected_loop(object) : 0;
  if (object == None) py.Py_DecRef(object);
  py.PyErr_Clear();
  return loop ? loop->id : NO_LOOP;
}

/* A value behind the number of what JavaScript holds for it: it borrows references, and RELEASE goes to another inbox.
   Once they are ours JavaScript is told. */
static PyObject *decode_borrowing(struct reader *r, struct heap *heap) {
  u32 pinned = read_u32(r);
  PyObject *value = decode(r);
  if (pinned) send_number(heap, OUT_UNPIN, pinned);
  return value;
}

/* call(op, heap, handle, arguments, keywords): runs it in JavaScript and gives its result. */
static PyObject *call_js(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = live_heap(argument_u32(tuple, 1));
  if (!heap) return 0;
  int direct = heap->thread == py.PyThread_get_thread_ident();
  if (direct && !heap->in->inside) return raise(EXCEPTION(RuntimeError), "Cannot call JavaScript here: its thread is not in a call of pyawait");
  struct call call = {.id = __atomic_add_fetch(&last_call, 1, __ATOMIC_RELAXED) & 0x7fffffff};
  struct writer record = {0};
  size_t start = begin_record(&record, heap, OUT_CALL);
  write_u32(&record, call.id), write_u32(&record, calling_loop());
  int failed = encode_request(&record, heap, tuple);
  end_record(&record, start);
  if (!failed && !direct && !(call.lock = py.PyThread_allocate_lock())) py.PyErr_NoMemory(), failed = 1;
  if (failed) return py.PyMem_RawFree(record.data), (PyObject *)0;
  COUNT(calls);
  if (call.lock) py.PyThread_acquire_lock(call.lock, 1);
  lock_registry();
  int dead = heap->dead || closing;
  if (!dead) call.next = heap->calls, heap->calls = &call;
  unlock_registry();
  if (!dead) {
    if (direct) call_directly(heap, &call, &record);
    else call_and_wait(heap, &call, &record);
    lock_registry();
    unlink_call(heap, &call);
    unlock_registry();
  }
  py.PyMem_RawFree(record.data);
  if (call.lock) py.PyThread_release_lock(call.lock), py.PyThread_free_lock(call.lock);
  if (!call.answered) return raise(helper.JavaScriptEnded, "The JavaScript function did not return: its thread has ended, or is ending with the process");
  struct reader reader = {.at = call.answer, .end = call.answer + call.length};
  PyObject *result = decode_borrowing(&reader, heap);
  close_reader(&reader);
  py.PyMem_RawFree(call.answer);
  if (!direct) end_use(heap);
  return result;
}

/* JavaScript's answer to a CALL; 0: a late one, to a call that has been failed, finds nothing and is dropped. */
static int answer_call(struct heap *heap, u32 id, const u8 *data, size_t length) {
  u8 *answer = py.PyMem_RawMalloc(length + 1); /* outside of the lock: with tracemalloc it wants the GIL */
  if (!answer) return 0;
  memcpy(answer, data, length);
  lock_registry();
  struct call *call = heap->calls;
  while (call && call->id != id) call = call->next;
  if (call) {
    call->answer = answer, call->length = length, call->answered = 1;
    unlink_call(heap, call);
    if (call->lock) __atomic_add_fetch(&heap->busy, 1, __ATOMIC_ACQ_REL), py.PyThread_release_lock(call->lock);
  }
  unlock_registry();
  if (!call) py.PyMem_RawFree(answer);
  return call != 0;
}

static void fail_calls(struct heap *heap) {
  lock_registry();
  for (struct call *call; (call = heap->calls);) {
    heap->calls = call->next;
    if (call->lock) py.PyThread_release_lock(call->lock);
  }
  unlock_registry();
}

/* A slot for a future that awaits a SETTLE of this heap's JavaScript; the next free one is near `waiters_free`. */
static int new_slot(struct loop *loop, struct heap *heap, PyObject *future) {
  for (u32 i = 0; i < loop->waiters_capacity; i++) {
    u32 slot = (loop->waiters_free + i) % loop->waiters_capacity;
    if (loop->waiters[slot].future) continue;
    loop->waiters[slot] = (struct waiter){new_reference(future), heap, 0};
    loop->waiters_free = slot + 1;
    return (int)slot;
  }
  u32 capacity = loop->waiters_capacity ? 2 * loop->waiters_capacity : 64;
  struct waiter *waiters = py.PyMem_RawRealloc(loop->waiters, capacity * sizeof *waiters);
  if (!waiters) return py.PyErr_NoMemory(), -1;
  for (u32 i = loop->waiters_capacity; i < capacity; i++) waiters[i] = (struct waiter){0};
  loop->waiters = waiters;
  loop->waiters_free = loop->waiters_capacity;
  loop->waiters_capacity = capacity;
  return new_slot(loop, heap, future);
}

/* What waits in this slot: NULL where nothing does. */
static struct waiter *find_waiter(struct loop *loop, u32 slot) {
  return slot < loop->waiters_capacity && loop->waiters[slot].future ? &loop->waiters[slot] : 0;
}

static void replace_future(struct loop *loop, u32 slot, PyObject *future) {
  PyObject *before = loop->waiters[slot].future;
  loop->waiters[slot].future = new_reference(future);
  py.Py_DecRef(before);
}

static void free_slot(struct waiter *waiter) {
  PyObject *future = waiter->future;
  waiter->future = 0;
  py.Py_DecRef(future);
}

/* request(op, heap, handle, arguments, keywords): (slot, future) on the running loop, settled when JavaScript does. */
static PyObject *request(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = live_heap(argument_u32(tuple, 1));
  struct loop *loop = heap ? running_loop() : 0;
  if (!loop) return 0;
  if (heap->thread == loop->thread)
    return raise(EXCEPTION(RuntimeError), "Cannot await JavaScript here: this event loop runs on the JavaScript thread itself, which would "
                 "wait for itself; run the coroutine from JavaScript (await it), or in a thread of its own");
  PyObject *future = call_method(loop->object, name.create_future, 0);
  int slot = future ? new_slot(loop, heap, future) : -1;
  if (slot < 0) return release(future), (PyObject *)0;
  struct writer w = begin_batch_record(loop, heap, OUT_REQUEST);
  write_u32(&w, loop->id), write_u32(&w, (u32)slot);
  if (encode_request(&w, heap, tuple)) {
    drop_batch_record(loop, &w);
    py.Py_DecRef(future);
    free_slot(&loop->waiters[slot]);
    return 0;
  }
  end_batch_record(loop, heap, &w);
  PyObject *pair = py.PyTuple_New(2);
  if (!pair) return py.Py_DecRef(future), (PyObject *)0;
  py.PyTuple_SetItem(pair, 0, py.PyLong_FromLongLong(slot));
  py.PyTuple_SetItem(pair, 1, future);
  return pair;
}

/* abort(slot, heap, error): the await of this request was cancelled. Gives a future of the request's end if its signal
   was taken, else None: the request is given up and its answer dropped. */
static PyObject *abort_request(PyObject *self, PyObject *tuple) {
  (void)self;
  struct loop *loop = running_loop();
  if (!loop) return 0;
  u32 slot = argument_u32(tuple, 0);
  struct heap *heap = __atomic_load_n(&closing, __ATOMIC_ACQUIRE) ? 0 : find_heap(argument_u32(tuple, 1));
  struct waiter *waiter = find_waiter(loop, slot);
  if (!heap || !waiter) return new_reference(None);
  PyObject *next = waiter->signal_taken ? call_method(loop->object, name.create_future, 0) : new_reference(None);
  if (!next) return 0;
  replace_future(loop, slot, next);
  struct writer w = begin_batch_record(loop, heap, OUT_ABORT);
  write_u32(&w, loop->id), write_u32(&w, slot);
  encode_error(&w, py.PyTuple_GetItem(tuple, 2));
  end_batch_record(loop, heap, &w);
  return next;
}

/* give_up(slot): nobody waits any more for what `abort` gave. */
static PyObject *give_up(PyObject *self, PyObject *slot_object) {
  (void)self;
  struct loop *loop = running_loop();
  u32 slot = (u32)py.PyLong_AsUnsignedLongLong(slot_object);
  if (!loop) return 0;
  if (find_waiter(loop, slot)) replace_future(loop, slot, None);
  return new_reference(None);
}

/* Sends one record that belongs to no loop's batch. */
static PyObject *send_now(struct heap *heap, struct writer *w, size_t start, int failed) {
  end_record(w, start);
  if (!failed) send_in_order(heap, w);
  py.PyMem_RawFree(w->data);
  return failed ? 0 : new_reference(None);
}

/* release(heap, handle, count): Python's last reference to a JavaScript value is gone. Called on any thread. */
static PyObject *release_js(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = __atomic_load_n(&closing, __ATOMIC_ACQUIRE) ? 0 : find_heap(argument_u32(tuple, 0));
  if (!heap) return new_reference(None);
  struct writer w = {0};
  size_t start = begin_record(&w, heap, OUT_RELEASE);
  write_u32(&w, argument_u32(tuple, 1)), write_u32(&w, argument_u32(tuple, 2));
  return send_now(heap, &w, start, 0);
}

static void give_back(struct heap *heap, u32 handle) {
  struct writer w = {0};
  size_t start = begin_record(&w, heap, OUT_RELEASE);
  write_u32(&w, handle), write_u32(&w, 1);
  end_record(&w, start);
  send_records(heap, &w);
  py.PyMem_RawFree(w.data);
}

static void give_back_unread(struct reader *r) {
  while (r->at < r->end) {
    switch (read_u8(r)) {
    case TAG_JS: {
      struct heap *heap = find_heap(read_u32(r));
      u32 handle = read_u32(r);
      read_u8(r);
      if (heap) give_back(heap, handle);
      break;
    }
    case TAG_INT32: case TAG_LIST: case TAG_TUPLE: case TAG_SET: case TAG_DICT: case TAG_REFERENCE: read_u32(r); break;
    case TAG_INT53: case TAG_FLOAT: case TAG_DATE: case TAG_OBJECT: read_u64(r); break;
    case TAG_ARRAY: read_u8(r); /* fall through */
    case TAG_BIGINT: case TAG_ASCII: case TAG_UTF8: case TAG_UTF16: case TAG_BYTES:
      if (!read_bytes(r, read_u32(r))) r->at = r->end;
    }
  }
}

/* item(heap, handle, value): the next item of a stream, with the batch of the running loop. */
static PyObject *send_item(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = live_heap(argument_u32(tuple, 0));
  struct loop *loop = heap ? running_loop() : 0;
  if (!loop) return 0;
  struct writer w = begin_batch_record(loop, heap, OUT_ITEM);
  write_u32(&w, argument_u32(tuple, 1));
  size_t start = w.length;
  if (encode(&w, py.PyTuple_GetItem(tuple, 2))) return take_back(&w, start), drop_batch_record(loop, &w), (PyObject *)0;
  end_batch_record(loop, heap, &w);
  return new_reference(None);
}

/* event(heap, code, value): what JavaScript should hear of: output, an error that nobody awaits. */
static PyObject *send_event(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = find_heap(argument_u32(tuple, 0)); /* at the end too: JavaScript looks once more */
  if (!heap) return new_reference(None);
  struct writer w = {0};
  size_t start = begin_record(&w, heap, OUT_EVENT);
  write_u8(&w, (u8)argument_u32(tuple, 1));
  size_t value = w.length;
  int failed = encode(&w, py.PyTuple_GetItem(tuple, 2));
  if (failed) take_back(&w, value);
  return send_now(heap, &w, start, failed);
}

#endif
