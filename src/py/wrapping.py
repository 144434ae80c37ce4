"""Which Python object stands for which JavaScript value.

A value that is sent again while its object is alive gives the same object, which counts one more handout.
"""

_wrapping = threading.RLock()  # a finalizer may wrap, too


def wrap_js(heap, handle, kind, about):
    """The Python object for a JavaScript value; the same one while it is alive."""
    with _wrapping:  # two threads could make two objects, or lose a handout, which JavaScript would keep for ever
        return _wrap_js(heap, handle, kind, about)


def _wrap_js(heap, handle, kind, about):
    known, is_generator = _wrapped.get((heap, handle)), kind in (GENERATOR, ASYNC_GENERATOR)
    if known is not None and is_generator == isinstance(known, (types.GeneratorType, types.AsyncGeneratorType)):
        bound = _sources[known] if is_generator else getattr(known, "__pyawait_js__", known)
        bound._pyawait_count += 1
        if (
            isinstance(about, tuple)
            and isinstance(known, JsProxy)
            and (kind in (OBJECT, FUNCTION) or isinstance(known, JsPromise))
        ):
            known.__class__ = _class_of(kind, about)  # it may be able to do more by now
        return known
    if kind == ERROR:
        result = bound = _new_exception(*about)
    else:
        cls, name = _class_of(kind, about), about[0] if isinstance(about, tuple) else about
        result = bound = cls.__new__(cls)
    bound._pyawait_bind(heap, handle)
    if kind == FUNCTION:
        bound.__dict__.update(__name__=name or "function", __qualname__=name or "function", __doc__=None)
    if kind == ASYNC_FUNCTION:
        result = _async_function(bound, name)
    elif is_generator:
        result = (generator if kind == GENERATOR else async_generator)(bound)
        _sources[result] = bound
    _wrapped[heap, handle] = result
    return result


_sources = weakref.WeakKeyDictionary()  # generator -> what it was made of


def _class_of(kind, about):
    """`about`: a name, or (name, traits, whether it is an Array)."""
    _, traits, is_array = about if isinstance(about, tuple) else (None, 0, False)
    is_mapping = traits & 128
    base = JsPromise if kind in (PROMISE, DEFERRED) else JsArray if is_array else JsMapping if is_mapping else JsProxy
    return _class_with(base, traits | (kind == FUNCTION))


def _signature(proxy):
    """inspect.signature of a JavaScript function, as far as its source shows it."""
    parameters = []
    for name, rest, optional in _call(SIGNATURE, proxy._pyawait_heap, proxy._pyawait_handle, (), None):
        kind = inspect.Parameter.VAR_POSITIONAL if rest else inspect.Parameter.POSITIONAL_ONLY
        parameters.append(
            inspect.Parameter(name, kind, default=None if optional and not rest else inspect.Parameter.empty)
        )
    return inspect.Signature(parameters)
