/* What the shim needs of Windows: a thread, and one byte through a socket or a pipe.
 *
 * Why C: these calls are made where no JavaScript can run, and some while the thread does not hold the GIL.
 *
 * Windows has no signals that a runtime and Python could fight over, so that part is empty; platform_posix.c has it.
 */
#include "shim.h"

#define SYSTEM(X)                                                       \
  X(void *, CreateThread, (void *, size_t, void *, void *, u32, u32 *)) \
  X(int, WriteFile, (long long, const void *, u32, u32 *, void *))      \
  X(void *, LoadLibraryA, (const char *))                               \
  X(void *, GetModuleHandleA, (const char *))

static struct {
  SYSTEM(FIELD)
  int (*send)(long long, const char *, int, int);
} sys;

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

static void write_wake(long long socket) { sys.send(socket, "", 1, 0); }

static void write_bell(long long pipe) {
  u32 written;
  sys.WriteFile(pipe, "", 1, &written, 0);
}

static void close_bell(long long pipe) { (void)pipe; } /* a file object of Python's closes it */
static void save_interrupt_action(void) {}
static void restore_interrupt_action(void) {}
static void keep_child_action(void) {}
static void forward_signal(int number) { (void)number; }
static void interrupt_system_call(unsigned long thread) { (void)thread; }
