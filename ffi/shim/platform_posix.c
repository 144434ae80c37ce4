/* What the shim needs of POSIX: a thread, one byte through a pipe, and signals that two runtimes in one process share.
 *
 * Why C: signal handlers and a pipe's other end are used where neither JavaScript nor Python can run.
 *
 * A signal has one action per process. Node's, uvloop's and Python's handlers replace each other's without a word, so
 * an action that the host runtime relies on is kept here and put back, or called along with the other one.
 */
#include "posix.h"

static const char *resolve_system(symbol_finder find, void *library) {
#define FIND_SYSTEM(result, name, parameters) FIND(sys, name)
  SYSTEM(FIND_SYSTEM)
  return 0;
}

/* Where the functions of the program itself are found, the JavaScript runtime's: RTLD_DEFAULT looks everywhere. */
static void *program_of(void *libc) { return libc; }

static int start_thread(void *(*body)(void *)) {
  u64 attributes[16] = {0}; /* pthread_attr_t: 56 to 64 bytes where it is largest */
  void *thread = 0;
  if (sys.pthread_attr_init(attributes) || sys.pthread_attr_setstacksize(attributes, STACK_BYTES)) return -1;
  if (sys.pthread_create(&thread, attributes, body, 0)) return -1;
  return sys.pthread_detach(thread);
}

/* These ends do not block: a full pipe means that the other side has been told already. */
static void write_wake(long long pipe) { (void)!sys.write((int)pipe, "", 1); }
static void write_bell(long long pipe) { (void)!sys.write((int)pipe, "", 1); }
static void close_bell(long long pipe) { sys.close((int)pipe); }

/* Signals --------------------------------------------------------------------------------------------------------- */

/* SIGINT: `import asyncio` takes it over where it is at its default, as in Deno and Bun; it belongs to the runtime. */
static struct action interrupt_action;
static void save_interrupt_action(void) { sys.sigaction(SIGNAL_INTERRUPT, 0, &interrupt_action); }
static void restore_interrupt_action(void) { sys.sigaction(SIGNAL_INTERRUPT, &interrupt_action, 0); }

/* SIGCHLD: uvloop's libuv takes it over for its children and gives it up after them. Node's libuv does not notice and
   would never hear of Node's own children again. So both handlers are called, and Node's is asked to look once more. */
static struct action host_child_action;
static signal_handler host_child_handler, loop_child_handler;

static void on_child(int number) {
  if (host_child_handler) host_child_handler(number);
  if (loop_child_handler) loop_child_handler(number);
}

/* Remembers the host's SIGCHLD action; later it is put back, beside another loop's. */
static void keep_child_action(void) {
  struct action action = {{0}};
  if (sys.sigaction(SIGNAL_CHILD, 0, &action)) return;
  signal_handler handler = handler_of(&action);
  if (handler == on_child) return;
  if (!host_child_handler) { /* the first time: what is there is the host's */
    if (!is_function(handler)) return;
    host_child_action = action;
    host_child_handler = handler;
    return;
  }
  if (handler == host_child_handler) return;
  loop_child_handler = is_function(handler) ? handler : 0;
  action = host_child_action;
  set_handler(&action, loop_child_handler ? on_child : host_child_handler);
  sys.sigaction(SIGNAL_CHILD, &action, 0);
  sys.raise(SIGNAL_CHILD); /* for children that have ended in between */
}

/* Signals of Python's handlers. The system delivers a signal to any thread, mostly to JavaScript's. There it does not
   end a system call in which the loop thread blocks, and before Python 3.13 a busy loop thread does not see it
   either. */
static signal_handler python_handler;
static unsigned long signal_thread;

static void on_signal(int number) {
  if (number == SIGNAL_CHILD && host_child_handler) host_child_handler(number);
  if (py.PyThread_get_thread_ident() == signal_thread) python_handler(number);
  else sys.pthread_kill((void *)signal_thread, number);
}

/* Called on the loop thread after Python has installed its handler. */
static void forward_signal(int number) {
  struct action action = {{0}};
  if (sys.sigaction(number, 0, &action)) return;
  signal_handler handler = handler_of(&action);
  if (handler == on_signal || !is_function(handler)) return;
  python_handler = handler;
  signal_thread = py.PyThread_get_thread_ident();
  set_handler(&action, on_signal);
  sys.sigaction(number, &action, 0);
}

/* In a forked child the thread that has forked is Python's main thread. */
static void signals_forked(void) { signal_thread = py.PyThread_get_thread_ident(); }

static void on_nothing(int number) { (void)number; }

/* Ends a system call in which this thread blocks, with EINTR: Python then looks at its pending signals. SIGURG is
   ignored by default, and hardly a program handles it. */
static void interrupt_system_call(unsigned long thread) {
  struct action action = {{0}};
  if (sys.sigaction(SIGNAL_URGENT, 0, &action)) return;
  if (!is_function(handler_of(&action))) {
    struct action ours = {{0}};
    set_handler(&ours, on_nothing);
    sys.sigaction(SIGNAL_URGENT, &ours, 0);
  }
  sys.pthread_kill((void *)thread, SIGNAL_URGENT);
}
