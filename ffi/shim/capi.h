/* CPython's functions, types and constants: the only place where they are declared, one line each.
 *
 * Nothing here is linked. `resolve_capi` (base.c) fills `py` with the addresses that dlsym or GetProcAddress finds in
 * the libpython that was located, so one binary serves every CPython from 3.8 on. A test compiles these lines together
 * with each Python.h that it finds: a prototype, struct or constant that differs from the header's is a compile error.
 *
 * Ownership is CPython's: a function returns a new reference and borrows its arguments, unless `borrowed` or `steals`
 * stands in the margin.
 */
#ifndef PYAWAIT_CAPI_H
#define PYAWAIT_CAPI_H

/* clang-format off */

typedef __SIZE_TYPE__ size_t;
typedef __PTRDIFF_TYPE__ Py_ssize_t;
typedef __WCHAR_TYPE__ wchar_t;
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef struct _object PyObject;
typedef struct _typeobject PyTypeObject;
typedef struct _ts PyThreadState;
typedef struct _is PyInterpreterState;
typedef struct PyPreConfig PyPreConfig;
typedef int PyGILState_STATE;
typedef int PyLockStatus;
typedef long long PY_TIMEOUT_T;
typedef void *PyThread_type_lock;
typedef PyObject *(*PyCFunction)(PyObject *, PyObject *);
typedef struct { int _type; const char *func; const char *err_msg; int exitcode; } PyStatus;
typedef struct { const char *ml_name; PyCFunction ml_meth; int ml_flags; const char *ml_doc; } PyMethodDef;
typedef struct { int slot; void *pfunc; } PyType_Slot;
typedef struct { const char *name; int basicsize; int itemsize; unsigned int flags; PyType_Slot *slots; } PyType_Spec;
typedef struct {
  void *buf; PyObject *obj; Py_ssize_t len, itemsize; int readonly, ndim;
  char *format; Py_ssize_t *shape, *strides, *suboffsets; void *internal;
} Py_buffer;
#define METH_VARARGS 1
#define METH_NOARGS 4
#define METH_O 8
#define Py_nb_invert 27
#define Py_tp_call 50
#define Py_tp_dealloc 52
#define Py_file_input 257
#define Py_TPFLAGS_LONG_SUBCLASS 0x1000000
#define Py_TPFLAGS_LIST_SUBCLASS 0x2000000
#define Py_TPFLAGS_TUPLE_SUBCLASS 0x4000000
#define Py_TPFLAGS_BYTES_SUBCLASS 0x8000000
#define Py_TPFLAGS_UNICODE_SUBCLASS 0x10000000
#define Py_TPFLAGS_DICT_SUBCLASS 0x20000000
#define PyBUF_RECORDS_RO 0x1c
#define Py_EQ 2
#define CO_COROUTINE 0x80

#define CAPI_FUNCTIONS(X) \
  /* initialisation */ \
  X(int, Py_IsInitialized, (void)) \
  X(void, PyPreConfig_InitPythonConfig, (PyPreConfig *)) \
  X(PyStatus, Py_PreInitialize, (const PyPreConfig *)) \
  X(void, Py_SetProgramName, (const wchar_t *)) \
  X(wchar_t *, Py_DecodeLocale, (const char *, size_t *)) \
  X(void, Py_InitializeEx, (int)) \
  X(PyObject *, PyImport_AddModule, (const char *))                       /* borrowed */ \
  X(PyObject *, PyModule_GetDict, (PyObject *))                           /* borrowed */ \
  X(PyObject *, PyEval_GetBuiltins, (void))                               /* borrowed */ \
  X(PyObject *, Py_CompileString, (const char *, const char *, int)) \
  X(PyObject *, PyEval_EvalCode, (PyObject *, PyObject *, PyObject *)) \
  /* the GIL, threads, locks, memory */ \
  X(PyGILState_STATE, PyGILState_Ensure, (void)) \
  X(PyThreadState *, PyGILState_GetThisThreadState, (void)) \
  X(PyThreadState *, PyEval_SaveThread, (void)) \
  X(void, PyEval_RestoreThread, (PyThreadState *)) \
  X(unsigned long, PyThread_get_thread_ident, (void)) \
  X(PyThread_type_lock, PyThread_allocate_lock, (void)) \
  X(void, PyThread_free_lock, (PyThread_type_lock)) \
  X(int, PyThread_acquire_lock, (PyThread_type_lock, int)) \
  X(PyLockStatus, PyThread_acquire_lock_timed, (PyThread_type_lock, PY_TIMEOUT_T, int)) \
  X(void, PyThread_release_lock, (PyThread_type_lock)) \
  X(void *, PyMem_RawMalloc, (size_t)) \
  X(void *, PyMem_RawRealloc, (void *, size_t)) \
  X(void, PyMem_RawFree, (void *)) \
  /* objects */ \
  X(void, Py_IncRef, (PyObject *)) \
  X(void, Py_DecRef, (PyObject *)) \
  X(PyObject *, PyObject_Type, (PyObject *)) \
  X(PyObject *, PyObject_GetAttr, (PyObject *, PyObject *)) \
  X(PyObject *, PyObject_GetAttrString, (PyObject *, const char *)) \
  X(PyObject *, PyObject_Str, (PyObject *)) \
  X(PyObject *, PyObject_Call, (PyObject *, PyObject *, PyObject *)) \
  X(int, PyObject_IsTrue, (PyObject *)) \
  X(int, PyObject_RichCompareBool, (PyObject *, PyObject *, int)) \
  X(PyObject *, PyObject_GetItem, (PyObject *, PyObject *)) \
  X(Py_ssize_t, PyObject_Size, (PyObject *)) \
  X(PyObject *, PyObject_GetIter, (PyObject *)) \
  X(PyObject *, PyIter_Next, (PyObject *)) \
  X(unsigned long, PyType_GetFlags, (PyTypeObject *)) \
  X(int, PyType_IsSubtype, (PyTypeObject *, PyTypeObject *)) \
  X(PyObject *, PyType_FromSpec, (PyType_Spec *)) \
  X(PyObject *, PyType_GenericAlloc, (PyTypeObject *, Py_ssize_t)) \
  X(void, PyObject_Free, (void *)) \
  X(void, PyObject_GC_Track, (void *)) \
  X(void, PyObject_GC_UnTrack, (void *)) \
  X(PyObject *, PyCFunction_NewEx, (PyMethodDef *, PyObject *, PyObject *)) \
  X(PyObject *, PyFunction_GetCode, (PyObject *))                         /* borrowed */ \
  /* numbers */ \
  X(PyObject *, PyBool_FromLong, (long)) \
  X(PyObject *, PyLong_FromLongLong, (long long)) \
  X(PyObject *, PyLong_FromUnsignedLongLong, (unsigned long long)) \
  X(unsigned long long, PyLong_AsUnsignedLongLong, (PyObject *)) \
  X(long long, PyLong_AsLongLongAndOverflow, (PyObject *, int *)) \
  X(PyObject *, PyLong_FromString, (const char *, char **, int)) \
  X(PyObject *, PyNumber_ToBase, (PyObject *, int)) \
  X(PyObject *, PyFloat_FromDouble, (double)) \
  X(double, PyFloat_AsDouble, (PyObject *)) \
  /* text and bytes */ \
  X(PyObject *, PyUnicode_FromString, (const char *)) \
  X(PyObject *, PyUnicode_InternFromString, (const char *)) \
  X(PyObject *, PyUnicode_New, (Py_ssize_t, unsigned int)) \
  X(PyObject *, PyUnicode_FromKindAndData, (int, const void *, Py_ssize_t)) \
  X(PyObject *, PyUnicode_DecodeUTF8, (const char *, Py_ssize_t, const char *)) \
  X(PyObject *, PyUnicode_DecodeUTF16, (const char *, Py_ssize_t, const char *, int *)) \
  X(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, Py_ssize_t *)) \
  X(PyObject *, PyUnicode_AsEncodedString, (PyObject *, const char *, const char *)) \
  X(Py_ssize_t, PyUnicode_GetLength, (PyObject *)) \
  X(PyObject *, PyBytes_FromStringAndSize, (const char *, Py_ssize_t)) \
  X(int, PyBytes_AsStringAndSize, (PyObject *, char **, Py_ssize_t *)) \
  /* containers */ \
  X(PyObject *, PyTuple_New, (Py_ssize_t)) \
  X(Py_ssize_t, PyTuple_Size, (PyObject *)) \
  X(PyObject *, PyTuple_GetItem, (PyObject *, Py_ssize_t))                /* borrowed */ \
  X(int, PyTuple_SetItem, (PyObject *, Py_ssize_t, PyObject *))           /* steals */ \
  X(PyObject *, PyList_New, (Py_ssize_t)) \
  X(Py_ssize_t, PyList_Size, (PyObject *)) \
  X(PyObject *, PyList_GetItem, (PyObject *, Py_ssize_t))                 /* borrowed */ \
  X(int, PyList_SetItem, (PyObject *, Py_ssize_t, PyObject *))            /* steals */ \
  X(int, PyList_Append, (PyObject *, PyObject *)) \
  X(PyObject *, PyDict_New, (void)) \
  X(Py_ssize_t, PyDict_Size, (PyObject *)) \
  X(int, PyDict_SetItem, (PyObject *, PyObject *, PyObject *)) \
  X(int, PyDict_SetItemString, (PyObject *, const char *, PyObject *)) \
  X(PyObject *, PyDict_GetItemWithError, (PyObject *, PyObject *))        /* borrowed */ \
  X(PyObject *, PyDict_GetItemString, (PyObject *, const char *))         /* borrowed */ \
  X(int, PyDict_Next, (PyObject *, Py_ssize_t *, PyObject **, PyObject **)) /* borrowed */ \
  X(PyObject *, PySet_New, (PyObject *)) \
  X(Py_ssize_t, PySet_Size, (PyObject *)) \
  X(int, PySet_Add, (PyObject *, PyObject *)) \
  X(PyObject *, PySlice_New, (PyObject *, PyObject *, PyObject *)) \
  X(PyObject *, PyMemoryView_FromObject, (PyObject *)) \
  X(int, PyObject_GetBuffer, (PyObject *, Py_buffer *, int)) \
  X(void, PyBuffer_Release, (Py_buffer *)) \
  /* errors */ \
  X(PyObject *, PyErr_Occurred, (void))                                   /* borrowed */ \
  X(void, PyErr_Fetch, (PyObject **, PyObject **, PyObject **)) \
  X(void, PyErr_Restore, (PyObject *, PyObject *, PyObject *)) /* steals */ \
  X(void, PyErr_NormalizeException, (PyObject **, PyObject **, PyObject **)) \
  X(int, PyException_SetTraceback, (PyObject *, PyObject *)) \
  X(void, PyErr_SetString, (PyObject *, const char *)) \
  X(void, PyErr_SetObject, (PyObject *, PyObject *)) \
  X(PyObject *, PyErr_NoMemory, (void)) \
  X(void, PyErr_Clear, (void)) \
  X(int, PyErr_ExceptionMatches, (PyObject *)) \
  X(void, PyErr_WriteUnraisable, (PyObject *)) \
  X(void, PyErr_SetInterrupt, (void)) \
  /* contexts */ \
  X(PyObject *, PyContext_CopyCurrent, (void)) \
  X(int, PyContext_Enter, (PyObject *)) \
  X(int, PyContext_Exit, (PyObject *)) \
  X(PyObject *, PyContextVar_New, (const char *, PyObject *)) \
  X(int, PyContextVar_Get, (PyObject *, PyObject *, PyObject **)) \
  X(PyObject *, PyContextVar_Set, (PyObject *, PyObject *)) \
  X(int, PyContextVar_Reset, (PyObject *, PyObject *))

/* Not in every version: NULL where it is missing, and each use has a fallback. */
#define CAPI_OPTIONAL(X) \
  X(PyObject *, PyObject_Vectorcall, (PyObject *, PyObject *const *, size_t, PyObject *))       /* 3.11 */ \
  X(PyObject *, PyObject_VectorcallMethod, (PyObject *, PyObject *const *, size_t, PyObject *)) /* 3.9 */ \
  X(PyObject *, PyObject_VectorcallDict, (PyObject *, PyObject *const *, size_t, PyObject *))   /* 3.9 */ \
  X(PyObject *, PyList_GetItemRef, (PyObject *, Py_ssize_t))                                    /* 3.13 */ \
  X(PyInterpreterState *, PyInterpreterState_Get, (void))                                       /* 3.9 */ \
  X(int, _PyInterpreterState_SetRunningMain, (PyInterpreterState *)) /* 3.12, private */ \
  X(int, PyUnstable_ThreadState_SetStackProtection, (PyThreadState *, void *, size_t))          /* 3.14 */

/* Types and singletons, by address; exceptions are variables that hold a pointer. */
#define CAPI_DATA(X) \
  X(_Py_NoneStruct) X(_Py_TrueStruct) X(_Py_FalseStruct) \
  X(PyBool_Type) X(PyLong_Type) X(PyFloat_Type) X(PyUnicode_Type) X(PyList_Type) X(PyTuple_Type) \
  X(PyDict_Type) X(PySet_Type) X(PyFrozenSet_Type) X(PyFunction_Type) X(PyMethod_Type) X(PyCFunction_Type) \
  X(PyCoro_Type) \
  X(PyExc_Exception) X(PyExc_AttributeError) X(PyExc_IndexError) X(PyExc_KeyError) X(PyExc_TypeError) X(PyExc_ValueError) \
  X(PyExc_RuntimeError) X(PyExc_RecursionError) X(PyExc_MemoryError)

/* clang-format on */

#define FIELD(result, name, parameters) result(*name) parameters;
#define DATUM(name) PyObject *name;
static struct {
  CAPI_FUNCTIONS(FIELD)
  CAPI_OPTIONAL(FIELD)
  CAPI_DATA(DATUM)
} py;

#define None py._Py_NoneStruct
#define EXCEPTION(name) (*(PyObject **)py.PyExc_##name)
#define TYPE(name) ((PyTypeObject *)py.Py##name##_Type)

#endif
