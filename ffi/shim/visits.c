/* Visits: a synchronous call of an asynchronous callee is made on the thread of an event loop, as one callback of it.
 *
 *    JavaScript thread (in an invoke)               loop thread
 *      call_soon_threadsafe(visit) ─────────────►     ends the callback that it is in
 *      waits, detached; serves     ◄── CALL ────        (which may call JavaScript)
 *      this thread's calls         ─── answer ──►
 *      goes on with the result     ◄────────────      visit: makes the call
 *
 * A loop's thread that waits for this JavaScript thread itself, in a call or a stay (stays.c), stands still already: it
 * makes the call where it waits.
 *
 * Why C: the JavaScript thread waits for a lock, detached, and its JavaScript is entered from that wait.
 *
 * asyncio's transports, queues and heaps are not made for two threads: so an object that belongs to a loop is touched on
 * that loop's thread alone, and what wants a running loop finds one.
 */
#include "shim.h"

static PyTypeObject *visit_type;
static const PY_TIMEOUT_T LOOK_AGAIN = 50000; /* µs: whether the loop still runs */

/* The caller holds the registry's lock. */
static void wake_visitor(struct attachment *attachment) {
  if (!attachment->visiting || attachment->woken) return;
  __atomic_store_n(&attachment->woken, 1, __ATOMIC_RELEASE);
  py.PyThread_release_lock(attachment->wakeup);
}

static void end_visit(struct visit *visit) {
  lock_registry();
  visit->state = VISIT_DONE;
  wake_visitor(visit->heap->attachment);
  unlock_registry();
}

/* VISIT_WAITS becomes `state`; 0: it is something else already. */
static int take_visit(struct visit *visit, enum visit_state state) {
  lock_registry();
  int taken = visit->state == VISIT_WAITS;
  if (taken) visit->state = state;
  unlock_registry();
  return taken;
}

/* On the loop's thread, attached. */
static void run_visit(struct visit *visit) {
  if (!take_visit(visit, VISIT_RUNS)) return;
  visit->body(visit);
  end_visit(visit);
}

static PyObject *visit_called(PyObject *self, PyObject *arguments, PyObject *keywords) {
  (void)arguments, (void)keywords;
  struct visit *visit = fields_of(self);
  struct loop *loop = loop_of(visit->loop);
  if (loop) __atomic_store_n(&loop->visited, 0, __ATOMIC_RELAXED);
  run_visit(visit);
  if (loop) schedule_flush(loop); /* which spins: the next visit may be near */
  return new_reference(None);
}

static void visit_dealloc(PyObject *self) {
  struct visit *visit = fields_of(self);
  release(visit->loop), release(visit->callee), release(visit->arguments), release(visit->keywords);
  release(visit->context), release(visit->result), release(visit->error);
  free_object(self);
}

static int make_visit_type(void) {
  visit_type = new_type("pyawait.Visit", sizeof(struct visit), Py_tp_call, (void (*)(void))visit_called, visit_dealloc);
  return visit_type ? 0 : -1;
}

static PyObject *new_visit(struct heap *heap, PyObject *loop, void (*body)(struct visit *)) {
  PyObject *self = py.PyType_GenericAlloc(visit_type, 0);
  if (self)
    *(struct visit *)fields_of(self) =
        (struct visit){.self = self, .heap = heap, .body = body, .loop = new_reference(loop)};
  return self;
}

/* The body of a call. Within a call of JavaScript's the loop's thread may be in a task, which does not make this one. */
static void make_visited_call(struct visit *visit) {
  PyObject *both[2] = {visit->loop, vectorcall(helper.current_task, &visit->loop, 1)};
  int in_task = both[1] && both[1] != None;
  if (in_task) release(vectorcall(helper._leave_task, both, 2));
  py.PyErr_Clear();
  if (!py.PyContext_Enter(visit->context))
    visit->result = exit_context(visit->context, call_tuple_framed(visit->callee, visit->arguments, visit->keywords));
  if (!visit->result) visit->error = fetch_error();
  if (in_task) release(vectorcall(helper._enter_task, both, 2));
  py.PyErr_Clear();
  release(both[1]);
}

/* Who waits for whom ------------------------------------------------------------------------------------------------ */

/* Whether `heap` waits, itself or through others, for this thread, whose attachment this is. [registry] */
static int waits_for(struct heap *heap, const struct attachment *here) {
  while (heap && heap->attachment != here) heap = heap->attachment->waits_for;
  return heap != 0;
}

/* Whether a thread for which `heap` waits visits this loop, and so waits for it. A thread that visits serves its calls,
   so that `heap` itself visits is no circle. [registry] */
static int waits_for_visit(struct heap *heap, PyObject *loop) {
  while ((heap = heap->attachment->waits_for))
    if (heap->attachment->visits == loop) return 1;
  return 0;
}

/* How a loop's thread waits for the JavaScript of a thread: anyhow; in a stay, or in a call that JavaScript is serving,
   which last as long as what that thread does now; in a stay. */
enum standing { STANDS, STANDS_FIRMLY, STAYS_THERE };

/* [registry] */
static int stands_for(PyObject *loop, const struct attachment *here, enum standing how) {
  for (struct heap *heap = heaps; heap; heap = heap->next) {
    if (!waits_for(heap, here)) continue;
    for (struct js_call *call = heap->calls; call; call = call->next)
      if (call->lock && call->loop == loop &&
          (!call->record || how == STANDS || (how == STANDS_FIRMLY && call->served)))
        return 1;
  }
  return 0;
}

static int stands(PyObject *loop, const struct attachment *here, enum standing how) {
  lock_registry();
  int stands = stands_for(loop, here, how);
  unlock_registry();
  return stands;
}

static int stands_still(PyObject *loop, const struct attachment *here) { return stands(loop, here, STANDS_FIRMLY); }

/* The caller holds the registry's lock. */
static void wake_caller(struct js_call *call) {
  if (!call->lock || call->woken) return;
  __atomic_store_n(&call->woken, 1, __ATOMIC_RELEASE);
  py.PyThread_release_lock(call->lock);
}

/* [registry] */
static struct js_call *find_call(struct heap *heap, u32 id) {
  struct js_call *call = heap->calls;
  while (call && call->id != id) call = call->next;
  return call;
}

/* [registry] */
static void unlink_call(struct heap *heap, struct js_call *call) {
  for (struct js_call **at = &heap->calls; *at; at = &(*at)->next)
    if (*at == call) {
      *at = call->next;
      return;
    }
}

/* It is answered, or will never be: its thread goes on. [registry] */
static void end_call(struct heap *heap, struct js_call *call) {
  unlink_call(heap, call);
  call->over = 1;
  wake_caller(call);
}

/* The loop's thread may wait in several calls, one within the other: the innermost has to be woken. [registry] */
static void wake_callers(PyObject *loop) {
  for (struct heap *heap = heaps; heap; heap = heap->next)
    for (struct js_call *call = heap->calls; call; call = call->next)
      if (call->loop == loop) wake_caller(call);
}

/* The innermost visit to this loop that its thread has to make where it waits: it stood still when the visit was sent, or
   stays and would not come to the callback. [registry] */
static struct visit *visit_for(PyObject *loop) {
  for (struct heap *heap = heaps; heap; heap = heap->next)
    for (struct visit *visit = heap->attachment->visit; visit; visit = visit->outer)
      if (visit->loop == loop && visit->state == VISIT_WAITS &&
          (!visit->scheduled || stands_for(loop, heap->attachment, STAYS_THERE)))
        return visit;
  return 0;
}

static int has_visit(PyObject *loop) {
  lock_registry();
  int has = loop && visit_for(loop);
  unlock_registry();
  return has;
}

/* On the loop's thread, attached, in a call that it waits in. */
static void run_visit_here(PyObject *loop) {
  lock_registry();
  struct visit *visit = visit_for(loop);
  PyObject *self = visit ? new_reference(visit->self) : 0;
  unlock_registry();
  if (visit) run_visit(visit);
  release(self);
}

/* Has the loop make the visit as a callback; 0 with an exception set: it is closed. */
static int schedule_visit(struct visit *visit) {
  visit->scheduled = 1;
  PyObject *handle = call_method(visit->loop, name.call_soon_threadsafe, visit->self);
  struct loop *loop = handle ? loop_of(visit->loop) : 0;
  if (loop) __atomic_store_n(&loop->visited, 1, __ATOMIC_RELAXED);
  release(handle);
  return handle != 0;
}

/* Adds the visit to those of its thread, and tells the loop's thread. A loop that begins to stand still for this thread
   while the visit waits makes it there. 0 with an exception set: the loop is closed. */
static int send_visit(PyObject *self) {
  struct visit *visit = fields_of(self);
  struct attachment *here = visit->heap->attachment;
  lock_registry();
  visit->outer = here->visit, here->visit = visit;
  int stands = stands_for(visit->loop, here, STANDS);
  visit->scheduled = !stands;
  if (stands) wake_callers(visit->loop);
  unlock_registry();
  return stands || schedule_visit(visit);
}

/* ... takes it away again. */
static void forget_visit(struct visit *visit) {
  lock_registry();
  visit->heap->attachment->visit = visit->outer;
  unlock_registry();
}

/* The JavaScript thread waits ---------------------------------------------------------------------------------------- */

/* The next call of this thread's JavaScript that nothing has served. [registry] */
static struct js_call *waiting_call(const struct attachment *here, struct heap **of) {
  for (*of = heaps; *of; *of = (*of)->next) {
    if ((*of)->attachment != here) continue;
    for (struct js_call *call = (*of)->calls; call; call = call->next)
      if (call->lock && call->record && !call->served) return call;
  }
  return 0;
}

/* JavaScript has come back from a call, and has answered. If it was ended there (worker.terminate()), it has not and
   never will, and the loop for which this thread waits may wait for that answer. */
static void abandon_call(struct heap *heap, u32 id) {
  lock_registry();
  struct js_call *call = find_call(heap, id);
  if (call) end_call(heap, call);
  unlock_registry();
}

/* Serves one call of another thread's, detached; 0: there is none. JavaScript skips its record in the outbox later. */
static int serve_call(struct attachment *here) {
  struct heap *heap;
  lock_registry();
  struct js_call *call = waiting_call(here, &heap);
  u32 id = call ? call->id : 0;
  size_t length = call ? call->record_length : 0;
  unlock_registry();
  if (!call) return 0;
  /* Memory is not taken under the lock (see [registry]), so the call is looked for once more. */
  struct writer record = {.data = py.PyMem_RawMalloc(length), .length = length};
  if (!record.data) return 0;
  lock_registry();
  call = waiting_call(here, &heap);
  int same = call && call->id == id;
  if (same) call->served = 1, memcpy(record.data, call->record, length);
  unlock_registry();
  if (same) {
    struct writer outer = heap->call_record;
    heap->call_record = record;
    heap->on_call(~(int)id);
    heap->call_record = outer;
    if (here->depth) here->depth = 0, here->state = py.PyEval_SaveThread(); /* JavaScript was ended within `attach` */
    abandon_call(heap, id);
  }
  py.PyMem_RawFree(record.data);
  return 1;
}

static int is_visitor_woken(void *here) {
  return __atomic_load_n(&((struct attachment *)here)->woken, __ATOMIC_ACQUIRE);
}

/* Waits until there may be something to do; 0: not within LOOK_AGAIN. */
static int sleep_for_visit(struct attachment *here) {
  if (may_spin(&here->spinner)) count_spin(&here->spinner, spin_until(is_visitor_woken, here, &here->spinner));
  int woken = py.PyThread_acquire_lock_timed(here->wakeup, LOOK_AGAIN, 0) == 1;
  lock_registry();
  if (woken) here->woken = 0;
  unlock_registry();
  return woken;
}

static int is_under_way(struct visit *visit) {
  lock_registry();
  int under_way = visit->state < VISIT_STANDS;
  unlock_registry();
  return under_way;
}

/* Attaches for a moment. A loop that has not yet come to the visit, but stands for this thread, makes it where it stands: as
   a callback it would come after what this thread is serving. */
static int still_runs(struct attachment *here, struct visit *visit) {
  if (is_closing()) return 0;
  py.PyEval_RestoreThread(here->state);
  int runs = is_true(call_method(visit->loop, name.is_running, 0));
  if (runs && !visit->scheduled && !stands(visit->loop, here, STANDS) && !schedule_visit(visit)) py.PyErr_Clear();
  here->state = py.PyEval_SaveThread();
  return runs;
}

/* Waits, detached, until the visit is made, or the loop's thread stands still for it. 0: the loop has stopped before. */
static int await_visit(struct visit *visit) {
  struct attachment *here = visit->heap->attachment;
  struct level level = leave_level(here);
  lock_registry();
  PyObject *outer = here->visits;
  here->visits = visit->loop, here->visiting++;
  unlock_registry();
  int made = 1;
  while (made && is_under_way(visit)) {
    if (serve_call(here) || sleep_for_visit(here) || still_runs(here, visit)) continue;
    made = !take_visit(visit, VISIT_LEFT);
  }
  lock_registry();
  here->visits = outer, here->visiting--;
  unlock_registry();
  enter_level(here, level);
  return made;
}

/* Sends the visit and waits for it. 0: the loop has stopped before it came to it; -1 with an exception set. */
static int make_visit(PyObject *self) {
  struct visit *visit = fields_of(self);
  int made = send_visit(self) ? await_visit(visit) : -1;
  forget_visit(visit);
  return made;
}

/* Makes the call on the loop's thread, and waits for it. */
static PyObject *visit_loop(struct heap *heap, PyObject *loop, PyObject *callee, PyObject *arguments,
                            PyObject *keywords) {
  PyObject *self = new_visit(heap, loop, make_visited_call), *result = 0;
  struct visit *visit = self ? fields_of(self) : 0;
  if (!self) return 0;
  visit->callee = new_reference(callee), visit->arguments = new_reference(arguments);
  visit->keywords = keywords == None ? 0 : new_reference(keywords);
  visit->context = py.PyContext_CopyCurrent();
  int made = visit->context ? make_visit(self) : -1;
  if (made >= 0) {
    if (!made) result = call_tuple_framed(callee, arguments, visit->keywords); /* nothing runs beside it */
    else if (visit->result) result = new_reference(visit->result);
    else raise_object(new_reference(visit->error));
  }
  py.Py_DecRef(self);
  return result;
}
