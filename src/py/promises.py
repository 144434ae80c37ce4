"""Promises and async functions of JavaScript's: how Python awaits them.

The one thing to know: each await is one request and one future of the loop that awaits; `_wait` is that, and everything
else is a shape for it.
"""


def _end_request_steps(slot, heap, error):
    """Python has cancelled an await: JavaScript's signal aborts, and if somebody listens to it, the end is waited for."""
    ended = _abort(slot, heap, error)
    if ended is not None:
        try:
            yield from ended
        except BaseException:
            if ended.cancelled():  # cancelled again: at once
                _give_up(slot)


def _wait_steps(operation, heap, handle, args, kwargs, promise=None):
    """Asks JavaScript and waits, as a generator that a task drives."""
    slot, future = _request(operation, heap, handle, args, kwargs)
    if promise is not None:
        promise._pyawait_waiting += 1
    try:
        return (yield from future)
    except CancelledError as error:
        if future.cancelled():
            if promise is not None and promise._pyawait_waiting > 1:  # others still wait for it
                _give_up(slot)
            else:
                yield from _end_request_steps(slot, heap, error)
        raise
    finally:
        if promise is not None:
            promise._pyawait_waiting -= 1


# The same for `await` in an `async def`; what `__await__` gives must be a generator and no coroutine.
def _awaitable(steps, name):
    return types.coroutine(types.FunctionType(steps.__code__, globals(), name, steps.__defaults__))


_wait = _awaitable(_wait_steps, "_wait")
_end_request = _awaitable(_end_request_steps, "_end_request")


class JsPromise(JsProxy, collections.abc.Coroutine):
    """A Promise: awaited any number of times, by any task on any loop; each await has a future of its own.

    asyncio takes it for a coroutine, so that create_task, gather, wait_for and run accept it. A task that drives it
    directly (`create_task(promise)`) gets a driver of its own, so `send` keeps no state that two tasks could share.
    """

    def _pyawait_bind(self, heap, handle):
        JsProxy._pyawait_bind(self, heap, handle)
        self._pyawait_waiting, self._pyawait_drivers = 0, None

    def __await__(self):
        return _wait_steps(AWAIT, self._pyawait_heap, self._pyawait_handle, (), None, self)

    def _pyawait_step(self, method, args):
        if self._pyawait_drivers is None:
            self._pyawait_drivers = {}
        task = asyncio.current_task()
        driver = self._pyawait_drivers.get(task)
        if driver is None:
            driver = self._pyawait_drivers[task] = self.__await__()
        try:
            return getattr(driver, method)(*args)
        except BaseException:
            self._pyawait_drivers.pop(task, None)
            raise

    # asyncio's debug output asks for them
    cr_await, cr_frame, cr_running, cr_code = None, None, False, _wait_steps.__code__

    def send(self, value):
        return self._pyawait_step("send", (value,))

    def throw(self, *args):
        return self._pyawait_step("throw", args)

    def close(self):
        pass


class _LaterSignature(inspect.Signature):
    """The signature of an async function, which JavaScript is asked for when somebody looks at it."""

    def __init__(self, proxy):
        self._pyawait_proxy = proxy

    _parameters = property(lambda self: _signature(self._pyawait_proxy)._parameters)
    _return_annotation = inspect.Signature.empty

    def __reduce__(self):
        return _signature(self._pyawait_proxy).__reduce__()


def _async_function(proxy, name):
    heap, handle = proxy._pyawait_heap, proxy._pyawait_handle

    async def function(*args, **kwargs):  # what _wait does, without a generator more: this is the hot path
        slot, future = _request(CALL, heap, handle, args, kwargs)
        try:
            return await future
        except CancelledError as error:
            if future.cancelled():
                # `proxy`, so that the coroutine holds it: before 3.11 it does not hold the function
                await _end_request(slot, proxy._pyawait_heap, error)
            raise

    function.__name__ = function.__qualname__ = name or "function"
    function.__module__, function.__signature__ = "javascript", _LaterSignature(proxy)
    function.__pyawait_js__ = proxy
    return function


def _async_method(owner, function):
    """An `async def` of JavaScript's with `owner` as its `this`."""
    proxy = function.__pyawait_js__

    async def method(*args, **kwargs):
        return await _wait(CALL_METHOD, proxy._pyawait_heap, proxy._pyawait_handle, (owner, *args), kwargs)

    method.__name__, method.__qualname__ = function.__name__, function.__qualname__
    method.__module__ = function.__module__
    method.__self__, method.__pyawait_js__, method.__signature__ = owner, proxy, function.__signature__
    return method


def _code_in(function):
    return next(each for each in function.__code__.co_consts if isinstance(each, types.CodeType))


# The code of functions that stand for JavaScript's own: one that only has the attributes of such a one (functools.wraps) does not.
async_codes = (_code_in(_async_function), _code_in(_async_method))


def wrap_js(heap, handle, kind, about):
    """The Python object for a JavaScript value; the same one while it lives."""
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


_sources = weakref.WeakKeyDictionary()  # generator -> what it is made of


def _new_exception(name, message, stack, frames, errors=None, cause=None, *value):
    """`value`: what was thrown, where no handle can stand for it."""
    grouped = (
        errors is not None
        and JsExceptionGroup is not None
        and all(isinstance(to_error(each), Exception) for each in errors)
    )
    made = JsExceptionGroup(name, message, stack, errors) if grouped else JsException(name, message, stack)
    made._frames, made._value = frames, value[0] if value else _view
    if cause is not None:
        made.__cause__ = to_error(cause)
    return made


def _class_of(kind, about):
    """`about`: a name, or (name, traits, whether it is an Array)."""
    _, traits, is_array = about if isinstance(about, tuple) else (None, 0, False)
    base = JsPromise if kind in (PROMISE, DEFERRED) else JsArray if is_array else JsProxy
    return _class_with(base, traits | (kind == FUNCTION))


# "    at name (file:1:2)" of V8, "name@file:1:2" of JavaScriptCore
_js_frame = re.compile(
    r"(?:\s+at (?:async )?(?:(?P<name>.+?) \()?|(?P<jsc>.*?)@)(?:file://)?(?P<file>.+?):(?P<line>\d+):\d+\)?$"
)


def _here():
    return sys._getframe()


def _js_traceback(frames, limit=16):
    """JavaScript's frames as a traceback: Python's own are put before it as the exception is raised."""
    inner = None
    for line in frames.splitlines()[:limit]:
        found = _js_frame.match(line)
        if found is None:
            continue
        name, number = found["name"] or found["jsc"] or "<anonymous>", int(found["line"])
        code = _here.__code__.replace(co_name=name, co_filename=found["file"], co_firstlineno=number)
        inner = types.TracebackType(inner, types.FunctionType(code, {"sys": sys})(), -1, number)
    return inner


def to_error(value):
    """What JavaScript threw, as an exception: Python's own come back as themselves."""
    if isinstance(value, BaseException):
        if value.__traceback__ is None and getattr(value, "_frames", None):
            value.__traceback__ = _js_traceback(value._frames)
        return value
    if isinstance(value, type) and issubclass(value, BaseException):
        return value()
    return JsException(None, "JavaScript threw %r" % (value,), None, value)
