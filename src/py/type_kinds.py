"""What a Python type can do, as bits, so that JavaScript's proxies know it without asking.

Kinds are cached by `id(type)`; a weakref callback drops the entry, so the cache neither keeps a type alive nor
outlives its address.
"""

kinds_by_type = {}  # {address: kinds}: where the shim looks first
_known_types = {}  # {address: weak reference}
_kept_types = {}  # {address: type}
_describing = threading.RLock()


_type_names = ["object"]  # by number, for what a proxy says that was destroyed; types of one name share a number
_type_numbers = {}
_MOST_NAMES = 1 << 16


def describe_type(cls):
    """The kinds of a type, cached as long as the type lives; and in the upper half of its bits the number of its name."""
    kinds = _kinds_of_type(cls) | _number_of_name(type.__dict__["__name__"].__get__(cls)) << 32
    with _describing:
        if id(cls) not in kinds_by_type:  # another call may have described it meanwhile
            _keep_kinds(cls, id(cls), kinds)
    return kinds


def _number_of_name(name):
    with _describing:
        number = _type_numbers.get(name)
        if number is None and len(_type_names) < _MOST_NAMES:
            number = _type_numbers[name] = len(_type_names)
            _type_names.append(name)
    return number or 0


def type_name_of(number):
    return _type_names[number]


def _keep_kinds(cls, address, kinds):
    def forget(_):
        del kinds_by_type[address], _known_types[address]

    if kinds & (KIND_SCALAR | KIND_BUFFER | KIND_DATETIME):
        # Objects of these types cross by value, so a finalizer that passes one does not keep its dying type alive,
        # and CPython 3.14 would not report that type's end once more. So a limited number of them is kept alive.
        if len(_kept_types) >= 100:
            for kept in _kept_types:
                del kinds_by_type[kept]
            _kept_types.clear()
        _kept_types[address] = cls
    else:
        _known_types[address] = weakref.ref(cls, forget)
    kinds_by_type[address] = kinds


def _kinds_of_type(cls):
    """What objects of this type can do, as bits. A metaclass whose code raises says no."""
    has, is_a = functools.partial(_has_method, cls), functools.partial(_is_subclass, cls)
    bits = (
        (KIND_JS, is_a(JsProxy) or is_a(JsException)),
        (KIND_SCALAR, is_a(float) or _is_numpy_scalar(cls)),
        (KIND_BUFFER, is_a(bytearray) or is_a(memoryview) or is_a(array.array) or _is_numpy_array(cls)),
        (KIND_DATETIME, is_a(datetime.datetime)),
        (KIND_CALLABLE, has("__call__")),
        (
            KIND_ITERABLE,
            has("__iter__") or has("__getitem__") and (has("__len__") or _is_written_in_python(cls, "__getitem__")),
        ),
        (KIND_ITERATOR, has("__next__")),
        (KIND_ASYNC_ITERABLE, has("__aiter__")),
        (KIND_AWAITABLE, has("__await__")),
        (KIND_COROUTINE, is_a(collections.abc.Coroutine)),
        (KIND_FUTURE, _is_future_type(cls)),
        (
            KIND_SEQUENCE,
            is_a(collections.abc.Sequence)
            or has("__getitem__")
            and not is_a(collections.abc.Mapping)
            and not has("keys"),
        ),
        (KIND_MAPPING, is_a(collections.abc.Mapping)),
        (KIND_GENERATOR, is_a(collections.abc.Generator)),
        (KIND_ASYNC_GENERATOR, is_a(collections.abc.AsyncGenerator)),
        (KIND_EXCEPTION, is_a(BaseException)),
        (KIND_CLASS, is_a(type)),
        (KIND_ASYNC_OBJECT, any(map(has, ("__await__", "__aiter__", "__anext__", "__aenter__")))),
        (KIND_LOOP_BOUND, any(_package_of(base) in ("asyncio", "_asyncio", "uvloop") for base in _mro_of(cls))),
        (KIND_HALF, _first_linked(cls) is not None),
    )
    return sum(bit for bit, holds in bits if holds)


def _mro_of(cls):
    return type.__dict__["__mro__"].__get__(cls)  # a metaclass may have an `__mro__` of its own


def _is_subclass(cls, base):
    try:
        return issubclass(cls, base)
    except MemoryError:
        raise
    except Exception:
        return any(each is base for each in _mro_of(cls))


def _is_future_type(cls):
    try:
        return asyncio.isfuture(cls) or _is_subclass(cls, (asyncio.Future, concurrent.futures.Future))
    except MemoryError:
        raise
    except Exception:
        return False


def _has_method(cls, name):
    for base in _mro_of(cls):
        if name in base.__dict__:
            return base.__dict__[name] is not None
    return False


def _is_written_in_python(cls, name):
    return any(isinstance(base.__dict__.get(name), types.FunctionType) for base in _mro_of(cls))


def _package_of(cls):
    try:
        module = type.__dict__["__module__"].__get__(cls)  # `cls.__module__` may be a property's value
    except AttributeError:  # it was made where there is no `__name__`
        return ""
    return module.partition(".")[0] if isinstance(module, str) else ""


def _is_numpy_array(cls):
    names = {(_package_of(base), type.__dict__["__name__"].__get__(base)) for base in _mro_of(cls)}
    return ("numpy", "ndarray") in names and ("numpy", "MaskedArray") not in names  # a copy would reveal masked items


def _is_numpy_scalar(cls):
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "generic") or not _is_subclass(cls, numpy.generic):
        return False
    return issubclass(cls, (numpy.bool_, numpy.integer, numpy.floating)) and not issubclass(cls, numpy.timedelta64)
