/* Requests: Python awaits JavaScript. A REQUEST goes out, a future waits in a slot of its loop, a SETTLE comes back.
 *
 *    loop thread                             JavaScript thread
 *      request ──► REQUEST record, batched ──► calls, awaits
 *        future  ◄──── SETTLE in the loop's inbox ──
 *      abort   ──► ABORT record ──► aborts the signal; SETTLE follows if JavaScript listens to it
 *
 * Why C: a request is the hot path of `await js_function()`; answering one runs in the drain, without JavaScript.
 *
 * A future is touched by its loop's thread alone and settled only `if not done()`, so every race between an answer and
 * a cancellation is decided there, in the order of the records. (src/py/promises.py is the Python side.)
 */
#include "shim.h"

/* Slots ----------------------------------------------------------------------------------------------------------- */

/* The next free slot is mostly behind the one that was taken last. -1 with an exception set. */
static int take_slot(struct loop *loop, struct heap *heap, PyObject *future) {
  u32 capacity = loop->slots_capacity, slot = capacity;
  for (u32 i = 0; i < capacity && slot == capacity; i++) {
    u32 candidate = (loop->next_slot + i) % capacity;
    if (!loop->slots[candidate].future) slot = candidate;
  }
  if (slot == capacity) {
    struct future_slot *slots = grow(loop->slots, &loop->slots_capacity, slot, sizeof *slots);
    if (!slots) return py.PyErr_NoMemory(), -1;
    loop->slots = slots;
  }
  loop->slots[slot] = (struct future_slot){new_reference(future), heap, 0};
  loop->next_slot = slot + 1;
  return (int)slot;
}

/* NULL: nothing waits in this slot. (JavaScript settles a slot once, through the loop's own inbox, and the slot is free
   only then: a record never means an earlier request.) */
static struct future_slot *find_slot(struct loop *loop, u32 slot) {
  return slot < loop->slots_capacity && loop->slots[slot].future ? &loop->slots[slot] : 0;
}

/* The slot, if this future is still the one in it. A late answer has freed it where the await was cancelled before, and
   another request may have it by now. */
static struct future_slot *find_slot_of(struct loop *loop, PyObject *index, PyObject *future) {
  struct future_slot *slot = find_slot(loop, (u32)py.PyLong_AsUnsignedLongLong(index));
  return slot && slot->future == future ? slot : 0;
}

static void set_slot(struct future_slot *slot, PyObject *future) {
  PyObject *before = slot->future;
  slot->future = new_reference(future);
  py.Py_DecRef(before);
}

static void free_slot(struct future_slot *slot) {
  PyObject *future = slot->future;
  slot->future = 0;
  py.Py_DecRef(future);
}

static void free_slots(struct loop *loop) {
  for (u32 slot = 0; slot < loop->slots_capacity; slot++)
    if (find_slot(loop, slot)) free_slot(&loop->slots[slot]);
}

/* The loop of these futures is closed, and its inbox goes on with another one: JavaScript's answers are still to come,
   and free the slots. */
static void abandon_slots(struct loop *loop) {
  for (u32 slot = 0; slot < loop->slots_capacity; slot++)
    if (find_slot(loop, slot)) set_slot(&loop->slots[slot], None);
}

/* Requests -------------------------------------------------------------------------------------------------------- */

/* The layout `request` for (operation, heap, handle, arguments, keywords): a REQUEST's and a CALL's. */
static int encode_request(struct writer *w, struct heap *heap, PyObject *tuple) {
  PyObject *arguments = py.PyTuple_GetItem(tuple, 3), *keywords = py.PyTuple_GetItem(tuple, 4);
  size_t context = w->length + 4; /* behind the scope */
  write_context(w, heap);
  size_t operation = w->length;
  write_u8(w, (u8)argument_u32(tuple, 0));
  write_u32(w, argument_u32(tuple, 2));
  size_t values = w->length;
  int failed = encode_sequence(w, arguments, 0);
  if (!failed && (keywords == None || !py.PyDict_Size(keywords))) write_u8(w, TAG_NONE);
  else if (!failed) failed = encode_dict(w, keywords);
  if (!failed) return 0;
  roll_back(w, values);
  w->length = operation; /* two numbers, which are no values */
  roll_back(w, context);
  return -1;
}

/* request(operation, heap, handle, arguments, keywords): (slot, future) on the running loop. */
static PyObject *shim_request(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = require_heap(argument_u32(tuple, 1));
  struct loop *loop = heap ? running_loop() : 0;
  if (!loop) return 0;
  if (heap->thread == loop->thread)
    return raise_error(
        EXCEPTION(RuntimeError),
        "Cannot await JavaScript here: this event loop runs on the JavaScript thread itself, which would "
        "wait for itself; run the coroutine from JavaScript (await it), or in a thread of its own");
  PyObject *future = call_method(loop->object, name.create_future, 0);
  int slot = future ? take_slot(loop, heap, future) : -1;
  if (slot < 0) return release(future), (PyObject *)0;
  struct writer w = begin_batch_record(loop, heap, OUT_REQUEST);
  write_u32(&w, loop->id), write_u32(&w, (u32)slot);
  if (encode_request(&w, heap, tuple)) {
    drop_batch_record(loop, &w);
    py.Py_DecRef(future);
    free_slot(&loop->slots[slot]);
    return 0;
  }
  end_batch_record(loop, heap, &w);
  return pair_of(py.PyLong_FromLongLong(slot), future);
}

/* abort(slot, future, heap, error): the await was cancelled. A future of the request's end if JavaScript has taken its
   signal; else None: the request is given up, and its answer is dropped. */
static PyObject *shim_abort(PyObject *self, PyObject *tuple) {
  (void)self;
  struct loop *loop = running_loop();
  if (!loop) return 0;
  u32 index = argument_u32(tuple, 0);
  struct heap *heap = find_open_heap(argument_u32(tuple, 2));
  struct future_slot *slot = find_slot_of(loop, py.PyTuple_GetItem(tuple, 0), py.PyTuple_GetItem(tuple, 1));
  if (!heap || !slot) return new_reference(None);
  PyObject *end = slot->signal_taken ? call_method(loop->object, name.create_future, 0) : new_reference(None);
  if (!end) return 0;
  set_slot(&loop->slots[index], end);
  struct writer w = begin_batch_record(loop, heap, OUT_ABORT);
  write_u32(&w, loop->id), write_u32(&w, index);
  encode_error(&w, py.PyTuple_GetItem(tuple, 3));
  end_batch_record(loop, heap, &w);
  return end;
}

/* give_up(slot, future): the answer is no longer awaited. */
static PyObject *shim_give_up(PyObject *self, PyObject *tuple) {
  (void)self;
  struct loop *loop = running_loop();
  if (!loop) return 0;
  struct future_slot *slot = find_slot_of(loop, py.PyTuple_GetItem(tuple, 0), py.PyTuple_GetItem(tuple, 1));
  if (slot) set_slot(slot, None);
  return new_reference(None);
}

/* Answers --------------------------------------------------------------------------------------------------------- */

/* The layout `answer`: an outcome that may borrow references, and the pin under which JavaScript keeps these alive,
   since their RELEASE goes to another inbox. Once they are Python's own, JavaScript is told. */
static PyObject *decode_answer(struct reader *r, struct heap *heap) {
  u32 pin = read_u32(r);
  PyObject *value = decode(r);
  if (pin) send_number(heap, OUT_UNPIN, pin);
  return value;
}

/* Settles a future, unless it is done already. */
static void settle_future(PyObject *future, PyObject *value, PyObject *error) {
  if (future == None || is_true(call_method(future, name.done, 0))) {
    COUNT(COUNT_LATE);
    return;
  }
  PyObject *set = call_method(future, error ? name.set_exception : name.set_result, error ? error : value);
  if (!set && error) { /* a future refuses StopIteration, and its await would never end */
    py.PyErr_Clear();
    PyObject *guarded = vectorcall(helper.guard_error, &error, 1);
    set = guarded ? call_method(future, name.set_exception, guarded) : 0;
    release(guarded);
  }
  if (!set) py.PyErr_WriteUnraisable(future);
  release(set);
}

static void settle_slot(struct future_slot *slot, PyObject *value, PyObject *error) {
  PyObject *future = new_reference(slot->future);
  free_slot(slot);
  settle_future(future, value, error);
  py.Py_DecRef(future);
}

/* IN_SETTLE */
static void settle_request(struct loop *loop, struct heap *heap, struct reader *r) {
  u32 index = read_u32(r);
  PyObject *value = decode_answer(r, heap), *error = value ? 0 : fetch_error();
  struct future_slot *slot = find_slot(loop, index);
  if (slot) settle_slot(slot, value, error);
  else COUNT(COUNT_LATE);
  release(value), release(error);
}

/* IN_SIGNAL_TAKEN */
static void mark_signal_taken(struct loop *loop, u32 index) {
  struct future_slot *slot = find_slot(loop, index);
  if (slot) slot->signal_taken = 1;
}

/* The exception for an await or a call whose heap has ended. */
static PyObject *raise_no_return(void) {
  return raise_error(helper.JavaScriptEnded,
                     "The JavaScript function did not return: its thread has ended, or is ending with the process");
}

/* The heap has ended: no answer to these will come. */
static void fail_requests(struct loop *loop, struct heap *heap) {
  for (u32 index = 0; index < loop->slots_capacity; index++) {
    struct future_slot *slot = find_slot(loop, index);
    if (!slot || slot->heap != heap) continue;
    raise_no_return();
    PyObject *error = fetch_error();
    settle_slot(slot, 0, error);
    py.Py_DecRef(error);
  }
}
