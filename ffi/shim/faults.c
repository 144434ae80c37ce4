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

#ifdef _WIN32
static void save_fault_actions(void) {}
static void guard_faults(void) {}
#else

#ifdef __APPLE__
static const int fault_signals[] = {4, 10, 11};
#else
static const int fault_signals[] = {4, 7, 11}; /* SIGILL, SIGBUS, SIGSEGV */
#endif
enum { FAULTS = sizeof fault_signals / sizeof *fault_signals };

static struct action engine_faults[FAULTS], python_faults[FAULTS]; /* [GIL] read in handlers without it */

static void on_fault(int number, void *info, void *context);

static int is_ours(const struct action *action) { return handler_of(action) == on_fault; }

/* Whether it was a trap of WebAssembly. The engine's handler has replaced this one if it was not, and has sent the
   signal once more; it arrives when on_fault has returned. (Bun's prints a report instead, and ends the process.) */
static int engine_handles(int index, void *info, void *context) {
  struct action now = {{0}};
  if (!is_function(handler_of(&engine_faults[index]))) return 0;
  handler_of (&engine_faults[index])(fault_signals[index], info, context);
  return !sys.sigaction(fault_signals[index], 0, &now) && is_ours(&now);
}

static void on_fault(int number, void *info, void *context) {
  int index = 0;
  while (fault_signals[index] != number) index++;
  if (!in_python() && engine_handles(index, info, context)) return;
  handler_of (&python_faults[index])(number, info, context);
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
    if (sys.sigaction(fault_signals[i], 0, &action) || is_ours(&action)) continue;
    if (handler_of(&action) == handler_of(&engine_faults[i])) continue;
    python_faults[i] = action;
    set_flags(&action, (flags_of(&action) | SA_WITH_INFO) & ~(u32)SA_NOT_DEFERRED);
    set_handler(&action, on_fault);
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
