/* Spinning: a thread looks for work for some microseconds before it sleeps.
 *
 *    JavaScript thread                                        loop thread
 *      submit ── no byte: the loop spins ────────────────►      spins on its inbox (loop.c), detached
 *      setImmediate: take spins on the outbox     ◄── DONE ──     drains, sends; no ring: JavaScript spins
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
