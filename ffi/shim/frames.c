/* The frame under a call from JavaScript: that of `__main__`, as a script's call has it, for `eval`, `globals`,
 * `sys._getframe`, `warnings.warn`, `namedtuple`.
 *
 * Why C: every synchronous call goes through here, and CPython makes frames for Python code only. So the call is made
 * by a Python function of src/py, `~call`, whose operand is an object of the shim's: its `~` makes the call. An operator
 * costs less than a call, and no argument or cell changes between calls.
 *
 * Python may run other code before it has reached the `~` (a finalizer, a tracer, another thread), which may call from
 * JavaScript itself. So whoever calls takes a frame of their own out of the idle ones; as many exist as were ever in use
 * at once.
 */
#include "shim.h"

/* A call that waits for its frame; on the caller's stack. */
struct framed_call {
  PyObject *callee, *const *arguments, *keywords;
  u32 count;
  PyObject *tuple; /* of the arguments, in place of them; `keywords` may be NULL then */
};

/* The fields of the operand. Never freed. */
struct frame {
  struct frame *next;             /* [locked] */
  PyObject *function;             /* [once] */
  const struct framed_call *call; /* of the thread that has taken the frame; NULL: none, or made already */
};

static PyTypeObject *frame_type;
static struct frame *idle_frames; /* [locked] */
static int frames_locked;         /* [atomic] */

static void lock_frames(void) {
  while (__atomic_exchange_n(&frames_locked, 1, __ATOMIC_ACQUIRE)) {
  }
}
static void unlock_frames(void) { __atomic_store_n(&frames_locked, 0, __ATOMIC_RELEASE); }

static PyObject *call_with_keywords(PyObject *callee, PyObject *const *arguments, u32 count, PyObject *keywords) {
  if (!has_flag(keywords, Py_TPFLAGS_DICT_SUBCLASS)) return malformed();
  PyObject *tuple = tuple_of(arguments, count), *result = tuple ? py.PyObject_Call(callee, tuple, keywords) : 0;
  release(tuple);
  return result;
}

/* `keywords` is a dict or None. */
static PyObject *call_plainly(PyObject *callee, PyObject *const *arguments, u32 count, PyObject *keywords) {
  return keywords == None ? vectorcall(callee, arguments, count)
                          : call_with_keywords(callee, arguments, count, keywords);
}

/* `~` */
static PyObject *make_framed_call(PyObject *self) {
  struct frame *frame = fields_of(self);
  const struct framed_call *call = frame->call;
  if (!call) return raise_error(EXCEPTION(RuntimeError), "pyawait: JavaScript calls nothing here");
  frame->call = 0;
  if (call->tuple) return py.PyObject_Call(call->callee, call->tuple, call->keywords);
  return call_plainly(call->callee, call->arguments, call->count, call->keywords);
}

static int make_frame_type(void) {
  frame_type =
      new_type("pyawait.Call", sizeof(struct frame), Py_nb_invert, (void (*)(void))make_framed_call, free_object);
  return frame_type ? 0 : -1;
}

/* NULL with an exception set. */
static struct frame *new_frame(void) {
  PyObject *operand = py.PyType_GenericAlloc(frame_type, 0);
  PyObject *function = operand ? vectorcall(helper.make_frame, &operand, 1) : 0;
  struct frame *frame = function ? fields_of(operand) : 0;
  if (frame) *frame = (struct frame){.function = function}; /* which keeps the operand */
  release(operand);
  return frame;
}

static struct frame *take_frame(void) {
  lock_frames();
  struct frame *frame = idle_frames;
  if (frame) idle_frames = frame->next;
  unlock_frames();
  return frame ? frame : new_frame();
}

static void give_frame_back(struct frame *frame) {
  lock_frames();
  frame->next = idle_frames, idle_frames = frame;
  unlock_frames();
}

/* Makes the call with a frame underneath. src/py takes it out of the traceback of an error (describe_error). */
static PyObject *call_from_frame(const struct framed_call *call) {
  struct frame *frame = take_frame();
  if (!frame) return 0;
  frame->call = call;
  PyObject *result = vectorcall(frame->function, 0, 0);
  frame->call = 0;
  give_frame_back(frame);
  return result;
}

static PyObject *call_framed(PyObject *callee, PyObject *const *arguments, u32 count, PyObject *keywords) {
  struct framed_call call = {callee, arguments, keywords, count, 0};
  return call_from_frame(&call);
}

/* `keywords` is a dict or NULL. */
static PyObject *call_tuple_framed(PyObject *callee, PyObject *tuple, PyObject *keywords) {
  struct framed_call call = {callee, 0, keywords, 0, tuple};
  return call_from_frame(&call);
}
