/* The functions of the system that the shim uses. JavaScript hands over their addresses (platform_*.c, resolve_system). */
#ifdef _WIN32
#define SYSTEM(X)                                                       \
  X(void *, CreateThread, (void *, size_t, void *, void *, u32, u32 *)) \
  X(int, WriteFile, (long long, const void *, u32, u32 *, void *))      \
  X(void *, LoadLibraryA, (const char *))                               \
  X(void *, GetModuleHandleA, (const char *))

static struct {
  SYSTEM(FIELD)
  int (*send)(long long, const char *, int, int);
} sys;
#else
#define SYSTEM(X)                                                           \
  X(int, pthread_attr_init, (void *))                                       \
  X(int, pthread_attr_setstacksize, (void *, size_t))                       \
  X(int, pthread_create, (void *, const void *, void *(*)(void *), void *)) \
  X(int, pthread_detach, (void *))                                          \
  X(int, pthread_kill, (void *, int))                                       \
  X(int, sigaction, (int, const void *, void *))                            \
  X(int, raise, (int))                                                      \
  X(Py_ssize_t, write, (int, const void *, size_t))                         \
  X(int, close, (int))

static struct {
  SYSTEM(FIELD)
} sys;
#endif
