/* Random messages, part of harness.c: values by the layouts of numbers.h, then cut and changed in a few bytes.
 *
 *     PYAWAIT_FUZZ="COUNT SEED" node test/native/run.mjs
 *
 * A byte may be wrong wherever JavaScript could write a wrong one; addresses are checked by PYAWAIT_CHECK_OBJECTS. What
 * must hold: no sanitizer reports anything, every call has an outcome, every task ends once, and Python is as it was.
 */
static u64 seed;
static u32 random32(void) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return (u32)(seed >> 16);
}
static u32 below(u32 limit) { return random32() % limit; }

static u64 mirror, mirror_later;

/* One of very many checks: counted if it fails. */
static void expect(int holds, const char *what) {
  if (!holds) check(0, what);
}

static void put_random(struct message *m, u32 length) {
  while (length--) put8(m, (int)below(256));
}

/* A count of what follows, now and then a wrong one. */
static void put_count(struct message *m, u32 count) { put32(m, below(40) ? count : below(2) ? below(9) : random32()); }

static void put_any(struct message *m, int depth);

static void put_many(struct message *m, u32 count, int depth) {
  put_count(m, count);
  while (count--) put_any(m, depth);
}

/* What a JavaScript value is said to be: never another one, which would be asked while Python makes this one. */
static void put_about(struct message *m) {
  u32 count = below(5);
  if (!count) return put_text(m, "f");
  put8(m, TAG_TUPLE), put32(m, count);
  for (u32 i = 0; i < count; i++) {
    if (below(2)) put_text(m, "Error");
    else put_int(m, (int)below(300));
  }
}

/* Nested so deep that no stack would do, if nobody counted. */
static void put_deep(struct message *m) {
  static const u8 tags[] = {TAG_LIST, TAG_TUPLE, TAG_THROW, TAG_SLICE, TAG_ARRAY, TAG_JS, TAG_DICT, TAG_SHAPE};
  u8 tag = tags[below(sizeof tags)];
  for (u32 i = below(20000); i && m->length < 60000; i--) {
    put8(m, tag);
    if (tag == TAG_LIST || tag == TAG_TUPLE || tag == TAG_DICT) put32(m, 1);
    if (tag == TAG_ARRAY) put8(m, 'd');
    if (tag == TAG_JS) put32(m, 1), put32(m, 1), put8(m, JS_OBJECT);
    if (tag == TAG_SHAPE) put8(m, TAG_TUPLE), put32(m, 0), put8(m, TAG_RECORD), put32(m, 0), put32(m, 0);
  }
  put8(m, TAG_NONE);
}

static void put_any(struct message *m, int depth) {
  static const u64 *const objects[] = {&mirror, &identity, &echo, &half};
  static const char codes[] = "bBhHiIlLqQfduw?";
  u32 tag = depth > 4 || m->length > 20000 ? below(TAG_ARRAY) : below(TAG_COUNT), length = below(12), count = below(5);
  if (!below(3000) && m->length < 20000) return put_deep(m);
  put8(m, (int)tag);
  switch (tag) {
  case TAG_INT32:
  case TAG_REFERENCE: put32(m, below(2) ? below(9) : random32()); break;
  case TAG_INT53:
  case TAG_FLOAT:
  case TAG_DATE: put_random(m, 8); break;
  case TAG_BIGINT: put32(m, 6), put(m, below(4) ? "-0x7f" : "0xfg1", 6); break;
  case TAG_LATIN1:
  case TAG_UTF16:
  case TAG_BYTES: put_count(m, length), put_random(m, length); break;
  case TAG_ARRAY: put8(m, codes[below(sizeof codes - 1)]), put_any(m, depth + 1); break;
  case TAG_LIST:
  case TAG_TUPLE:
  case TAG_SET: put_many(m, count, depth + 1); break;
  case TAG_DICT:
    put_count(m, count);
    while (count--) put_text(m, below(2) ? "key" : "other"), put_any(m, depth + 1);
    break;
  case TAG_NUMBERS: put_count(m, count), put_random(m, 8 * count); break;
  case TAG_TEXTS:
    put_count(m, count);
    for (u32 i = 0; i < count; i++) put32(m, below(4));
    put8(m, below(2) ? TAG_LATIN1 : TAG_UTF16), put_count(m, 2 * count), put_random(m, 2 * count);
    break;
  case TAG_SHAPE:
    put8(m, TAG_TUPLE), put_count(m, count);
    for (u32 i = 0; i < count; i++) put_text(m, below(2) ? "a" : "b");
    put8(m, TAG_RECORD), put32(m, below(3)), put_many(m, count, depth + 1);
    break;
  case TAG_RECORD: put32(m, below(3)), put_many(m, count, depth + 1); break;
  case TAG_OBJECT: {
    u64 address = below(20) ? *objects[below(4)] : (u64)random32() << 8;
    put(m, &address, 8);
    break;
  }
  case TAG_JS:
    put32(m, below(9) ? self->id : random32()), put32(m, below(50)), put8(m, (int)below(10)), put_about(m);
    break;
  case TAG_THROW: put_any(m, depth + 1); break;
  case TAG_SLICE:
    for (int i = 0; i < 3; i++) put_any(m, depth + 1);
    break;
  case TAG_LARGE: put32(m, below(3)); break;
  }
}

/* Changes some bytes from `start` on, or cuts the message. */
static void spoil(struct message *m, int start) {
  u32 room = (u32)(m->length - start);
  if (!room || below(2)) return;
  for (u32 i = below(4); i; i--) m->data[start + (int)below(room)] = (u8)(below(2) ? below(TAG_COUNT) : below(256));
  if (!below(4)) m->length = start + (int)below(room);
}

/* The sanitizer guards the end of exactly this message. */
static int invoke_exactly(struct player *p, int operation, const struct message *m) {
  u8 *exact = malloc((size_t)m->length + 1);
  memcpy(exact, m->data, (size_t)m->length);
  int length = invoke_bytes(p, operation, exact, m->length);
  free(exact);
  struct input r = {p->out + 4};
  if (length > 0) get_value(&r, &p->released);
  else if (length < 0) {
    u8 *large = malloc((size_t)-length);
    expect(pyawait_overflow(p->heap, large, -length) == -length, "an outcome that did not fit");
    r.at = large + 4, get_value(&r, &p->released);
    free(large);
  }
  return length;
}

static void fuzz_call(struct player *p) {
  struct message m = {.length = 0};
  int operation = below(2) ? DO_CALL : DO_CALL_AND_COPY, start;
  if (operation == DO_CALL_AND_COPY) put32(&m, below(9) ? 100 : below(4)), put8(&m, (int)below(4));
  put_object(&m, mirror), start = m.length, put_many(&m, below(4), 0), put8(&m, TAG_NONE);
  spoil(&m, start);
  expect(invoke_exactly(p, operation, &m) != 0, "a call has an outcome");
}

static void fuzz_get(struct player *p) {
  struct message m = {.length = 0};
  put_any(&m, 0), put_any(&m, 3), put_any(&m, 3);
  spoil(&m, 0);
  expect(invoke_exactly(p, DO_GET, &m) != 0, "an attribute has an outcome");
}

/* Python calls JavaScript, whose answer is random: see `answer`. */
static int fuzzing;
static int put_fuzz(struct message *m) {
  int start = m->length;
  if (fuzzing) put_any(m, 0), spoil(m, start);
  return fuzzing;
}

static void fuzz_answer(struct player *p) {
  struct message m = {.length = 0};
  put_object(&m, call), put32(&m, 2), put_js(&m, p->id, 3, JS_FUNCTION), put_any(&m, 3), put8(&m, TAG_NONE);
  fuzzing = 1;
  expect(invoke_exactly(p, DO_CALL, &m) != 0, "a call of JavaScript has an outcome");
  fuzzing = 0;
}

static void fuzz_task(struct player *p, u32 id) {
  struct message m = {.length = 0};
  begin_start(&m, id, mirror_later, 0), m.length -= 4;
  int start = m.length;
  put_many(&m, below(4), 0), put8(&m, TAG_NONE);
  spoil(&m, start);
  end_record(&m);
  submit(p, 0, &m);
}

static void check_fuzz(struct player *p) {
  const char *given = getenv("PYAWAIT_FUZZ");
  u32 count = 5000;
  char *rest = 0;
  seed = 1;
  if (given) count = (u32)strtoul(given, &rest, 10), seed = strtoull(rest, 0, 10) | 1;
  mirror = object(p, "mirror"), mirror_later = object(p, "mirror_later");
  double quiet = run(p, "import logging, sys, warnings; logging.disable(); sys.unraisablehook = lambda _: None; "
                        "warnings.simplefilter('ignore'); 0");
  check(quiet == 0, "errors that nobody can be told are not shown");
  u32 before = p->done, tasks = 0;
  for (u32 i = 0; i < count; i++) {
    switch (below(8)) {
    case 0: fuzz_get(p); break;
    case 1: fuzz_answer(p); break;
    case 2:
    case 3: fuzz_task(p, tasks++); break;
    default: fuzz_call(p);
    }
    if (i % 512 == 0) expect(await(p, &p->done, before + tasks), "every task ends once");
  }
  check(await(p, &p->done, before + tasks), "every task ends once");
  run(p, "gc.collect(); logging.disable(logging.NOTSET); sys.unraisablehook = sys.__unraisablehook__; 0"), take(p),
      give_back(p);
  check(run(p, "5") == 5, "random messages leave Python as it was");
}
