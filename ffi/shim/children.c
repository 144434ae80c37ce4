/* Children of this process: a forked one has no JavaScript, and every one gets the process's three streams, blocking.
 *
 *    fork            prepare_fork ─► parent_forked in the parent, child_forked in the child (pthread_atfork)
 *    vfork, spawn    run no such handlers: src/py/children.py asks for a child's streams before it starts one
 *
 * Why C: the child of a process with threads may call only what is safe in a signal handler, before Python goes on.
 *
 * Node sets FD_CLOEXEC on the descriptors 0 to 2, and libuv makes pipes, sockets and terminals O_NONBLOCK. That flag
 * belongs to the open file description, which a child shares: most programs take EAGAIN for a failure and lose output.
 * Clearing it for the child would block JavaScript's thread, so the child gets a description of its own.
 */
#include "shim.h"

#ifdef _WIN32
static void ignore_keys(int ignore) { (void)ignore; }
static void watch_forks(symbol_finder find, void *library) { (void)find, (void)library; }
static int stream_for_child(int stream) { return stream; }
#else

enum { GET_DESCRIPTOR_FLAGS = 1, SET_DESCRIPTOR_FLAGS, GET_STATUS_FLAGS, SET_STATUS_FLAGS }; /* of fcntl */
enum { CLOSE_ON_EXEC = 1, ACCESS_MODE = 3, FROM_HERE = 1 };
#ifdef __APPLE__
enum { NONBLOCK = 4 };
#else
enum { NONBLOCK = 04000, OPEN_FLAGS = NONBLOCK | 0400 /* O_NOCTTY */ | 02000000 /* O_CLOEXEC */ };
#endif

/* Opens a stream once more, with a description of its own; -1: it cannot be, as a socket. O_NONBLOCK, because to open
   a pipe that nobody reads would block. */
static int open_again(int stream, int flags) {
#ifdef __APPLE__
  return (void)stream, (void)flags, -1; /* what is opened in /dev/fd shares the description */
#else
  char path[] = "/proc/self/fd/0";
  path[sizeof path - 2] = (char)('0' + stream);
  int copy = sys.open(path, (flags & ACCESS_MODE) | OPEN_FLAGS);
  if (copy >= 0) sys.fcntl(copy, SET_STATUS_FLAGS, flags & ~NONBLOCK);
  return copy;
#endif
}

static void keep_open_on_exec(int stream) {
  int flags = sys.fcntl(stream, GET_DESCRIPTOR_FLAGS);
  if (flags >= 0) sys.fcntl(stream, SET_DESCRIPTOR_FLAGS, flags & ~CLOSE_ON_EXEC);
}

/* A descriptor with which a child can wait for this stream: a new one, or the stream itself; -1: it is closed. Where
   the stream has to stay shared, it becomes blocking for both, as with `stdio: "inherit"` of node:child_process. */
static int stream_for_child(int stream) {
  int flags = sys.fcntl(stream, GET_STATUS_FLAGS);
  if (flags < 0) return -1;
  keep_open_on_exec(stream);
  if (!(flags & NONBLOCK) || sys.lseek(stream, 0, FROM_HERE) >= 0) return stream; /* a file never blocks */
  int copy = open_again(stream, flags);
  if (copy >= 0) return copy;
  sys.fcntl(stream, SET_STATUS_FLAGS, flags & ~NONBLOCK);
  return stream;
}

/* While os.system waits, as in C's system(): SIGINT and SIGQUIT of the terminal's keys are for the child. */
static void ignore_keys(int ignore) {
  static struct action before[2]; /* [GIL] */
  static int waiting;             /* [GIL] calls of os.system */
  struct action ignored = {{0}};
  set_handler(&ignored, IGNORE);
  if (ignore ? waiting++ : --waiting) return;
  for (int i = 0; i < 2; i++) {
    int number = i ? SIGNAL_QUIT : SIGNAL_INTERRUPT;
    sys.sigaction(number, ignore ? &ignored : &before[i], ignore ? &before[i] : 0);
  }
}

/* Whether this thread runs Python's code, and not JavaScript's. For signal handlers and forked children, so without a
   lock: the thread's own heaps are linked, and stay linked. */
static int in_python(void) {
  if (!py.PyGILState_GetThisThreadState()) return 0;
  unsigned long thread = py.PyThread_get_thread_ident();
  struct heap *heap = __atomic_load_n(&heaps, __ATOMIC_RELAXED);
  while (heap && (heap->thread != thread || has_ended(heap))) heap = heap->next;
  return !heap || heap->attachment->depth > 0;
}

static void prepare_fork(void) { lock_registry(); }
static void parent_forked(void) { unlock_registry(); }

/* JavaScript's own children need no streams of ours. */
static void child_forked(void) {
  unlock_registry();
  forked = 1;
  signals_forked();
  if (!in_python()) return;
  for (int stream = 0; stream <= 2; stream++) {
    int copy = stream_for_child(stream);
    if (copy > 2) sys.dup2(copy, stream), sys.close(copy);
  }
}

/* glibc has pthread_atfork in its static part only, which calls __register_atfork. */
static void watch_forks(symbol_finder find, void *library) {
  int (*watch)(void (*)(void), void (*)(void), void (*)(void), void *);
  for (int stream = 0; stream <= 2; stream++) keep_open_on_exec(stream); /* for C code that starts one without fork */
  if (!(*(void **)&watch = find(library, "__register_atfork"))) *(void **)&watch = find(library, "pthread_atfork");
  if (watch) watch(prepare_fork, parent_forked, child_forked, 0);
}
#endif

/* ignore_keys(whether) */
static PyObject *shim_ignore_keys(PyObject *self, PyObject *whether) {
  (void)self;
  ignore_keys(py.PyObject_IsTrue(whether));
  return new_reference(None);
}

/* stream_for_child(stream) */
static PyObject *shim_stream_for_child(PyObject *self, PyObject *stream) {
  (void)self;
  return py.PyLong_FromLongLong(stream_for_child((int)py.PyLong_AsUnsignedLongLong(stream)));
}
