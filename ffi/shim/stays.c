/* Stays: a loop stands still for a JavaScript thread, so that nothing of the loop's runs between its calls.
 *
 *    JavaScript thread                           loop thread
 *      begin_stay ── visit ──────────────────►     stand_still: links a call without a record, and waits for its answer
 *      visit_loop ── visit, in that wait ────►       makes the call
 *      end_stay   ── the answer ─────────────►     goes on
 *
 * `withLoop(fn)` begins one, and so does the first asynchronous callee within `attach(fn)`.
 *
 * Why C: the loop's thread waits for a lock without the GIL, as in calls.c.
 */
#include "shim.h"

/* The body of the visit that begins a stay. */
static void stand_still(struct visit *visit) {
  struct heap *heap = visit->heap;
  struct js_call stay = {.id = next_call_id(), .loop = visit->loop, .lock = py.PyThread_allocate_lock()};
  if (!stay.lock) return;
  py.PyThread_acquire_lock(stay.lock, 1);
  lock_registry();
  int begins = !has_ended(heap) && !is_closing();
  if (begins) {
    stay.next = heap->calls, heap->calls = &stay;
    visit->stay = stay.id, visit->state = VISIT_STANDS;
    wake_visitor(heap->attachment);
  }
  unlock_registry();
  if (begins) wait_for_answer(heap, &stay);
  if (stay.answer) drop_use(heap);
  py.PyMem_RawFree(stay.answer);
  py.PyThread_release_lock(stay.lock), py.PyThread_free_lock(stay.lock);
}

/* The number of the stay; 0 without an exception: the loop stands still already, has stopped, or ends. */
static u32 begin_stay(struct heap *heap, PyObject *loop) {
  if (stands_still(loop, heap->attachment)) return 0;
  PyObject *self = new_visit(heap, loop, stand_still);
  u32 id = 0;
  if (self && make_visit(self) > 0) id = ((struct visit *)fields_of(self))->stay;
  release(self);
  return id;
}

static void end_stay(struct heap *heap, u32 id) { answer_call(heap, id, (const u8 *)"", 0); }

/* ... those that this level of `attach` has begun. */
static void end_stays(struct heap *heap) {
  struct attachment *here = heap->attachment;
  while (here->stays_to > here->stays_from) end_stay(heap, here->stays[--here->stays_to]);
}

/* Within `attach` (an invoke is attached once more) the loop stands still until that returns. 0: an exception is set. */
static int stay_while_attached(struct heap *heap, PyObject *loop) {
  struct attachment *here = heap->attachment;
  if (here->depth < 2 || here->stays_to == STAYS) return 1;
  u32 id = begin_stay(heap, loop);
  if (id) here->stays[here->stays_to++] = id;
  return !py.PyErr_Occurred();
}

/* The loop on whose thread a call of `callee` is made, or None. */
static PyObject *loop_of_call(PyObject *callee, u32 current) {
  PyObject *asked[2] = {callee, py.PyLong_FromLongLong(current)};
  PyObject *loop = asked[1] ? vectorcall(helper.loop_of_call, asked, 2) : 0;
  release(asked[1]);
  return loop;
}

/* Makes the call on its loop's thread, or here where no other thread can be in that loop. */
static PyObject *call_on_loop(struct heap *heap, u32 current, PyObject *callee, PyObject *const *arguments, u32 count,
                              PyObject *keywords) {
  PyObject *loop = loop_of_call(callee, current);
  PyObject *tuple = loop ? tuple_of(arguments, count) : 0, *result = 0;
  if (tuple && loop == None) result = call_tuple_framed(callee, tuple, keywords == None ? 0 : keywords);
  else if (tuple && stay_while_attached(heap, loop)) result = visit_loop(heap, loop, callee, tuple, keywords);
  release(loop), release(tuple);
  return result;
}

/* DO_GET within `withLoop`: a property, a `__getattr__` and a `__getitem__` are code as well. */
static PyObject *get_on_loop(struct heap *heap, u32 current, PyObject *object, PyObject *key, int item) {
  PyObject *both[2] = {object, key};
  return call_on_loop(heap, current, item ? helper.getitem : helper.getattr, both, 2, None);
}

/* DO_STAY: `withLoop` begins. The number of the stay, or 0 where nothing has to be ended. */
static PyObject *stay_on(struct heap *heap, u32 current) {
  PyObject *asked = py.PyLong_FromLongLong(current), *loop = asked ? vectorcall(helper.loop_to_stay_on, &asked, 1) : 0;
  release(asked);
  u32 id = loop && loop != None ? begin_stay(heap, loop) : 0;
  release(loop);
  return py.PyErr_Occurred() ? 0 : py.PyLong_FromLongLong(id);
}
