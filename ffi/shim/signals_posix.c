/* Signals, which the JavaScript runtime and Python share.
 *
 * Why C: signal handlers run where neither JavaScript nor Python can.
 *
 * A signal has one action per process, and whoever sets one replaces the other's without a word. While Python handles a
 * signal, on_signal stands in front of what the host has there, and both get it:
 *
 *    the system ──► on_signal, on any thread ──► the host's handler, if JavaScript listens
 *                        │ pthread_kill
 *                        └──► on_signal, on the loop thread ──► Python's handler in C, which notes the signal
 *
 * src/py/signals.py decides who handles a signal; src/async/signals.ts tells when JavaScript starts to listen.
 */
#include "shim.h"

/* Whether JavaScript listens: runtimes install such handlers with SA_RESTART, and those of their own defaults (Node's
   for SIGINT and SIGTERM, which end the process, and for SIGUSR1, which starts the debugger) without. */
static int is_listener(const struct action *action) {
  return is_function(handler_of(action)) && flags_of(action) & SA_RESTARTS;
}

/* SIGINT: `import asyncio` takes it over where it is at its default, as in Deno and Bun; it belongs to the runtime. */
static struct action interrupt_action;
static void save_interrupt_action(void) { sys.sigaction(SIGNAL_INTERRUPT, 0, &interrupt_action); }
static void restore_interrupt_action(void) { sys.sigaction(SIGNAL_INTERRUPT, &interrupt_action, 0); }

/* SIGCHLD: uvloop's libuv takes it over for its children and gives it up after them. Node's libuv does not notice and
   would never hear of Node's own children again. So both handlers are called, and Node's is asked to look once more. */
static struct action host_child_action;
static signal_handler host_child_handler, loop_child_handler;

static void on_child(int number, void *info, void *context) {
  if (host_child_handler) host_child_handler(number, info, context);
  if (loop_child_handler) loop_child_handler(number, info, context);
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

/* Signals that Python handles ------------------------------------------------------------------------------------- */

enum { SIGNALS = 65 };

/* [registry]; on_signal reads the members that are atomic. */
static struct shared_signal {
  enum signal_owner owner;
  int known;              /* `host` has been read */
  int chains;             /* the host's handler may be called while Python has the signal */
  int host_keeps;         /* the host's handler stays for ever (Deno) */
  struct action host;     /* what the host had there last */
  signal_handler chained; /* [atomic] the host's handler, if it is to be called too */
  int handled;            /* [atomic] Python has a handler */
  int forwarded;          /* [atomic] sent on to the loop thread, after the host's handler was called */
  u32 unclaimed;          /* [atomic] how many only the host has got, since JavaScript listened for us */
  int claimed;            /* [atomic] the host's handler has been called for one that Python has got */
  unsigned long chaining; /* [atomic] the thread that calls the host's handler */
} shared_signals[SIGNALS];

static signal_handler python_handler; /* [registry] the same for all signals */
static struct action our_action;      /* [registry] Python's, with on_signal as the handler */
static unsigned long signal_thread;

/* The system delivers a signal to any thread, mostly to JavaScript's. There it does not end a system call in which the
   loop thread blocks, and before Python 3.13 a busy loop thread does not see it either. */
static void on_signal(int number, void *info, void *context) {
  struct shared_signal *shared = &shared_signals[number];
  unsigned long thread = py.PyThread_get_thread_ident();
  /* Deno's handler calls the one that it has replaced, which may be this one. */
  if (__atomic_load_n(&shared->chaining, __ATOMIC_RELAXED) == thread) return;
  int on_loop = thread == signal_thread;
  signal_handler host = __atomic_load_n(&shared->chained, __ATOMIC_ACQUIRE);
  if (host && !(on_loop && __atomic_exchange_n(&shared->forwarded, 0, __ATOMIC_ACQ_REL))) {
    if (__atomic_load_n(&shared->handled, __ATOMIC_ACQUIRE)) __atomic_store_n(&shared->claimed, 1, __ATOMIC_RELAXED);
    else __atomic_add_fetch(&shared->unclaimed, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&shared->chaining, thread, __ATOMIC_RELAXED);
    host(number, info, context);
    __atomic_store_n(&shared->chaining, 0, __ATOMIC_RELAXED);
  }
  if (!__atomic_load_n(&shared->handled, __ATOMIC_ACQUIRE)) return;
  if (on_loop) {
    python_handler(number, info, context);
  } else {
    __atomic_store_n(&shared->forwarded, host != 0, __ATOMIC_RELEASE);
    sys.pthread_kill((void *)signal_thread, number);
  }
}

/* Whether the action is Python's or ours. JavaScript may listen while Python is about to change its handler, so neither
   must be taken for the host's. */
static int is_pythons(const struct shared_signal *shared, signal_handler handler) {
  if (handler == IGNORE) return shared->known && shared->owner == OWNER_NONE;
  return handler == on_signal || (python_handler && handler == python_handler);
}

static void read_host_signal(int number) {
  struct shared_signal *shared = &shared_signals[number];
  struct action action = {{0}};
  if (sys.sigaction(number, 0, &action) || is_pythons(shared, handler_of(&action))) return;
  shared->host = action;
  shared->known = 1;
}

static void ignore_signal(int number) {
  struct action action = {{0}};
  set_handler(&action, IGNORE);
  sys.sigaction(number, &action, 0);
}

static void chain_host(struct shared_signal *shared) {
  int chain = shared->chains && is_listener(&shared->host);
  __atomic_store_n(&shared->chained, chain ? handler_of(&shared->host) : 0, __ATOMIC_RELEASE);
}

/* Puts on_signal in front of the host's handler after Python has given the signal up. The host may call its listeners
   once for two signals, one of Python's and one that came later; `unclaimed` tells them apart. */
static void count_for_host(int number) {
  struct action action = shared_signals[number].host;
  set_handler(&action, on_signal);
  set_flags(&action, flags_of(&action) | SA_WITH_INFO);
  sys.sigaction(number, &action, 0);
}

/* Gives the signal to `owner`. The host's action was read before, and now Python's handler is installed, whoever owns it.
   `chain`: call the host's handler too, if JavaScript listens; 0 on Deno, whose handler does not tell. */
static void share_signal(int number, enum signal_owner owner, int chain) {
  struct shared_signal *shared = &shared_signals[number];
  struct action action = {{0}};
  if (!shared->known || sys.sigaction(number, 0, &action)) return;
  if (!python_handler) {
    python_handler = handler_of(&action);
    signal_thread = py.PyThread_get_thread_ident();
    our_action = action;
    set_handler(&our_action, on_signal);
    set_flags(&our_action, flags_of(&action) | SA_WITH_INFO);
  }
  read_host_signal(number); /* JavaScript may have begun to listen since */
  shared->chains = chain || (shared->chains && owner != OWNER_NONE);
  shared->host_keeps = !chain;
  shared->owner = owner;
  chain_host(shared);
  __atomic_store_n(&shared->handled, owner == OWNER_PYTHON, __ATOMIC_RELEASE);
  if (owner == OWNER_PYTHON) sys.sigaction(number, &our_action, 0);
  else if (owner == OWNER_NONE && !shared->chained) ignore_signal(number);
  else if (owner == OWNER_HOST && shared->chained && shared->host_keeps) count_for_host(number);
  else sys.sigaction(number, &shared->host, 0);
}

/* JavaScript listens to a signal that Python handles or ignores, or has done so. If the runtime has installed its handler
   for that, ours goes in front of it again; beside an ignored one the runtime's stays. Returns twice the number that only
   the host has got, plus 1 if Python has got one of which the host was told. */
static u32 listen_to_signal(int number) {
  struct shared_signal *shared = &shared_signals[number];
  struct action action = {{0}};
  if (sys.sigaction(number, 0, &action)) return 0;
  shared->chains = 1;
  read_host_signal(number);
  chain_host(shared);
  if (shared->owner == OWNER_PYTHON && handler_of(&action) != on_signal) sys.sigaction(number, &our_action, 0);
  int counts = shared->owner == OWNER_HOST && shared->chained && shared->host_keeps;
  if (counts && handler_of(&action) != on_signal) count_for_host(number);
  if (shared->owner == OWNER_NONE && shared->chained) sys.sigaction(number, &shared->host, 0);
  return 2 * __atomic_load_n(&shared->unclaimed, __ATOMIC_RELAXED) +
         (u32)__atomic_load_n(&shared->claimed, __ATOMIC_RELAXED);
}

/* In a forked child the thread that has forked is Python's main thread, and there is no JavaScript. */
static void signals_forked(void) {
  signal_thread = py.PyThread_get_thread_ident();
  for (int number = 0; number < SIGNALS; number++) shared_signals[number].chained = 0;
}

static void on_nothing(int number, void *info, void *context) { (void)number, (void)info, (void)context; }

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
