/* Memory faults, which engines of WebAssembly and Python's faulthandler both handle.
 *
 *    a fault in JavaScript ─► the engine's handler ─► was it WebAssembly's? JavaScript goes on, with an exception
 *                                                  └► else ─► faulthandler
 *    a fault in Python     ─► faulthandler prints the traceback ─► the engine's handler ends the process
 *
 * Why C: a handler of a fault may call only what is safe in a signal handler.
 *
 * An engine does not check the addresses of WebAssembly: it lets a wrong access fault, and turns that into a
 * RuntimeError. faulthandler takes the place of the engine's handler, and takes every fault for the end of the process.
 */
#include "shim.h"
#ifndef _WIN32
#include "posix.h"
#endif

#ifdef _WIN32
static void save_fault_actions(void) {}
static void guard_faults(void) {}
#else

#ifdef __APPLE__
static const int fault_signals[] = {4, 10, 11};
enum { FLAGS_AT = 12, WITH_INFORMATION = 0x40, NOT_DEFERRED = 0x10 };
#else
static const int fault_signals[] = {4, 7, 11}; /* SIGILL, SIGBUS, SIGSEGV */
enum { FLAGS_AT = 136, WITH_INFORMATION = 4 /* SA_SIGINFO */, NOT_DEFERRED = 0x40000000 /* SA_NODEFER */ };
#endif
enum { FAULTS = sizeof fault_signals / sizeof *fault_signals };

static struct action engine_faults[FAULTS], python_faults[FAULTS]; /* [GIL] read in handlers without it */

typedef void (*fault_handler)(int number, void *information, void *context);

static void call_handler(const struct action *action, int number, void *information, void *context) {
  fault_handler handler;
  __builtin_memcpy(&handler, action, sizeof handler);
  handler(number, information, context);
}

static void on_fault(int number, void *information, void *context);

/* on_fault as sigaction's first member, which is a union. */
static signal_handler our_handler(void) {
  fault_handler function = on_fault;
  signal_handler handler;
  __builtin_memcpy(&handler, &function, sizeof handler);
  return handler;
}

static int is_ours(const struct action *action) { return handler_of(action) == our_handler(); }

/* Whether it was a trap of WebAssembly. The engine's handler has replaced this one if it was not, and has sent the
   signal once more; it arrives when on_fault has returned. (Bun's prints a report instead, and ends the process.) */
static int engine_handles(int index, void *information, void *context) {
  struct action now = {{0}};
  if (!is_function(handler_of(&engine_faults[index]))) return 0;
  call_handler(&engine_faults[index], fault_signals[index], information, context);
  return !sys.sigaction(fault_signals[index], 0, &now) && is_ours(&now);
}

static void on_fault(int number, void *information, void *context) {
  int index = 0;
  while (fault_signals[index] != number) index++;
  if (!in_python() && engine_handles(index, information, context)) return;
  call_handler(&python_faults[index], number, information, context);
}

/* Before faulthandler may be enabled. */
static void save_fault_actions(void) {
  for (int i = 0; i < FAULTS; i++) {
    struct action action = {{0}};
    if (!sys.sigaction(fault_signals[i], 0, &action) && !is_ours(&action)) engine_faults[i] = action;
  }
}

/* Puts this handler in front where faulthandler has been enabled since then. The signal stays blocked while it runs, so
   that what the engine's handler does about a fault that is not its own comes last. */
static void guard_faults(void) {
  for (int i = 0; i < FAULTS; i++) {
    struct action action = {{0}};
    u32 flags;
    if (sys.sigaction(fault_signals[i], 0, &action) || is_ours(&action)) continue;
    if (handler_of(&action) == handler_of(&engine_faults[i])) continue;
    python_faults[i] = action;
    __builtin_memcpy(&flags, (u8 *)&action + FLAGS_AT, sizeof flags);
    flags = (flags | WITH_INFORMATION) & ~(u32)NOT_DEFERRED;
    __builtin_memcpy((u8 *)&action + FLAGS_AT, &flags, sizeof flags);
    set_handler(&action, our_handler());
    sys.sigaction(fault_signals[i], &action, 0);
  }
}
#endif

/* save_faults() and guard_faults(): around faulthandler.enable. */
static PyObject *shim_save_faults(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  save_fault_actions();
  return new_reference(None);
}

static PyObject *shim_guard_faults(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  guard_faults();
  return new_reference(None);
}
