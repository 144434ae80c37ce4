/* Contexts across the border: Python's contextvars in both directions, JavaScript's AsyncLocalStorage through Python.
 *
 *    JavaScript (a scope of AsyncLocalStorage) ── START, scope 7 ──► task whose context holds scope 7
 *                                                                     │ and everything that copies that context
 *    runs the function in scope 7   ◄── REQUEST or CALL, scope 7, context ──┘ calls a JavaScript function
 *
 * A synchronous call is in a scope as well. JavaScript keeps that one only if Python did: in a callback, a task or a
 * thread that goes on after the call has returned.
 *
 * Why C: a scope enters a context between the decoding of a record and the making of its task, and its end is told by a
 * deallocator, which runs at any time and must not run Python code.
 *
 * Two threads must not be in one context: a task made with a context that another thread is inside hangs for good. So
 * every crossing takes a copy, and what one side writes does not travel back.
 */
#include "shim.h"

static PyTypeObject *scope_type;
static PyObject *scope_variable;

static void scope_dealloc(PyObject *self) {
  struct scope *scope = fields_of(self);
  if (scope->ended) *scope->ended = 1;
  else send_number(scope->heap, OUT_SCOPE_END, scope->id);
  free_object(self);
}

static int make_scope_type(void) {
  scope_type = new_type("pyawait.Scope", sizeof(struct scope), 0, 0, scope_dealloc);
  scope_variable = scope_type ? py.PyContextVar_New("pyawait.scope", 0) : 0;
  return scope_variable ? 0 : -1;
}

/* The scope that Python is in, if it is one of this heap's; else 0. */
static u32 current_scope(struct heap *heap) {
  PyObject *value = 0;
  if (py.PyContextVar_Get(scope_variable, 0, &value)) py.PyErr_Clear();
  struct scope *scope = value && type_of(value) == scope_type ? fields_of(value) : 0;
  u32 id = scope && scope->heap == heap ? scope->id : 0;
  release(value);
  return id;
}

/* `scope:u32 context:value`: a copy of the current context, or None where nothing else is set in it. */
static void write_context(struct writer *w, struct heap *heap) {
  u32 scope = current_scope(heap);
  PyObject *context = py.PyContext_CopyCurrent();
  write_u32(w, scope);
  if (context && py.PyObject_Size(context) > (scope ? 1 : 0)) write_object(w, context, kinds_of(context));
  else write_u8(w, TAG_NONE);
  release(context);
  py.PyErr_Clear();
}

/* Puts the current context into a scope, which from then on ends with its last copy. The token, or NULL. */
static PyObject *enter_scope(struct heap *heap, u32 id, struct scope **scope) {
  PyObject *value = py.PyType_GenericAlloc(scope_type, 0);
  if (!value) return 0;
  *scope = fields_of(value);
  **scope = (struct scope){heap, id, 0};
  PyObject *token = py.PyContextVar_Set(scope_variable, value);
  py.Py_DecRef(value);
  return token;
}

static void leave_scope(PyObject *token) {
  if (py.PyContextVar_Reset(scope_variable, token)) py.PyErr_Clear();
  py.Py_DecRef(token);
}

/* A copy of `given` in this scope, for what JavaScript starts. NULL: neither is given; with an exception set: an
   error. */
static PyObject *new_context(struct heap *heap, PyObject *given, u32 scope) {
  PyObject *context = given != None ? call_method(given, name.copy, 0) : scope ? py.PyContext_CopyCurrent() : 0;
  PyObject *token = 0;
  struct scope *entered;
  if (!context || !scope) return context;
  if (!py.PyContext_Enter(context)) {
    token = enter_scope(heap, scope, &entered);
    py.PyContext_Exit(context);
  }
  if (!token) return py.Py_DecRef(context), (PyObject *)0;
  py.Py_DecRef(token);
  return context;
}

/* Leaves the context in which `result` was made; where it is NULL, the exception stays set. */
static PyObject *exit_context(PyObject *context, PyObject *result) {
  PyObject *error = result ? 0 : fetch_error();
  py.PyContext_Exit(context);
  if (error) raise_object(error);
  return result;
}
