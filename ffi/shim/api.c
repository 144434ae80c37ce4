/* What JavaScript calls. ffi/native/symbols.ts declares the same functions.
 *
 * Why C: it is the border. Each function runs on the JavaScript thread of its heap, and none blocks on the loop thread
 * but pyawait_open and pyawait_exit.
 *
 * Parameters are 32-bit numbers and addresses alone: on Deno a number in a 64-bit slot is 15 times slower.
 */
#include "shim.h"

/* Copies what the caller's buffer holds; minus the length where it is too small. */
static int copy_out(u8 *out, int capacity, const void *data, size_t length) {
  if (length > (size_t)capacity) return -(int)length;
  memcpy(out, data, length);
  return (int)length;
}

/* Opening --------------------------------------------------------------------------------------------------------- */

/* Makes the attempt this thread's, and gives the state before it: UNOPENED or REFUSED. Any other state is the
   answer. */
static enum state begin_attempt(void) {
  for (;;) {
    int state = __atomic_load_n(&python.state, __ATOMIC_ACQUIRE);
    if (state == OPENING) continue; /* another Worker opens it; a spin, since no lock exists before that */
    if (state != UNOPENED && state != REFUSED) return state;
    if (__atomic_compare_exchange_n(&python.state, &state, OPENING, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      return state;
  }
}

/* Stores what came of it, unless Python has ended meanwhile. */
static void store_state(enum state outcome) {
  int state = OPENING;
  __atomic_compare_exchange_n(&python.state, &state, outcome, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void keep_opener(const char *text) {
  size_t length = text_length(text) + 1;
  char *copy = py.PyMem_RawMalloc(length);
  if (!copy) return;
  memcpy(copy, text, length);
  __atomic_store_n(&python.opener, copy, __ATOMIC_RELEASE);
}

static PyThread_type_lock new_held_lock(void) {
  PyThread_type_lock lock = py.PyThread_allocate_lock();
  py.PyThread_acquire_lock(lock, 1);
  return lock;
}

/* The first attempt: a thread, and Python in it. OPENING, or what has come of it. */
static enum state start_python(void *find, void *library, void *system, const char *opener) {
  symbol_finder finder;
  __builtin_memcpy(&finder, &find, sizeof finder);
  if ((python.problem = resolve_capi(finder, library))) return FAILED;
  if ((python.problem = resolve_system(finder, system))) return FAILED;
  resolve_node_api(finder, program_of(system));
  if (py.Py_IsInitialized()) return FOREIGN;
  keep_opener(opener);
  registry = py.PyThread_allocate_lock();
  watch_forks(finder, system);
  python.attempted = new_held_lock(), python.next_attempt = new_held_lock(), python.shut_down = new_held_lock();
  if (!start_thread(loop_thread)) return OPENING;
  python.problem = "the system would not make a thread with a stack of 16 MiB";
  return FAILED;
}

/* Why it failed, as much of it as fits, ended by NUL. */
static void copy_problem(u8 *out, int capacity) {
  const char *text = python.problem ? python.problem : "Python did not start";
  size_t length = text_length(text), most = (size_t)capacity - 1;
  if (length > most) length = most;
  memcpy(out, text, length);
  out[length] = 0;
}

static int answer_of(enum state outcome) {
  switch (outcome) {
  case READY: return OPENED_NOW;
  case FOREIGN: return OPENED_FOREIGN;
  case FAILED: return OPENED_FAILED;
  default: return OPENED_REFUSED;
  }
}

/* Opens Python, once per process; an enum opened. `texts` are the path of the executable, what pyawait_opener gives, the
   folder for code, a name and a source for each chapter of src/py, and nothing, each ended by NUL; `configuration` is
   one value. After OPENED_FAILED and OPENED_REFUSED `problem` says why. */
EXPORT int pyawait_open(void *find, void *library, void *system, const char *texts, const u8 *configuration, int length,
                        u8 *problem, int capacity) {
  enum state state = begin_attempt();
  if (state == ENDED || (state == READY && is_closing())) return OPENED_CLOSED;
  if (state == READY) return OPENED_BEFORE;
  if (state == FOREIGN) return OPENED_FOREIGN;
  if (state == FAILED) return copy_problem(problem, capacity), OPENED_FAILED;
  const char *opener = texts + text_length(texts) + 1;
  python.executable = texts;
  python.code_folder = opener + text_length(opener) + 1;
  python.source = python.code_folder + text_length(python.code_folder) + 1;
  python.configuration = configuration, python.configuration_length = (size_t)length;
  python.outcome = OPENING;
  enum state outcome = OPENING;
  if (state == REFUSED) keep_opener(opener), py.PyThread_release_lock(python.next_attempt);
  else outcome = start_python(find, library, system, opener);
  if (outcome == OPENING) py.PyThread_acquire_lock(python.attempted, 1), outcome = python.outcome;
  if (outcome == FAILED || outcome == REFUSED) copy_problem(problem, capacity);
  store_state(outcome);
  return answer_of(outcome);
}

/* What opened Python, or tries to, as its `texts` say; 0: nothing so far. */
EXPORT int pyawait_opener(u8 *out, int capacity) {
  const char *text = __atomic_load_n(&python.opener, __ATOMIC_ACQUIRE);
  return text ? copy_out(out, capacity, text, text_length(text)) : 0;
}

/* Heaps ----------------------------------------------------------------------------------------------------------- */

/* A JavaScript heap joins, on its own thread. `ring_callback` may be NULL: then set_bell tells of a pipe. */
EXPORT struct heap *pyawait_heap(void *ring_callback, void *on_call, int stack_bytes) {
  static u32 last_heap; /* [atomic] */
  struct heap *heap = py.PyMem_RawMalloc(sizeof *heap);
  if (!heap) return 0;
  memset(heap, 0, sizeof *heap);
  heap->owner.id = __atomic_add_fetch(&last_heap, 1, __ATOMIC_RELAXED);
  heap->thread = py.PyThread_get_thread_ident();
  heap->bell = -1;
  heap->uses = 1;
  heap->stack_bytes = (size_t)stack_bytes;
  __builtin_memcpy(&heap->ring, &ring_callback, sizeof ring_callback);
  __builtin_memcpy(&heap->on_call, &on_call, sizeof on_call);
  if (!stack_bytes) {
    size_t size = 0;
    char *end = find_stack(&size);
    if (end) heap->stack_low = end + (size / 4 < STACK_RESERVE ? size / 4 : STACK_RESERVE);
  }
  heap->attachment = find_attachment();
  if (!heap->attachment) return 0;
  lock_registry();
  heap->next = heaps, heaps = heap;
  unlock_registry();
  return heap;
}

EXPORT int pyawait_heap_id(struct heap *heap) { return (int)heap->owner.id; }

/* This heap's JavaScript is ending (a Worker's), on its own thread. */
EXPORT void pyawait_heap_end(struct heap *heap) {
  detach_fully(heap);
  end_heap(heap);
}

EXPORT void pyawait_attach(struct heap *heap) { attach(heap); }
EXPORT void pyawait_detach(struct heap *heap) {
  if (heap->attachment->depth == 1) end_stays(heap);
  detach(heap);
}

/* A loop that stood still for this thread goes on. */
EXPORT void pyawait_end_stay(struct heap *heap, int id) { end_stay(heap, (u32)id); }

/* Synchronous operations ------------------------------------------------------------------------------------------ */

/* src/py's `entry`, borrowed for good: through it JavaScript gets every other function of that module. */
EXPORT PyObject *pyawait_entry(void) { return helper.entry; }

EXPORT void pyawait_invoke(struct heap *heap, int operation, const u8 *in, int length, u8 *out, int capacity) {
  invoke(heap, operation, in, (size_t)length, out, (size_t)capacity);
}

/* The outcome of the last invoke, where it did not fit. */
EXPORT int pyawait_overflow(struct heap *heap, u8 *out, int capacity) {
  int length = copy_out(out, capacity, heap->overflow, heap->overflow_length);
  py.PyMem_RawFree(heap->overflow);
  heap->overflow = 0;
  return length;
}

/* Copies the memory of a TAG_LARGE. Nobody writes to it. */
EXPORT void pyawait_copy(u8 *to, const u8 *from, int length) { memcpy(to, from, (size_t)length); }

/* In on_call: the record of the call, as pyawait_take gives it. */
EXPORT int pyawait_call_record(struct heap *heap, u8 *out, int capacity) {
  return copy_out(out, capacity, heap->call_record.data, heap->call_record.length);
}

/* JavaScript begins to serve a call whose record it has taken. */
EXPORT void pyawait_begin_call(struct heap *heap, int id) {
  lock_registry();
  struct js_call *call = find_call(heap, (u32)id);
  if (call) call->served = 1;
  unlock_registry();
}

/* Queues ---------------------------------------------------------------------------------------------------------- */

static int outbox_has_chunks(void *heap) {
  return __atomic_load_n(&((struct heap *)heap)->outbox, __ATOMIC_SEQ_CST) != 0;
}

/* An answer is near. JavaScript rings itself, on its own thread, which wakes nobody, and spins when it takes; until then it
   is not rung. (A timer of the runtime's in place of the bell could be a fake that never runs, and would take in the scope
   of whoever submits.) */
static void expect_records(struct heap *heap) {
  if (heap->spins || !may_spin(&heap->spinner)) return;
  __atomic_store_n(&heap->spins, 1, __ATOMIC_SEQ_CST);
  if (!ring_bell(heap)) __atomic_store_n(&heap->spins, 0, __ATOMIC_SEQ_CST);
}

/* Ends the expectation. */
static void spin_on_outbox(struct heap *heap) {
  int found = heap->taken || spin_until(outbox_has_chunks, heap, &heap->spinner);
  __atomic_store_n(&heap->spins, 0, __ATOMIC_SEQ_CST); /* what comes until now has not rung; it is taken next */
  count_spin(&heap->spinner, found);
}

/* Puts records into a loop's inbox, by one copy and at most one wake, without attaching. Where there is no such loop,
   what they lend is given back. */
EXPORT int pyawait_submit(struct heap *heap, int loop_id, const u8 *data, int length) {
  struct chunk *chunk = new_chunk(heap, data, (size_t)length);
  if (!chunk) return SUBMIT_NO_MEMORY;
  COUNT(COUNT_SUBMISSIONS);
  chunk->counts_use = loop_id != 0; /* the background loop reads that this heap has ended behind what it has sent */
  if (chunk->counts_use) add_use(heap);
  enum pushed pushed = push_to_loop((u32)loop_id, chunk);
  if (pushed == PUSHED_TO_SPINNING) expect_records(heap);
  if (pushed) return SUBMIT_DONE;
  if (chunk->counts_use) __atomic_sub_fetch(&heap->uses, 1, __ATOMIC_RELAXED); /* the heap's own is left */
  refuse_chunk(chunk);
  py.PyMem_RawFree(chunk);
  return SUBMIT_NO_LOOP;
}

/* How many bytes of this chunk's next records fit into `room`. */
static size_t fitting(const struct chunk *chunk, size_t room) {
  size_t fits = chunk->length - chunk->at;
  if (fits <= room) return fits;
  fits = 0;
  for (u32 size;; fits += size) {
    __builtin_memcpy(&size, chunk->data + chunk->at + fits, 4);
    if (fits + size > room) return fits;
  }
}

/* Whole records from the outbox, as many as fit: their length; 0: there are none; minus the length of the first where
   not even that fits. */
EXPORT int pyawait_take(struct heap *heap, u8 *out, int capacity) {
  size_t given = 0, room = (size_t)capacity;
  if (heap->spins) spin_on_outbox(heap);
  if (!heap->taken) heap->taken = take_all(&heap->outbox), COUNT(COUNT_TAKES);
  while (heap->taken) {
    struct chunk *chunk = heap->taken;
    size_t fits = fitting(chunk, room - given);
    memcpy(out + given, chunk->data + chunk->at, fits);
    given += fits, chunk->at += fits;
    if (chunk->at < chunk->length) {
      if (given) break;
      u32 size;
      __builtin_memcpy(&size, chunk->data + chunk->at, 4);
      return -(int)size;
    }
    heap->taken = chunk->next;
    py.PyMem_RawFree(chunk);
    if (!heap->taken && given < room / 2) heap->taken = take_all(&heap->outbox);
  }
  return (int)given;
}

EXPORT int pyawait_answer(struct heap *heap, int id, const u8 *data, int length) {
  enum answered answered = answer_call(heap, (u32)id, data, (size_t)length);
  if (answered == ANSWERED_SPINNING) expect_records(heap);
  return answered != ANSWERED_LATE;
}

/* For how many microseconds a thread spins. */
EXPORT void pyawait_set_spin(int microseconds) { set_spin(microseconds); }

/* The end --------------------------------------------------------------------------------------------------------- */

/* python.interrupt(): KeyboardInterrupt in Python's main thread, which may sleep (user code may have taken its wakeup
   fd), or block in a system call. Attaching afterwards makes 3.9 to 3.12 look at it. */
EXPORT void pyawait_interrupt(struct heap *heap) {
  py.PyErr_SetInterrupt();
  lock_registry();
  struct loop *background = find_loop(0);
  if (background) wake(background);
  if (background && background->thread) interrupt_system_call(background->thread);
  unlock_registry();
  attach(heap);
  detach(heap);
}

/* JavaScript listens to this signal, with a handler that the runtime may just have installed. Returns who has got how many
   of them, see listen_to_signal. */
EXPORT int pyawait_listen(int number) {
  lock_registry();
  u32 counts = listen_to_signal(number);
  unlock_registry();
  return (int)counts;
}

/* The end of the process: Python cancels its tasks and cleans up, without JavaScript, for at most `milliseconds`. */
EXPORT int pyawait_exit(struct heap *heap, int milliseconds) {
  if (__atomic_load_n(&python.state, __ATOMIC_ACQUIRE) != READY) return 0;
  closing_heap = heap;
  __atomic_store_n(&closing, 1, __ATOMIC_RELEASE);
  detach_fully(heap);
  lock_registry();
  for (struct loop *loop = loops; loop; loop = loop->next) wake(loop);
  unlock_registry();
  for (struct heap *each = newest_heap(); each; each = each->next) fail_calls(each);
  return py.PyThread_acquire_lock_timed(python.shut_down, (PY_TIMEOUT_T)milliseconds * 1000, 0);
}

/* After pyawait_exit: the process ends with this code, also where a Worker does not come back from Python. */
EXPORT void pyawait_exit_in_any_case(int code, int milliseconds) { exit_in_any_case(code, milliseconds); }

/* After pyawait_exit, where the process goes on: the other heaps hear that Python is closed. */
EXPORT void pyawait_tell_closed(struct heap *heap) {
  for (struct heap *each = newest_heap(); each; each = each->next)
    if (each != heap) send_number(each, OUT_LOOP_END, 0);
}

/* For tests: how long a message can be, instead of 2 GiB. */
EXPORT void pyawait_limit_messages(int bytes) { message_limit = (u32)bytes; }

EXPORT int pyawait_counters(u8 *out, int capacity) { return copy_out(out, capacity, counters, sizeof counters); }
