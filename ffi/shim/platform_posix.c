/* What the shim needs of POSIX: a thread, and one byte through a pipe. signals_posix.c has the signals.
 *
 * Why C: a pipe's other end is used where neither JavaScript nor Python can run.
 */
#include "shim.h"

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

#ifdef __APPLE__
enum { MONOTONIC = 6 };
#else
enum { MONOTONIC = 1 };
#endif

static u64 microseconds_now(void) {
  long long time[2] = {0}; /* struct timespec, on 64-bit systems */
  sys.clock_gettime(MONOTONIC, time);
  return (u64)time[0] * 1000000 + (u64)time[1] / 1000;
}

/* Lets another thread of this processor run. */
static void yield_processor(void) { sys.sched_yield(); }

/* Ends the process at once: nothing is run any more. */
static void exit_now(int code) { sys._exit(code); }

/* The lower end and the size of this thread's stack. 0: unknown. */
static char *find_stack(size_t *size) {
#ifdef __APPLE__
  *size = sys.pthread_get_stacksize_np(sys.pthread_self());
  return sys.pthread_get_stackaddr_np(sys.pthread_self()) - *size; /* it gives the upper end */
#else
  u64 attributes[16] = {0};
  char *end = 0;
  if (sys.pthread_getattr_np(sys.pthread_self(), attributes)) return 0;
  if (sys.pthread_attr_getstack(attributes, &end, size)) end = 0;
  sys.pthread_attr_destroy(attributes);
  return end;
#endif
}

/* These ends do not block: a full pipe means that the other side has been told already. */
static void write_wake(long long pipe) { (void)!sys.write((int)pipe, "", 1); }
static void write_bell(long long pipe) { (void)!sys.write((int)pipe, "", 1); }
static void close_bell(long long pipe) { sys.close((int)pipe); }
