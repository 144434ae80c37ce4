/* A JavaScript thread in Python: it attaches (takes the GIL) and detaches, counted, with one thread state for life.
 *
 * Why C: a JavaScript function that runs detached inside an invoke must find its thread as it left it, and a Worker's
 * thread may end while it is attached.
 *
 * Attaching with PyGILState_Ensure would make a fresh thread state each time, which costs up to 300 µs on Python 3.14.
 */
#include "shim.h"

/* This thread's attachment, which other heaps on it (copies of pyawait) may have made before. NULL: there is no
   memory. */
static struct attachment *find_attachment(void) {
  py.PyGILState_Ensure(); /* never released: the thread state is for life */
  PyThreadState *state = py.PyEval_SaveThread();
  struct heap *heap = newest_heap();
  while (heap && heap->attachment->state != state) heap = heap->next;
  if (heap) return heap->attachment;
  struct attachment *attachment = py.PyMem_RawMalloc(sizeof *attachment);
  if (!attachment) return 0;
  *attachment = (struct attachment){.state = state, .wakeup = py.PyThread_allocate_lock()};
  if (attachment->wakeup) py.PyThread_acquire_lock(attachment->wakeup, 1);
  return attachment->wakeup ? attachment : 0;
}

/* koffi runs C on a stack of its own. From 3.14 on Python checks the stack's end and has to be told where that is. */
static void protect_stack(struct heap *heap) {
  char here;
  char *at = (char *)(((size_t)&here + 4095) & ~(size_t)4095);
  struct attachment *attachment = heap->attachment;
  if (!heap->stack_bytes || !py.PyUnstable_ThreadState_SetStackProtection) return;
  size_t distance = (size_t)(at > attachment->stack_at ? at - attachment->stack_at : attachment->stack_at - at);
  if (attachment->stack_at && distance < heap->stack_bytes / 4) return;
  size_t usable = heap->stack_bytes - (256u << 10);
  if (!py.PyUnstable_ThreadState_SetStackProtection(attachment->state, at - usable, usable)) attachment->stack_at = at;
  else py.PyErr_Clear();
}

static void set_wants_gil(struct attachment *attachment, int wants) {
  __atomic_store_n(&attachment->wants_gil, wants, __ATOMIC_RELAXED);
}

/* Inner ones of nested attaches cost nothing. */
static void attach(struct heap *heap) {
  struct attachment *attachment = heap->attachment;
  if (attachment->depth++) return;
  COUNT(COUNT_ATTACHES);
  set_wants_gil(attachment, 1);
  py.PyEval_RestoreThread(attachment->state);
  protect_stack(heap);
}

static void detach(struct heap *heap) {
  struct attachment *attachment = heap->attachment;
  if (--attachment->depth) return;
  attachment->state = py.PyEval_SaveThread();
  set_wants_gil(attachment, 0);
}

/* Detaches inside an invoke, for JavaScript or to wait, until enter_level. */
static struct level leave_level(struct attachment *attachment) {
  struct level level = {attachment->depth, attachment->stays_from};
  attachment->depth = 0;
  attachment->stays_from = attachment->stays_to;
  attachment->state = py.PyEval_SaveThread();
  return level;
}

static void enter_level(struct attachment *attachment, struct level level) {
  if (!attachment->depth) py.PyEval_RestoreThread(attachment->state); /* else JavaScript was ended within `attach` */
  attachment->depth = level.depth;
  attachment->stays_to = attachment->stays_from; /* the heap's end ends what is left of them */
  attachment->stays_from = level.stays_from;
}

/* This thread's JavaScript will not detach any more: it was ended inside of `attach`, or exits there. */
static void detach_fully(struct heap *heap) {
  if (!heap->attachment->depth) return;
  heap->attachment->depth = 1;
  detach(heap);
}
