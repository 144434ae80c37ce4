/* The shim without JavaScript: several threads play its part, with messages written by hand.
 *
 *     harness LIBPYTHON EXECUTABLE SOURCE...
 *
 * run.mjs compiles it together with ffi/shim/shim.c, once with the address sanitizer and once with the thread
 * sanitizer. Each SOURCE is a chapter of src/py, in order. The last line says how many checks passed and failed.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "numbers.h"

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
struct heap;
int pyawait_open(void *find, void *library, void *system, const char *texts, const u8 *configuration, int length,
                 u8 *problem, int capacity);
int pyawait_opener(u8 *out, int capacity);
struct heap *pyawait_heap(void *ring, void *on_call, int stack_bytes);
int pyawait_heap_id(struct heap *heap);
void *pyawait_entry(void);
void pyawait_attach(struct heap *heap);
void pyawait_detach(struct heap *heap);
void pyawait_invoke(struct heap *heap, int operation, const u8 *in, int length, u8 *out, int capacity);
int pyawait_overflow(struct heap *heap, u8 *out, int capacity);
void pyawait_copy(u8 *to, const u8 *from, int length);
int pyawait_submit(struct heap *heap, int loop_id, const u8 *data, int length);
void pyawait_set_spin(int microseconds);
int pyawait_take(struct heap *heap, u8 *out, int capacity);
int pyawait_call_record(struct heap *heap, u8 *out, int capacity);
int pyawait_answer(struct heap *heap, int id, const u8 *data, int length);
void pyawait_interrupt(struct heap *heap);
void pyawait_limit_messages(int bytes);
int pyawait_exit(struct heap *heap, int milliseconds);
void pyawait_heap_end(struct heap *heap);
void *napi_register_module_v1(void *env, void *exports);

static int passed, failed;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static int check(int holds, const char *what) {
  pthread_mutex_lock(&counting);
  if (holds) passed++;
  else failed++, fprintf(stderr, "FAILED  %s\n", what);
  pthread_mutex_unlock(&counting);
  return holds;
}

/* Messages ---------------------------------------------------------------------------------------------------- */

struct message {
  u8 data[1 << 16];
  int length;
  int record;
};

static void put(struct message *m, const void *data, size_t length) {
  memcpy(m->data + m->length, data, length);
  m->length += (int)length;
}
static void put8(struct message *m, int value) {
  u8 byte = (u8)value;
  put(m, &byte, 1);
}
static void put32(struct message *m, u32 value) { put(m, &value, 4); }
static void put_int(struct message *m, int value) { put8(m, TAG_INT32), put32(m, (u32)value); }
static void put_object(struct message *m, u64 address) { put8(m, TAG_OBJECT), put(m, &address, 8); }
static void put_text(struct message *m, const char *text) {
  put8(m, TAG_LATIN1), put32(m, (u32)strlen(text)), put(m, text, strlen(text));
}
static void put_bytes(struct message *m, const char *bytes) {
  put8(m, TAG_BYTES), put32(m, (u32)strlen(bytes)), put(m, bytes, strlen(bytes));
}
static void put_texts(struct message *m) {
  put8(m, TAG_TEXTS), put32(m, 2), put32(m, 1), put32(m, 3), put_text(m, "text");
}
/* A dict with one key, of which the value follows. */
static void put_shape(struct message *m) {
  put8(m, TAG_SHAPE), put8(m, TAG_TUPLE), put32(m, 1), put_text(m, "k"), put8(m, TAG_RECORD), put32(m, 0), put32(m, 1);
}
static void put_js(struct message *m, u32 heap, u32 handle, int kind) {
  put8(m, TAG_JS), put32(m, heap), put32(m, handle), put8(m, kind), put_text(m, "f");
}

static void begin_record(struct message *m, int kind) {
  m->record = m->length;
  put32(m, 0), put8(m, kind);
}
static void end_record(struct message *m) {
  u32 size = (u32)(m->length - m->record);
  memcpy(m->data + m->record, &size, 4);
}
/* A Promise has one, whatever its id. */
static u32 serial_of(u32 id) { return id + 1000000; }
static void begin_cancel(struct message *m, u32 id, u32 serial) {
  begin_record(m, IN_CANCEL), put32(m, id), put32(m, serial);
}
static void begin_start(struct message *m, u32 id, u64 callee, u32 count) {
  begin_record(m, IN_START);
  put32(m, id), put32(m, serial_of(id)), put32(m, 0), put8(m, TAG_NONE), put_object(m, callee), put32(m, count);
}
static void end_start(struct message *m) { put8(m, TAG_NONE), end_record(m); }

struct input {
  const u8 *at;
};
static u8 get8(struct input *r) { return *r->at++; }
static u32 get32(struct input *r) {
  u32 value;
  memcpy(&value, r->at, 4), r->at += 4;
  return value;
}
static u64 get64(struct input *r) {
  u64 value;
  memcpy(&value, r->at, 8), r->at += 8;
  return value;
}

/* A value as a number, where it is one; objects are given back through `released`. */
struct released {
  u64 addresses[4096];
  u32 count;
};
static double get_value(struct input *r, struct released *released) {
  u8 tag = get8(r);
  double number = -1;
  u32 length;
  switch (tag) {
  case TAG_INT32: return (int)get32(r);
  case TAG_INT53:
  case TAG_FLOAT:
  case TAG_DATE: memcpy(&number, r->at, 8), r->at += 8; return number;
  case TAG_OBJECT: get32(r), get32(r), released->addresses[released->count++] = get64(r); return -2;
  case TAG_JS: get32(r); return get32(r);
  case TAG_ERROR:
    for (int i = 0; i < 4; i++) get_value(r, released);
    return -3;
  case TAG_REFERENCE: get32(r); return -1;
  case TAG_ARRAY:
    get8(r);
    for (length = get8(r); length; length--) get32(r);
    return get_value(r, released);
  case TAG_THROW: get_value(r, released); return -4;
  case TAG_BIGINT:
  case TAG_LATIN1:
  case TAG_UTF16:
  case TAG_BYTES: length = get32(r), r->at += length; return length;
  case TAG_NUMBERS:
    for (length = get32(r); length; length--) memcpy(&number, r->at, 8), r->at += 8;
    return number;
  case TAG_SHAPE: get_value(r, released); return get_value(r, released);
  case TAG_RECORD:
    for (get32(r), length = get32(r); length; length--) number = get_value(r, released);
    return number;
  case TAG_LARGE:
    get8(r), length = get32(r), get64(r), released->addresses[released->count++] = get64(r);
    return length;
  case TAG_LIST:
  case TAG_TUPLE:
  case TAG_SET:
    for (length = get32(r); length; length--) number = get_value(r, released);
    return number;
  case TAG_DICT:
  case TAG_MAP:
    for (length = 2 * get32(r); length; length--) number = get_value(r, released);
    return number;
  default: return -1;
  }
}

/* A thread that plays JavaScript ------------------------------------------------------------------------------- */

struct player {
  struct heap *heap;
  u32 id;
  sem_t *bell;
  struct released released;
  struct message answers;
  u32 done, errors, calls, requests, gave_back;
  double sum;
  int silent;   /* answers no calls */
  u32 timeouts; /* it was not rung within a second */
  u8 in[1 << 18], out[1 << 16];
};
static __thread struct player *self;
static sem_t bells[4];
static void ring0(void) { sem_post(&bells[0]); }
static void ring1(void) { sem_post(&bells[1]); }
static void ring2(void) { sem_post(&bells[2]); }
static void ring3(void) { sem_post(&bells[3]); }
static void (*const rings[4])(void) = {ring0, ring1, ring2, ring3};

/* What REQUEST and CALL carry: the sum of the arguments that are numbers. */
static double get_request(struct input *r, struct released *released) {
  get32(r), get_value(r, released); /* scope, context */
  get8(r), get32(r);                /* operation, handle */
  double value = get_value(r, released);
  get_value(r, released); /* keyword arguments */
  return value;
}

static void submit(struct player *p, u32 loop, const struct message *m) {
  pyawait_submit(p->heap, (int)loop, m->data, m->length);
}

static int put_fuzz(struct message *m);
static void answer(struct player *p, u32 id, double value) {
  struct message m = {.length = 0};
  put32(&m, 0);
  if (put_fuzz(&m)) p->calls--;
  else if (value == 13) put8(&m, TAG_THROW), put_text(&m, "thirteen");
  else put_int(&m, (int)value + 1);
  pyawait_answer(p->heap, (int)id, m.data, m.length);
  p->calls++;
}

static void handle(struct player *p, struct input r) {
  u8 kind = get8(&r);
  u32 id, slot;
  double value;
  switch (kind) {
  case OUT_DONE:
    id = get32(&r), p->done++;
    if (get32(&r) != serial_of(id)) check(0, "DONE has the serial of its START");
    value = get_value(&r, &p->released);
    if (value <= -3) p->errors++;
    else if (value > 0) p->sum += value;
    break;
  case OUT_REQUEST:
    id = get32(&r), slot = get32(&r), value = get_request(&r, &p->released), p->requests++;
    if (value == 77) break; /* never settled */
    begin_record(&p->answers, IN_SETTLE), put32(&p->answers, slot), put32(&p->answers, 0);
    if (value == 13) put8(&p->answers, TAG_THROW), put_text(&p->answers, "thirteen");
    else put_int(&p->answers, (int)value + 1);
    end_record(&p->answers);
    if (id || p->answers.length > 60000) submit(p, id, &p->answers), p->answers.length = 0;
    break;
  case OUT_ABORT: get32(&r), get32(&r), get_value(&r, &p->released); break;
  case OUT_CALL:
    id = get32(&r), get32(&r), value = get_request(&r, &p->released);
    if (!p->silent) answer(p, id, value);
    break;
  case OUT_RELEASE: get32(&r), p->gave_back += get32(&r); break;
  }
}

static void give_back(struct player *p) {
  if (!p->released.count) return;
  struct message m = {.length = 0};
  begin_record(&m, IN_RELEASE), put32(&m, p->released.count), put(&m, p->released.addresses, 8 * p->released.count),
      end_record(&m);
  p->released.count = 0;
  submit(p, 0, &m);
}

static void take(struct player *p) {
  int length;
  while ((length = pyawait_take(p->heap, p->in, sizeof p->in)) > 0) {
    for (const u8 *at = p->in; at < p->in + length;) {
      u32 size;
      memcpy(&size, at, 4);
      handle(p, (struct input){at + 4});
      at += size;
      if (p->released.count > 3000) give_back(p);
    }
    if (p->answers.length) submit(p, 0, &p->answers), p->answers.length = 0;
  }
}

/* Takes what comes until `*counter` has reached `wanted`, for ten seconds at most (a sanitizer is slow). */
static int await(struct player *p, const u32 *counter, u32 wanted) {
  time_t end = time(0) + 30;
  while (*counter < wanted && time(0) < end) {
    struct timespec until = {.tv_sec = time(0) + 2};
    if (sem_timedwait(p->bell, &until)) p->timeouts++;
    take(p);
  }
  give_back(p);
  return *counter == wanted;
}

/* JavaScript called on its own thread, inside an invoke. */
static void on_call(int id) {
  u8 record[4096];
  int length = pyawait_call_record(self->heap, record, sizeof record);
  struct input r = {record + 5};
  if (length <= 0) return;
  get32(&r), get32(&r);
  answer(self, (u32)id, get_request(&r, &self->released));
}

static void join(struct player *p, int index) {
  memset(p, 0, sizeof *p);
  p->bell = &bells[index];
  sem_init(p->bell, 0, 0);
  self = p;
  p->heap = pyawait_heap((void *)(size_t)rings[index], (void *)(size_t)on_call, 0);
  p->id = (u32)pyawait_heap_id(p->heap);
}

/* Synchronous calls -------------------------------------------------------------------------------------------- */

static int invoke_bytes(struct player *p, int operation, const u8 *in, int length) {
  pyawait_invoke(p->heap, operation, in, length, p->out, sizeof p->out);
  memcpy(&length, p->out, 4);
  return length;
}

static double invoke(struct player *p, int operation, const struct message *m) {
  int length = invoke_bytes(p, operation, m->data, m->length);
  if (length < 0) {
    u8 *large = malloc((size_t)-length);
    int got = pyawait_overflow(p->heap, large, -length);
    struct input r = {large + 4};
    double value = got == -length ? get_value(&r, &p->released) : -6;
    free(large);
    return value > -3 ? -5 : value;
  }
  struct input r = {p->out + 4};
  return get_value(&r, &p->released);
}

/* The address of the object that a call gives; the reference is ours. */
static u64 object_of(struct player *p, const struct message *m) {
  double kind = invoke(p, DO_CALL, m);
  if (kind != -2) return 0;
  return p->released.addresses[--p->released.count];
}

static u64 helper(struct player *p, const char *name) {
  struct message m = {.length = 0};
  put_object(&m, (u64)(size_t)pyawait_entry()), put32(&m, 1), put_text(&m, name), put8(&m, TAG_NONE);
  return object_of(p, &m);
}

static u64 execute;
static void begin_execute(struct message *m, const char *code) {
  m->length = 0;
  put_object(m, execute), put32(m, 3), put_text(m, code), put8(m, TAG_NONE), put_text(m, "<harness>"),
      put8(m, TAG_NONE);
}
static double run(struct player *p, const char *code) {
  struct message m;
  begin_execute(&m, code);
  return invoke(p, DO_CALL, &m);
}
static u64 object(struct player *p, const char *code) {
  struct message m;
  begin_execute(&m, code);
  return object_of(p, &m);
}

static const char program[] =
    "import array, asyncio, datetime, threading, gc, weakref\n"
    "class Thing: pass\n"
    "things = [Thing(), Thing()]\n"
    "class Held(list):\n"
    "  def append(self, value): all_held.add(value); list.append(self, value)\n"
    "held, all_held = Held(), weakref.WeakSet([things[0]])\n"
    "async def echo(x): return x\n"
    "async def later(x):\n"
    "  await asyncio.sleep(0)\n"
    "  return x\n"
    "async def fail(x): raise KeyError(x)\n"
    "async def forever(): await asyncio.sleep(1000)\n"
    "async def pause(): await asyncio.sleep(0.05)\n"
    "async def long(times=1): return chr(0x1f600) * 25000 * times\n"
    "async def ask(js, x): return await js(x)\n"
    "async def give_up(js):\n"
    "  try: await asyncio.wait_for(js(77), 0.001)\n"
    "  except asyncio.TimeoutError: return 5\n"
    "class Rude(Exception):\n"
    "  def __str__(self): return str(self.args[0](1))\n"
    "async def rude(js): raise Rude(js)\n"
    "def call(js, x): return js(x)\n"
    "def identity(x): return x\n"
    "def mirror(*args, **kw): return args\n"
    "async def mirror_later(*args, **kw): return args\n"
    "def half(): return [Thing(), Thing(), {'a': Thing(), 1: Thing()}]\n"
    "tracked = weakref.WeakSet()\n"
    "def every(js):\n"
    "  thing, last = Thing(), Thing()\n"
    "  tracked.update([thing, last])\n"
    "  shared, now = [thing], datetime.datetime.now(datetime.timezone.utc)\n"
    "  grid = memoryview(bytes(6)).cast('B', (2, 3))\n"
    "  texts = ['a', '\\u00e9', '\\ud800', b'ab']\n"
    "  plain = [None, True, False, 5, 2**40, 2**80, 1.5, texts, array.array('d', [1, 2]), grid, now, js]\n"
    "  return [plain, (1, shared), {1}, {'k': thing}, shared, js, last, {1: 1}]\n"
    "results = []\n"
    "def call_many(js, n):\n"
    "  total = 0\n"
    "  for i in range(n):\n"
    "    try: total += js(i)\n"
    "    except Exception: total += 1000\n"
    "  results.append(total)\n"
    "def call_always(js):\n"
    "  while True: js(1)\n"
    "threads = []\n"
    "def thread(function, *args, daemon=True):\n"
    "  threads.append(threading.Thread(target=function, args=args, daemon=daemon))\n"
    "  threads[-1].start()\n"
    "def loops(js, n):\n"
    "  async def main(): return [await js(i) for i in range(n)]\n"
    "  for _ in range(3): results.append(sum(asyncio.run(main())))\n"
    "async def joined():\n"
    "  await asyncio.get_running_loop().run_in_executor(None, lambda: [t.join() for t in threads])\n"
    "  threads.clear()\n"
    "  return sum(results)\n"
    "0";

/* The checks ---------------------------------------------------------------------------------------------------- */

static u64 echo, later, fail, forever, pause, longest, ask, give_up, rude, call, identity, half, every, thread,
    call_many, call_always, loops, joined;

static void check_values(struct player *p) {
  static const struct {
    const char *code;
    double value;
  } cases[] = {
    {"5", 5},
    {"2**40", 1099511627776.0},
    {"1.5", 1.5},
    {"'abc'", 3},
    {"'\\ud800'", 2},
    {"b'1234'", 4},
    {"2**80", 23},
    {"{}['x']", -3},
    {"1/0", -3},
    {"object", -2},
    {"syntax error", -3},
    {"None", -1},
    {"chr(0x1f600) * 25000", -5},
    {"'x' * 65535", -5},
    {"'x' * 65536", 65536},
    {"'\\u20ac' * 32768", 65536},
    {"b'x' * 100000", 100000},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check(run(p, cases[i].code) == cases[i].value, cases[i].code);
  struct message m = {.length = 0};
  put_object(&m, identity), put32(&m, 1), put8(&m, TAG_LIST), put32(&m, 3), put_int(&m, 1), put8(&m, TAG_DICT),
      put32(&m, 1);
  put_text(&m, "k"), put8(&m, TAG_SET), put32(&m, 1), put_text(&m, "v"), put8(&m, TAG_REFERENCE), put32(&m, 0),
      put8(&m, TAG_NONE);
  check(invoke(p, DO_CALL, &m) == -2, "a list with a reference to itself");
  struct message copy = {.length = 0};
  put32(&copy, 100), put8(&copy, 0), put_object(&copy, half), put32(&copy, 0), put8(&copy, TAG_NONE);
  check(invoke(p, DO_CALL_AND_COPY, &copy) == -2, "a deep copy");
  copy.data[4] = 1; /* dicts have to be objects */
  check(invoke(p, DO_CALL_AND_COPY, &copy) == -3, "a deep copy that fails half-way");
  give_back(p);
}

static void check_tasks(struct player *p, u32 count);

/* References in values that are not read, or not written to their end, are given back: the walker knows every tag. */
static void check_walker(struct player *p) {
  struct message m = {.length = 0};
  u32 before;
  put32(&m, 100), put8(&m, DICT_AS_OBJECT), put_object(&m, every), put32(&m, 1), put_js(&m, p->id, 3, JS_FUNCTION),
      put8(&m, TAG_NONE);
  check(invoke(p, DO_CALL_AND_COPY, &m) == -3, "a copy of everything that fails at its end");
  give_back(p);
  check_tasks(p, 1); /* the release is read in order */
  check(run(p, "gc.collect(); len(tracked)") == 0, "what was written before is released");
  take(p);
  before = p->gave_back, m.length = 0;
  put_object(&m, identity), put32(&m, 5);
  put8(&m, TAG_SET), put32(&m, 2), put_int(&m, 1), put8(&m, TAG_TRUE); /* these are equal: an error */
  put_shape(&m), put_js(&m, p->id, 8, JS_FUNCTION);
  put8(&m, TAG_NUMBERS), put32(&m, 2), put(&m, "1234567812345678", 16);
  put_texts(&m);
  put8(&m, TAG_TUPLE), put32(&m, 13), put8(&m, TAG_NONE), put8(&m, TAG_FALSE), put_int(&m, 1), put_text(&m, "text");
  put8(&m, TAG_INT53), put(&m, "12345678", 8), put8(&m, TAG_BIGINT), put32(&m, 5), put(&m, "0x12", 5);
  put8(&m, TAG_FLOAT), put(&m, "12345678", 8), put8(&m, TAG_DATE), put(&m, "12345678", 8), put8(&m, TAG_REFERENCE),
      put32(&m, 0);
  put8(&m, TAG_ARRAY), put8(&m, 'd'), put_bytes(&m, "12345678"), put_object(&m, identity);
  put8(&m, TAG_DICT), put32(&m, 1), put_text(&m, "k"), put_js(&m, p->id, 4, JS_ASYNC_FUNCTION), put8(&m, TAG_LIST),
      put32(&m, 0);
  put8(&m, TAG_THROW), put_js(&m, p->id, 5, JS_FUNCTION), put8(&m, TAG_NONE);
  check(invoke(p, DO_CALL, &m) == -3, "arguments of which the first cannot be converted");
  take(p), give_back(p);
  check(p->gave_back == before + 3, "JavaScript's values in the others are given back");
  before = p->gave_back;
  for (int i = 0; i < 2; i++) {
    m.length = 0;
    put_object(&m, identity), put32(&m, 2);
    put8(&m, TAG_SET), put32(&m, 2), put_int(&m, 1), put8(&m, TAG_TRUE);
    if (i) put8(&m, TAG_BYTES), put32(&m, 0xffffffffu); /* a length that runs past the end */
    else put8(&m, TAG_COUNT);                           /* an unknown tag */
    put_js(&m, p->id, 6, JS_FUNCTION);
    check(invoke(p, DO_CALL, &m) == -3, "arguments that are malformed as well");
  }
  take(p), give_back(p);
  check(p->gave_back == before, "both stop the walk");
}

/* Memory that the operation lends is read once, at once; a result of the same size is read where it lies. */
static void check_large(struct player *p) {
  enum { SIZE = 100000 };
  u8 *block = malloc(SIZE), *copied = malloc(SIZE);
  memset(block, 7, SIZE);
  for (u32 index = 0; index < 3; index++) {
    struct message m = {.length = 0};
    u64 start = (u64)(size_t)block;
    put_object(&m, identity), put32(&m, 1), put8(&m, TAG_LARGE), put32(&m, index), put8(&m, TAG_NONE);
    for (int i = 0; i < 2; i++) put(&m, &start, 8), put32(&m, SIZE);
    put32(&m, 2);
    invoke_bytes(p, DO_CALL | DO_LEND, m.data, m.length);
    struct input r = {p->out + 4};
    if (index == 2) {
      check(get_value(&r, &p->released) == -3, "a block that is not lent");
      continue;
    }
    memset(copied, 0, SIZE);
    check(get8(&r) == TAG_LARGE && get8(&r) == 0 && get32(&r) == SIZE, "large bytes there and back");
    pyawait_copy(copied, (const u8 *)(size_t)get64(&r), SIZE);
    p->released.addresses[p->released.count++] = get64(&r);
    check(!memcmp(block, copied, SIZE), "they are the same");
  }
  struct message m = {.length = 0};
  put_object(&m, identity), put32(&m, 1), put8(&m, TAG_LARGE), put32(&m, 0), put8(&m, TAG_NONE), put32(&m, 0xffffffffu);
  check(invoke(p, DO_CALL | DO_LEND, &m) == -3, "a count of blocks that cannot be right");
  free(block), free(copied);
  give_back(p);
}

/* Every message cut short, and every one with one byte changed (but for addresses), is refused or read: no more. */
static void check_malformed(struct player *p) {
  struct message m = {.length = 0}, cut;
  put_object(&m, identity), put32(&m, 1);
  int start = m.length;
  put8(&m, TAG_LIST), put32(&m, 10), put_texts(&m), put_shape(&m), put_shape(&m), put_int(&m, 1), put8(&m, TAG_NUMBERS),
      put32(&m, 2), put(&m, "1234567812345678", 16);
  put_int(&m, 1), put_text(&m, "text"), put8(&m, TAG_BYTES), put32(&m, 2), put8(&m, 1), put8(&m, 2);
  put8(&m, TAG_ARRAY), put8(&m, 'd'), put_bytes(&m, "12345678"), put8(&m, TAG_REFERENCE), put32(&m, 1),
      put8(&m, TAG_DICT), put32(&m, 1), put_text(&m, "k");
  put8(&m, TAG_TUPLE), put32(&m, 1), put8(&m, TAG_BIGINT), put32(&m, 5), put(&m, "0x12", 5), put8(&m, TAG_NONE);
  for (int length = start; length < m.length; length++) {
    cut = m, cut.length = length;
    u8 *exact = malloc((size_t)length); /* its end is guarded by the sanitizer */
    memcpy(exact, cut.data, (size_t)length);
    int got = invoke_bytes(p, DO_CALL, exact, length);
    free(exact);
    if (got <= 0) check(0, "a message that is cut short gives an outcome");
  }
  for (int at = start; at < m.length; at++) {
    for (int value = 0; value < 256; value += 5) {
      if (value == TAG_OBJECT || m.data[at] == value) continue;
      u8 *exact = malloc((size_t)m.length);
      memcpy(exact, m.data, (size_t)m.length);
      exact[at] = (u8)value;
      int got = invoke_bytes(p, DO_CALL, exact, m.length);
      if (got < 0) pyawait_overflow(p->heap, p->in, sizeof p->in);
      free(exact);
    }
  }
  take(p);
  check(run(p, "5") == 5, "malformed messages leave Python as it was");
}

static void check_tasks(struct player *p, u32 count) {
  struct message m = {.length = 0};
  u32 before = p->done, errors = p->errors;
  double sum = p->sum;
  for (u32 i = 0; i < count; i++) {
    begin_start(&m, i, i % 3 == 0 ? echo : i % 3 == 1 ? later : fail, 1), put_int(&m, 1), end_start(&m);
    if (m.length < 60000 && i + 1 < count) continue;
    submit(p, 0, &m), m.length = 0;
  }
  check(await(p, &p->done, before + count), "every task is done");
  check(p->errors - errors == count / 3, "a third of the tasks has failed");
  check(p->sum - sum == (double)(count - count / 3), "the results are right");
}

/* One after the other, so that both sides spin, and stop spinning, at all moments. Nothing that comes then goes unseen:
   the player is rung, or has rung itself. */
static void check_spinning(struct player *p, u32 count) {
  static const int times[] = {0, 1, 5, 50, 1000};
  u32 timeouts = p->timeouts, errors = p->errors;
  for (u32 i = 0; i < count; i++) {
    struct message m = {.length = 0};
    u32 before = p->done;
    pyawait_set_spin(times[i % 5]);
    if (i % 50 == 0)
      for (volatile int pause = 0; pause < 20000 * (int)(i % 7); pause++);
    begin_start(&m, 0, i % 2 ? echo : later, 1), put_int(&m, 1), end_start(&m);
    submit(p, 0, &m);
    if (!await(p, &p->done, before + 1)) break;
  }
  pyawait_set_spin(50);
  check(p->timeouts == timeouts && p->errors == errors, "no answer goes unseen while both sides spin now and then");
}

static void check_cancel(struct player *p, u32 count) {
  struct message m = {.length = 0};
  u32 before = p->done, errors = p->errors;
  for (u32 i = 0; i < count; i++) begin_start(&m, i, forever, 0), end_start(&m);
  submit(p, 0, &m), m.length = 0;
  for (u32 i = 0; i < count; i++) begin_cancel(&m, i, serial_of(i) + 1), end_record(&m); /* another Promise's */
  begin_start(&m, count, pause, 0), end_start(&m);
  submit(p, 0, &m), m.length = 0;
  before++;
  check(await(p, &p->done, before) && p->errors == errors, "a CANCEL of another Promise with this id cancels nothing");
  for (u32 i = 0; i < count; i++) begin_cancel(&m, i, serial_of(i)), end_record(&m);
  for (u32 i = 0; i < 2; i++) begin_cancel(&m, i, serial_of(i)), end_record(&m); /* again: nothing happens */
  submit(p, 0, &m);
  check(await(p, &p->done, before + count) && p->errors - errors == count, "cancelled tasks end with an error");
}

/* A size that cannot be right ends its chunk, and nothing else. */
static void check_sizes(struct player *p) {
  static const u32 sizes[] = {0, 1, 4, 1000, 0xffffffffu};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct message m = {.length = 0};
    put32(&m, sizes[i]), put8(&m, IN_CANCEL), put32(&m, 0), put32(&m, 0);
    submit(p, 0, &m);
    m.length = 0, put8(&m, 7); /* not even a size */
    submit(p, 0, &m);
    check_tasks(p, 3);
  }
}

/* A message that would be too long is an error of its own, whatever it is part of. */
static void check_limit(struct player *p) {
  struct message m = {.length = 0};
  u32 done = p->done, errors = p->errors;
  pyawait_limit_messages(1500000); /* more than any buffer that is kept */
  for (int i = 0; i < 2; i++) {
    struct message copy = {.length = 0};
    put32(&copy, 100), put8(&copy, 0), put_object(&copy, execute), put32(&copy, 3);
    put_text(&copy, i ? "[Thing(), chr(0x1f600) * 250000, {'k': Thing()}, {1}, (), chr(0x1f600) * 250000, b'x' * 65536]"
                      : "[chr(0x1f600) * 250000]");
    put8(&copy, TAG_NONE), put_text(&copy, "<harness>"), put8(&copy, TAG_NONE);
    check(invoke(p, DO_CALL_AND_COPY, &copy) == (i ? -3 : -5), i ? "the sum is too long" : "one of them is not");
  }
  give_back(p), m.length = 0;
  for (u32 i = 0; i < 20; i++) begin_start(&m, i, longest, 0), end_start(&m);
  submit(p, 0, &m);
  check(await(p, &p->done, done + 20) && p->errors == errors, "a batch that would be too long goes in parts");
  m.length = 0;
  begin_start(&m, 0, longest, 1), put_int(&m, 20), end_start(&m);
  submit(p, 0, &m);
  check(await(p, &p->done, done + 21) && p->errors == errors + 1, "a result that is too long is an error");
  pyawait_limit_messages(0x7fffffff);
  check_tasks(p, 3);
}

/* What a loop that is closed was sent is given back. */
static void check_refused(struct player *p) {
  struct message m = {.length = 0};
  u32 before;
  take(p), before = p->gave_back;
  begin_start(&m, 0, ask, 2), put_js(&m, p->id, 2001, JS_ASYNC_FUNCTION), put_js(&m, p->id, 2002, JS_FUNCTION),
      end_start(&m);
  begin_record(&m, IN_AWAIT), put32(&m, 1), put32(&m, 1), put32(&m, 0), put_object(&m, identity),
      put_js(&m, p->id, 2003, JS_PROMISE), end_record(&m);
  begin_record(&m, IN_SETTLE), put32(&m, 0), put32(&m, 0), put_js(&m, p->id, 2004, JS_FUNCTION), end_record(&m);
  begin_cancel(&m, 2, 3), end_record(&m);
  check(pyawait_submit(p->heap, 9999, m.data, m.length) == SUBMIT_NO_LOOP, "there is no such loop");
  take(p);
  check(p->gave_back == before + 4, "JavaScript's values are given back");
}

/* In this build an address that JavaScript was not given is refused. */
static void check_addresses(struct player *p) {
  struct message m = {.length = 0};
  put_object(&m, identity), put32(&m, 1), put_object(&m, 0x10), put8(&m, TAG_NONE);
  check(invoke(p, DO_CALL, &m) == -3, "an address that JavaScript was not given");
  give_back(p);
}

static void check_requests(struct player *p, u32 count) {
  struct message m = {.length = 0};
  u32 before = p->done, errors = p->errors, given = p->gave_back;
  double sum = p->sum;
  for (u32 i = 0; i < count; i++)
    begin_start(&m, i, ask, 2), put_js(&m, p->id, 1000 + i % 7, JS_ASYNC_FUNCTION), put_int(&m, i % 10 ? 1 : 13),
        end_start(&m);
  submit(p, 0, &m), m.length = 0;
  check(await(p, &p->done, before + count), "every await of JavaScript is settled");
  check(p->errors - errors == count / 10 && p->sum - sum == 2.0 * (count - count / 10), "with its value or its error");
  begin_start(&m, 0, give_up, 1), put_js(&m, p->id, 5, JS_ASYNC_FUNCTION), end_start(&m);
  begin_start(&m, 1, rude, 1), put_js(&m, p->id, 6, JS_FUNCTION), end_start(&m);
  submit(p, 0, &m);
  check(await(p, &p->done, before + count + 2), "a request that is given up; an error whose text JavaScript makes");
  struct timespec moment = {.tv_nsec = 20000000};
  for (int i = 0; i < 100 && p->gave_back == given; i++) run(p, "gc.collect()"), nanosleep(&moment, 0), take(p);
  check(p->gave_back > given, "handles are given back");
}

static void check_direct(struct player *p) {
  struct message m = {.length = 0};
  put_object(&m, call), put32(&m, 2), put_js(&m, p->id, 7, JS_FUNCTION), put_int(&m, 41), put8(&m, TAG_NONE);
  check(invoke(p, DO_CALL, &m) == 42, "JavaScript called on its own thread");
  pyawait_attach(p->heap);
  check(invoke(p, DO_CALL, &m) == 42, "the same attached");
  pyawait_detach(p->heap);
  m.length = 0;
  put_object(&m, call), put32(&m, 2), put_js(&m, p->id, 7, JS_FUNCTION), put_int(&m, 13), put8(&m, TAG_NONE);
  check(invoke(p, DO_CALL, &m) <= -3, "JavaScript that throws");
  give_back(p);
}

static void start_thread(struct player *p, u64 function, u32 heap, u32 handle, int kind, int n) {
  struct message m = {.length = 0};
  put_object(&m, thread), put32(&m, n ? 3 : 2), put_object(&m, function), put_js(&m, heap, handle, kind);
  if (n) put_int(&m, n);
  put8(&m, TAG_NONE);
  invoke(p, DO_CALL, &m);
}

static double join_threads(struct player *p) {
  struct message m = {.length = 0};
  u32 before = p->done;
  double sum = p->sum;
  begin_start(&m, 0, joined, 0), end_start(&m);
  submit(p, 0, &m);
  await(p, &p->done, before + 1);
  return p->sum - sum;
}

static void check_threads(struct player *p) {
  for (int i = 0; i < 4; i++) start_thread(p, call_many, p->id, 20 + (u32)i, JS_FUNCTION, 100);
  /* 0 + … + 99, one more each; 13 throws and counts 1000 */
  check(join_threads(p) == 4 * (4950 + 100 - 14 + 1000), "calls from four Python threads");
  run(p, "results.clear()");
  for (int i = 0; i < 2; i++) start_thread(p, loops, p->id, 30 + (u32)i, JS_ASYNC_FUNCTION, 10);
  check(join_threads(p) == 2 * 3 * 55, "awaits from loops of other threads");
  run(p, "results.clear()");
}

static void *second(void *index) {
  static struct player players[4];
  struct player *p = &players[(size_t)index];
  join(p, (int)(size_t)index);
  for (int i = 0; i < 3; i++) check_tasks(p, 600), check_cancel(p, 50), check_requests(p, 100), check_direct(p);
  pyawait_heap_end(p->heap);
  return 0;
}

/* Node-API, as far as the shim uses it: `env` is one of these, and so are `info`, `exports` and what is passed. ------ */

enum { TELLS_AT_ONCE = 1, TELLS_LATER }; /* statuses of memory that is too large */

struct node {
  void *(*view)(void *, void *), *(*detach)(void *, void *), *(*watch)(void *, void *);
  void *(*text)(void *, void *), *(*units)(void *, void *);
  void (*hook)(void *), *heap;
  double numbers[4];
  void *memory, *hint;
  size_t length;
  void (*finalize)(void *, void *, void *);
  int forbidden, detached, ending;
};

static int create_function(void *env, const char *name, size_t length, void *(*callback)(void *, void *), void *data,
                           void **result) {
  (void)env, (void)name, (void)length, (void)data;
  *result = (void *)(size_t)callback;
  return 0;
}
static int set_named_property(void *env, void *exports, const char *name, void *value) {
  struct node *node = exports;
  (void)env;
  *(void **)(*name == 'v'   ? (void *)&node->view
             : *name == 'd' ? (void *)&node->detach
             : *name == 't' ? (void *)&node->text
             : *name == 'u' ? (void *)&node->units
                            : (void *)&node->watch) = value;
  return 0;
}
static int get_cb_info(void *env, void *info, size_t *count, void **arguments, void **this, void **data) {
  struct node *node = info;
  (void)env, (void)this, (void)data;
  for (size_t i = 0; i < *count; i++) arguments[i] = &node->numbers[i];
  return 0;
}
static int get_value_double(void *env, void *value, double *result) { return (void)env, *result = *(double *)value, 0; }
static int create_external_arraybuffer(void *env, void *memory, size_t length, void (*finalize)(void *, void *, void *),
                                       void *hint, void **result) {
  struct node *node = env;
  if (node->forbidden == 22) return 22;
  if (node->forbidden == TELLS_AT_ONCE) finalize(env, memory, hint);
  node->memory = memory, node->length = length, node->finalize = finalize, node->hint = hint;
  *result = node;
  return node->forbidden;
}
static int detach_arraybuffer(void *env, void *memory) {
  (void)memory;
  ((struct node *)env)->detached = 1;
  return 0;
}

static int add_env_cleanup_hook(void *env, void (*hook)(void *), void *heap) {
  struct node *node = env;
  node->hook = hook, node->heap = heap;
  return 0;
}

/* A string is its bytes. */
static int create_string_latin1(void *env, const char *data, size_t length, void **result) {
  ((struct node *)env)->length = length;
  return *result = (void *)(size_t)data, 0;
}
static int create_string_utf16(void *env, const unsigned short *data, size_t length, void **result) {
  return create_string_latin1(env, (const char *)data, 2 * length, result);
}
static int get_value_string_utf16(void *env, void *value, unsigned short *to, size_t room, size_t *written) {
  (void)env, (void)value;
  for (size_t i = 0; i < room; i++) to[i] = i + 1 < room ? 'u' : 0;
  return *written = room - 1, 0;
}

static int get_undefined(void *env, void **value) { return (void)env, *value = 0, 0; }
static int strict_equals(void *env, void *one, void *other, u8 *same) {
  return *same = one == other, ((struct node *)env)->ending;
}

static void *node_function(const char *name) {
  const struct {
    const char *name;
    void *function;
  } functions[] = {
    {"napi_create_function", (void *)(size_t)create_function},
    {"napi_set_named_property", (void *)(size_t)set_named_property},
    {"napi_get_cb_info", (void *)(size_t)get_cb_info},
    {"napi_get_value_double", (void *)(size_t)get_value_double},
    {"napi_create_external_arraybuffer", (void *)(size_t)create_external_arraybuffer},
    {"napi_detach_arraybuffer", (void *)(size_t)detach_arraybuffer},
    {"napi_add_env_cleanup_hook", (void *)(size_t)add_env_cleanup_hook},
    {"napi_create_string_latin1", (void *)(size_t)create_string_latin1},
    {"napi_create_string_utf16", (void *)(size_t)create_string_utf16},
    {"napi_get_value_string_utf16", (void *)(size_t)get_value_string_utf16},
    {"napi_get_undefined", (void *)(size_t)get_undefined},
    {"napi_strict_equals", (void *)(size_t)strict_equals},
  };
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (!strcmp(name, functions[i].name)) return functions[i].function;
  return 0;
}

static struct node views[300];

/* The memory of `object`, as a runtime sees it; JavaScript's own reference to the memoryview is given up at once. */
static void *view(struct player *p, struct node *node, u64 object) {
  struct message m = {.length = 0};
  put_object(&m, object);
  invoke_bytes(p, DO_LOCK_BUFFER, m.data, m.length);
  struct input r = {p->out + 4};
  check(get8(&r) == TAG_TUPLE && get32(&r) == 10, "a buffer is locked");
  p->released.addresses[p->released.count++] = (u64)get_value(&r, &p->released);
  node->numbers[0] = (double)(size_t)p->heap, node->numbers[3] = get_value(&r, &p->released);
  node->numbers[1] = get_value(&r, &p->released), node->numbers[2] = get_value(&r, &p->released);
  return node->view(node, node);
}

/* A collector's helper thread: Python does not know it. */
static void *finalize_third(void *index) {
  for (size_t i = (size_t)index; i < 300; i += 3) views[i].finalize(&views[i], views[i].memory, views[i].hint);
  return 0;
}

static void check_buffers(struct player *p) {
  static const char *const is_locked =
      "try: buffer.append(1)\nexcept BufferError: locked = 2\nelse: locked = 1\nlocked";
  u64 buffer = object(p, "buffer = bytearray(64)\nbuffer");
  struct timespec moment = {.tv_nsec = 10000000};
  pthread_t threads[3];
  for (int i = 0; i < 300; i++) {
    struct node *node = napi_register_module_v1(&views[i], &views[i]);
    if (!check(node == &views[i] && node->view && node->detach, "the addon exports its functions")) return;
    check(view(p, node, buffer) == node && node->length == 64, "a view is made");
    memset(node->memory, i, 64);
  }
  unsigned short units[4] = {1, 1, 1, 1};
  struct node text = views[0];
  text.numbers[0] = (double)(size_t)units, text.numbers[1] = 6, text.numbers[2] = 2;
  check(text.text(&text, &text) == units && text.length == 6, "text is made of 16 bits a character");
  text.numbers[2] = 1;
  check(text.text(&text, &text) == units && text.length == 6, "and of 8");
  text.numbers[1] = (double)(size_t)units, text.numbers[2] = 2;
  check(text.units(&text, &text) && units[1] == 'u' && !units[2] && units[3] == 1,
        "a NUL is behind the units, no more");
  views[0].detach(&views[0], &views[0]);
  check(views[0].detached, "memory is detached");
  give_back(p);
  check_tasks(p, 1);
  check(run(p, is_locked) == 2, "the exporter is locked while memory is seen");
  for (size_t i = 0; i < 3; i++) pthread_create(&threads[i], 0, finalize_third, (void *)i);
  for (size_t i = 0; i < 3; i++) pthread_join(threads[i], 0);
  double locked = 2;
  for (int i = 0; i < 500 && locked == 2; i++) nanosleep(&moment, 0), locked = run(p, is_locked);
  check(locked == 1, "and free when all memory has been given up");
  static const int refusals[] = {22, TELLS_AT_ONCE, TELLS_LATER};
  for (int i = 0; i < 3; i++) {
    struct message m = {.length = 0};
    views[0].forbidden = refusals[i];
    check(!view(p, &views[0], buffer), "where memory is refused, there is no view");
    if (refusals[i] == TELLS_LATER) views[0].finalize(&views[0], views[0].memory, views[0].hint);
    check(run(p, is_locked) == 2, "its reference stays");
    u64 reference = (u64)views[0].numbers[3];
    begin_record(&m, IN_UNLOCK), put(&m, &reference, 8), end_record(&m);
    submit(p, 0, &m);
    give_back(p);
  }
  views[1].forbidden = 0;
  check(view(p, &views[1], buffer) == &views[1], "this one is seen until the end");
}

static struct player third_player;
static sem_t third_ready, third_end;

/* A heap whose JavaScript ends while Python threads wait for it, with objects of Python's. */
static void *third(void *unused) {
  (void)unused;
  struct node node = {.numbers = {0}};
  join(&third_player, 3);
  node.numbers[0] = (double)(size_t)third_player.heap, node.numbers[1] = 1;
  napi_register_module_v1(&node, &node);
  node.watch(&node, &node);
  check(node.heap == third_player.heap, "its end is watched");
  for (int i = 0; i < 100; i++)
    check(object(&third_player, i % 2 ? "things[0]" : "held.append(Thing()); held[-1]") != 0, "an object is given");
  run(&third_player, "held.clear()");
  static struct node seen[2]; /* one is given up before JavaScript ends, the other by the runtime when it does */
  for (int i = 0; i < 2; i++) {
    napi_register_module_v1(&seen[i], &seen[i]);
    check(view(&third_player, &seen[i],
               object(&third_player, i ? "stuck = bytearray(9); stuck" : "stays = bytearray(9); stays")) == &seen[i],
          "it is seen");
  }
  third_player.silent = 1;
  sem_post(&third_ready);
  sem_wait(&third_end);
  for (int i = 0; i < 2; i++) seen[i].ending = i, seen[i].finalize(&seen[i], seen[i].memory, seen[i].hint);
  node.hook(node.heap);
  return 0;
}

/* Opening ------------------------------------------------------------------------------------------------------ */

struct start {
  void *find, *library;
  const char *texts;
  struct message right, wrong;
  int first;
};

#include "fuzz.c"

static void *finder(void *library, const char *name) {
  return strncmp(name, "napi_", 5) ? dlsym(library, name) : node_function(name);
}

static void configure(struct message *m, const char *loop) {
  double interval = 0.0005;
  put8(m, TAG_DICT), put32(m, 5);
  put_text(m, "path"), put8(m, TAG_LIST), put32(m, 0);
  put_text(m, "args"), put8(m, TAG_LIST), put32(m, 1), put_text(m, "harness");
  put_text(m, "loop"), put_text(m, loop);
  put_text(m, "switch_interval"), put8(m, TAG_FLOAT), put(m, &interval, 8);
  put_text(m, "keeps_signal_handlers"), put8(m, TAG_FALSE);
}

static int open_python(struct start *start, struct message *configuration, char problem[2048]) {
  return pyawait_open(start->find, start->library, RTLD_DEFAULT, start->texts, configuration->data,
                      configuration->length, (u8 *)problem, 2048);
}

static void *open_right(void *given) {
  struct start *start = given;
  char problem[2048];
  int opened = open_python(start, &start->right, problem);
  check(opened == 0 || opened == 1, "a right loop opens it");
  if (opened == 0) __atomic_add_fetch(&start->first, 1, __ATOMIC_RELAXED);
  return 0;
}

static void *open_wrong(void *given) {
  struct start *start = given;
  char problem[2048];
  int opened = open_python(start, &start->wrong, problem);
  check(opened == 1 || (opened == -2 && strstr(problem, "no_such_module")),
        "a wrong loop is refused, unless it is open");
  return 0;
}

int main(int count, char **given) {
  void *library = dlopen(given[1], RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 2;
  static char texts[1 << 20];
  size_t length = strlen(given[2]) + 1;
  memcpy(texts, given[2], length);
  length += (size_t)sprintf(texts + length, "%s", "the harness") + 1;
  length++; /* no folder for code */
  for (int i = 3; i < count; i++) {
    FILE *file = fopen(given[i], "rb");
    if (!file) return perror(given[i]), 2;
    length += (size_t)sprintf(texts + length, "<%s>", given[i]) + 1;
    length += fread(texts + length, 1, sizeof texts - length - 1, file) + 1;
    fclose(file);
  }
  static struct start start;
  start.find = (void *)(size_t)finder, start.library = library, start.texts = texts;
  configure(&start.right, "asyncio"), configure(&start.wrong, "no_such_module:loop");
  char problem[2048] = {0};
  check(pyawait_opener((u8 *)problem, sizeof problem) == 0, "nobody has opened it");
  int opened = open_python(&start, &start.wrong, problem);
  check(opened == -2 && strstr(problem, "ModuleNotFoundError: No module named 'no_such_module'"),
        "a wrong loop is refused");
  /* Several threads at once, some with a wrong loop again: one opens, the others wait for what comes of it. */
  pthread_t openers[6];
  for (size_t i = 0; i < 6; i++) pthread_create(&openers[i], 0, i % 2 ? open_right : open_wrong, &start);
  for (size_t i = 0; i < 6; i++) pthread_join(openers[i], 0);
  check(start.first == 1, "it opens once");
  check(pyawait_opener((u8 *)problem, 5) == -11 && pyawait_opener((u8 *)problem, 11) == 11 &&
            !memcmp(problem, "the harness", 11),
        "its opener is known");
  if (open_python(&start, &start.right, problem) != 1) return fprintf(stderr, "Python does not open: %s\n", problem), 2;

  static struct player main_player;
  struct player *p = &main_player;
  join(p, 0);
  execute = helper(p, "execute");
  check(execute && run(p, program) == 0, "the program runs");
  static const struct {
    const char *name;
    u64 *place;
  } names[] = {
    {"echo", &echo},
    {"later", &later},
    {"fail", &fail},
    {"forever", &forever},
    {"pause", &pause},
    {"long", &longest},
    {"ask", &ask},
    {"give_up", &give_up},
    {"rude", &rude},
    {"call", &call},
    {"identity", &identity},
    {"half", &half},
    {"every", &every},
    {"thread", &thread},
    {"call_many", &call_many},
    {"call_always", &call_always},
    {"loops", &loops},
    {"joined", &joined},
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!check((*names[i].place = object(p, names[i].name)) != 0, names[i].name)) return 1;

  check_values(p);
  check_malformed(p);
  check_fuzz(p);
  check_large(p);
  check_walker(p);
  check_direct(p);
  check_tasks(p, 3000);
  check_cancel(p, 300);
  check_spinning(p, 5000);
  check_requests(p, 500);
  check_sizes(p);
  check_limit(p);
  check_refused(p);
  check_addresses(p);
  check_threads(p);
  check_buffers(p);

  /* Two more heaps at work at the same time as this one. */
  pthread_t others[3];
  for (size_t i = 1; i < 3; i++) pthread_create(&others[i], 0, second, (void *)i);
  for (int i = 0; i < 3; i++) check_tasks(p, 900), check_requests(p, 100), check_threads(p);
  for (size_t i = 1; i < 3; i++) pthread_join(others[i], 0);

  /* Threads that wait for a heap which ends go on, with an error. */
  sem_init(&third_ready, 0, 0), sem_init(&third_end, 0, 0);
  pthread_create(&others[0], 0, third, 0);
  sem_wait(&third_ready);
  for (int i = 0; i < 3; i++) start_thread(p, call_many, third_player.id, 40 + (u32)i, JS_FUNCTION, 2);
  struct timespec moment = {.tv_nsec = 50000000};
  nanosleep(&moment, 0);
  sem_post(&third_end);
  pthread_join(others[0], 0);
  check(join_threads(p) == 3 * 2 * 1000, "calls into a heap that has ended raise");
  double living = -1;
  for (int i = 0; i < 500 && living != 1; i++) nanosleep(&moment, 0), living = run(p, "gc.collect(); len(all_held)");
  check(living == 1, "what it owned is given up, and what others hold is not");
  double state = -1;
  for (int i = 0; i < 500 && state != 5; i++)
    nanosleep(&moment, 0), state = run(p, "state = 0\nfor i, b in enumerate((stays, stuck)):\n  try: b.append(1)\n  "
                                          "except BufferError: state += 1 + i\n  else: state += 3 * (1 - i)\nstate");
  check(state == 5, "memory is unlocked, but for what may be another heap's by now");
  run(p, "results.clear()");

  pyawait_interrupt(p->heap);
  nanosleep(&moment, 0);
  check_tasks(p, 300);

  /* The end, with calls and tasks in flight. */
  for (int i = 0; i < 4; i++) start_thread(p, call_always, p->id, 50 + (u32)i, JS_FUNCTION, 0);
  struct message m = {.length = 0};
  for (u32 i = 0; i < 200; i++) begin_start(&m, i, forever, 0), end_start(&m);
  for (u32 i = 200; i < 300; i++)
    begin_start(&m, i, ask, 2), put_js(&m, p->id, 5, JS_ASYNC_FUNCTION), put_int(&m, 77), end_start(&m);
  submit(p, 0, &m);
  u32 calls = p->calls;
  await(p, &calls, calls); /* nothing: only gives back */
  for (int i = 0; i < 200; i++) take(p);
  check(pyawait_exit(p->heap, 20000) == 1, "the end comes in time");
  check(pyawait_exit(p->heap, 1000) == 0, "once");
  take(p);
  check(pyawait_submit(p->heap, 0, m.data, m.length) <= 0, "what is submitted afterwards is not waited for");
  views[1].finalize(&views[1], views[1].memory, views[1].hint); /* the collector comes last */
  nanosleep(&moment, 0);

  printf("%d passed, %d failed\n", passed, failed);
  fflush(stdout);
  return failed ? 1 : 0;
}
