/* Kinds: what objects of a Python type can do, as bits, and whether a callable is an `async def` or belongs to a loop.
 *
 * Why C: every object that crosses carries its kinds, so they are looked up in src/py's dict before that is asked.
 */
#include "shim.h"

/* Whether the current exception is an object's own. What ends the thread's work (KeyboardInterrupt, CancelledError and
   what else is no Exception) and a lack of memory say nothing about the object: with these the conversion fails. */
static int is_own_failure(void) {
  return py.PyErr_ExceptionMatches(EXCEPTION(Exception)) && !py.PyErr_ExceptionMatches(EXCEPTION(MemoryError));
}

/* The kinds of a type's objects. src/py keeps them by the type's address, for as long as the type lives. 0 with an
   exception set: it could not be asked. */
static u64 kinds_of_type(PyObject *type) {
  PyObject *address = py.PyLong_FromUnsignedLongLong((size_t)type);
  PyObject *known = address ? py.PyDict_GetItemWithError(helper.kinds_by_type, address) : 0, *described = 0;
  if (!known && address) known = described = vectorcall(helper.describe_type, &type, 1);
  u64 kinds = known ? py.PyLong_AsUnsignedLongLong(known) : 0;
  release(described), release(address);
  if (!known && is_own_failure()) py.PyErr_Clear();
  return kinds;
}

static u64 kinds_of(PyObject *object) { return kinds_of_type((PyObject *)type_of(object)); }

/* The kind of an `async def`, or 0. In the upper bits, above the number of its type's name, it has some of the bits of its
   code's address: JavaScript counts the calls of each function by them, also of methods and closures, which are made anew. */
static u64 async_kind(PyObject *function) {
  PyObject *code = py.PyFunction_GetCode(function), *flags = code ? py.PyObject_GetAttr(code, name.co_flags) : 0;
  int async = flags && py.PyLong_AsUnsignedLongLong(flags) & CO_COROUTINE;
  release(flags);
  py.PyErr_Clear();
  u64 address = (u64)(size_t)code;
  return async ? KIND_ASYNC_FUNCTION | ((address >> 4 ^ address >> 20) & 0xffff) << 48 : 0;
}

static u64 async_kind_of_method(PyObject *method) {
  PyObject *function = py.PyObject_GetAttrString(method, "__func__");
  u64 kind = function && type_of(function) == TYPE(Function) ? async_kind(function) : 0;
  release(function);
  py.PyErr_Clear();
  return kind;
}

/* A method of an object or a class that may belong to a loop. */
static int may_be_loop_bound(PyObject *method) {
  PyObject *owner = py.PyObject_GetAttr(method, name.__self__);
  u64 kinds = owner ? kinds_of(owner) : 0;
  if (kinds & KIND_CLASS) kinds = kinds_of_type(owner) & KIND_LOOP_BOUND;
  release(owner);
  py.PyErr_Clear();
  return (kinds & (KIND_LOOP_BOUND | KIND_ASYNC_OBJECT)) != 0;
}

static int is_of_asyncio(PyObject *function) {
  PyObject *module = py.PyObject_GetAttr(function, name.__module__);
  int of_asyncio = module && py.PyDict_GetItemWithError(helper.asyncio_modules, module) != 0;
  release(module);
  py.PyErr_Clear();
  return of_asyncio;
}

/* Whether its synchronous calls are made on a loop's thread (visits.c). src/py decides, but for what the types alone
   tell. */
static int is_asynchronous(PyObject *callable, u64 kinds) {
  PyTypeObject *type = type_of(callable);
  int maybe = 0;
  if (kinds & KIND_CLASS) maybe = (kinds_of_type(callable) & (KIND_LOOP_BOUND | KIND_ASYNC_OBJECT)) != 0;
  else if (kinds & KIND_GENERATOR || (PyObject *)type == helper.partial) maybe = 1;
  else if (type == TYPE(Method)) maybe = may_be_loop_bound(callable);
  else if (type == TYPE(CFunction)) maybe = may_be_loop_bound(callable) || is_of_asyncio(callable);
  else if (type == TYPE(Function)) maybe = is_of_asyncio(callable);
  py.PyErr_Clear();
  return maybe && is_true(vectorcall(helper.is_asynchronous, &callable, 1));
}
