"""JavaScript values in Python: JsProxy and JsException.

The one thing to know: one object stands for a JavaScript value while it lives, and gives the value back when it goes.
"""


_wrapped = weakref.WeakValueDictionary()  # (heap, handle) -> the one object that stands for it


class _Handle:
    """What a Python object that stands for a JavaScript value holds: the value's place in its heap's table."""

    def _bind(self, heap, handle):
        self._heap, self._handle, self._count = heap, handle, 1  # _count: how often JavaScript has handed it out

    def __del__(self, release=_release):
        count, self._count = getattr(self, "_count", 0), 0
        if count:
            release(self._heap, self._handle, count)


class JsProxy(_Handle):
    """A JavaScript object or function."""

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__") or name == "_count":
            if name == "__signature__" and self.typeof == "function":
                return _signature(self)
            raise AttributeError(name)
        found = _call(GET, self._heap, self._handle, (_js_name(name),), None)
        if found is None:
            raise AttributeError("JavaScript has no property %r here" % name)
        return found[0]

    def __setattr__(self, name, value):
        if name in ("_heap", "_handle", "_count", "_waiting", "_drivers"):
            return object.__setattr__(self, name, value)
        _call(SET, self._heap, self._handle, (_js_name(name), value), None)

    def __delattr__(self, name):
        _call(DELETE, self._heap, self._handle, (_js_name(name),), None)

    def __call__(self, *args, **kwargs):
        return _call(CALL, self._heap, self._handle, args, kwargs)

    def new(self, *args, **kwargs):
        """Constructs an object with this class."""
        return _call(NEW, self._heap, self._handle, args, kwargs)

    def to_py(self, depth=-1):
        """A copy in Python: lists of arrays, dicts of plain objects and Maps, sets of Sets."""
        return _call(COPY, self._heap, self._handle, (depth,), None)

    @property
    def typeof(self):
        return _call(TYPEOF, self._heap, self._handle, (), None)

    def __repr__(self):
        return _call(STRING, self._heap, self._handle, (), None)

    def __dir__(self):
        return sorted(set(object.__dir__(self)) | set(_list(_call(KEYS, self._heap, self._handle, (), None))))

    def __len__(self):
        return _call(LENGTH, self._heap, self._handle, (), None)

    def __bool__(self):
        return True

    def __iter__(self):
        return generator(self)

    def __aiter__(self):
        return async_generator(self)

    def __getitem__(self, key):
        return _call(GET_ITEM, self._heap, self._handle, (key,), None)

    def __setitem__(self, key, value):
        _call(SET_ITEM, self._heap, self._handle, (key, value), None)

    def __delitem__(self, key):
        _call(DELETE_ITEM, self._heap, self._handle, (key,), None)

    def __contains__(self, key):
        return _call(HAS_ITEM, self._heap, self._handle, (key,), None)

    def __eq__(self, other):
        if isinstance(other, JsProxy):
            return self._heap == other._heap and self._handle == other._handle
        return NotImplemented

    def __hash__(self):
        return hash((self._heap, self._handle))

    def __mro_entries__(self, bases):
        raise TypeError("Cannot make a Python class of %r: JavaScript classes have no Python subclasses; "
                        "hold an instance instead, or make the class in JavaScript" % (self,))

    def __instancecheck__(self, value):
        return isinstance(value, (JsProxy, JsException)) and _call(INSTANCE_OF, self._heap, self._handle, (value,), None)

    def __subclasscheck__(self, cls):
        return isinstance(cls, JsProxy) and _call(SUBCLASS_OF, self._heap, self._handle, (cls,), None)

    def __enter__(self):
        _call(DISPOSABLE, self._heap, self._handle, (False,), None)
        return self

    def __exit__(self, *error):
        _call(DISPOSE, self._heap, self._handle, (), None)

    async def __aenter__(self):
        await _wait(DISPOSABLE, self._heap, self._handle, (True,), None)
        return self

    async def __aexit__(self, *error):
        await _wait(DISPOSE_ASYNC, self._heap, self._handle, (), None)


def _list(value):
    return value if isinstance(value, list) else list(value)


def _js_name(name):
    """A trailing underscore reaches names that are Python's keywords: `promise.finally_`."""
    return name[:-1] if name.endswith("_") and name[:-1] in _keywords else name


_keywords = frozenset(__import__("keyword").kwlist)


class JsException(_Handle, Exception):
    """What JavaScript threw. `value` is that itself, an Error or not."""

    def __init__(self, name, message, stack=None, value=None):
        Exception.__init__(self, message)
        self.name, self.message, self.stack, self._value = name, message, stack, value

    @property
    def value(self):
        if getattr(self, "_count", 0):
            return JsErrorView(self)
        return self._value

    def __str__(self):
        return "%s: %s" % (self.name, self.message) if self.name else str(self.message)


class TooDeep(RecursionError):
    """JavaScript's stack has ended in code of pyawait's own."""

    def __init__(self):
        RecursionError.__init__(self, "JavaScript and Python have called each other too deep")


TooDeep.__name__ = TooDeep.__qualname__ = "RecursionError"


class JavaScriptEnded(JsException, RuntimeError):
    """JavaScript's thread (or the process) has ended, so it cannot be called."""

    def __init__(self, message):
        JsException.__init__(self, "Error", message)


if sys.version_info >= (3, 11):
    class JsExceptionGroup(JsException, ExceptionGroup):
        """An AggregateError: `except*` and `exceptions` reach its errors."""

        def __new__(cls, name, message, stack, errors):
            return ExceptionGroup.__new__(cls, message or name, [to_error(error) for error in errors])

        def __init__(self, name, message, stack, errors):
            self.name, self.stack, self._value = name, stack, None

        def derive(self, exceptions):
            return ExceptionGroup(self.message, exceptions)
else:
    JsExceptionGroup = None


class JsErrorView(JsProxy):
    """The Error object of a JsException, with its attributes; it lives as long as the exception does."""

    def __init__(self, exception):
        object.__setattr__(self, "_heap", exception._heap)
        object.__setattr__(self, "_handle", exception._handle)
        object.__setattr__(self, "_count", 0)
        self.__dict__["exception"] = exception
