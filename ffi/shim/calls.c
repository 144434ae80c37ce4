/* Calls: a Python thread calls a JavaScript function and waits. Notices: what JavaScript is told without an answer.
 *
 *    Python thread                        JavaScript thread
 *      call ──► CALL record ─ bell ──►  runs the function     (on its own thread: on_call, directly)
 *        waits, detached   ◄──── answer ──
 *
 * Why C: the calling thread waits for a lock without the GIL, and its answer comes from a thread that does not hold it.
 *
 * JavaScript must never be entered with the GIL held, and never from another thread than its heap's own (Node and Deno
 * block, deadlock or crash): other threads put a record down, ring, and wait on a lock of their own.
 */
#include "shim.h"

static u32 last_call; /* [atomic] */
static const PY_TIMEOUT_T SECOND = 1000000;
enum { TELL_AFTER = 3 }; /* seconds */

static u32 next_call_id(void) { return __atomic_add_fetch(&last_call, 1, __ATOMIC_RELAXED) & 0x7fffffff; }

/* On the heap's own thread, inside an invoke: JavaScript is entered directly, and detached. */
static void call_directly(struct heap *heap, struct js_call *call, struct writer *record) {
  struct writer outer = heap->call_record;
  heap->call_record = *record;
  struct level level = leave_level(heap->attachment);
  heap->on_call((int)call->id);
  enter_level(heap->attachment, level);
  *record = heap->call_record;
  heap->call_record = outer;
}

/* The outermost call into Python in which this heap's thread is; 0: it is in none. */
static u32 call_into_python(struct heap *heap) {
  if (!__atomic_load_n(&heap->attachment->invokes, __ATOMIC_RELAXED)) return 0;
  return __atomic_load_n(&heap->attachment->entered, __ATOMIC_RELAXED);
}

/* While this thread waits, the JavaScript thread has been in one and the same call into Python for long. If that waits
   for this thread the program hangs, and nothing else would show where. */
static void report_wait(struct heap *heap) {
  PyObject *thread = py.PyLong_FromUnsignedLongLong(heap->thread);
  release(thread ? vectorcall(helper.report_wait, &thread, 1) : 0), release(thread);
  py.PyErr_Clear();
}

/* Takes the lock of a call that has been woken. 1: it is over. */
static int is_over(struct js_call *call) {
  lock_registry();
  int over = call->over;
  call->woken = 0;
  unlock_registry();
  return over;
}

static int is_woken(void *call) { return __atomic_load_n(&((struct js_call *)call)->woken, __ATOMIC_ACQUIRE); }

/* Spins until it is woken, or for a while. */
static void spin_on_answer(struct js_call *call, struct spinner *spinner) {
  if (!may_spin(spinner)) return;
  __atomic_store_n(&call->spins, 1, __ATOMIC_RELAXED);
  count_spin(spinner, spin_until(is_woken, call, spinner));
  __atomic_store_n(&call->spins, 0, __ATOMIC_RELAXED);
}

/* Waits for the answer, detached, and makes the visits that come meanwhile: this is the thread of their loop. */
static void wait_for_answer(struct heap *heap, struct js_call *call) {
  struct spinner spinner = heap->call_spinner;
  PyThreadState *state = py.PyEval_SaveThread();
  u32 before = 0;
  int seconds = 0, over = 0;
  for (;;) {
    if (has_visit(call->loop)) {
      py.PyEval_RestoreThread(state), run_visit_here(call->loop), state = py.PyEval_SaveThread();
      continue;
    }
    if (over) break;
    spin_on_answer(call, &spinner);
    int tells = call->record && seconds < TELL_AFTER;
    if (py.PyThread_acquire_lock_timed(call->lock, tells ? SECOND : -1, 0)) {
      over = is_over(call);
      continue;
    }
    u32 now = call_into_python(heap);
    seconds = now && now == before ? seconds + 1 : 0;
    before = now;
    if (seconds == TELL_AFTER) py.PyEval_RestoreThread(state), report_wait(heap), state = py.PyEval_SaveThread();
  }
  py.PyEval_RestoreThread(state);
  heap->call_spinner = spinner;
}

static void call_and_wait(struct heap *heap, struct js_call *call, struct writer *record) {
  struct loop *loop = loop_here();
  if (loop) flush_batch(loop); /* what this thread has sent before comes first */
  send_copy(heap, record);
  wait_for_answer(heap, call);
}

enum call_outcome { CALL_MADE, CALL_ENDED, CALL_CIRCLE };

/* Links the call, makes it and waits for its answer. Not where the heap has ended, or where its thread waits for this
   one: neither would go on. */
static enum call_outcome make_call(struct heap *heap, struct js_call *call, struct writer *record) {
  struct heap *mine = call->lock ? heap_on_thread(py.PyThread_get_thread_ident()) : 0;
  enum call_outcome outcome = CALL_MADE;
  lock_registry();
  if (has_ended(heap) || is_closing()) outcome = CALL_ENDED; /* where these are set, what is linked is failed */
  else if (mine && waits_for(heap, mine->attachment)) outcome = CALL_CIRCLE;
  else if (call->loop && waits_for_visit(heap, call->loop)) outcome = CALL_CIRCLE;
  else call->next = heap->calls, heap->calls = call;
  if (call->lock && outcome == CALL_MADE) wake_visitor(heap->attachment);
  struct heap *outer = mine ? mine->attachment->waits_for : 0; /* a visit that is made in a call may call as well */
  if (mine && outcome == CALL_MADE) mine->attachment->waits_for = heap;
  unlock_registry();
  if (outcome != CALL_MADE) return outcome;
  if (call->lock) call_and_wait(heap, call, record);
  else call_directly(heap, call, record);
  lock_registry();
  unlink_call(heap, call);
  if (mine) mine->attachment->waits_for = outer;
  unlock_registry();
  return outcome;
}

/* JavaScript's own limit may be below what Python takes in C: in Bun's Workers it is. */
static int is_stack_low(struct heap *heap) {
  char here;
  return &here < heap->stack_low;
}

static PyObject *raise_too_deep(struct heap *heap) {
  PyObject *depth = py.PyLong_FromUnsignedLongLong((u32)heap->attachment->invokes);
  release(depth ? vectorcall(helper.too_deep, &depth, 1) : 0), release(depth);
  return 0;
}

static PyObject *raise_circle(void) {
  return raise_error(
      EXCEPTION(RuntimeError),
      "Cannot call JavaScript here: its thread waits, in a call into Python, for a function of this thread's "
      "JavaScript, so neither would go on; make one of the calls with toThread, or await it");
}

/* call(operation, heap, handle, arguments, keywords): the function's result. */
static PyObject *shim_call(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = require_heap(argument_u32(tuple, 1));
  if (!heap) return 0;
  int direct = heap->thread == py.PyThread_get_thread_ident();
  if (direct && !heap->attachment->invokes)
    return raise_error(EXCEPTION(RuntimeError), "Cannot call JavaScript here: its thread is not in a call of pyawait");
  if (direct && is_stack_low(heap)) return raise_too_deep(heap);
  struct js_call call = {.id = next_call_id()};
  struct writer record = {0};
  size_t start = begin_record(&record, heap, OUT_CALL);
  write_u32(&record, call.id), write_u32(&record, running_loop_id());
  int failed = encode_request(&record, heap, tuple);
  end_record(&record, start);
  if (!failed && !direct && !(call.lock = py.PyThread_allocate_lock())) py.PyErr_NoMemory(), failed = 1;
  if (failed) return py.PyMem_RawFree(record.data), (PyObject *)0;
  COUNT(COUNT_CALLS);
  PyObject *loop = vectorcall(helper._get_running_loop, 0, 0);
  if (call.lock) py.PyThread_acquire_lock(call.lock, 1);
  call.loop = loop && loop != None ? loop : 0;
  call.record = record.data, call.record_length = record.length;
  enum call_outcome outcome = make_call(heap, &call, &record);
  release(loop);
  py.PyMem_RawFree(record.data);
  if (call.lock) py.PyThread_release_lock(call.lock), py.PyThread_free_lock(call.lock);
  if (outcome == CALL_CIRCLE) return raise_circle();
  if (!call.answer) return raise_no_return();
  struct reader reader = {.at = call.answer, .end = call.answer + call.length};
  if (direct) begin_reading(&reader, heap); /* what it borrows is not pinned */
  PyObject *result = decode_answer(&reader, heap);
  close_reader(&reader);
  end_reading(&reader);
  py.PyMem_RawFree(call.answer);
  if (!direct) drop_use(heap);
  return result;
}

/* JavaScript's answer to a CALL. If the call was failed before, a late answer is dropped. */
static enum answered answer_call(struct heap *heap, u32 id, const u8 *data, size_t length) {
  u8 *answer = py.PyMem_RawMalloc(length + 1); /* before the lock: with tracemalloc it takes the GIL */
  enum answered answered = ANSWERED_LATE;
  if (!answer) return answered;
  memcpy(answer, data, length);
  lock_registry();
  struct js_call *call = find_call(heap, id);
  if (call) {
    answered = __atomic_load_n(&call->spins, __ATOMIC_RELAXED) ? ANSWERED_SPINNING : ANSWERED;
    call->answer = answer, call->length = length;
    if (call->lock) add_use(heap);
    end_call(heap, call);
  }
  unlock_registry();
  if (!call) py.PyMem_RawFree(answer);
  return answered;
}

/* The heap has ended: the threads that wait for it go on, with an exception. */
static void fail_calls(struct heap *heap) {
  lock_registry();
  while (heap->calls) end_call(heap, heap->calls);
  unlock_registry();
}

/* Notices --------------------------------------------------------------------------------------------------------- */

/* release(heap, handle, count): Python's last reference to a JavaScript value is gone. Called on any thread. */
static PyObject *shim_release(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = find_open_heap(argument_u32(tuple, 0));
  if (heap) send_release(heap, argument_u32(tuple, 1), argument_u32(tuple, 2));
  return new_reference(None);
}

/* item(heap, handle, value): the next item of a stream, in the batch of the running loop. */
static PyObject *shim_item(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = require_heap(argument_u32(tuple, 0));
  struct loop *loop = heap ? running_loop() : 0;
  if (!loop) return 0;
  struct writer w = begin_batch_record(loop, heap, OUT_ITEM);
  write_u32(&w, argument_u32(tuple, 1));
  size_t start = w.length;
  if (encode(&w, py.PyTuple_GetItem(tuple, 2))) {
    roll_back(&w, start);
    drop_batch_record(loop, &w);
    return 0;
  }
  end_batch_record(loop, heap, &w);
  return new_reference(None);
}

/* event(heap, code, value): output, or an error that nothing awaits. While Python ends too: JavaScript looks once
   more. */
static PyObject *shim_event(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = find_heap(argument_u32(tuple, 0));
  if (!heap) return new_reference(None);
  struct writer w = {0};
  size_t start = begin_record(&w, heap, OUT_EVENT);
  write_u8(&w, (u8)argument_u32(tuple, 1));
  size_t value = w.length;
  int failed = encode(&w, py.PyTuple_GetItem(tuple, 2));
  if (failed) roll_back(&w, value);
  end_record(&w, start);
  if (!failed) send_in_order(heap, &w);
  py.PyMem_RawFree(w.data);
  return failed ? 0 : new_reference(None);
}
