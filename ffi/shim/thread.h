/* The loop thread: Python's main thread, which initialises it, runs src/py and is parked at the end.
 *
 * The one thing to know: the thread that calls Py_InitializeEx is the one that gets signals, so it is this one, and
 * JavaScript's threads only ever attach to what it has made.
 */
#ifndef PYAWAIT_THREAD_H
#define PYAWAIT_THREAD_H
#include "buffer.h"
#include "loop.h"

/* REFUSED: `_main` raised before its loop ran, say for a wrong `loop`. Python itself is fine, so the loop thread waits for
   another attempt. FAILED is for good, FOREIGN too: somebody else has initialised it. ENDED: the shutdown is through. */
enum state { UNOPENED, OPENING, READY, REFUSED, FAILED, FOREIGN, ENDED };

/* What JavaScript hands over at an open; the thread reads it while JavaScript waits. */
static struct {
  const char *executable, *source;
  const u8 *configuration;
  size_t configuration_length;
  int state;                             /* enum state; whoever makes it OPENING opens, and says what came of it */
  int outcome;                           /* of this attempt, by the loop thread; OPENING until then */
  const char *opener;                    /* of this attempt, in JavaScript's words; a copy that is never freed */
  PyThread_type_lock gate, again, ended; /* released with an outcome; for another attempt; when the shutdown is through */
  const char *problem;
  char message[2048]; /* of the exception that ended the start */
} process;

static void set_problem_from_exception(void) {
  PyObject *error = fetch_error(), *parts[2] = {(PyObject *)type_of(error), error};
  PyObject *label = py.PyObject_GetAttrString(parts[0], "__name__"), *text = 0;
  PyObject *builtins = py.PyEval_GetBuiltins(), *str = builtins ? py.PyDict_GetItemString(builtins, "str") : 0;
  if (str) text = call(str, &error, 1);
  char *at = process.message, *end = process.message + sizeof process.message - 3;
  for (int part = 0; part < 2; part++) {
    PyObject *object = part ? text : label;
    const char *bytes = object ? py.PyUnicode_AsUTF8AndSize(object, 0) : 0;
    while (bytes && *bytes && at < end) *at++ = *bytes++;
    if (!part) *at++ = ':', *at++ = ' ';
  }
  *at = 0;
  process.problem = process.message;
  release(label), release(text), release(error);
  py.PyErr_Clear();
}

static void end_attempt(int outcome) {
  process.outcome = outcome;
  py.PyThread_release_lock(process.gate);
}

/* ready(): the loop runs; JavaScript may go on. */
static PyObject *ready(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  restore_interrupt_action();
  if (process.outcome == OPENING) end_attempt(READY);
  return new_reference(None);
}

/* setup(namespace): the helpers of src/py. */
static PyObject *setup(PyObject *self, PyObject *namespace) {
  (void)self;
#define TAKE(field) \
  if (!(helper.field = py.PyDict_GetItemString(namespace, #field))) return raise(EXCEPTION(RuntimeError), "src/py has no " #field); \
  py.Py_IncRef(helper.field);
  HELPERS(TAKE)
  return new_reference(None);
}

/* keep_child_action(): the host's SIGCHLD action is remembered, or put back beside another loop's. */
static PyObject *keep_children(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  keep_child_action();
  return new_reference(None);
}

/* forward_signal(number): it is Python's from here on, on whatever thread it arrives. */
static PyObject *forward(PyObject *self, PyObject *number) {
  (void)self;
  forward_signal((int)py.PyLong_AsUnsignedLongLong(number));
  return new_reference(None);
}

/* closing(): whether the process (or python.close) wants Python to end. */
static PyObject *is_closing(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  return py.PyBool_FromLong(__atomic_load_n(&closing, __ATOMIC_ACQUIRE));
}

/* on_javascript(): whether this thread is JavaScript's own, inside a synchronous call. */
static PyObject *on_javascript(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  struct heap *heap;
  unsigned long thread = py.PyThread_get_thread_ident();
  lock_registry();
  for (heap = heaps; heap && (heap->thread != thread || __atomic_load_n(&heap->dead, __ATOMIC_ACQUIRE)); heap = heap->next);
  unlock_registry();
  return py.PyBool_FromLong(heap && heap->in->inside);
}

/* set_bell(heap, handle): where to write to ring this heap; what came before is rung now. */
static PyObject *set_bell(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = find_heap(argument_u32(tuple, 0));
  if (!heap) return new_reference(None);
  heap->bell = (long long)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(tuple, 1));
  if (__atomic_load_n(&heap->outbox, __ATOMIC_ACQUIRE)) ring(heap);
  return new_reference(None);
}

static PyMethodDef methods[] = {
  {"setup", setup, METH_O, 0}, {"ready", ready, METH_NOARGS, 0}, {"closing", is_closing, METH_NOARGS, 0},
  {"open_loop", open_loop, METH_VARARGS, 0}, {"close_loop", close_loop, METH_O, 0},
  {"call", call_js, METH_VARARGS, 0}, {"request", request, METH_VARARGS, 0}, {"abort", abort_request, METH_VARARGS, 0},
  {"give_up", give_up, METH_O, 0}, {"release", release_js, METH_VARARGS, 0}, {"event", send_event, METH_VARARGS, 0},
  {"item", send_item, METH_VARARGS, 0}, {"set_bell", set_bell, METH_VARARGS, 0}, {"forward_signal", forward, METH_O, 0}, {"keep_child_action", keep_children, METH_NOARGS, 0},
  {"on_javascript", on_javascript, METH_NOARGS, 0}, {"release_lock", release_lock, METH_O, 0},
};

static int make_names(void) {
#define MAKE(field) \
  if (!(name.field = py.PyUnicode_InternFromString(#field))) return -1;
  NAMES(MAKE)
  if (make_context_types() || make_lock_type() || make_task_keywords()) return -1;
  return (done_type = new_type("pyawait.DoneCallback", sizeof(struct done_callback), done_call, free_object)) ? 0 : -1;
}

/* Runs the chapters of src/py as the module `pyawait`, with the functions above in `_shim`; gives its namespace. */
static PyObject *run_source(void) {
  PyObject *module = py.PyImport_AddModule("pyawait"), *namespace = module ? py.PyModule_GetDict(module) : 0;
  PyObject *functions = namespace ? py.PyDict_New() : 0;
  if (!functions || py.PyDict_SetItemString(namespace, "_shim", functions)) return 0;
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    PyObject *function = py.PyCFunction_NewEx(&methods[i], 0, 0);
    if (!function || py.PyDict_SetItemString(functions, methods[i].ml_name, function)) return 0;
    py.Py_DecRef(function);
  }
  py.Py_DecRef(functions);
  py.PyDict_SetItemString(namespace, "__builtins__", py.PyEval_GetBuiltins());
  for (const char *at = process.source; *at;) {
    const char *label = at;
    while (*at++);
    PyObject *code = py.Py_CompileString(at, label, 257 /* Py_file_input */);
    PyObject *result = code ? py.PyEval_EvalCode(code, namespace, namespace) : 0;
    release(code);
    if (!result) return 0;
    py.Py_DecRef(result);
    while (*at++);
  }
  return namespace;
}

static int initialise(void) {
  static u64 preconfiguration[64]; /* PyPreConfig: 11 ints where it is largest */
  py.PyPreConfig_InitPythonConfig((PyPreConfig *)preconfiguration);
  PyStatus status = py.Py_PreInitialize((PyPreConfig *)preconfiguration);
  if (status._type) {
    process.problem = status.err_msg ? status.err_msg : "Py_PreInitialize failed";
    return -1;
  }
  wchar_t *program = py.Py_DecodeLocale(process.executable, 0);
  if (!program) {
    process.problem = "the path of the executable cannot be decoded";
    return -1;
  }
  if (*program) py.Py_SetProgramName(program);
  save_interrupt_action();
  py.Py_InitializeEx(0);
  if (!probe_type_offset()) {
    process.problem = "this Python keeps the type of its objects in a place that pyawait does not know";
    return -1;
  }
  return 0;
}

/* Keeps the GIL for ever: no daemon thread runs Python any more while the process is taken down around it. Only a Worker
   that was on its way into Python, or is in it, gets it once more: the process waits for its thread. */
static __attribute__((noreturn)) void park(void) {
  PyThread_type_lock forever = py.PyThread_allocate_lock();
  py.PyThread_acquire_lock(forever, 1);
  for (;;) {
    int others = 0, busy = 0;
    lock_registry();
    for (struct heap *heap = heaps; heap; heap = heap->next)
      if (heap != closer) others = 1, busy |= __atomic_load_n(&heap->in->busy, __ATOMIC_RELAXED);
    unlock_registry();
    PyThreadState *state = busy ? py.PyEval_SaveThread() : 0;
    if (others) py.PyThread_acquire_lock_timed(forever, 2000, 0);
    else py.PyThread_acquire_lock(forever, 1);
    if (state) py.PyEval_RestoreThread(state);
  }
}

/* The loop thread: Python's main thread, from its start until the process ends. */
static void *main_thread(void *unused) {
  (void)unused;
  if (initialise()) return end_attempt(FAILED), (void *)0;
  PyObject *namespace = make_names() ? 0 : run_source(), *main = namespace ? py.PyDict_GetItemString(namespace, "_main") : 0;
  while (main) {
    struct reader reader = {.at = process.configuration, .end = process.configuration + process.configuration_length};
    PyObject *configuration = decode(&reader), *result = configuration ? call(main, &configuration, 1) : 0;
    close_reader(&reader);
    release(configuration);
    if (result || process.outcome == READY) break;
    set_problem_from_exception();
    restore_interrupt_action();
    last_loop = 0; /* the background loop's number */
    PyThreadState *state = py.PyEval_SaveThread();
    end_attempt(REFUSED);
    py.PyThread_acquire_lock(process.again, 1);
    py.PyEval_RestoreThread(state);
  }
  if (!main) {
    set_problem_from_exception();
    restore_interrupt_action();
    end_attempt(FAILED);
    park();
  }
  for (struct loop *loop = loops; loop; loop = loop->next)
    if (!loop->id) flush_batch(loop); /* it goes round no more */
  __atomic_store_n(&process.state, ENDED, __ATOMIC_RELEASE);
  py.PyThread_release_lock(process.ended);
  park();
}

#endif
