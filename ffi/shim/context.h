/* Contexts across the border: Python's contextvars inwards and outwards, JavaScript's AsyncLocalStorage through Python.
 *
 *    JavaScript (a scope of AsyncLocalStorage) ── START, scope 7 ──► task whose context holds scope 7
 *                                                                     │ and everything that copies that context
 *    runs the function in scope 7   ◄── REQUEST or CALL, scope 7, context ──┘ calls a JavaScript function
 *
 * A synchronous call is in a scope as well, but JavaScript keeps that one only if Python did: in a callback, task or
 * thread that goes on after the call has returned.
 *
 * The one thing to know: every crossing takes a copy of the context, since two threads may not be in the same one;
 * what is written on one side of the border does not travel back.
 */
#ifndef PYAWAIT_CONTEXT_H
#define PYAWAIT_CONTEXT_H
#include "queue.h"

enum out { OUT_DONE = 1, OUT_REQUEST, OUT_ABORT, OUT_CALL, OUT_RELEASE, OUT_EVENT, OUT_SCOPE_END, OUT_ITEM, OUT_LOOP_END, OUT_UNPIN };

static size_t object_bytes; /* sizeof(PyObject) of this build */

/* A Python type with `size` bytes of ours behind the object's head; `call` may be NULL. */
static PyTypeObject *new_type(const char *type_name, size_t size, PyObject *(*called)(PyObject *, PyObject *, PyObject *), void (*dealloc)(PyObject *)) {
  PyType_Slot slots[] = {{52, 0}, {50, 0}, {0, 0}}; /* Py_tp_dealloc, Py_tp_call */
  *(void (**)(PyObject *)) & slots[0].pfunc = dealloc;
  *(PyObject * (**)(PyObject *, PyObject *, PyObject *)) & slots[1].pfunc = called;
  if (!called) slots[1].slot = 0;
  PyType_Spec spec = {type_name, (int)(object_bytes + size), 0, 0, slots};
  return (PyTypeObject *)py.PyType_FromSpec(&spec);
}

static void *fields_of(PyObject *object) { return (char *)object + object_bytes; }

static void free_object(PyObject *self) {
  PyTypeObject *type = type_of(self);
  py.PyObject_Free(self);
  py.Py_DecRef((PyObject *)type);
}

/* A scope of JavaScript's AsyncLocalStorage, as the value of a context variable; its end is told to its heap, or to the
   synchronous call that has made it and still runs. */
struct scope { struct heap *heap; u32 id; int *ended; };
static PyTypeObject *scope_type;
static PyObject *scope_variable;

static void scope_dealloc(PyObject *self) {
  struct scope *scope = fields_of(self);
  if (scope->ended) *scope->ended = 1;
  else send_number(scope->heap, OUT_SCOPE_END, scope->id);
  free_object(self);
}

static int make_context_types(void) {
  PyObject *type = py.PyObject_Type(None), *bytes = type ? py.PyObject_GetAttrString(type, "__basicsize__") : 0;
  object_bytes = bytes ? (size_t)py.PyLong_AsUnsignedLongLong(bytes) : 0;
  release(type), release(bytes);
  if (!object_bytes || !(scope_type = new_type("pyawait.Scope", sizeof(struct scope), 0, scope_dealloc))) return -1;
  return (scope_variable = py.PyContextVar_New("pyawait.scope", 0)) ? 0 : -1;
}

/* The scope that Python is in now and that belongs to this heap, else 0. */
static u32 current_scope(struct heap *heap) {
  PyObject *value = 0;
  u32 id = 0;
  if (py.PyContextVar_Get(scope_variable, 0, &value)) py.PyErr_Clear();
  if (value && type_of(value) == scope_type && ((struct scope *)fields_of(value))->heap == heap) id = ((struct scope *)fields_of(value))->id;
  release(value);
  return id;
}

/* u32 scope, then a copy of the current context, or None where nothing is set in it. */
static void write_context(struct writer *w, struct heap *heap) {
  u32 scope = current_scope(heap);
  PyObject *context = py.PyContext_CopyCurrent();
  write_u32(w, scope);
  if (context && py.PyObject_Size(context) > (scope ? 1 : 0)) encode_object(w, context, kinds_of(context));
  else write_u8(w, TAG_NONE);
  release(context);
  py.PyErr_Clear();
}

/* Puts the current context into a scope, which then owns itself: the token of that, NULL on an error. */
static PyObject *enter_scope(struct heap *heap, u32 id, struct scope **made) {
  PyObject *value = py.PyType_GenericAlloc(scope_type, 0);
  if (!value) return 0;
  *made = fields_of(value);
  **made = (struct scope){heap, id, 0};
  PyObject *token = py.PyContextVar_Set(scope_variable, value);
  py.Py_DecRef(value);
  return token;
}

/* The context for what JavaScript starts: a copy of `given`, in the scope; NULL where neither is given, or on an error. */
static PyObject *new_context(struct heap *heap, PyObject *given, u32 scope) {
  PyObject *context = given != None ? call_method(given, name.copy, 0) : scope ? py.PyContext_CopyCurrent() : 0, *token = 0;
  struct scope *made;
  if (!context || !scope) return context;
  if (!py.PyContext_Enter(context)) {
    token = enter_scope(heap, scope, &made);
    py.PyContext_Exit(context);
  }
  if (!token) return py.Py_DecRef(context), (PyObject *)0;
  py.Py_DecRef(token);
  return context;
}

#endif
