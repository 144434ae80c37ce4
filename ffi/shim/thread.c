/* The loop thread: Python's main thread, which initialises it, runs src/py, and is parked at the end.
 *
 * Why C: no FFI can make a thread, and this one must run while the JavaScript thread waits for it to open Python.
 *
 * The thread that calls Py_InitializeEx is the one on which Python handles signals, so it is this one. Py_FinalizeEx is
 * never called: with foreign threads alive it is what crashes.
 */
#include "shim.h"

/* "TypeError: …" of the current exception, as the attempt's problem. */
static void keep_problem(void) {
  PyObject *error = fetch_error();
  PyObject *parts[2] = {py.PyObject_GetAttrString((PyObject *)type_of(error), "__name__"), py.PyObject_Str(error)};
  char *at = python.message, *end = python.message + sizeof python.message - 3;
  for (int part = 0; part < 2; part++) {
    const char *bytes = parts[part] ? py.PyUnicode_AsUTF8AndSize(parts[part], 0) : 0;
    while (bytes && *bytes && at < end) *at++ = *bytes++;
    if (!part) *at++ = ':', *at++ = ' ';
    release(parts[part]);
  }
  *at = 0;
  python.problem = python.message;
  release(error);
  py.PyErr_Clear();
}

static void end_attempt(enum state outcome) {
  python.outcome = outcome;
  py.PyThread_release_lock(python.attempted);
}

/* What src/py finds in `_shim` ------------------------------------------------------------------------------------ */

/* ready(): the loop runs, and JavaScript may go on. */
static PyObject *shim_ready(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  if (python.outcome == OPENING) end_attempt(READY);
  return new_reference(None);
}

/* setup(namespace): takes the helpers. */
static PyObject *shim_setup(PyObject *self, PyObject *namespace) {
  (void)self;
#define TAKE(field)                                                       \
  if (!(helper.field = py.PyDict_GetItemString(namespace, #field)))       \
    return raise_error(EXCEPTION(RuntimeError), "src/py has no " #field); \
  py.Py_IncRef(helper.field);
  HELPERS(TAKE)
  return new_reference(None);
}

/* keep_child_action(): remembers the host's SIGCHLD action, or puts it back beside another loop's. */
static PyObject *shim_keep_child_action(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  keep_child_action();
  return new_reference(None);
}

/* read_host_signal(number): remembers the host's action for it, before Python replaces it. */
static PyObject *shim_read_host_signal(PyObject *self, PyObject *number) {
  (void)self;
  lock_registry();
  read_host_signal((int)py.PyLong_AsUnsignedLongLong(number));
  unlock_registry();
  return new_reference(None);
}

/* share_signal(number, owner, chain): says whose it is from now on, see signals_posix.c. */
static PyObject *shim_share_signal(PyObject *self, PyObject *tuple) {
  (void)self;
  lock_registry();
  share_signal((int)argument_u32(tuple, 0), (enum signal_owner)argument_u32(tuple, 1), (int)argument_u32(tuple, 2));
  unlock_registry();
  return new_reference(None);
}

/* closing(): whether Python is to end, with the process or by python.close. */
static PyObject *shim_closing(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  return py.PyBool_FromLong(is_closing());
}

/* on_javascript(): whether this is a JavaScript thread inside a synchronous call. */
static PyObject *shim_on_javascript(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  struct heap *heap = heap_on_thread(py.PyThread_get_thread_ident());
  return py.PyBool_FromLong(heap && heap->attachment->invokes);
}

/* set_bell(heap, handle): where to write to ring this heap. What has come before is rung now. */
static PyObject *shim_set_bell(PyObject *self, PyObject *tuple) {
  (void)self;
  struct heap *heap = find_heap(argument_u32(tuple, 0));
  if (!heap) return new_reference(None);
  long long bell = (long long)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(tuple, 1));
  __atomic_store_n(&heap->bell, bell, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&heap->outbox, __ATOMIC_SEQ_CST)) ring(heap);
  return new_reference(None);
}

static PyMethodDef methods[] = {
  {"setup", shim_setup, METH_O, 0},
  {"ready", shim_ready, METH_NOARGS, 0},
  {"closing", shim_closing, METH_NOARGS, 0},
  {"open_loop", shim_open_loop, METH_VARARGS, 0},
  {"move_background", shim_move_background, METH_VARARGS, 0},
  {"close_loop", shim_close_loop, METH_O, 0},
  {"call", shim_call, METH_VARARGS, 0},
  {"request", shim_request, METH_VARARGS, 0},
  {"abort", shim_abort, METH_VARARGS, 0},
  {"give_up", shim_give_up, METH_VARARGS, 0},
  {"release", shim_release, METH_VARARGS, 0},
  {"event", shim_event, METH_VARARGS, 0},
  {"item", shim_item, METH_VARARGS, 0},
  {"set_bell", shim_set_bell, METH_VARARGS, 0},
  {"read_host_signal", shim_read_host_signal, METH_O, 0},
  {"share_signal", shim_share_signal, METH_VARARGS, 0},
  {"save_faults", shim_save_faults, METH_NOARGS, 0},
  {"guard_faults", shim_guard_faults, METH_NOARGS, 0},
  {"ignore_keys", shim_ignore_keys, METH_O, 0},
  {"stream_for_child", shim_stream_for_child, METH_O, 0},
  {"keep_child_action", shim_keep_child_action, METH_NOARGS, 0},
  {"on_javascript", shim_on_javascript, METH_NOARGS, 0},
  {"release_lock", shim_release_lock, METH_O, 0},
};

/* From the start of Python to its end ----------------------------------------------------------------------------- */

static int initialise(void) {
  static u64 preconfiguration[64]; /* PyPreConfig: 11 ints where it is largest */
  py.PyPreConfig_InitPythonConfig((PyPreConfig *)preconfiguration);
  PyStatus status = py.Py_PreInitialize((PyPreConfig *)preconfiguration);
  wchar_t *program = status._type ? 0 : py.Py_DecodeLocale(python.executable, 0);
  python.problem = status._type ? status.err_msg ? status.err_msg : "Py_PreInitialize failed"
                   : !program   ? "the path of the executable cannot be decoded"
                                : 0;
  if (python.problem) return -1;
  if (*program) py.Py_SetProgramName(program);
  save_interrupt_action();
  save_fault_actions();
  py.Py_InitializeEx(0);
  guard_faults(); /* PYTHONFAULTHANDLER or PYTHONDEVMODE may have enabled it */
  if (probe_layout()) return probe_text(), 0;
  python.problem = "this Python keeps the type of its objects in a place that pyawait does not know";
  return -1;
}

/* Tells Python that its main thread runs its program, as `python` does: debuggers and profilers outside of the process
   (pdb -p, sys.remote_exec, python -m asyncio ps, profiling.sampling) look for that thread. */
static void tell_running_main(void) {
  if (!py._PyInterpreterState_SetRunningMain || !py.PyInterpreterState_Get) return;
  if (py._PyInterpreterState_SetRunningMain(py.PyInterpreterState_Get())) py.PyErr_Clear();
}

static int make_names_and_types(void) {
#define MAKE(field)                                                     \
  if (!(name.field = py.PyUnicode_InternFromString(#field))) return -1;
  NAMES(MAKE)
  return make_scope_type() || make_lock_type() || make_frame_type() || make_task_types() || make_visit_type() ? -1 : 0;
}

/* A list of the texts from `at` to an empty one, as str. */
static PyObject *list_texts(const char *at) {
  PyObject *list = py.PyList_New(0);
  for (; list && *at; at += text_length(at) + 1) {
    PyObject *text = py.PyUnicode_FromString(at);
    int failed = !text || py.PyList_Append(list, text);
    release(text);
    if (failed) return release(list), (PyObject *)0;
  }
  return list;
}

/* Runs src/py as the module `pyawait`, with the functions above in `_shim`; its namespace, borrowed. The first chapter
   is compiled and run here, and runs those in `_texts`. */
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
  const char *label = python.source, *text = label + text_length(label) + 1;
  PyObject *folder = py.PyUnicode_FromString(python.code_folder), *texts = list_texts(text + text_length(text) + 1);
  int failed = !folder || !texts || py.PyDict_SetItemString(namespace, "_code_folder", folder) ||
               py.PyDict_SetItemString(namespace, "_texts", texts) ||
               py.PyDict_SetItemString(namespace, "__builtins__", py.PyEval_GetBuiltins());
  release(folder), release(texts);
  PyObject *code = failed ? 0 : py.Py_CompileString(text, label, Py_file_input);
  PyObject *result = code ? py.PyEval_EvalCode(code, namespace, namespace) : 0;
  release(code), release(result);
  return result ? namespace : 0;
}

/* Whether a thread of JavaScript, beside the one that ends Python, is inside Python or on its way into it. */
static int is_worker_inside(void) {
  int inside = 0;
  for (struct heap *heap = newest_heap(); heap; heap = heap->next)
    if (heap != closing_heap) inside |= __atomic_load_n(&heap->attachment->wants_gil, __ATOMIC_RELAXED);
  return inside;
}

static int has_workers(void) {
  struct heap *newest = newest_heap();
  return newest && newest->next;
}

static struct {
  int code, milliseconds;
} last_resort;

/* Ends the process when a Worker has been inside Python for so long after Python's end. */
static void *watch_end(void *unused) {
  (void)unused;
  const int step = 100;
  PyThread_type_lock never = py.PyThread_allocate_lock();
  py.PyThread_acquire_lock(never, 1);
  for (int inside = 0; inside < last_resort.milliseconds;) {
    py.PyThread_acquire_lock_timed(never, step * 1000, 0);
    inside = is_worker_inside() ? inside + step : 0;
  }
  exit_now(last_resort.code);
  return 0;
}

/* Node waits for the threads of its Workers, and nothing can stop what Python runs there. */
static void exit_in_any_case(int code, int milliseconds) {
  if (last_resort.milliseconds || !has_workers()) return;
  last_resort.code = code, last_resort.milliseconds = milliseconds;
  start_thread(watch_end);
}

/* Keeps the GIL for good: no daemon thread runs Python any more while the process is taken down around it. A Worker
   that was on its way into Python, or is in it, still gets it: the process waits for the Worker's thread. */
static __attribute__((noreturn)) void park(void) {
  PyThread_type_lock forever = py.PyThread_allocate_lock();
  py.PyThread_acquire_lock(forever, 1);
  for (;;) {
    PyThreadState *state = is_worker_inside() ? py.PyEval_SaveThread() : 0;
    if (has_workers()) py.PyThread_acquire_lock_timed(forever, 2000, 0);
    else py.PyThread_acquire_lock(forever, 1);
    if (state) py.PyEval_RestoreThread(state);
  }
}

/* Runs `_main` with the configuration; 0: it has raised. */
static int run_main(PyObject *main) {
  struct reader reader = {.at = python.configuration, .end = python.configuration + python.configuration_length};
  PyObject *configuration = decode(&reader), *result = configuration ? vectorcall(main, &configuration, 1) : 0;
  close_reader(&reader);
  release(configuration);
  return result != 0;
}

/* The attempt has failed before the loop ran: tells JavaScript, and waits for another one. */
static void await_attempt(void) {
  keep_problem();
  PyThreadState *state = py.PyEval_SaveThread();
  end_attempt(REFUSED);
  py.PyThread_acquire_lock(python.next_attempt, 1);
  py.PyEval_RestoreThread(state);
}

static void *loop_thread(void *unused) {
  (void)unused;
  if (initialise()) return end_attempt(FAILED), (void *)0;
  tell_running_main();
  PyObject *namespace = make_names_and_types() ? 0 : run_source();
  PyObject *main = namespace ? py.PyDict_GetItemString(namespace, "_main") : 0;
  restore_interrupt_action();
  if (!main) {
    keep_problem();
    end_attempt(FAILED);
    park();
  }
  while (!run_main(main) && python.outcome != READY) await_attempt();
  lock_registry();
  struct loop *background = find_loop(0);
  unlock_registry();
  if (background) flush_batch(background); /* the loop does not go round any more */
  __atomic_store_n(&python.state, ENDED, __ATOMIC_RELEASE);
  py.PyThread_release_lock(python.shut_down);
  park();
}
