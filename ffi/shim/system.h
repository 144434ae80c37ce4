/* The functions and types of the system that the shim uses.
 *
 * No header of the system is included, since one binary serves glibc and musl. JavaScript hands over the addresses
 * (resolve_system in platform_*.c).
 */
#ifdef _WIN32
#define SYSTEM(X)                                                       \
  X(void *, CreateThread, (void *, size_t, void *, void *, u32, u32 *)) \
  X(int, WriteFile, (long long, const void *, u32, u32 *, void *))      \
  X(int, CloseHandle, (long long))                                      \
  X(void *, LoadLibraryA, (const char *))                               \
  X(int, QueryPerformanceCounter, (u64 *))                              \
  X(int, QueryPerformanceFrequency, (u64 *))                            \
  X(int, SwitchToThread, (void))                                        \
  X(void, GetCurrentThreadStackLimits, (size_t *, size_t *))            \
  X(void *, GetModuleHandleA, (const char *))                           \
  X(int, TerminateProcess, (void *, u32))

static struct {
  SYSTEM(FIELD)
  int (*send)(long long, const char *, int, int);
} sys;
#else
#ifdef __APPLE__
#define SYSTEM_STACK(X)                         \
  X(char *, pthread_get_stackaddr_np, (void *)) \
  X(size_t, pthread_get_stacksize_np, (void *))
#else
#define SYSTEM_STACK(X)                                            \
  X(int, pthread_getattr_np, (void *, void *))                     \
  X(int, pthread_attr_getstack, (const void *, char **, size_t *)) \
  X(int, pthread_attr_destroy, (void *))
#endif

#define SYSTEM(X)                                                           \
  SYSTEM_STACK(X)                                                           \
  X(void *, pthread_self, (void))                                           \
  X(int, pthread_attr_init, (void *))                                       \
  X(int, pthread_attr_setstacksize, (void *, size_t))                       \
  X(int, pthread_create, (void *, const void *, void *(*)(void *), void *)) \
  X(int, pthread_detach, (void *))                                          \
  X(int, pthread_kill, (void *, int))                                       \
  X(int, sigaction, (int, const void *, void *))                            \
  X(int, raise, (int))                                                      \
  X(int, clock_gettime, (int, void *))                                      \
  X(int, sched_yield, (void))                                               \
  X(Py_ssize_t, write, (int, const void *, size_t))                         \
  X(int, open, (const char *, int, ...))                                    \
  X(int, fcntl, (int, int, ...))                                            \
  X(long, lseek, (int, long, int))                                          \
  X(int, dup2, (int, int))                                                  \
  X(int, close, (int))                                                      \
  X(void, _exit, (int))

static struct {
  SYSTEM(FIELD)
} sys;

typedef void (*signal_handler)(int number, void *info, void *context);

/* struct sigaction: 152 bytes where it is largest, and the handler comes first. */
struct action {
  u64 bytes[32];
};

#ifdef __APPLE__
enum { SIGNAL_INTERRUPT = 2, SIGNAL_QUIT = 3, SIGNAL_CHILD = 20, SIGNAL_URGENT = 16 };
enum { FLAGS_AT = 12, SA_RESTARTS = 2, SA_NOT_DEFERRED = 0x10, SA_WITH_INFO = 0x40 };
#else
enum { SIGNAL_INTERRUPT = 2, SIGNAL_QUIT = 3, SIGNAL_CHILD = 17, SIGNAL_URGENT = 23 };
enum { FLAGS_AT = 136, SA_WITH_INFO = 4, SA_RESTARTS = 0x10000000, SA_NOT_DEFERRED = 0x40000000 };
#endif

#define IGNORE ((signal_handler)1) /* SIG_IGN */

static signal_handler handler_of(const struct action *action) {
  signal_handler handler;
  __builtin_memcpy(&handler, action, sizeof handler);
  return handler;
}

static void set_handler(struct action *action, signal_handler handler) {
  __builtin_memcpy(action, &handler, sizeof handler);
}

static u32 flags_of(const struct action *action) {
  u32 flags;
  __builtin_memcpy(&flags, (const char *)action + FLAGS_AT, sizeof flags);
  return flags;
}

static void set_flags(struct action *action, u32 flags) {
  __builtin_memcpy((char *)action + FLAGS_AT, &flags, sizeof flags);
}

static int is_function(signal_handler handler) { return (size_t)handler > 1; } /* neither SIG_DFL nor SIG_IGN */
#endif
