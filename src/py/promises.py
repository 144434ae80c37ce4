"""How Python awaits JavaScript's Promises and async functions.

Each await is one request and one future of the awaiting loop; `_wait` does that, and the rest gives it Python's
shapes.
"""


def _end_request_steps(slot, future, heap, error):
    """Ends a cancelled await: JavaScript's signal aborts and, if JavaScript has taken it, its end is awaited."""
    ended = _abort(slot, future, heap, error)
    if ended is not None:
        try:
            yield from ended
        except BaseException:
            if ended.cancelled():  # cancelled again: ends at once
                _give_up(slot, ended)


_counting = threading.RLock()  # loops on several threads may await one Promise


def _count_waiting(promise, change):
    with _counting:
        promise._pyawait_waiting += change


def _wait_steps(operation, heap, handle, args, kwargs, promise=None):
    """Asks JavaScript and waits, as a generator that a task drives."""
    slot, future = _request(operation, heap, handle, args, kwargs)
    if promise is not None:
        _count_waiting(promise, 1)
    try:
        return (yield from future)
    except CancelledError as error:
        if future.cancelled():
            if promise is not None and promise._pyawait_waiting > 1:  # other awaits still wait for it
                _give_up(slot, future)
            else:
                yield from _end_request_steps(slot, future, heap, error)
        raise
    finally:
        if promise is not None:
            _count_waiting(promise, -1)


# The same for `await` in an `async def`. `__await__` must return a generator that is not a coroutine.
def _awaitable(steps, name):
    return types.coroutine(types.FunctionType(steps.__code__, globals(), name, steps.__defaults__))


_wait = _awaitable(_wait_steps, "_wait")
_end_request = _awaitable(_end_request_steps, "_end_request")


class JsPromise(JsProxy, collections.abc.Coroutine):
    """A Promise. Any task on any loop can await it, any number of times; each await has a future of its own.

    asyncio takes it for a coroutine, so create_task, gather, wait_for and run accept it. A task that drives it
    directly (`create_task(promise)`) gets a driver of its own, so `send` keeps no state that two tasks could share.
    """

    def _pyawait_bind(self, heap, handle):
        JsProxy._pyawait_bind(self, heap, handle)
        self._pyawait_waiting, self._pyawait_drivers = 0, None

    def __await__(self):
        return _wait_steps(AWAIT, self._pyawait_heap, self._pyawait_handle, (), None, self)

    def _pyawait_step(self, method, args):
        with _counting:
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

    # asyncio's debug output reads them.
    cr_await, cr_frame, cr_running, cr_code = None, None, False, _wait_steps.__code__

    def send(self, value):
        return self._pyawait_step("send", (value,))

    def throw(self, *args):
        return self._pyawait_step("throw", args)

    def close(self):
        pass


class _LaterSignature(inspect.Signature):
    """The signature of an async function; JavaScript is asked for it when it is read."""

    def __init__(self, proxy):
        self._pyawait_proxy = proxy

    _parameters = property(lambda self: _signature(self._pyawait_proxy)._parameters)
    _return_annotation = inspect.Signature.empty

    def __reduce__(self):
        return _signature(self._pyawait_proxy).__reduce__()


def _async_function(proxy, name):
    heap, handle = proxy._pyawait_heap, proxy._pyawait_handle

    async def function(*args, **kwargs):  # inlines _wait: one generator less on the hot path
        slot, future = _request(CALL, heap, handle, args, kwargs)
        try:
            return await future
        except CancelledError as error:
            if future.cancelled():
                # Refers to `proxy`, so that the coroutine keeps it alive: before 3.11 a coroutine does not keep its
                # function alive.
                await _end_request(slot, future, proxy._pyawait_heap, error)
            raise

    function.__name__ = function.__qualname__ = name or "function"
    function.__module__, function.__signature__ = "javascript", _LaterSignature(proxy)
    function.__pyawait_js__ = proxy
    return function


def _async_method(owner, function):
    """A JavaScript `async def` with `owner` as its `this`."""
    proxy = function.__pyawait_js__

    async def method(*args, **kwargs):
        return await _wait(CALL_METHOD, proxy._pyawait_heap, proxy._pyawait_handle, (owner, *args), kwargs)

    method.__name__, method.__qualname__ = function.__name__, function.__qualname__
    method.__module__ = function.__module__
    method.__self__, method.__pyawait_js__, method.__signature__ = owner, proxy, function.__signature__
    return method


def show_awaiter(task, future):
    """Python's tools show what awaits a task (3.14); JavaScript has started it for the await of this future."""
    for waiter in getattr(future, "_asyncio_awaited_by", None) or ():
        asyncio.future_add_to_awaited_by(task, waiter)


def _code_in(function):
    return next(each for each in function.__code__.co_consts if isinstance(each, types.CodeType))


# Functions that stand for JavaScript's are recognised by their code: functools.wraps copies the attributes to others.
async_codes = (_code_in(_async_function), _code_in(_async_method))
