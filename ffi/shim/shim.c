/* pyawait's native half: the thread that runs Python, and the queues through which it talks with JavaScript.
 *
 * Why C at all: Python's loop has to run on a thread of its own, and JavaScript's FFIs can neither make one nor be
 * entered from one safely. Everything that must happen without JavaScript is here; what is simplest in Python is in
 * src/py, what is simplest in TypeScript is in src/.
 *
 *    JavaScript thread                      this file                      loop thread (Python's main thread)
 *      pyawait_open      ─── starts ──────────────────────────────────►      initialises Python, runs src/py
 *      pyawait_invoke    ─── attaches, calls, detaches (synchronous)
 *      pyawait_submit    ─── inbox (queue.h) ─── wake ────────────────►      drain (loop.h)
 *      pyawait_take      ◄── outbox ─── bell ─────────────────────────       flush, call_js (calls.h)
 *
 * The one rule: JavaScript is never entered with the GIL held. It includes nothing but the files beside it and links
 * nothing, so one binary per platform serves every CPython, glibc and musl (see build.mjs).
 */
#include "thread.h"
#include "node_api.h"

#ifdef _WIN32
int _fltused = 0;
#endif

/* Compilers may call these two for copies of their own making. */
void *memcpy(void *restrict to, const void *restrict from, size_t length) {
  u8 *t = to;
  const u8 *f = from;
  for (; length >= 8; t += 8, f += 8, length -= 8) {
    u64 word;
    __builtin_memcpy(&word, f, 8);
    __builtin_memcpy(t, &word, 8);
  }
  while (length--) *t++ = *f++;
  return to;
}

void *memset(void *to, int value, size_t length) {
  for (volatile u8 *t = to; length--;) *t++ = (u8)value;
  return to;
}

static int give(u8 *out, int capacity, const void *data, size_t length) {
  if (length > (size_t)capacity) return -(int)length;
  memcpy(out, data, length);
  return (int)length;
}

/* Why an attempt has failed, for its thread alone: the next attempt may write another reason. */
static int tell_problem(u8 *out, int capacity, int answer) {
  const char *text = process.problem ? process.problem : "Python did not start";
  size_t length = 0;
  while (text[length] && length + 1 < (size_t)capacity) length++;
  memcpy(out, text, length);
  out[length] = 0;
  return answer;
}

/* Makes the attempt this thread's: the state before it. Any other state is an answer. */
static int begin_attempt(void) {
  for (;;) {
    int state = __atomic_load_n(&process.state, __ATOMIC_ACQUIRE);
    if (state == OPENING) continue; /* another Worker opens it: a moment */
    if (state != UNOPENED && state != REFUSED) return state;
    if (__atomic_compare_exchange_n(&process.state, &state, OPENING, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return state;
  }
}

static void keep_opener(const char *text) {
  size_t length = 0;
  while (text[length++]);
  char *copy = py.PyMem_RawMalloc(length);
  if (!copy) return;
  memcpy(copy, text, length);
  __atomic_store_n(&process.opener, copy, __ATOMIC_RELEASE);
}

/* The first attempt: a thread, and Python in it. OPENING, or what has come of it. */
static int start_python(void *find, void *library, void *system, const char *opener) {
  symbol_finder finder;
  *(void **)&finder = find;
  if ((process.problem = resolve(finder, library)) || (process.problem = resolve_system(finder, system))) return FAILED;
  resolve_node_api(finder, program_of(system));
  if (py.Py_IsInitialized()) return FOREIGN;
  keep_opener(opener);
  registry = py.PyThread_allocate_lock(), process.gate = py.PyThread_allocate_lock();
  process.again = py.PyThread_allocate_lock(), process.ended = py.PyThread_allocate_lock();
  py.PyThread_acquire_lock(process.gate, 1), py.PyThread_acquire_lock(process.again, 1), py.PyThread_acquire_lock(process.ended, 1);
  if (!start_thread(main_thread)) return OPENING;
  process.problem = "the system would not make a thread with a stack of 16 MiB";
  return FAILED;
}

/* Opens Python, once per process. 0: it is ready, 1: it was already (see pyawait_opener), 2: it has been closed; -1: it has
   failed, for good, -2: this attempt has, and the next may have another configuration; `problem` then says why, ended by
   NUL; -3: somebody else has initialised it. `texts` are the executable's path, what pyawait_opener gives, then a name and a
   source for each chapter of src/py, then nothing, each ended by NUL; `configuration` is one value on the wire. */
EXPORT int pyawait_open(void *find, void *library, void *system, const char *texts, const u8 *configuration, int length, u8 *problem, int capacity) {
  int state = begin_attempt();
  if (state == READY || state == ENDED) return state == ENDED || __atomic_load_n(&closing, __ATOMIC_ACQUIRE) ? 2 : 1;
  if (state == FAILED) return tell_problem(problem, capacity, -1);
  if (state == FOREIGN) return -3;
  process.executable = texts;
  while (*texts++);
  const char *opener = texts;
  while (*texts++);
  process.source = texts;
  process.configuration = configuration, process.configuration_length = (size_t)length;
  process.outcome = OPENING;
  if (state == REFUSED) keep_opener(opener), py.PyThread_release_lock(process.again);
  int outcome = state == REFUSED ? OPENING : start_python(find, library, system, opener);
  if (outcome == OPENING) py.PyThread_acquire_lock(process.gate, 1), outcome = process.outcome;
  int answer = outcome == READY ? 0 : outcome == FOREIGN ? -3 : tell_problem(problem, capacity, outcome == FAILED ? -1 : -2);
  state = OPENING;
  __atomic_compare_exchange_n(&process.state, &state, outcome, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE); /* unless it has ended */
  return answer;
}

/* Who has opened Python, or tries to, as its `texts` say; 0: nobody so far. */
EXPORT int pyawait_opener(u8 *out, int capacity) {
  const char *text = __atomic_load_n(&process.opener, __ATOMIC_ACQUIRE);
  size_t length = 0;
  while (text && text[length]) length++;
  return give(out, capacity, text, length);
}

/* A JavaScript heap joins, on its own thread. `ring` may be NULL: then Python is told of a pipe by set_bell. */
EXPORT struct heap *pyawait_heap(void *ring_callback, void *on_call, int stack_bytes) {
  static u32 last_heap;
  struct heap *heap = py.PyMem_RawMalloc(sizeof *heap);
  if (!heap) return 0;
  memset(heap, 0, sizeof *heap);
  heap->owner.id = __atomic_add_fetch(&last_heap, 1, __ATOMIC_RELAXED);
  heap->thread = py.PyThread_get_thread_ident();
  heap->bell = -1;
  heap->busy = 1;
  heap->stack_bytes = (size_t)stack_bytes;
  *(void **)&heap->ring = ring_callback;
  *(void **)&heap->on_call = on_call;
  py.PyGILState_Ensure(); /* never released: a fresh thread state at each call costs up to 300 µs on 3.14 */
  PyThreadState *state = py.PyEval_SaveThread();
  struct attachment *in = py.PyMem_RawMalloc(sizeof *in); /* outside of the lock: with tracemalloc it wants the GIL */
  if (!in) return 0;
  *in = (struct attachment){.state = state};
  lock_registry();
  for (struct heap *other = heaps; other && !heap->in; other = other->next)
    if (other->in->state == state) heap->in = other->in;
  int shared = heap->in != 0;
  if (!shared) heap->in = in;
  heap->next = heaps, heaps = heap;
  unlock_registry();
  if (shared) py.PyMem_RawFree(in);
  return heap;
}

EXPORT int pyawait_heap_id(struct heap *heap) { return (int)heap->owner.id; }

/* koffi runs C on a stack of its own; from 3.14 on Python has to be told where that is. */
static void protect_stack(struct heap *heap) {
  char here;
  char *at = (char *)(((size_t)&here + 4095) & ~(size_t)4095);
  struct attachment *in = heap->in;
  if (!heap->stack_bytes || !py.PyUnstable_ThreadState_SetStackProtection) return;
  size_t distance = at > in->stack_at ? (size_t)(at - in->stack_at) : (size_t)(in->stack_at - at);
  if (in->stack_at && distance < heap->stack_bytes / 4) return;
  size_t usable = heap->stack_bytes - (256u << 10);
  PyThreadState *state = in->state;
  if (!py.PyUnstable_ThreadState_SetStackProtection(state, at - usable, usable)) in->stack_at = at;
  else py.PyErr_Clear();
}

/* Attaches this heap's thread (takes the GIL), counted: the inner ones of nested attaches cost nothing. */
EXPORT void pyawait_attach(struct heap *heap) {
  struct attachment *in = heap->in;
  if (in->attached++) return;
  COUNT(attaches);
  __atomic_store_n(&in->busy, 1, __ATOMIC_RELAXED);
  py.PyEval_RestoreThread(in->state);
  protect_stack(heap);
}

EXPORT void pyawait_detach(struct heap *heap) {
  struct attachment *in = heap->in;
  if (--in->attached) return;
  in->state = py.PyEval_SaveThread();
  __atomic_store_n(&in->busy, 0, __ATOMIC_RELAXED);
}

/* src/py's `entry`, borrowed for ever: through it JavaScript gets every other function of that module. */
EXPORT PyObject *pyawait_entry(void) { return helper.entry; }

enum operation { DO_CALL, DO_GET, DO_COPY, DO_CALL_AND_COPY, DO_LOCK_BUFFER, DO_REFER, IN_CONTEXT = 8, IN_SCOPE = 16 };

/* The attribute, or TAG_MISSING for AttributeError and nothing else. */
static void get_attribute(struct writer *w, struct reader *r) {
  PyObject *object = decode(r), *attribute = object ? decode(r) : 0, *value = attribute ? py.PyObject_GetAttr(object, attribute) : 0;
  int missing = !value && attribute && py.PyErr_ExceptionMatches(EXCEPTION(AttributeError));
  release(object), release(attribute);
  if (!missing) encode_outcome(w, value);
  else py.PyErr_Clear(), write_u8(w, TAG_MISSING);
}

/* The object itself, by reference, where every other way out would give its value. */
static void refer(struct writer *w, struct reader *r) {
  PyObject *object = decode(r);
  if (object) encode_object(w, object, kinds_of(object) & ~(u32)KIND_JS);
  else encode_outcome(w, 0);
  release(object);
}

static void lock_for(struct writer *w, struct reader *r) {
  PyObject *object = decode(r);
  if (!object || lock_buffer(w, object)) encode_outcome(w, 0);
  release(object);
}

static void operate(struct writer *w, struct reader *r, int operation) {
  if (operation == DO_GET) get_attribute(w, r);
  else if (operation == DO_CALL) encode_outcome(w, decode_call(r));
  else if (operation == DO_LOCK_BUFFER) lock_for(w, r);
  else if (operation == DO_REFER) refer(w, r);
  else { /* i32 depth, u8 dict_as, then a value or a call: what toJs gives of it */
    w->depth = (int)read_u32(r), w->dict_as = read_u8(r);
    encode_outcome(w, operation == DO_COPY ? decode(r) : decode_call(r));
  }
}

/* ... in the scope whose number comes last; whether Python has kept that is written before the outcome. */
static void operate_in_scope(struct writer *w, struct reader *r, struct heap *heap, int operation) {
  if (!(operation & IN_SCOPE)) {
    operate(w, r, operation);
    return;
  }
  struct reader end = {.at = r->end, .end = r->end + 4};
  struct scope *made;
  int ended = 0;
  PyObject *token = enter_scope(heap, read_u32(&end), &made);
  if (!token) {
    encode_outcome(w, 0);
    return;
  }
  made->ended = &ended;
  operate(w, r, operation & ~IN_SCOPE);
  if (py.PyContextVar_Reset(scope_variable, token)) py.PyErr_Clear();
  py.Py_DecRef(token);
  if (!ended) made->ended = 0, w->data[4] = 1;
}

/* ... in a copy of the context that comes first (a property and a `__str__` are code as well). */
static void operate_in_context(struct writer *w, struct reader *r, struct heap *heap, int operation) {
  PyObject *given = decode(r), *context = given ? new_context(heap, given, 0) : 0;
  if (context && !py.PyContext_Enter(context)) operate_in_scope(w, r, heap, operation & ~IN_CONTEXT), py.PyContext_Exit(context);
  else encode_outcome(w, 0);
  release(given), release(context);
}

/* One synchronous operation: reads its arguments, writes the length of all (minus the length where `capacity` is too
   small: pyawait_overflow then gives it) and the outcome. It returns nothing, because V8 ends the process if a fast call
   that returns a value has called JavaScript and its caller is no longer valid (denoland/deno#31122). */
EXPORT void pyawait_invoke(struct heap *heap, int operation, const u8 *in, int length, u8 *out, int capacity) {
  struct reader r = {.at = in, .end = in + length};
  struct writer w = {.data = out, .lent = out, .capacity = (size_t)capacity, .owner = &heap->owner};
  reserve(&w, 4);
  pyawait_attach(heap);
  heap->in->inside++;
  if (operation & IN_SCOPE) r.end -= 4, write_u8(&w, 0);
  if (operation & IN_CONTEXT) operate_in_context(&w, &r, heap, operation);
  else operate_in_scope(&w, &r, heap, operation);
  close_reader(&r);
  operation &= ~(IN_CONTEXT | IN_SCOPE);
  if (operation == DO_CALL || operation == DO_CALL_AND_COPY) nudge_loops(r.touched);
  heap->in->inside--;
  pyawait_detach(heap);
  int total = w.data == out ? (int)w.length : -(int)w.length;
  __builtin_memcpy(out, &total, 4);
  if (w.data == out) return;
  py.PyMem_RawFree(heap->overflow);
  heap->overflow = w.data, heap->overflow_length = w.length;
}

EXPORT int pyawait_overflow(struct heap *heap, u8 *out, int capacity) {
  int length = give(out, capacity, heap->overflow, heap->overflow_length);
  py.PyMem_RawFree(heap->overflow);
  heap->overflow = 0;
  return length;
}

/* Puts records into a loop's inbox, by one copy and at most one wake, without attaching. -1: there is no such loop. */
EXPORT int pyawait_submit(struct heap *heap, int loop_id, const u8 *data, int length) {
  struct chunk *chunk = new_chunk(heap, data, (size_t)length);
  if (!chunk) return -1;
  COUNT(submissions);
  chunk->counted = loop_id != 0; /* the background loop reads in order what is sent and that this heap has ended */
  if (chunk->counted) __atomic_add_fetch(&heap->busy, 1, __ATOMIC_ACQ_REL);
  if (push_to_loop((u32)loop_id, chunk)) return 0;
  if (chunk->counted) __atomic_sub_fetch(&heap->busy, 1, __ATOMIC_ACQ_REL);
  py.PyMem_RawFree(chunk);
  return -1;
}

/* Whole records from the outbox, as many as fit: their length, 0 when there are none, minus the length of the first
   where not even that fits. */
EXPORT int pyawait_take(struct heap *heap, u8 *out, int capacity) {
  if (!heap->taken) heap->taken = take_all(&heap->outbox), COUNT(takes);
  size_t given = 0;
  while (heap->taken) {
    struct chunk *chunk = heap->taken;
    size_t fits = chunk->length - chunk->at;
    if (fits > (size_t)capacity - given) { /* record by record */
      fits = 0;
      for (u32 size; chunk->at + fits < chunk->length; fits += size) {
        __builtin_memcpy(&size, chunk->data + chunk->at + fits, 4);
        if (fits + size > (size_t)capacity - given) {
          if (!given && !fits) return -(int)size;
          break;
        }
      }
    }
    memcpy(out + given, chunk->data + chunk->at, fits);
    given += fits, chunk->at += fits;
    if (chunk->at < chunk->length) break;
    heap->taken = chunk->next;
    py.PyMem_RawFree(chunk);
    if (!heap->taken && given < (size_t)capacity / 2) heap->taken = take_all(&heap->outbox);
  }
  return (int)given;
}

/* In on_call: the record of the call, as pyawait_take gives it. */
EXPORT int pyawait_call_record(struct heap *heap, u8 *out, int capacity) { return give(out, capacity, heap->call_record.data, heap->call_record.length); }

EXPORT int pyawait_answer(struct heap *heap, int id, const u8 *data, int length) { return answer_call(heap, (u32)id, data, (size_t)length); }

/* python.interrupt(): KeyboardInterrupt in Python's main thread. Attaching afterwards makes 3.9 to 3.12 look at it. */
EXPORT void pyawait_interrupt(struct heap *heap) {
  py.PyErr_SetInterrupt();
  lock_registry();
  struct loop *loop = loops;
  while (loop && loop->id) loop = loop->next;
  if (loop) wake(loop), break_call(loop->thread); /* it may sleep, and user code may have taken the wakeup fd; or block */
  unlock_registry();
  pyawait_attach(heap);
  pyawait_detach(heap);
}

/* The end of the process: Python cancels its tasks and cleans up, without JavaScript, for at most `milliseconds`. */
EXPORT int pyawait_exit(struct heap *heap, int milliseconds) {
  if (__atomic_load_n(&process.state, __ATOMIC_ACQUIRE) != READY) return 0;
  closer = heap;
  __atomic_store_n(&closing, 1, __ATOMIC_RELEASE);
  detach_wholly(heap);
  lock_registry();
  struct heap *each = heaps;
  for (struct loop *loop = loops; loop; loop = loop->next) wake(loop);
  unlock_registry();
  for (; each; each = each->next) fail_calls(each);
  return py.PyThread_acquire_lock_timed(process.ended, (PY_TIMEOUT_T)milliseconds * 1000, 0);
}

/* After pyawait_exit, where the process goes on: the other heaps hear that Python is closed. */
EXPORT void pyawait_tell_closed(struct heap *heap) {
  lock_registry();
  struct heap *each = heaps;
  unlock_registry();
  for (; each; each = each->next)
    if (each != heap) send_number(each, OUT_LOOP_END, 0);
}

/* This heap's JavaScript is ending (a Worker's), on its own thread. */
EXPORT void pyawait_heap_end(struct heap *heap) {
  detach_wholly(heap);
  end_heap(heap);
}

EXPORT int pyawait_counters(u8 *out, int capacity) { return give(out, capacity, &counters, sizeof counters); }
