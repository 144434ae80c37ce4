"""What the shim asks: what a type can do, what an error is called, what a buffer or a date holds.

The one thing to know: a type is described once, and dies as if it had not been.
"""

kinds_by_type = {}  # {address: kinds}: where the shim looks first
_known_types = {}  # {address: weak reference}
_kept_types = {}  # {address: type}


def describe_type(cls):
    """`_kinds_of_type`, remembered as long as the type lives."""
    address = id(cls)

    def forget(_):
        del kinds_by_type[address], _known_types[address]

    kinds = _kinds_of_type(cls)
    if address in kinds_by_type:  # it was described in between
        return kinds
    if kinds & (KIND_SCALAR | KIND_BUFFER | KIND_DATETIME):
        # Its objects go by value, so a finalizer that passes one does not keep the dying type, and CPython 3.14 would not
        # tell of its end once more. The few that there are live on.
        if len(_kept_types) >= 100:
            for kept in _kept_types:
                del kinds_by_type[kept]
            _kept_types.clear()
        _kept_types[address] = cls
    else:
        _known_types[address] = weakref.ref(cls, forget)
    kinds_by_type[address] = kinds
    return kinds


def _kinds_of_type(cls):
    """What objects of this type can do, as bits."""
    has = functools.partial(_has_method, cls)
    bits = (
        (KIND_JS, issubclass(cls, (JsProxy, JsException))),
        (KIND_SCALAR, issubclass(cls, float) or _is_numpy_scalar(cls)),
        (KIND_BUFFER, issubclass(cls, (bytearray, memoryview, array.array)) or _is_numpy_array(cls)),
        (KIND_DATETIME, issubclass(cls, datetime.datetime)),
        (KIND_CALLABLE, has("__call__")),
        (
            KIND_ITERABLE,
            has("__iter__") or has("__getitem__") and (has("__len__") or _is_written_in_python(cls, "__getitem__")),
        ),
        (KIND_ITERATOR, has("__next__")),
        (KIND_ASYNC_ITERABLE, has("__aiter__")),
        (KIND_AWAITABLE, has("__await__")),
        (KIND_COROUTINE, issubclass(cls, collections.abc.Coroutine)),
        (KIND_FUTURE, asyncio.isfuture(cls) or issubclass(cls, asyncio.Future)),
        (
            KIND_SEQUENCE,
            issubclass(cls, collections.abc.Sequence)
            or has("__getitem__")
            and not issubclass(cls, collections.abc.Mapping)
            and not has("keys"),
        ),
        (KIND_MAPPING, issubclass(cls, collections.abc.Mapping)),
        (KIND_GENERATOR, issubclass(cls, collections.abc.Generator)),
        (KIND_ASYNC_GENERATOR, issubclass(cls, collections.abc.AsyncGenerator)),
        (KIND_EXCEPTION, issubclass(cls, BaseException)),
        (KIND_CLASS, issubclass(cls, type)),
        (KIND_LOOP_BOUND, any(_package_of(base) in ("asyncio", "_asyncio", "uvloop") for base in cls.__mro__)),
    )
    return sum(bit for bit, holds in bits if holds)


def _has_method(cls, name):
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name] is not None
    return False


def _is_written_in_python(cls, name):
    return any(isinstance(base.__dict__.get(name), types.FunctionType) for base in cls.__mro__)


def _package_of(cls):
    module = type.__dict__["__module__"].__get__(cls)  # of its own: `cls.__module__` may be a property's value
    return module.partition(".")[0] if isinstance(module, str) else ""


def _is_numpy_array(cls):
    names = {(_package_of(base), base.__name__) for base in cls.__mro__}
    return ("numpy", "ndarray") in names and ("numpy", "MaskedArray") not in names  # a copy would show what is masked


def _is_numpy_scalar(cls):
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "generic") or not issubclass(cls, numpy.generic):
        return False
    return issubclass(cls, (numpy.bool_, numpy.integer, numpy.floating)) and not issubclass(cls, numpy.timedelta64)


def describe_error(error):
    """(value,) of what JavaScript threw, else (class name, message, 1 if it has a cause + 2 if it is a group)."""
    if isinstance(error, JsException) and error._value is not _unset:
        return (error if getattr(error, "_pyawait_count", 0) else error._value,)
    try:
        message = str(error)
    except BaseException as failed:
        message = "<exception str() failed: %s>" % _safe_repr(failed)
    return (
        type.__dict__["__name__"].__get__(type(error)),
        message,
        (cause_of(error) is not None) + 2 * is_group(error),
    )


def cause_of(error):
    """Its cause as a traceback shows it, or None. An exception may be falsy, and its class may have properties of these names."""
    cause = BaseException.__cause__.__get__(error)
    if cause is None and not BaseException.__suppress_context__.__get__(error):
        return BaseException.__context__.__get__(error)
    return cause


def _safe_repr(error):
    try:
        return repr(error)
    except BaseException:
        return object.__repr__(error)


def is_group(error):
    """Whether it is an ExceptionGroup: Python's own, or the backport's of before 3.11."""
    if not hasattr(type(error), "exceptions"):
        return False
    return any(type.__dict__["__name__"].__get__(base) == "BaseExceptionGroup" for base in type(error).__mro__)


def guard_error(error):
    """An exception that a future accepts: StopIteration would end the generator that awaits it."""
    guarded = RuntimeError("JavaScript raised StopIteration")
    guarded.__cause__ = error
    return guarded


def to_array(code, data):
    return array.array(code, data)


def from_buffer(value):
    """(array typecode, bytes in C order, shape), or None where no typed array has such items."""
    try:
        view = memoryview(value)
    except (TypeError, BufferError, ValueError):
        return None
    if view.format[:1] == (">" if sys.byteorder == "little" else "<") and hasattr(value, "astype"):  # numpy's
        view = memoryview(value.astype(value.dtype.newbyteorder("=")))
    code = view.format.lstrip("@=<") if sys.byteorder == "little" else view.format.lstrip("@=")
    if code == "?":
        code = "B"
    elif code == "c":
        code = "B"
    elif code in ("l", "L", "q", "Q", "n", "N"):
        code = ("q" if code in "lqn" else "Q") if view.itemsize == 8 else ("i" if code in "lqn" else "I")
    if len(code) != 1 or code not in "bBhHiIqQefd":
        return None
    return (code, view.tobytes(), view.shape if view.ndim > 1 else ())


def check_keys(mapping):
    """Raises where two keys, which are str or of its subclasses, have the same text."""
    keys = [str.encode(key, "utf-16", "surrogatepass") for key, _ in mapping.items()]  # as JavaScript has them
    if len(set(keys)) < len(keys):
        raise TypeError("Cannot convert a dict: two of its keys are the same in JavaScript")


_epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_millisecond = datetime.timedelta(milliseconds=1)


def to_datetime(milliseconds):
    return _epoch + datetime.timedelta(milliseconds=milliseconds)


def from_datetime(value):
    """Milliseconds since 1970, or None for a naive datetime, which names no moment."""
    return None if value.utcoffset() is None else float((value - _epoch) // _millisecond)
