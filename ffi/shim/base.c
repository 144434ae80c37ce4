/* Memory, CPython's addresses, references, calls, errors, and Python types with fields of the shim's own.
 *
 * Why C: the shim links nothing, so even memcpy is here, and one binary serves Pythons whose objects differ in layout.
 *
 * A Python object's head has no fixed size (free-threaded and debug builds have larger ones): probe_layout measures it.
 */
#include "shim.h"

#ifdef _WIN32
int _fltused = 0; /* the linker asks for it wherever floating point is used */
#endif

/* Memory ---------------------------------------------------------------------------------------------------------- */

/* Compilers may call these two by themselves, for copies that they make of structs. */
void *memcpy(void *restrict to, const void *restrict from, size_t length) {
  u8 *t = to;
  const u8 *f = from;
  for (; length >= 8; t += 8, f += 8, length -= 8) {
    u64 word;
    __builtin_memcpy(&word, f, 8);
    __builtin_memcpy(t, &word, 8);
  }
  while (length--) *t++ = *f++;
  return to;
}

void *memset(void *to, int value, size_t length) {
  for (volatile u8 *t = to; length--;) *t++ = (u8)value;
  return to;
}

static size_t text_length(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

/* Makes room for an item at `index`, with zeros in new ones. NULL: there is no memory, and the array stays as it is. */
static void *grow(void *array, u32 *capacity, u32 index, size_t item) {
  u32 larger = *capacity ? *capacity : 16;
  while (larger <= index && larger < 1u << 30) larger *= 2;
  u8 *grown = larger <= index ? 0 : py.PyMem_RawRealloc(array, larger * item);
  if (!grown) return 0;
  memset(grown + *capacity * item, 0, (larger - *capacity) * item);
  *capacity = larger;
  return grown;
}

/* CPython's addresses --------------------------------------------------------------------------------------------- */

/* The name of the first function that is missing, or NULL. */
static const char *resolve_capi(symbol_finder find, void *library) {
#define FIND_FUNCTION(result, name, parameters) FIND(py, name)
#define FIND_OPTIONAL(result, name, parameters) *(void **)&py.name = find(library, #name);
#define FIND_DATUM(name) FIND(py, name)
  CAPI_FUNCTIONS(FIND_FUNCTION)
  CAPI_OPTIONAL(FIND_OPTIONAL)
  CAPI_DATA(FIND_DATUM)
  return 0;
}

static size_t type_offset; /* where an object keeps its type */
static size_t object_size; /* of an object's head, sizeof(PyObject) */

static PyTypeObject *type_of(PyObject *object) { return *(PyTypeObject **)((char *)object + type_offset); }

static PyObject *new_reference(PyObject *object) {
  py.Py_IncRef(object);
  return object;
}

static void release(PyObject *object) {
  if (object) py.Py_DecRef(object);
}

/* Measures the head of this build's objects; 0: it is one that the shim does not know. */
static int probe_layout(void) {
  PyObject *one = py.PyLong_FromLongLong(1);
  for (type_offset = sizeof(void *); one && type_offset <= 6 * sizeof(void *); type_offset += sizeof(void *))
    if (type_of(one) == TYPE(Long)) break;
  release(one);
  if (type_offset > 6 * sizeof(void *)) return 0;
  PyObject *bytes = py.PyObject_GetAttrString((PyObject *)type_of(None), "__basicsize__"); /* None has the head alone */
  object_size = bytes ? (size_t)py.PyLong_AsUnsignedLongLong(bytes) : 0;
  release(bytes);
  return object_size != 0;
}

/* Errors ---------------------------------------------------------------------------------------------------------- */

static PyObject *raise_error(PyObject *type, const char *message) {
  py.PyErr_SetString(type, message);
  return 0;
}

/* Sets an exception as the current one; consumes it. */
static void raise_object(PyObject *error) {
  py.PyErr_SetObject((PyObject *)type_of(error), error);
  py.Py_DecRef(error);
}

/* The current exception, fetched and normalised: a new reference, never NULL. */
static PyObject *fetch_error(void) {
  PyObject *type, *error, *traceback;
  py.PyErr_Fetch(&type, &error, &traceback);
  py.PyErr_NormalizeException(&type, &error, &traceback);
  if (traceback && error) py.PyException_SetTraceback(error, traceback);
  release(type), release(traceback);
  return error ? error : new_reference(None);
}

/* Objects and calls ----------------------------------------------------------------------------------------------- */

static PyObject *tuple_of(PyObject *const *items, size_t count) {
  PyObject *tuple = py.PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; tuple && i < count; i++) py.PyTuple_SetItem(tuple, (Py_ssize_t)i, new_reference(items[i]));
  return tuple;
}

/* A tuple of both, which are consumed; NULL where one of them is. */
static PyObject *pair_of(PyObject *first, PyObject *second) {
  PyObject *items[2] = {first, second}, *pair = first && second ? tuple_of(items, 2) : 0;
  release(first), release(second);
  return pair;
}

/* Calls with positional arguments, in the way that this version has. */
static PyObject *vectorcall(PyObject *callable, PyObject *const *arguments, size_t count) {
  if (py.PyObject_Vectorcall) return py.PyObject_Vectorcall(callable, arguments, count, 0);
  if (py.PyObject_VectorcallDict) return py.PyObject_VectorcallDict(callable, arguments, count, 0);
  PyObject *tuple = tuple_of(arguments, count);
  PyObject *result = tuple ? py.PyObject_Call(callable, tuple, 0) : 0;
  release(tuple);
  return result;
}

/* `argument` may be NULL. */
static PyObject *call_method(PyObject *object, PyObject *method_name, PyObject *argument) {
  PyObject *both[2] = {object, argument};
  if (py.PyObject_VectorcallMethod) return py.PyObject_VectorcallMethod(method_name, both, argument ? 2 : 1, 0);
  PyObject *method = py.PyObject_GetAttr(object, method_name);
  PyObject *result = method ? vectorcall(method, &argument, argument ? 1 : 0) : 0;
  release(method);
  return result;
}

/* Consumes `result`; an exception, or NULL, is false. */
static int is_true(PyObject *result) {
  int truth = result ? py.PyObject_IsTrue(result) : -1;
  release(result);
  if (truth < 0) py.PyErr_Clear();
  return truth > 0;
}

/* Whether its class has one of these Py_TPFLAGS_…_SUBCLASS. */
static int has_flag(PyObject *object, unsigned long flags) {
  return (py.PyType_GetFlags(type_of(object)) & flags) != 0;
}

static u32 argument_u32(PyObject *tuple, Py_ssize_t index) {
  return (u32)py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(tuple, index));
}

/* Types of the shim's own ----------------------------------------------------------------------------------------- */

/* A type whose objects have `size` bytes of the shim's behind their head. They can do one thing, which `function` does:
   a slot of CPython's, such as Py_tp_call; or nothing, with 0. */
static PyTypeObject *new_type(const char *type_name, size_t size, int slot, void (*function)(void),
                              void (*dealloc)(PyObject *)) {
  PyType_Slot slots[] = {{Py_tp_dealloc, 0}, {slot, 0}, {0, 0}};
  __builtin_memcpy(&slots[0].pfunc, &dealloc, sizeof dealloc); /* ISO C converts no function to a void pointer */
  __builtin_memcpy(&slots[1].pfunc, &function, sizeof function);
  PyType_Spec spec = {type_name, (int)(object_size + size), 0, 0, slots};
  return (PyTypeObject *)py.PyType_FromSpec(&spec);
}

static void *fields_of(PyObject *object) { return (char *)object + object_size; }

static void free_object(PyObject *self) {
  PyTypeObject *type = type_of(self);
  py.PyObject_Free(self);
  py.Py_DecRef((PyObject *)type);
}
