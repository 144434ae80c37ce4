/* What the shim needs of the operating system: a thread, a byte through a pipe, and SIGINT's action kept.
 *
 * The one thing to know: as with CPython, nothing is linked; the addresses come from dlsym or GetProcAddress.
 */
#ifndef PYAWAIT_PLATFORM_H
#define PYAWAIT_PLATFORM_H
#include "capi.h"

#define STACK_BYTES (16u << 20) /* as CPython's own threads on macOS; musl's default is too small for it */

#ifdef _WIN32
#define EXPORT __declspec(dllexport)

static struct {
  void *(*CreateThread)(void *, size_t, void *, void *, u32, u32 *);
  int (*WriteFile)(long long, const void *, u32, u32 *, void *);
  void *(*LoadLibraryA)(const char *);
  void *(*GetModuleHandleA)(const char *);
  int (*send)(long long, const char *, int, int);
} sys;

static const char *resolve_system(symbol_finder find, void *kernel32) {
  if (!(*(void **)&sys.CreateThread = find(kernel32, "CreateThread"))) return "CreateThread";
  if (!(*(void **)&sys.WriteFile = find(kernel32, "WriteFile"))) return "WriteFile";
  if (!(*(void **)&sys.LoadLibraryA = find(kernel32, "LoadLibraryA"))) return "LoadLibraryA";
  if (!(*(void **)&sys.GetModuleHandleA = find(kernel32, "GetModuleHandleA"))) return "GetModuleHandleA";
  void *winsock = sys.LoadLibraryA("ws2_32.dll");
  if (!winsock || !(*(void **)&sys.send = find(winsock, "send"))) return "send";
  return 0;
}

/* Where the functions of the program itself are found: the JavaScript runtime's. */
static void *program_of(void *kernel32) { return (void)kernel32, sys.GetModuleHandleA(0); }

static int start_thread(void *(*body)(void *)) { return sys.CreateThread(0, STACK_BYTES, (void *)body, 0, 0x10000, 0) ? 0 : -1; }

/* The loop's wake is a socket, JavaScript's bell a named pipe. */
static void write_wake(long long socket) { sys.send(socket, "", 1, 0); }
static void write_bell(long long pipe) {
  u32 written;
  sys.WriteFile(pipe, "", 1, &written, 0);
}
static void close_bell(long long pipe) { (void)pipe; } /* a file of Python's has it */
static void save_interrupt_action(void) {}
static void restore_interrupt_action(void) {}
static void keep_child_action(void) {}
static void forward_signal(int number) { (void)number; }
static void break_call(unsigned long thread) { (void)thread; }

#else
#define EXPORT __attribute__((visibility("default")))

static struct {
  int (*pthread_attr_init)(void *);
  int (*pthread_attr_setstacksize)(void *, size_t);
  int (*pthread_create)(void *, const void *, void *(*)(void *), void *);
  int (*pthread_detach)(void *);
  int (*sigaction)(int, const void *, void *);
  Py_ssize_t (*write)(int, const void *, size_t);
  int (*raise)(int);
  int (*pthread_kill)(void *, int);
  int (*close)(int);
} sys;

static const char *resolve_system(symbol_finder find, void *libc) {
  if (!(*(void **)&sys.pthread_attr_init = find(libc, "pthread_attr_init"))) return "pthread_attr_init";
  if (!(*(void **)&sys.pthread_attr_setstacksize = find(libc, "pthread_attr_setstacksize"))) return "pthread_attr_setstacksize";
  if (!(*(void **)&sys.pthread_create = find(libc, "pthread_create"))) return "pthread_create";
  if (!(*(void **)&sys.pthread_detach = find(libc, "pthread_detach"))) return "pthread_detach";
  if (!(*(void **)&sys.sigaction = find(libc, "sigaction"))) return "sigaction";
  if (!(*(void **)&sys.write = find(libc, "write"))) return "write";
  if (!(*(void **)&sys.raise = find(libc, "raise"))) return "raise";
  if (!(*(void **)&sys.pthread_kill = find(libc, "pthread_kill"))) return "pthread_kill";
  if (!(*(void **)&sys.close = find(libc, "close"))) return "close";
  return 0;
}

static void *program_of(void *libc) { return libc; } /* RTLD_DEFAULT: everything */

static int start_thread(void *(*body)(void *)) {
  u64 attributes[16] = {0}; /* pthread_attr_t: 56 to 64 bytes where it is largest */
  void *thread = 0;
  if (sys.pthread_attr_init(attributes) || sys.pthread_attr_setstacksize(attributes, STACK_BYTES)) return -1;
  if (sys.pthread_create(&thread, attributes, body, 0)) return -1;
  return sys.pthread_detach(thread);
}

/* Write ends do not block: a full pipe means that the other side has been told already. */
static void write_wake(long long pipe) { (void)!sys.write((int)pipe, "", 1); }
static void write_bell(long long pipe) { (void)!sys.write((int)pipe, "", 1); }
static void close_bell(long long pipe) { sys.close((int)pipe); }

/* `import asyncio` takes SIGINT over where it is at its default, as in Deno and Bun; it is theirs. */
static u64 interrupt_action[32]; /* struct sigaction: 152 bytes where it is largest */
static void save_interrupt_action(void) { sys.sigaction(2, 0, interrupt_action); }
static void restore_interrupt_action(void) { sys.sigaction(2, interrupt_action, 0); }

/* SIGCHLD: uvloop's libuv takes it over for its children and gives it up after them, and Node's libuv, which believes
   that it has it still, never hears of its own again. So both are called, and Node's is asked to look once more. */
typedef void (*signal_handler)(int);
static u64 child_action[32]; /* Node's; the handler is the first field of struct sigaction */
static signal_handler host_child_handler, loop_child_handler;

#ifdef __APPLE__
#define SIGNAL_CHILD 20
#else
#define SIGNAL_CHILD 17
#endif

static void on_child(int number) {
  if (host_child_handler) host_child_handler(number);
  if (loop_child_handler) loop_child_handler(number);
}

static void keep_child_action(void) {
  u64 action[32] = {0};
  signal_handler handler;
  if (sys.sigaction(SIGNAL_CHILD, 0, action)) return;
  __builtin_memcpy(&handler, action, sizeof handler);
  if (handler == on_child) return;
  if (!host_child_handler) { /* the first time: this is the host's, if it has one */
    if ((size_t)handler <= 1) return;
    __builtin_memcpy(child_action, action, sizeof action);
    host_child_handler = handler;
    return;
  }
  if (handler == host_child_handler) return;
  loop_child_handler = (size_t)handler > 1 ? handler : 0;
  handler = loop_child_handler ? on_child : host_child_handler;
  __builtin_memcpy(action, child_action, sizeof action);
  __builtin_memcpy(action, &handler, sizeof handler);
  sys.sigaction(SIGNAL_CHILD, action, 0);
  sys.raise(SIGNAL_CHILD); /* for children that ended in between */
}

/* Signals of Python's handlers. The system delivers one to any thread, mostly JavaScript's, where it neither ends a call
   of the loop thread that blocks nor is seen by a busy one before Python 3.13: so it is sent on. */
static signal_handler python_handler;
static unsigned long signal_thread;

static void on_signal(int number) {
  if (number == SIGNAL_CHILD && host_child_handler) host_child_handler(number);
  if (py.PyThread_get_thread_ident() == signal_thread) python_handler(number);
  else sys.pthread_kill((void *)signal_thread, number);
}

/* Called on the loop thread after Python has installed its handler. */
static void forward_signal(int number) {
  u64 action[32] = {0};
  signal_handler handler;
  if (sys.sigaction(number, 0, action)) return;
  __builtin_memcpy(&handler, action, sizeof handler);
  if (handler == on_signal || (size_t)handler <= 1) return;
  python_handler = handler, handler = on_signal;
  signal_thread = py.PyThread_get_thread_ident();
  __builtin_memcpy(action, &handler, sizeof handler);
  sys.sigaction(number, action, 0);
}

#ifdef __APPLE__
#define SIGNAL_NOTHING 16 /* SIGURG: nobody wants it, and ignored is its default */
#else
#define SIGNAL_NOTHING 23
#endif

static void on_nothing(int number) { (void)number; }

/* Ends a call of the system in which this thread blocks (with EINTR): Python then looks at what is pending. */
static void break_call(unsigned long thread) {
  u64 action[32] = {0};
  signal_handler handler;
  if (sys.sigaction(SIGNAL_NOTHING, 0, action)) return;
  __builtin_memcpy(&handler, action, sizeof handler);
  if ((size_t)handler <= 1) {
    handler = on_nothing;
    memset(action, 0, sizeof action);
    __builtin_memcpy(action, &handler, sizeof handler);
    sys.sigaction(SIGNAL_NOTHING, action, 0);
  }
  sys.pthread_kill((void *)thread, SIGNAL_NOTHING);
}

#endif
#endif
