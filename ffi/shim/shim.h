/* The shim's structs, its state with the lock that guards each member, and the functions that cross files.
 *
 * What guards a member stands first in its comment:
 *
 *   [GIL]       The thread is attached to Python. (A free-threaded build does not serialise these; asyncio objects are
 *               touched by their loop's thread alone there, too.)
 *   [registry]  The lock of that name, held for a few instructions, with and without the GIL. So nothing under it may
 *               wait for the GIL: no Python code runs, and no memory is allocated (tracemalloc attaches).
 *   [thread]    Touched by its own thread only: the heap's JavaScript thread, or the loop's thread.
 *   [once]      Written before another thread can see it, and not changed as long as it is linked.
 *   [attempt]   Handed over with the attempt to open Python: JavaScript's until the loop thread starts or is woken, the
 *               loop thread's until it releases `attempted`, then JavaScript's again.
 *   [atomic]    By these memory orders:
 *
 *     locked          A spin lock. Acquire to take it and release to give it back, so that one holder's writes are seen
 *                     by the next. A holder is attached, so only a free-threaded build ever spins.
 *     wants_gil       Relaxed: park() polls it, and a late answer costs one more round.
 *     ended           Relaxed: it publishes nothing, and spares work for a heap that cannot read any more. Where an
 *                     answer depends on it (make_call), the registry's lock orders it.
 *     uses            Relaxed to add, since the adder has a use itself; acquire and release to drop, since the last one
 *                     must see all that was done before.
 *     inbox, outbox   Release to push and acquire to take: the consumer reads the chunks' bytes. A compare-and-swap
 *                     continues the release of the one before, so one acquire covers all chunks.
 *     outbox, bell    Sequentially consistent as well: set_bell stores the bell and then looks at the outbox, a
 *                     producer pushes and then looks at the bell, and one of the two must see the other's store.
 *     closing         Release and acquire: they publish closing_heap.
 *     state, opener   Release and acquire: they publish what the attempt has set up, and the opener's text.
 *     counters, ids   Relaxed: each is a number by itself, and orders nothing.
 */
#ifndef PYAWAIT_SHIM_H
#define PYAWAIT_SHIM_H
#include "capi.h"
#include "numbers.h"
#include "system.h"

#ifdef _WIN32
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define STACK_BYTES (16u << 20)    /* CPython's own threads have it on macOS; musl's default is too small for Python */
#define STACK_RESERVE (512u << 10) /* for what Python does in C before its own limit, which counts calls */
#define MAX_NESTING 3000           /* levels of containers in one value, far below what STACK_BYTES holds */
#define MAX_MESSAGE 0x7fffffffu    /* bytes of a message: its length crosses as a positive int */
#define MAX_SAFE 9007199254740991  /* the largest n for which JavaScript tells n and n + 1 apart */
#define MAX_SHAPES 16              /* lists of keys that are compared with a dict's */
#define MAX_SHAPE_KEYS 32          /* ... and how many keys each may have */
#define STAYS 8                    /* loops that stand still at once for one JavaScript thread */
#define LARGE_MEMORY (1u << 20)    /* bytes of a buffer that is freed after use instead of kept for the next one */

/* dlsym, or GetProcAddress on Windows: both are called alike. */
typedef void *(*symbol_finder)(void *, const char *);

/* Puts an address into `table`, or ends the calling function with the name that `find` does not know. */
#define FIND(table, symbol)                                                \
  if (!(*(void **)&table.symbol = find(library, #symbol))) return #symbol;

/* clang-format off */

/* Python functions and classes that the shim uses: `setup` takes them from src/py. */
#define HELPERS(X) \
  X(kinds_by_type) X(describe_type) X(describe_error) X(wrap_js) X(to_error) X(to_array) X(from_buffer) X(to_datetime) \
  X(from_datetime) X(check_keys) X(to_json) X(async_codes) X(guard_error) X(too_deep) X(entry) X(ensure_task) X(show_awaiter) \
  X(new_loop) X(JavaScriptEnded) X(report_wait) X(Task) X(get_running_loop) X(_get_running_loop) X(asyncio_modules) \
  X(is_asynchronous) X(loop_of_call) X(loop_to_stay_on) X(partial) X(getattr) X(getitem) X(current_task) X(_leave_task) \
  X(_enter_task) X(make_frame) X(forget_task)

/* Attributes that are looked up often, as interned strings. */
#define NAMES(X) \
  X(done) X(result) X(set_result) X(set_exception) X(add_done_callback) X(call_soon) X(cancel) X(create_future) \
  X(create_task) X(get_task_factory) X(co_flags) X(item) X(copy) X(_ready) X(_scheduled) X(__self__) \
  X(_pyawait_handle) X(_pyawait_heap) X(__pyawait_js__) X(items) X(__module__) X(call_soon_threadsafe) X(is_running) \
  X(_debug) X(_when) X(time)

#define OBJECT_FIELD(field) PyObject *field;
static struct { HELPERS(OBJECT_FIELD) } helper; /* [once] */
static struct { NAMES(OBJECT_FIELD) } name;     /* [once] */

/* clang-format on */

/* Values --------------------------------------------------------------------------------------------------------- */

/* A message that is being read. [thread] */
struct reader {
  const u8 *at, *end;
  PyObject **containers; /* by index of TAG_REFERENCE; NULL: a tuple whose items are still being read */
  u32 count, capacity;
  int depth;
  int called_loop_bound; /* a method of an object that belongs to an event loop has been called */
  struct heap *reads;    /* whose message is being read: what it borrows must not be released; NULL: it is read */
  struct heap *visitor;  /* calls are made on a loop's thread, for this heap; NULL: here */
  PyObject **shapes;     /* tuples of str, by index of TAG_RECORD */
  u32 shape_count, shape_capacity;
  PyObject **lent; /* what the operation lends, as bytes */
  u32 lent_count;
  u32 loop; /* ... the loop that is current in JavaScript */
};

/* References of a heap, by object: when the heap ends without a word (worker.terminate), they are released. */
struct owned {
  PyObject *object;
  size_t count;
};

struct owner {
  u32 id;              /* [once] the heap's */
  int locked;          /* [atomic] guards the table */
  u32 used, capacity;  /* [locked] */
  struct owned *table; /* [locked] an open hash table by address, at most half full */
};

/* The memory of a str: `length` characters of `width` bytes each. */
struct text {
  u8 *data;
  size_t length;
  u32 width;
};

/* Why the rest of a message was not written. */
enum write_failure { WRITES, TOO_LONG, NO_MEMORY };

/* Keys that a dict had which was written: they are the same objects in others that json, a class or a literal has made. */
struct shape {
  u32 count, index; /* index: of TAG_RECORD, or NOT_SEEN */
  size_t defined;   /* where in the message */
  PyObject *keys[MAX_SHAPE_KEYS];
};

/* A message that is being written. [thread]
   `unsent` keeps the JsProxys that are written, if keeps_unsent: their RELEASE must not overtake the record. `seen` is
   an open hash table of new references, and `indexes` has the number of each for TAG_REFERENCE. */
struct writer {
  u8 *data;
  size_t length, capacity;
  enum write_failure failure; /* the message is incomplete: encode raises it, and it has to be rolled back */
  u8 *lent;                   /* the caller's buffer: `data` until more is needed */
  struct owner *owner;        /* of the heap that will read it */
  int depth;                  /* levels of containers to copy; what is deeper goes by reference */
  enum dict_as dict_as;
  int level;
  PyObject **unsent;
  u32 unsent_count, unsent_capacity;
  int keeps_unsent;
  PyObject **seen; /* containers and buffers that were written already */
  u32 *indexes;
  u32 seen_count, seen_used, seen_capacity; /* the next index; entries of the table; its size */
  struct shape *shapes;                     /* keys of dicts that were written, at most MAX_SHAPES */
  u32 shape_count, shapes_defined;
};

/* In place of an index: it was not written; it goes by reference, because its own code has raised. */
#define NOT_SEEN 0xffffffffu
#define BY_REFERENCE 0xfffffffeu
#define BEING_WRITTEN 0x80000000u /* added to the index: for JSON, in which a container must not hold itself */

/* What skip_values calls for the references in values. A function that is NULL is not called. */
struct visitor {
  void (*object)(void *state, PyObject *object);
  void (*js)(void *state, u32 heap, u32 handle);
  void *state;
};
enum direction { FROM_JAVASCRIPT, TO_JAVASCRIPT };

/* Makes a call that was read; `keywords` is a dict or None. */
typedef PyObject *(*caller)(PyObject *callee, PyObject *const *arguments, u32 count, PyObject *keywords);

/* Heaps, loops and what waits -------------------------------------------------------------------------------------- */

enum view { VIEW_MADE, VIEW_BEING_MADE, VIEW_REFUSED };

enum { RECORD_HEAD = 5 }; /* the bytes of a record's size and kind */

/* Records on their way. The thread that has taken a chunk from its queue owns it. */
struct chunk {
  struct chunk *next;
  struct heap *heap; /* in an inbox: the heap that submitted it */
  size_t length, at; /* at: how much of it is read */
  int counts_use;    /* it holds a use of its heap */
  enum view view;    /* of an IN_UNLOCK (napi.c) */
  u8 data[];
};

/* What became of an answer to a CALL. */
enum answered { ANSWERED_LATE, ANSWERED, ANSWERED_SPINNING };

/* What became of a chunk for a loop. */
enum pushed { NO_SUCH_LOOP, PUSHED, PUSHED_TO_SPINNING };

enum { SPIN_DEFAULT = 50 }; /* µs */

/* When one side may spin (spin.c). */
struct spinner {
  int warm;   /* the last spin has found something */
  u32 misses; /* in a row, at most 4 */
  u32 skips;  /* chances to be left out */
};

/* A call of a JavaScript function for which a Python thread waits; on that thread's stack. */
struct js_call {
  struct js_call *next;    /* [registry] */
  u32 id;                  /* [once] */
  u8 *answer;              /* [registry] from PyMem_RawMalloc; NULL: the heap ended before it answered */
  size_t length;           /* [registry] */
  PyThread_type_lock lock; /* [once] released when there is something to do; NULL on the heap's own thread */
  PyObject *loop;          /* [once] borrowed: the loop that runs on this thread; NULL: none */
  const u8 *record;        /* [once] the CALL, for a thread that serves it before it reads its outbox; NULL: a stay */
  size_t record_length;    /* [once] */
  int served;              /* [registry] JavaScript has begun to serve it */
  int over;                /* [registry] it is answered, or will never be */
  int woken;               /* [registry], read without it while it spins: the lock was released, and not taken since */
  int spins;               /* [atomic] its thread spins until it is woken */
};

/* A JavaScript thread in Python. Several copies of pyawait on one thread are several heaps that share it. */
struct attachment {
  PyThreadState *state;      /* [thread] for life */
  int depth;                 /* [thread] how often this thread has attached; above 0 it holds the GIL */
  int invokes;               /* [atomic] calls of pyawait_invoke on this thread's stack */
  int wants_gil;             /* [atomic] it holds the GIL, or waits for it, or will want it back */
  char *stack_at;            /* [thread] where Python was told that the stack is */
  u32 entered;               /* [atomic] outermost calls of pyawait_invoke so far */
  struct heap *waits_for;    /* [registry] whose answer this thread waits for, in a call of another heap's function */
  PyObject *visits;          /* [registry] the loop of the visit that this thread waits for, or NULL */
  struct visit *visit;       /* [registry] the innermost visit on this thread's stack */
  int visiting;              /* [registry] visits on this thread's stack */
  int woken;                 /* [registry], read without it by a spin: `wakeup` was released, and not taken since */
  struct spinner spinner;    /* [thread] of its visits */
  PyThread_type_lock wakeup; /* [once] released when a visitor has something to do */
  u32 stays[STAYS];          /* [thread] that end with the outermost `attach` of their level */
  int stays_from, stays_to;  /* [thread] those of this level */
};

/* What a thread leaves while it is detached inside an invoke: JavaScript that runs then begins anew. [thread] */
struct level {
  int depth, stays_from;
};

/* One JavaScript heap (an isolate: the main thread, a Worker, a `deno test` file) that uses Python. Never freed: a late
   record may still name it. */
struct heap {
  struct heap *next;             /* [once] an older one, so a list that was read once stays good */
  struct owner owner;            /* references to Python objects that its JavaScript has */
  unsigned long thread;          /* [once] */
  struct attachment *attachment; /* [once] */
  int ended;                     /* [atomic] its JavaScript has ended, or is ending */
  int uses;                      /* [atomic] of its references: its own, and one for each unread message of its */
  long long bell;                /* [atomic] write end of the bell's pipe, or -1 */
  void (*ring)(void);            /* [once] or a callback that may be called from any thread (Bun) */
  void (*on_call)(int);          /* [once] JavaScript's handler of a CALL, called on the heap's own thread only */
  size_t stack_bytes;            /* [once] of the stack that the FFI runs C on, where it is not the thread's (koffi) */
  char *stack_low;               /* [once] below this the thread's stack is nearly full; NULL: unknown, or koffi's */
  struct chunk *outbox;          /* [atomic] */
  int spins;                     /* [atomic] JavaScript takes soon, and spins then: it need not be rung */
  struct spinner spinner;        /* [thread] */
  struct spinner call_spinner;   /* [GIL] of the threads that wait for its answers */
  struct chunk *taken;           /* [thread] in order */
  struct js_call *calls;         /* [registry] */
  struct writer call_record;     /* [thread] the CALL that on_call is about to fetch */
  u8 *overflow;                  /* [thread] an outcome that did not fit into the caller's buffer */
  size_t overflow_length;        /* [thread] */
  int reading;                   /* [thread] messages on this thread's stack that are not wholly read */
  PyObject **given_up;           /* [thread] references to release when there is none */
  u32 given_up_count, given_up_capacity; /* [thread] */
  enum memory_end memory_end;            /* [once] set before the heap sees any memory */
  struct started *tasks;                 /* [GIL] by id of the Promise */
  u32 tasks_capacity;                    /* [GIL] */
};

/* WAITS until the loop's thread comes to it. STANDS: that thread stands still for a stay. DONE: it was made, and has a
   result or an error. LEFT: its caller has given it up before that. */
enum visit_state { VISIT_WAITS, VISIT_RUNS, VISIT_STANDS, VISIT_DONE, VISIT_LEFT };

/* What a JavaScript thread has a loop's thread do, and waits for. A Python callable. */
struct visit {
  PyObject *self;               /* [once] the object that this is in; borrowed */
  struct visit *outer;          /* [registry] of the same thread */
  int scheduled;                /* [registry] a callback of the loop makes it, if nothing has before */
  struct heap *heap;            /* [once] */
  void (*body)(struct visit *); /* [once] */
  PyObject *loop;               /* [once] */
  PyObject *callee, *arguments; /* [once] of a call */
  PyObject *keywords, *context; /* [once] of a call; `keywords` may be NULL */
  PyObject *result, *error;     /* [GIL] */
  enum visit_state state;       /* [registry] */
  u32 stay;                     /* [registry] in VISIT_STANDS: the number of the stay */
};

/* The task of a Promise. Ids are used again, and the queues of two loops have no common order, so the serial tells
   whether a record or a callback means this task or one before it. */
struct started {
  PyObject *task; /* NULL: none, or its DONE is on its way */
  struct loop *loop;
  u32 serial;
};

/* A scope of AsyncLocalStorage, the value of a context variable. Its end is told to its heap; or, while `ended` is set,
   to the synchronous call that has entered it. [GIL] */
struct scope {
  struct heap *heap;
  u32 id;
  int *ended;
};

/* A future that JavaScript settles: one slot of a loop's table. */
struct future_slot {
  PyObject *future;  /* None: given up; NULL: the slot is free */
  struct heap *heap; /* whose JavaScript was asked */
  int signal_taken;  /* JavaScript listens for the await's cancellation */
};

/* One asyncio event loop: the background loop (id 0), and each loop of the user's that awaits JavaScript. Never freed,
   but used again: a late record may still name it. */
struct loop {
  struct loop *next;             /* [registry] */
  u32 id;                        /* [once] */
  unsigned long thread;          /* [registry] where it drains; that thread reads it without the lock */
  PyObject *object;              /* [GIL] */
  long long wake;                /* [registry] write end of its pipe or socket */
  struct chunk *inbox;           /* [atomic] */
  int spins;                     /* [atomic] its thread looks into the inbox: it need not be woken */
  int visited;                   /* [atomic] it has the callback of a visit, which it has not begun */
  struct spinner spinner;        /* [thread] */
  PyObject *flush;               /* [GIL] a Python callable: loop_flush */
  struct heap *batch_heap;       /* [thread] */
  struct writer batch;           /* [thread] whole records for batch_heap since the last flush */
  u32 batch_count;               /* [thread] how many of them are not sent yet */
  struct writer spare;           /* [thread] memory for the next record */
  int flush_scheduled;           /* [thread] */
  int draining;                  /* [thread] */
  PyObject *take;                /* [GIL] a Python callable that drains, in the context of the loop's reader */
  int eager, has_context;        /* [GIL] what this version's Task can do */
  int has_factory;               /* [thread] the user has set a task factory */
  PyObject *ready, *scheduled;   /* [GIL] asyncio's queues, where they can be looked into; else NULL */
  Py_ssize_t known_scheduled;    /* [GIL] length of `scheduled` when it was looked at last */
  int woken;                     /* [GIL] for what a JavaScript thread has put into those queues, and not yet drained */
  struct future_slot *slots;     /* [thread] */
  u32 slots_capacity, next_slot; /* [thread] */
};

/* State of the process --------------------------------------------------------------------------------------------- */

static PyThread_type_lock registry;     /* guards what is marked [registry] */
static struct heap *heaps;              /* [registry] newest first */
static struct loop *loops;              /* [registry] newest first */
static int opaque_loops;                /* [GIL] loops whose queues cannot be looked into: uvloop's */
static int closing;                     /* [atomic] JavaScript will not be entered any more */
static struct heap *closing_heap;       /* by this one; written before `closing` is */
static int forked;                      /* [once] this is a forked child, in which there is no JavaScript */
static u32 counters[COUNTERS];          /* [atomic] */
static u32 message_limit = MAX_MESSAGE; /* [once] tests set a small one */
#define COUNT(counter) __atomic_add_fetch(&counters[counter], 1, __ATOMIC_RELAXED)

/* REFUSED: `_main` has raised before its loop ran, say for a wrong `loop`. Python itself works, so the loop thread
   waits for another attempt. FAILED and FOREIGN (other code has initialised Python) are final. ENDED: it is shut down. */
enum state { UNOPENED, OPENING, READY, REFUSED, FAILED, FOREIGN, ENDED };

/* Python, and the attempt to open it. */
static struct {
  int state;                       /* [atomic] enum state. The thread that changes it to OPENING makes the attempt */
  const char *opener;              /* [atomic] of this attempt, in JavaScript's words; a copy that is never freed */
  const char *executable;          /* [attempt] */
  const char *code_folder;         /* [attempt] where src/py keeps its code; empty: nowhere */
  const char *source;              /* [attempt] name and text of each chapter of src/py */
  const u8 *configuration;         /* [attempt] */
  size_t configuration_length;     /* [attempt] */
  int outcome;                     /* [attempt] enum state; OPENING: not known yet */
  const char *problem;             /* [attempt] */
  char message[2048];              /* [attempt] the exception that ended it, as text */
  PyThread_type_lock attempted;    /* [once] released when there is an outcome */
  PyThread_type_lock next_attempt; /* [once] released for another attempt */
  PyThread_type_lock shut_down;    /* [once] released when Python is shut down */
} python;

#include "functions.h"

#endif
