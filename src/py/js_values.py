"""JavaScript values in Python: JsProxy.

One Python object stands for a JavaScript value while it is alive, and returns the value's handle when it is freed.
"""

_wrapped = weakref.WeakValueDictionary()  # (heap, handle) -> the one object that stands for it


class _Handle:
    """Base of every object that stands for a JavaScript value: the value's heap and its number there."""

    def _pyawait_bind(self, heap, handle):
        self._pyawait_heap, self._pyawait_handle = heap, handle
        self._pyawait_count = 1  # how often JavaScript has handed it out

    def __copy__(self):
        return self  # a second object with the same handle would return it twice

    def __deepcopy__(self, memo):
        return self

    def __reduce_ex__(self, protocol):
        raise TypeError(
            "Cannot pickle %s: it stands for a JavaScript value of this process; pickle what to_py() gives"
            % type(self).__name__
        )

    def __del__(self, release=_release):
        count, self._pyawait_count = getattr(self, "_pyawait_count", 0), 0
        if count:
            release(self._pyawait_heap, self._pyawait_handle, count)


def _is_pythons(name):
    """Whether a name is Python's and not a JavaScript property: with two underscores on both sides, as
    functools.wraps sets, or pyawait's own.
    """
    return name.startswith("__") and name.endswith("__") or name.startswith("_pyawait_")


class JsProxy(_Handle):
    """A JavaScript object or function. What Python asks a type for (calls, iteration, ...) is in `_traits`."""

    def __init__(self, *args, **kwargs):
        raise TypeError(
            "Cannot make a %s in Python: it stands for a value that JavaScript passes" % type(self).__name__
        )

    def __getattr__(self, name):
        if _is_pythons(name):
            if name == "__signature__" and self.typeof == "function":
                return _signature(self)
            raise AttributeError(name)
        found = _call(GET, self._pyawait_heap, self._pyawait_handle, (_js_name(name),), None)
        if found is None:
            raise AttributeError("JavaScript has no property %r here" % name)
        return found[0] if len(found) == 1 else _method_of(self, found[0])

    def __setattr__(self, name, value):
        if _is_pythons(name):
            return object.__setattr__(self, name, value)
        _call(SET, self._pyawait_heap, self._pyawait_handle, (_js_name(name), value), None)

    def __delattr__(self, name):
        if _is_pythons(name):
            return object.__delattr__(self, name)
        _call(DELETE, self._pyawait_heap, self._pyawait_handle, (_js_name(name),), None)

    def new(self, *args, **kwargs):
        """Constructs an object of this class."""
        return _call(NEW, self._pyawait_heap, self._pyawait_handle, args, kwargs)

    def to_py(self, depth=-1):
        """Copies it to Python: lists of Arrays, dicts of plain objects and Maps, sets of Sets."""
        return _call(COPY, self._pyawait_heap, self._pyawait_handle, (depth,), None)

    @property
    def typeof(self):
        return _call(TYPEOF, self._pyawait_heap, self._pyawait_handle, (), None)

    def __repr__(self):
        try:
            return _call(STRING, self._pyawait_heap, self._pyawait_handle, (), None)
        except Exception as error:  # logs and tracebacks show values after their JavaScript has ended, too
            return "<%s %d (%s)>" % (type(self).__name__, self._pyawait_handle, type(error).__name__)

    def __str__(self):
        try:
            return _call(TEXT, self._pyawait_heap, self._pyawait_handle, (), None)
        except JavaScriptEnded:
            return repr(self)

    def __dir__(self):
        own = {name for name in object.__dir__(self) if not name.startswith("_pyawait_")}
        return sorted(own | set(_list(_call(KEYS, self._pyawait_heap, self._pyawait_handle, (), None))))

    def __bool__(self):
        return True

    __iter__ = None  # else Python would try indexes

    def __getitem__(self, key):
        if isinstance(key, slice):
            return _call(
                GET_ITEMS, self._pyawait_heap, self._pyawait_handle, tuple(range(*key.indices(len(self)))), None
            )
        return _call(GET_ITEM, self._pyawait_heap, self._pyawait_handle, (key,), None)

    def __setitem__(self, key, value):
        if isinstance(key, slice):
            return self._pyawait_set_slice(key, list(value))
        _call(SET_ITEM, self._pyawait_heap, self._pyawait_handle, (key, value), None)

    def __delitem__(self, key):
        if isinstance(key, slice):
            for index in sorted(range(*key.indices(len(self))), reverse=True):
                _call(SPLICE, self._pyawait_heap, self._pyawait_handle, (index, 1), None)
            return
        _call(DELETE_ITEM, self._pyawait_heap, self._pyawait_handle, (key,), None)

    def _pyawait_set_slice(self, key, items):
        start, stop, step = key.indices(len(self))
        indexes = range(start, stop, step)
        if step == 1:
            _call(SPLICE, self._pyawait_heap, self._pyawait_handle, (start, len(indexes), *items), None)
        elif len(items) != len(indexes):
            raise ValueError(
                "attempt to assign sequence of size %d to extended slice of size %d" % (len(items), len(indexes))
            )
        else:
            for index, item in zip(indexes, items):
                self[index] = item

    def __contains__(self, key):
        return _call(HAS_ITEM, self._pyawait_heap, self._pyawait_handle, (key,), None)

    def __eq__(self, other):
        if isinstance(other, JsProxy):
            return self._pyawait_heap == other._pyawait_heap and self._pyawait_handle == other._pyawait_handle
        return NotImplemented

    def __hash__(self):
        return hash((self._pyawait_heap, self._pyawait_handle))

    def __mro_entries__(self, bases):
        raise TypeError(
            "Cannot make a Python class of %r: JavaScript classes have no Python subclasses, unless they extend a Python "
            "class; hold an instance instead, or make the class in JavaScript" % (self,)
        )

    def __instancecheck__(self, value):
        return isinstance(value, (JsProxy, JsException)) and _call(
            INSTANCE_OF, self._pyawait_heap, self._pyawait_handle, (value,), None
        )

    def __subclasscheck__(self, cls):
        return isinstance(cls, JsProxy) and _call(SUBCLASS_OF, self._pyawait_heap, self._pyawait_handle, (cls,), None)


class _Called:
    def __call__(self, *args, **kwargs):
        return _call(CALL, self._pyawait_heap, self._pyawait_handle, args, kwargs)


class _Iterated:
    def __iter__(self):
        return generator(self)


class _AsyncIterated:
    def __aiter__(self):
        return async_generator(self)


class _Sized:
    def __len__(self):
        return _call(LENGTH, self._pyawait_heap, self._pyawait_handle, (), None)


class _Disposed:
    def __enter__(self):
        return self

    def __exit__(self, *error):
        _call(DISPOSE, self._pyawait_heap, self._pyawait_handle, (), None)


class _AsyncDisposed:
    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        await _wait(DISPOSE_ASYNC, self._pyawait_heap, self._pyawait_handle, (), None)


class _Stepped:  # its __iter__ is _Iterated's: leaving a loop closes it
    def __next__(self):
        done, value = _call(ADVANCE, self._pyawait_heap, self._pyawait_handle, (), None)
        if done:
            raise StopIteration(value)
        return value


# By bit, in the order of src/values/js_functions.ts.
_traits = (_Called, _Iterated, _AsyncIterated, _Sized, _Disposed, _AsyncDisposed, _Stepped)


@functools.lru_cache(None)
def _class_with(base, bits):
    """A subclass of `base` with the traits that these bits stand for."""
    traits = tuple(trait for bit, trait in reversed(list(enumerate(_traits))) if bits >> bit & 1)
    return (
        type(base)(base.__name__, (*traits, base), {"__module__": base.__module__, "__doc__": base.__doc__})
        if traits
        else base
    )


class JsMethod(JsProxy):
    """A function read from an object: called with that object as `this`, but itself when passed to JavaScript."""

    def __init__(self, owner, function):
        self.__dict__.update(function.__dict__, _pyawait_count=0, _pyawait_function=function, __self__=owner)

    def __call__(self, *args, **kwargs):
        return _call(CALL_METHOD, self._pyawait_heap, self._pyawait_handle, (self.__self__, *args), kwargs)


@functools.lru_cache(None)
def _method_class(cls):
    """JsMethod with the traits of functions of this class."""
    return type("JsMethod", (JsMethod, cls), {"__module__": JsMethod.__module__, "__doc__": JsMethod.__doc__})


class JsArray(JsProxy, collections.abc.MutableSequence):
    """An Array that crossed by reference: a list whose changes JavaScript sees."""

    def insert(self, index, value):
        _call(
            SPLICE, self._pyawait_heap, self._pyawait_handle, (slice(index, None).indices(len(self))[0], 0, value), None
        )

    def __add__(self, other):
        return [*self, *other] if isinstance(other, list) or _is_array(other) else NotImplemented

    def __radd__(self, other):
        return [*other, *self] if isinstance(other, list) else NotImplemented

    def __mul__(self, times):
        return list(self) * times

    __rmul__ = __mul__


class JsMapping(JsProxy, collections.abc.Mapping):
    """An object with JavaScript's mapping methods (Headers, FormData, a Map by reference): a mapping of its distinct
    keys, in which a repeated one has its first value. Each way to list it is one call.
    """

    def __getitem__(self, key):
        found = _call(LOOK_UP, self._pyawait_heap, self._pyawait_handle, (key,), None)
        if found is None:
            raise KeyError(key)
        return found[0]

    def get(self, key, default=None):
        found = _call(LOOK_UP, self._pyawait_heap, self._pyawait_handle, (key,), None)
        return default if found is None else found[0]

    def _pyawait_list(self, what):
        return iter(_call(LIST, self._pyawait_heap, self._pyawait_handle, (what,), None))

    def __iter__(self):
        return self._pyawait_list("keys")

    def __len__(self):
        return _call(LENGTH, self._pyawait_heap, self._pyawait_handle, (), None)

    def items(self):
        return _JsItems(self)

    def values(self):
        return _JsValues(self)

    def entries(self):
        """An iterator over all pairs, also those that repeat a key."""
        return self._pyawait_list("entries")


class _JsItems(collections.abc.ItemsView):
    def __iter__(self):
        return self._mapping._pyawait_list("items")


class _JsValues(collections.abc.ValuesView):
    def __iter__(self):
        return self._mapping._pyawait_list("values")


def _is_array(value):
    return isinstance(value, JsProxy) and isinstance(value, collections.abc.MutableSequence)


def _method_of(owner, function):
    return (
        _async_method(owner, function)
        if isinstance(function, types.FunctionType)
        else _method_class(type(function))(owner, function)
    )


def _list(value):
    return value if isinstance(value, list) else list(value)


def _js_name(name):
    """A trailing underscore reaches names that are Python keywords: `promise.finally_`."""
    return name[:-1] if name.endswith("_") and name[:-1] in _keywords else name


_keywords = frozenset(__import__("keyword").kwlist)
