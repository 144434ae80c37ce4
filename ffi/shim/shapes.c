/* Dicts of one message that have the same keys in the same order send them once.
 *
 * Why C: see encode.c, which asks for each dict.
 *
 * A dict whose keys no dict before it had is written with its keys; the second one with them defines a shape, which has a
 * number from then on. Keys are compared by address: json, classes and literals make one object of equal keys.
 */
#include "shim.h"

/* Whether they are the dict's keys. */
static int has_keys(PyObject *dict, const struct shape *shape) {
  Py_ssize_t position = 0;
  PyObject *key, *value;
  for (u32 i = 0; i < shape->count; i++)
    if (!py.PyDict_Next(dict, &position, &key, &value) || key != shape->keys[i]) return 0;
  return 1;
}

/* The keys of this dict among those that were written, or NULL. */
static struct shape *find_shape(struct writer *w, PyObject *dict) {
  Py_ssize_t count = w->shape_count ? py.PyDict_Size(dict) : 0;
  for (u32 i = 0; i < w->shape_count; i++)
    if (w->shapes[i].count == count && has_keys(dict, &w->shapes[i])) return &w->shapes[i];
  return 0;
}

/* A key that no other key of its dict is the same text in JavaScript as. */
static int is_plain_key(PyObject *key) {
  struct text text;
  return type_of(key) == TYPE(Unicode) && find_text(key, &text) && !has_surrogates(&text);
}

/* Keeps the keys of a dict that was written. */
static void remember_shape(struct writer *w, PyObject *dict) {
  Py_ssize_t position = 0, count = py.PyDict_Size(dict);
  PyObject *key, *value;
  if (w->shape_count == MAX_SHAPES || count < 1 || count > MAX_SHAPE_KEYS) return;
  if (!w->shapes && !(w->shapes = py.PyMem_RawMalloc(MAX_SHAPES * sizeof *w->shapes))) return;
  struct shape *shape = &w->shapes[w->shape_count];
  shape->count = 0, shape->index = NOT_SEEN;
  while (py.PyDict_Next(dict, &position, &key, &value)) {
    if (!is_plain_key(key)) return;
    shape->keys[shape->count++] = key;
  }
  for (u32 i = 0; i < shape->count; i++) new_reference(shape->keys[i]);
  w->shape_count++;
}

/* Writes the head of a dict with these keys, for its values to follow. */
static void begin_shaped(struct writer *w, struct shape *shape) {
  if (shape->index == NOT_SEEN) {
    shape->index = w->shapes_defined++, shape->defined = w->length;
    write_u8(w, TAG_SHAPE), write_tag_u32(w, TAG_TUPLE, shape->count);
    for (u32 i = 0; i < shape->count; i++) encode_text(w, shape->keys[i]);
  }
  write_tag_u32(w, TAG_RECORD, shape->index), write_u32(w, shape->count);
}

/* What was written from `start` on has been rolled back. */
static void forget_shapes(struct writer *w, size_t start) {
  for (u32 i = 0; i < w->shape_count; i++) {
    if (w->shapes[i].index == NOT_SEEN || w->shapes[i].defined < start) continue;
    w->shapes[i].index = NOT_SEEN, w->shapes_defined--;
  }
}

static void clear_shapes(struct writer *w) {
  while (w->shape_count) {
    struct shape *shape = &w->shapes[--w->shape_count];
    while (shape->count) py.Py_DecRef(shape->keys[--shape->count]);
  }
  py.PyMem_RawFree(w->shapes);
  w->shapes = 0, w->shapes_defined = 0;
}
