/* The references to Python objects that a JavaScript heap owns, counted by object.
 *
 * Why C: a heap may end without running any more JavaScript (worker.terminate()), and only the shim then still knows
 * what it owned. Every object that is written to JavaScript and every release passes here, some of them in
 * mid-conversion.
 *
 * A heap gives back what it was given and nothing else, so no reference is released twice.
 */
#include "shim.h"

static void lock_owner(struct owner *owner) {
  while (__atomic_exchange_n(&owner->locked, 1, __ATOMIC_ACQUIRE)) {
  }
}
static void unlock_owner(struct owner *owner) { __atomic_store_n(&owner->locked, 0, __ATOMIC_RELEASE); }

/* The slot where the search for this object starts. */
static u32 home_slot(const struct owner *owner, const PyObject *object) {
  return (u32)(((u64)(size_t)object * 0x9e3779b97f4a7c15u) >> 32) & (owner->capacity - 1);
}

/* The slot that has this object, or is free for it. */
static struct owned *find_owned(struct owner *owner, const PyObject *object) {
  u32 at = home_slot(owner, object);
  while (owner->table[at].object && owner->table[at].object != object) at = (at + 1) & (owner->capacity - 1);
  return &owner->table[at];
}

static void resize_owner(struct owner *owner, u32 capacity) {
  struct owner old = *owner;
  owner->table = py.PyMem_RawMalloc(capacity * sizeof *owner->table);
  owner->capacity = capacity;
  if (!owner->table) __builtin_trap();
  for (u32 i = 0; i < capacity; i++) owner->table[i].object = 0;
  for (u32 i = 0; i < old.capacity; i++)
    if (old.table[i].object) *find_owned(owner, old.table[i].object) = old.table[i];
  py.PyMem_RawFree(old.table);
}

/* Counts one reference more. */
static void own(struct owner *owner, PyObject *object) {
  lock_owner(owner);
  if (2 * owner->used >= owner->capacity) resize_owner(owner, owner->capacity ? 2 * owner->capacity : 64);
  struct owned *owned = find_owned(owner, object);
  if (!owned->object) *owned = (struct owned){object, 0}, owner->used++;
  owned->count++;
  unlock_owner(owner);
}

/* Closes the hole that an object leaves, so that no search ends there too early. */
static void remove_owned(struct owner *owner, u32 hole) {
  u32 mask = owner->capacity - 1;
  for (u32 at = (hole + 1) & mask; owner->table[at].object; at = (at + 1) & mask) {
    u32 from_home = (at - home_slot(owner, owner->table[at].object)) & mask;
    if (from_home >= ((at - hole) & mask)) owner->table[hole] = owner->table[at], hole = at;
  }
  owner->table[hole].object = 0;
  owner->used--;
}

/* Releases one reference, if the heap owns it. Must be attached. */
static void release_owned(struct owner *owner, PyObject *object) {
  lock_owner(owner);
  struct owned *owned = owner->used ? find_owned(owner, object) : 0;
  int owns = owned && owned->object;
  if (owns && !--owned->count) remove_owned(owner, (u32)(owned - owner->table));
  unlock_owner(owner);
  if (owns) py.Py_DecRef(object);
}

/* A message of this heap's is read, or has been: what it borrows may be released after it. */
static void begin_reading(struct reader *r, struct heap *heap) { r->reads = heap, heap->reading++; }

static void end_reading(struct reader *r) {
  if (r->reads) r->reads->reading--;
  r->reads = 0;
}

/* Releases all of them. Must be attached. */
static void release_all_owned(struct owner *owner) {
  lock_owner(owner);
  struct owner all = *owner;
  owner->table = 0, owner->used = owner->capacity = 0;
  unlock_owner(owner);
  for (u32 i = 0; i < all.capacity; i++)
    while (all.table[i].object && all.table[i].count--) py.Py_DecRef(all.table[i].object);
  py.PyMem_RawFree(all.table);
}

#ifdef PYAWAIT_CHECK_OBJECTS
/* Whether some heap owns a reference to this object, or has borrowed it for good. */
static int is_given(PyObject *object) {
  int given = object == helper.entry;
  py.PyThread_acquire_lock(registry, 1);
  for (struct heap *heap = heaps; heap && !given; heap = heap->next) {
    lock_owner(&heap->owner);
    given = heap->owner.used && find_owned(&heap->owner, object)->object;
    unlock_owner(&heap->owner);
  }
  py.PyThread_release_lock(registry);
  return given;
}
#endif
