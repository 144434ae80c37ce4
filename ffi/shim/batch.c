/* Records to JavaScript: a loop collects them in a batch, and sends it once it has gone round or drained its inbox.
 *
 * Why C: the done callback and the drain write them where no JavaScript can run; one push and one ring per batch is
 * what makes a completion cheap.
 *
 * Encoding a record runs Python code (a `__str__`, a `__del__`), which may write other records, or call JavaScript,
 * before which the batch is sent. So a record is written in memory of its own, and enters the batch when it is whole.
 */
#include "shim.h"

/* Writes room for the size, and the kind. */
static size_t begin_record(struct writer *w, struct heap *heap, u8 kind) {
  size_t start = w->length;
  w->owner = &heap->owner;
  w->depth = w->level = 0;
  reserve(w, 4);
  write_u8(w, kind);
  return start;
}

static void end_record(struct writer *w, size_t start) {
  if (w->failure) __builtin_trap(); /* there was no memory for what has to be said: half a record stops the queue */
  patch_u32(w, start, (u32)(w->length - start));
}

/* Sends whole records at once. */
static void send_copy(struct heap *heap, const struct writer *w) {
  if (!w->length || has_ended(heap)) return;
  struct chunk *chunk = new_chunk(heap, w->data, w->length);
  if (!chunk) __builtin_trap();
  if (push(&heap->outbox, chunk)) ring(heap);
}

/* ... and empties the writer. Its memory stays, unless that is large. */
static void send_records(struct heap *heap, struct writer *w) {
  send_copy(heap, w);
  w->length = 0;
  if (w->capacity <= LARGE_MEMORY || w->data == w->lent) return;
  py.PyMem_RawFree(w->data);
  w->data = 0, w->capacity = 0;
}

/* Appends whole records to a batch. What is long goes on its own, behind what is in the batch: that has a length, too. */
static void append_records(struct heap *heap, struct writer *batch, struct writer *w) {
  int alone = w->length > LARGE_MEMORY;
  if (alone || batch->length + w->length > message_limit) send_records(heap, batch);
  if (alone) send_records(heap, w);
  else write_raw(batch, w->data, w->length);
  if (batch->failure) __builtin_trap();
}

static void flush_batch(struct loop *loop) {
  if (loop->batch_heap) send_records(loop->batch_heap, &loop->batch);
  loop->batch_heap = 0, loop->batch_count = 0;
  if (loop->batch.unsent_count) release_sent(&loop->batch);
}

/* `flush` is called when what is ready has run. */
static void schedule_flush(struct loop *loop) {
  PyObject *handle = loop->flush_scheduled ? 0 : call_method(loop->object, name.call_soon, loop->flush);
  if (handle) loop->flush_scheduled = 1;
  else py.PyErr_Clear(); /* the loop is closed: end_batch_record sends at once */
  release(handle);
}

/* The batch for `heap`: one ring for all that this loop has for it until the loop has gone round once. */
static struct writer *batch_for(struct loop *loop, struct heap *heap) {
  if (!loop->draining) schedule_flush(loop);
  if (loop->batch_heap != heap) flush_batch(loop);
  loop->batch_heap = heap;
  loop->batch.keeps_unsent = 1;
  return &loop->batch;
}

enum { EARLY = 64 };        /* records that JavaScript is given to read while the loop makes more of them */
enum { ERROR_BYTES = 512 }; /* of a record: in them an error can be told when there is no memory for its value */

static struct writer begin_batch_record(struct loop *loop, struct heap *heap, u8 kind) {
  struct writer w = loop->spare;
  memset(&loop->spare, 0, sizeof loop->spare);
  w.keeps_unsent = 1;
  if (w.capacity < ERROR_BYTES && !enlarge(&w, ERROR_BYTES)) __builtin_trap();
  begin_record(&w, heap, kind);
  return w;
}

/* Keeps its memory for the next record, unless that is large or there is some already. */
static void drop_batch_record(struct loop *loop, struct writer *w) {
  if (w->unsent_count) release_sent(w);
  if (loop->spare.data || w->capacity > LARGE_MEMORY) py.PyMem_RawFree(w->data);
  else loop->spare.data = w->data, loop->spare.capacity = w->capacity;
}

static void end_batch_record(struct loop *loop, struct heap *heap, struct writer *w) {
  end_record(w, 0);
  struct writer *batch = batch_for(loop, heap);
  append_records(heap, batch, w);
  if (++loop->batch_count == EARLY) send_records(heap, batch), loop->batch_count = 0;
  for (u32 i = 0; i < w->unsent_count; i++) keep_until_sent(batch, w->unsent[i]);
  drop_batch_record(loop, w);
  if (!loop->flush_scheduled && !loop->draining) flush_batch(loop);
}

/* Records that belong to no loop's batch, from any thread: behind what this thread has batched before. It runs no
   Python code, so a deallocator may call it. */
static void send_in_order(struct heap *heap, struct writer *w) {
  struct loop *loop = loop_here();
  if (loop && loop->batch_heap == heap && (loop->draining || loop->flush_scheduled))
    append_records(heap, &loop->batch, w);
  else send_records(heap, w); /* while Python ends too: JavaScript looks once more without being rung */
}

/* A record of one or two numbers. */
static void send_numbers(struct heap *heap, u8 kind, const u32 *numbers, size_t count) {
  u8 data[16];
  struct writer w = {.data = data, .lent = data, .capacity = sizeof data};
  size_t start = begin_record(&w, heap, kind);
  write_raw(&w, numbers, count * sizeof *numbers);
  end_record(&w, start);
  send_in_order(heap, &w);
}

static void send_number(struct heap *heap, u8 kind, u32 number) { send_numbers(heap, kind, &number, 1); }

/* JavaScript may forget a value that it has handed out `count` times. */
static void send_release(struct heap *heap, u32 handle, u32 count) {
  const u32 numbers[] = {handle, count};
  send_numbers(heap, OUT_RELEASE, numbers, 2);
}

static void release_unread(void *unused, u32 heap_id, u32 handle) {
  struct heap *heap = find_heap(heap_id);
  (void)unused;
  if (heap) send_release(heap, handle, 1);
}

/* Ends the reading of a message. What follows an error is not decoded: its JavaScript values are given back. */
static void close_reader(struct reader *r) {
  static const struct visitor visitor = {.js = release_unread};
  skip_values(r, FROM_JAVASCRIPT, &visitor);
  for (u32 i = 0; i < r->count; i++) release(r->containers[i]);
  for (u32 i = 0; i < r->shape_count; i++) release(r->shapes[i]);
  py.PyMem_RawFree(r->containers), py.PyMem_RawFree(r->shapes);
  r->containers = r->shapes = 0, r->count = r->capacity = r->shape_count = r->shape_capacity = 0;
}
