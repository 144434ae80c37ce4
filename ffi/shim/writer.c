/* Memory for values to JavaScript: a buffer that grows and is rolled back, containers that were written already, proxies
 * to keep.
 *
 * Why C: see encode.c, which writes into it.
 *
 * Every addition to a length is checked: a message whose length overflows 32 bits is read as a shorter one, and what
 * follows it as records. A message that becomes too long, or for which there is no memory, gets a failure, which encode
 * raises. Small allocations that fail end the process, as in CPython's core.
 */
#include "shim.h"

/* Moves the message to memory that has room for `more` bytes. 0: it fails. */
static int enlarge(struct writer *w, size_t more) {
  if (more > message_limit || w->length + more > message_limit) return w->failure = TOO_LONG, 0;
  size_t capacity = w->capacity * 2 > w->length + more ? w->capacity * 2 : w->length + more + 256;
  if (capacity > MAX_MESSAGE) capacity = MAX_MESSAGE;
  u8 *data = w->data == w->lent ? py.PyMem_RawMalloc(capacity) : py.PyMem_RawRealloc(w->data, capacity);
  if (!data) return w->failure = NO_MEMORY, 0;
  if (w->data == w->lent && w->length) memcpy(data, w->data, w->length);
  w->data = data, w->capacity = capacity;
  return 1;
}

/* Where the next `more` bytes go. NULL: the message has failed, and none of them is written. */
static u8 *reserve(struct writer *w, size_t more) {
  if (more > w->capacity - w->length && !enlarge(w, more)) return 0;
  u8 *at = w->data + w->length;
  w->length += more;
  return at;
}

/* Raises the failure of a message. -1, for encode to return. */
static int raise_failure(const struct writer *w) {
  if (w->failure == NO_MEMORY) return py.PyErr_NoMemory(), -1;
  raise_error(EXCEPTION(ValueError), "Cannot convert this to JavaScript: its message would have 2 GiB or more");
  return -1;
}

static void write_u8(struct writer *w, u8 value) {
  u8 *at = reserve(w, 1);
  if (at) *at = value;
}

static void write_u32(struct writer *w, u32 value) {
  u8 *at = reserve(w, 4);
  if (at) __builtin_memcpy(at, &value, 4);
}

static void write_raw(struct writer *w, const void *bytes, size_t length) {
  u8 *at = reserve(w, length);
  if (at) memcpy(at, bytes, length);
}

/* Puts a value where room was left for it. */
static void patch_u32(struct writer *w, size_t at, u32 value) { __builtin_memcpy(w->data + at, &value, 4); }

static void write_tag_u32(struct writer *w, u8 tag, u32 value) {
  u8 *at = reserve(w, 5);
  if (!at) return;
  *at = tag;
  __builtin_memcpy(at + 1, &value, 4);
}

static void write_tag_f64(struct writer *w, u8 tag, double value) {
  u8 *at = reserve(w, 9);
  if (!at) return;
  *at = tag;
  __builtin_memcpy(at + 1, &value, 8);
}

/* All of it or nothing. */
static void write_bytes(struct writer *w, u8 tag, const char *bytes, size_t length) {
  u32 size = (u32)length;
  u8 *at = reserve(w, 5 + length);
  if (!at) return;
  *at = tag;
  __builtin_memcpy(at + 1, &size, 4);
  memcpy(at + 5, bytes, length);
}

/* A Python object by reference: a new one, which the reader's heap owns. `kinds` has the number of its type's name in its
   upper half. */
static void write_object(struct writer *w, PyObject *object, u64 kinds) {
  u8 *at = reserve(w, 17);
  if (!at) return;
  u64 address = (u64)(size_t)new_reference(object);
  own(w->owner, object);
  at[0] = TAG_OBJECT;
  __builtin_memcpy(at + 1, &kinds, 8);
  __builtin_memcpy(at + 9, &address, 8);
}

/* Memory of an object that does not change while the object lives: with a reference to it, for its reader to copy. */
static void write_large(struct writer *w, PyObject *object, u32 width, const void *data, size_t length) {
  u8 *at = reserve(w, 22);
  if (!at) return;
  u64 start = (u64)(size_t)data, address = (u64)(size_t)new_reference(object);
  u32 size = (u32)length;
  own(w->owner, object);
  at[0] = TAG_LARGE, at[1] = (u8)width;
  __builtin_memcpy(at + 2, &size, 4);
  __builtin_memcpy(at + 6, &start, 8);
  __builtin_memcpy(at + 14, &address, 8);
}

/* Proxies of JavaScript values in records that are not sent yet --------------------------------------------------- */

/* A value's RELEASE, which is sent when its proxy is freed, must not overtake the record that names the value. */
static void keep_until_sent(struct writer *w, PyObject *proxy) {
  if (!w->keeps_unsent) return;
  if (w->unsent_count == w->unsent_capacity) {
    w->unsent = grow(w->unsent, &w->unsent_capacity, w->unsent_count, sizeof *w->unsent);
    if (!w->unsent) __builtin_trap();
  }
  w->unsent[w->unsent_count++] = new_reference(proxy);
}

/* The records are sent. Freeing a proxy may run Python code, which may write more: the list is emptied first. */
static void release_sent(struct writer *w) {
  PyObject **sent = w->unsent;
  u32 count = w->unsent_count;
  w->unsent = 0, w->unsent_count = w->unsent_capacity = 0;
  while (count) py.Py_DecRef(sent[--count]);
  py.PyMem_RawFree(sent);
}

/* Rolling back ---------------------------------------------------------------------------------------------------- */

static void release_written(void *owner, PyObject *object) { release_owned(owner, object); }

/* Takes back what was written since `start`. Releasing an object may run Python code: an exception that is set
   stays. */
static void roll_back(struct writer *w, size_t start) {
  PyObject *type, *error, *traceback;
  struct reader written = {.at = w->data + start, .end = w->data + w->length};
  struct visitor visitor = {.object = release_written, .state = w->owner};
  py.PyErr_Fetch(&type, &error, &traceback);
  skip_values(&written, TO_JAVASCRIPT, &visitor);
  w->length = start, w->failure = WRITES;
  py.PyErr_Restore(type, error, traceback);
}

/* Containers that were written already ---------------------------------------------------------------------------- */

/* The slot that has this container (or buffer), or is free for it. */
static u32 find_seen(const struct writer *w, const PyObject *container) {
  u32 at = (u32)((size_t)container >> 4) & (w->seen_capacity - 1);
  while (w->seen[at] && w->seen[at] != container) at = (at + 1) & (w->seen_capacity - 1);
  return at;
}

/* Its index; NOT_SEEN where it was not written. */
static u32 index_of(const struct writer *w, const PyObject *container) {
  u32 at = w->seen_capacity ? find_seen(w, container) : 0;
  return w->seen_capacity && w->seen[at] ? w->indexes[at] : NOT_SEEN;
}

/* Writes a reference to it, if it was written before; 1 if so. */
static int write_reference(struct writer *w, PyObject *container) {
  u32 index = index_of(w, container);
  if (index == NOT_SEEN) return 0;
  write_tag_u32(w, TAG_REFERENCE, index);
  return 1;
}

/* Makes the table anew with the containers whose index is below `count`, and those that are refused. Releasing the
   others may run Python code, so it comes last. */
static void remake_seen(struct writer *w, u32 capacity, u32 count) {
  struct writer old = *w;
  w->seen_capacity = capacity, w->seen_used = 0;
  w->seen = py.PyMem_RawMalloc(capacity * sizeof *w->seen);
  w->indexes = py.PyMem_RawMalloc(capacity * sizeof *w->indexes);
  if (!w->seen || !w->indexes) __builtin_trap();
  for (u32 i = 0; i < capacity; i++) w->seen[i] = 0;
  for (u32 i = 0; i < old.seen_capacity; i++) {
    if (!old.seen[i] || (old.indexes[i] >= count && old.indexes[i] != BY_REFERENCE)) continue;
    u32 at = find_seen(w, old.seen[i]);
    w->seen[at] = old.seen[i], w->indexes[at] = old.indexes[i], w->seen_used++;
    old.seen[i] = 0;
  }
  for (u32 i = 0; i < old.seen_capacity; i++) release(old.seen[i]);
  py.PyMem_RawFree(old.seen), py.PyMem_RawFree(old.indexes);
}

static void put_seen(struct writer *w, PyObject *container, u32 index) {
  if (2 * w->seen_used >= w->seen_capacity) remake_seen(w, w->seen_capacity ? 2 * w->seen_capacity : 32, NOT_SEEN);
  u32 at = find_seen(w, container);
  w->seen[at] = new_reference(container), w->indexes[at] = index, w->seen_used++;
}

/* A container that is being written gets the next index. */
static void add_seen(struct writer *w, PyObject *container) { put_seen(w, container, w->seen_count++); }

/* What was written from index `count` on has been rolled back. */
static void forget_seen(struct writer *w, u32 count) {
  remake_seen(w, w->seen_capacity, count);
  w->seen_count = count;
}

/* Marks a container whose writing begins, or has ended. */
static void mark_written(struct writer *w, const PyObject *container, int begins) {
  u32 at = find_seen(w, container);
  w->indexes[at] = begins ? w->indexes[at] | BEING_WRITTEN : w->indexes[at] & ~BEING_WRITTEN;
}

/* A container that goes by reference, wherever it occurs in this message. */
static void refuse(struct writer *w, PyObject *container) { put_seen(w, container, BY_REFERENCE); }

static int is_refused(const struct writer *w, const PyObject *container) {
  return index_of(w, container) == BY_REFERENCE;
}

static void clear_seen(struct writer *w) {
  for (u32 i = 0; i < w->seen_capacity; i++) release(w->seen[i]);
  py.PyMem_RawFree(w->seen), py.PyMem_RawFree(w->indexes);
  w->seen = 0, w->indexes = 0, w->seen_used = w->seen_count = w->seen_capacity = 0;
}
