/* What the shim needs of Windows: a thread, and one byte through a socket or a pipe.
 *
 * Why C: these calls are made where no JavaScript can run, and some while the thread does not hold the GIL.
 */
#include "shim.h"

static const char *resolve_system(symbol_finder find, void *library) {
#define FIND_SYSTEM(result, name, parameters) FIND(sys, name)
  SYSTEM(FIND_SYSTEM)
  library = sys.LoadLibraryA("ws2_32.dll");
  if (!library) return "send";
  FIND(sys, send)
  return 0;
}

/* Where the functions of the program itself are found, the JavaScript runtime's. */
static void *program_of(void *kernel32) { return (void)kernel32, sys.GetModuleHandleA(0); }

static int start_thread(void *(*body)(void *)) {
  const u32 STACK_SIZE_PARAM_IS_A_RESERVATION = 0x10000;
  return sys.CreateThread(0, STACK_BYTES, (void *)body, 0, STACK_SIZE_PARAM_IS_A_RESERVATION, 0) ? 0 : -1;
}

static u64 microseconds_now(void) {
  static u64 frequency; /* [atomic] per second */
  u64 rate = __atomic_load_n(&frequency, __ATOMIC_RELAXED), now = 0;
  if (!rate) sys.QueryPerformanceFrequency(&rate), __atomic_store_n(&frequency, rate, __ATOMIC_RELAXED);
  sys.QueryPerformanceCounter(&now);
  return now / rate * 1000000 + now % rate * 1000000 / rate;
}

/* Lets another thread of this processor run. */
static void yield_processor(void) { sys.SwitchToThread(); }

/* Ends the process at once: nothing is run any more. */
static void exit_now(int code) { sys.TerminateProcess((void *)-1, (u32)code); } /* -1: this process */

/* The lower end and the size of this thread's stack. */
static char *find_stack(size_t *size) {
  size_t low = 0, high = 0;
  sys.GetCurrentThreadStackLimits(&low, &high);
  *size = high - low;
  return (char *)low;
}

static void write_wake(long long socket) { sys.send(socket, "", 1, 0); }

static void write_bell(long long pipe) {
  u32 written;
  sys.WriteFile(pipe, "", 1, &written, 0);
}

static void close_bell(long long pipe) { sys.CloseHandle(pipe); }
