/* Spinning: a thread looks for work for some microseconds before it sleeps.
 *
 *    JavaScript thread                                        loop thread
 *      submit ── no byte: the loop spins ────────────────►      spins on its inbox, detached
 *      rings itself: take spins on the outbox     ◄── DONE ──     drains, sends; no ring: JavaScript spins
 *
 * Why C: what is looked for is a word of memory that another thread writes, without the GIL and without JavaScript.
 *
 * To wake a sleeping thread takes 30 to 70 µs, more than most coroutines run. Both sides have to spin: each saves the
 * other's wake. A side spins only when it has sent something to the other one, and is punished for spinning in vain: it
 * leaves out the next 1, 2, 4, 8, 16 chances. So what does not gain from it hardly pays for it, and an idle process never
 * spins.
 */
#include "shim.h"

enum {
  SPIN_ROUND = 16,      /* pauses after which another thread of this processor may run, and the clock is read */
  CROWDED_YIELD = 100,  /* µs that a yield takes if other processes want this processor */
  CROWDED_PAUSE = 5000, /* µs without spinning after such a yield */
  WAKING = 70           /* µs that are added after a wake: the other side has to wake up as well */
};

static int spin_time = SPIN_DEFAULT; /* [atomic] µs; 0: no thread spins */
static u64 crowded_until;            /* [atomic] */

static void set_spin(int microseconds) { __atomic_store_n(&spin_time, microseconds, __ATOMIC_RELAXED); }

static void pause_processor(void) {
#if defined __x86_64__
  __builtin_ia32_pause();
#else
  __asm__ volatile("isb" ::: "memory"); /* `yield` does nothing on most arm64 cores */
#endif
}

/* Whether this side may spin now. The guard of `spinner` is that of its owner. */
static int may_spin(struct spinner *spinner) {
  if (!__atomic_load_n(&spin_time, __ATOMIC_RELAXED)) return 0;
  if (spinner->skips) return spinner->skips--, 0;
  return microseconds_now() >= __atomic_load_n(&crowded_until, __ATOMIC_RELAXED);
}

/* How a spin has ended: next time it may be longer, shorter or not at all. */
static void count_spin(struct spinner *spinner, int hit) {
  spinner->warm = hit;
  if (hit) spinner->misses = 0;
  else spinner->skips = 1u << spinner->misses, spinner->misses += spinner->misses < 4;
}

/* Spins, detached, until `found(state)`, or for the time that is worth it; the last `found`. */
static int spin_until(int (*found)(void *), void *state, const struct spinner *spinner) {
  u64 at = microseconds_now();
  u64 end = at + (u64)__atomic_load_n(&spin_time, __ATOMIC_RELAXED) + (spinner->warm ? 0 : WAKING);
  while (at < end) {
    for (int i = 0; i < SPIN_ROUND; i++) {
      if (found(state)) return 1;
      pause_processor();
    }
    u64 before = microseconds_now();
    yield_processor();
    at = microseconds_now();
    if (at - before > CROWDED_YIELD) {
      __atomic_store_n(&crowded_until, at + CROWDED_PAUSE, __ATOMIC_RELAXED);
      break;
    }
  }
  return found(state);
}

/* The loop's side ------------------------------------------------------------------------------------------------- */

static int inbox_has_chunks(void *loop) {
  return __atomic_load_n(&((struct loop *)loop)->inbox, __ATOMIC_SEQ_CST) != 0;
}

/* Whether asyncio's queues cannot be looked into: uvloop has none. */
static int is_opaque(const struct loop *loop) { return !loop->ready || !loop->scheduled; }

/* Whether a timer of asyncio's may be due before a spin would end. */
static int timer_is_near(struct loop *loop) {
  PyObject *first = py.PyObject_Size(loop->scheduled) > 0 ? py.PyList_GetItem(loop->scheduled, 0) : 0;
  PyObject *when = first ? py.PyObject_GetAttr(first, name._when) : 0;
  PyObject *now = when ? call_method(loop->object, name.time, 0) : 0;
  int near = now && py.PyFloat_AsDouble(when) - py.PyFloat_AsDouble(now) < 0.0005;
  release(when), release(now);
  if (py.PyErr_Occurred()) py.PyErr_Clear(), near = 1;
  return near;
}

/* Whether the loop would sleep now, as far as can be seen. One that cannot be looked into spins in `flush` only: what was
   ready has run before that. In debug mode asyncio would report a spin as a slow callback. */
static int would_sleep(struct loop *loop) {
  if (is_true(py.PyObject_GetAttr(loop->object, name._debug))) return 0;
  py.PyErr_Clear();
  if (is_opaque(loop)) return 1;
  return !py.PyObject_Size(loop->ready) && !timer_is_near(loop);
}

/* A visit is a callback of the loop: it is ready when the spin ends. */
static int has_work(void *loop) {
  return inbox_has_chunks(loop) || __atomic_load_n(&((struct loop *)loop)->visited, __ATOMIC_RELAXED);
}

/* After something was sent: looks for what JavaScript makes of it. 1: the inbox has chunks. */
static int spin_on_inbox(struct loop *loop) {
  if (inbox_has_chunks(loop)) return 1;
  if (is_closing() || !would_sleep(loop) || !may_spin(&loop->spinner)) return 0;
  __atomic_store_n(&loop->spins, 1, __ATOMIC_SEQ_CST);
  PyThreadState *state = py.PyEval_SaveThread();
  int found = spin_until(has_work, loop, &loop->spinner);
  __atomic_store_n(&loop->spins, 0, __ATOMIC_SEQ_CST);
  int more = inbox_has_chunks(loop); /* what came until now has not woken the loop */
  py.PyEval_RestoreThread(state);
  count_spin(&loop->spinner, found || more);
  return more;
}
