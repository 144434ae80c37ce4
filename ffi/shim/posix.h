/* POSIX functions and types for the files that use them: platform_posix.c, children.c and faults.c.
 *
 * No header of the system is included, since one binary serves glibc and musl; resolve_system fills `sys`.
 */
#ifndef PYAWAIT_POSIX_H
#define PYAWAIT_POSIX_H
#include "shim.h"

#define SYSTEM(X)                                                           \
  X(int, pthread_attr_init, (void *))                                       \
  X(int, pthread_attr_setstacksize, (void *, size_t))                       \
  X(int, pthread_create, (void *, const void *, void *(*)(void *), void *)) \
  X(int, pthread_detach, (void *))                                          \
  X(int, pthread_kill, (void *, int))                                       \
  X(int, sigaction, (int, const void *, void *))                            \
  X(int, raise, (int))                                                      \
  X(Py_ssize_t, write, (int, const void *, size_t))                         \
  X(int, open, (const char *, int, ...))                                    \
  X(int, fcntl, (int, int, ...))                                            \
  X(long, lseek, (int, long, int))                                          \
  X(int, dup2, (int, int))                                                  \
  X(int, close, (int))

static struct {
  SYSTEM(FIELD)
} sys;

typedef void (*signal_handler)(int);

/* struct sigaction: 152 bytes where it is largest, and the handler comes first. */
struct action {
  u64 bytes[32];
};

static signal_handler handler_of(const struct action *action) {
  signal_handler handler;
  __builtin_memcpy(&handler, action, sizeof handler);
  return handler;
}

static void set_handler(struct action *action, signal_handler handler) {
  __builtin_memcpy(action, &handler, sizeof handler);
}

#define IGNORE ((signal_handler)1) /* SIG_IGN */

static int is_function(signal_handler handler) { return (size_t)handler > 1; } /* neither SIG_DFL nor SIG_IGN */

#ifdef __APPLE__
enum { SIGNAL_INTERRUPT = 2, SIGNAL_QUIT = 3, SIGNAL_CHILD = 20, SIGNAL_URGENT = 16 };
#else
enum { SIGNAL_INTERRUPT = 2, SIGNAL_QUIT = 3, SIGNAL_CHILD = 17, SIGNAL_URGENT = 23 };
#endif

#endif
