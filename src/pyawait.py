"""Python's half of pyawait: what is simplest in Python is here, in the module that the shim installs as `pyawait`.

The one thing to know: nothing here runs JavaScript. `_shim` (ffi/shim) puts records into queues; JavaScript answers
through the inbox of the loop that asked.

    await js_function()                         the loop's thread              JavaScript's thread
      request ──► future, REQUEST record  ────────────────────────────────►    runs it
      `yield from future`   ◄──── SETTLE: future.set_result, unless done ──    its promise settles
"""
import os
import sys

# Before the first extension module: Node exports OpenSSL, Deno and Bun export libuv, and an extension that binds to
# the host's copies instead of its own crashes. Only glibc has this flag, and only there is it needed.
if hasattr(os, "RTLD_DEEPBIND") and os.environ.get("PYAWAIT_DEEPBIND") != "0":
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)

import threading  # on this thread first: it becomes threading.main_thread()
import array
import ast
import asyncio
import builtins
import collections.abc
import contextvars
import datetime
import functools
import operator
import signal
import textwrap
import traceback
import types
import weakref
from asyncio import CancelledError, Task
from asyncio import get_running_loop

__all__ = ["JsProxy", "JsException"]
__name__ = "pyawait"

# Operations on JavaScript values, by number; src/operations.ts has the same list.
(CALL, AWAIT, GET, SET, DELETE, HAS, KEYS, STRING, NEW, LENGTH, TYPEOF, ITERATE, NEXT, EQUALS, GET_ITEM, SET_ITEM,
 DELETE_ITEM, HAS_ITEM, COPY) = range(19)

# Kinds of JavaScript values, by number; src/handles.ts has the same list.
OBJECT, FUNCTION, PROMISE, ASYNC_FUNCTION, ERROR, SOURCE = range(6)

_call = _shim["call"]
_request = _shim["request"]
_abort = _shim["abort"]
_give_up = _shim["give_up"]
_release = _shim["release"]


# JavaScript values in Python ------------------------------------------------------------------------------------

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
        iterator = _call(ITERATE, self._heap, self._handle, (), None)
        while True:
            step = _call(NEXT, iterator._heap, iterator._handle, (), None)
            if step is None:
                return
            yield step[0]

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


class JsErrorView(JsProxy):
    """The Error object of a JsException, with its attributes; it lives as long as the exception does."""

    def __init__(self, exception):
        object.__setattr__(self, "_heap", exception._heap)
        object.__setattr__(self, "_handle", exception._handle)
        object.__setattr__(self, "_count", 0)
        self.__dict__["exception"] = exception


@types.coroutine
def _wait(operation, heap, handle, args, kwargs, promise=None):
    """Asks JavaScript and waits, as a generator that a task drives: the one place where Python awaits JavaScript."""
    slot, future = _request(operation, heap, handle, args, kwargs)
    if promise is not None:
        promise._waiting += 1
    try:
        return (yield from future)
    except CancelledError as error:
        if not future.cancelled():
            raise
        if promise is not None and promise._waiting > 1:  # others still wait for it
            _give_up(slot)
            raise
        ended = _abort(slot, heap, error)
        if ended is not None:  # its signal was taken: the await ends when the promise has settled
            try:
                yield from ended
            except BaseException:
                if ended.cancelled():  # cancelled again: at once
                    _give_up(slot)
        raise
    finally:
        if promise is not None:
            promise._waiting -= 1


class JsPromise(JsProxy, collections.abc.Coroutine):
    """A Promise: awaited any number of times, by any task on any loop; each await has a future of its own.

    asyncio takes it for a coroutine, so that create_task, gather, wait_for and run accept it. A task that drives it
    directly (`create_task(promise)`) gets a driver of its own, so `send` keeps no state that two tasks could share.
    """

    def _bind(self, heap, handle):
        JsProxy._bind(self, heap, handle)
        self._waiting, self._drivers = 0, None

    def __await__(self):
        return _wait(AWAIT, self._heap, self._handle, (), None, self)

    def _step(self, method, args):
        if self._drivers is None:
            self._drivers = {}
        task = asyncio.current_task()
        driver = self._drivers.get(task)
        if driver is None:
            driver = self._drivers[task] = self.__await__()
        try:
            return getattr(driver, method)(*args)
        except BaseException:
            self._drivers.pop(task, None)
            raise

    cr_await, cr_frame, cr_running, cr_code = None, None, False, _wait.__code__  # asyncio's debug output asks for them

    def send(self, value):
        return self._step("send", (value,))

    def throw(self, *args):
        return self._step("throw", args)

    def close(self):
        pass


def _async_function(proxy, name):
    async def function(*args, **kwargs):
        return await _wait(CALL, proxy._heap, proxy._handle, args, kwargs)

    function.__name__ = function.__qualname__ = name or "function"
    function.__module__ = "javascript"
    function.__pyawait_js__ = proxy
    return function


def wrap_js(heap, handle, kind, about):
    """The Python object for a JavaScript value; the same one while it lives."""
    known = _wrapped.get((heap, handle))
    if known is not None:
        (known.__pyawait_js__ if kind == ASYNC_FUNCTION else known)._count += 1
        return known
    if kind == ERROR:
        result = bound = JsException(*about)
    else:
        result = bound = (JsPromise if kind in (PROMISE, SOURCE) else JsProxy).__new__(JsPromise if kind in (PROMISE, SOURCE) else JsProxy)
    bound._bind(heap, handle)
    if kind == ASYNC_FUNCTION:
        result = _async_function(bound, about)
    _wrapped[heap, handle] = result
    return result


def to_error(value):
    """What JavaScript threw, as an exception: Python's own come back as themselves."""
    if isinstance(value, BaseException):
        return value
    if isinstance(value, type) and issubclass(value, BaseException):
        return value()
    return JsException(None, "JavaScript threw %r" % (value,), None, value)


# What the shim asks of a type, an error, a buffer, a date ----------------------------------------------------------

(KIND_JS, KIND_SCALAR, KIND_BUFFER, KIND_DATETIME, KIND_ASYNC_FUNCTION, KIND_CALLABLE, KIND_ITERABLE, KIND_ITERATOR,
 KIND_ASYNC_ITERABLE, KIND_AWAITABLE, KIND_COROUTINE, KIND_FUTURE, KIND_SEQUENCE, KIND_MAPPING, KIND_GENERATOR,
 KIND_ASYNC_GENERATOR, KIND_EXCEPTION, KIND_CLASS) = (1 << bit for bit in range(18))


def describe_type(cls):
    """What objects of this type can do, as bits; src/kinds.ts has the same list."""
    has = functools.partial(_has_method, cls)
    bits = (
        (KIND_JS, issubclass(cls, (JsProxy, JsException))),
        (KIND_SCALAR, issubclass(cls, float) or _is_numpy_scalar(cls)),
        (KIND_BUFFER, issubclass(cls, (bytearray, memoryview, array.array)) or cls.__module__ == "numpy" and cls.__name__ == "ndarray"),
        (KIND_DATETIME, issubclass(cls, datetime.datetime)),
        (KIND_CALLABLE, has("__call__")),
        (KIND_ITERABLE, has("__iter__") or has("__getitem__") and has("__len__")),
        (KIND_ITERATOR, has("__next__")),
        (KIND_ASYNC_ITERABLE, has("__aiter__")),
        (KIND_AWAITABLE, has("__await__")),
        (KIND_COROUTINE, issubclass(cls, collections.abc.Coroutine)),
        (KIND_FUTURE, asyncio.isfuture(cls) or issubclass(cls, asyncio.Future)),
        (KIND_SEQUENCE, has("__getitem__") and has("__len__") and not issubclass(cls, collections.abc.Mapping) and not has("keys")),
        (KIND_MAPPING, issubclass(cls, collections.abc.Mapping)),
        (KIND_GENERATOR, issubclass(cls, collections.abc.Generator)),
        (KIND_ASYNC_GENERATOR, issubclass(cls, collections.abc.AsyncGenerator)),
        (KIND_EXCEPTION, issubclass(cls, BaseException)),
        (KIND_CLASS, issubclass(cls, type)),
    )
    return sum(bit for bit, holds in bits if holds)


def _has_method(cls, name):
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name] is not None
    return False


def _is_numpy_scalar(cls):
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "generic") or not issubclass(cls, numpy.generic):
        return False
    return issubclass(cls, (numpy.bool_, numpy.integer, numpy.floating))


def describe_error(error):
    """(value,) of what JavaScript threw, else (class name, message)."""
    if isinstance(error, JsException):
        return (error if getattr(error, "_count", 0) else error._value,)
    try:
        message = str(error)
    except Exception as failed:
        message = "<exception str() failed: %r>" % (failed,)
    return (type(error).__name__, message)


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
    code = view.format.lstrip("@=<") if sys.byteorder == "little" else view.format.lstrip("@=")
    if code == "?":
        code = "B"
    elif code == "c":
        code = "B"
    elif code in "lLqQnN" and code:
        code = ("q" if code in "lqn" else "Q") if view.itemsize == 8 else ("i" if code in "lqn" else "I")
    if len(code) != 1 or code not in "bBhHiIqQfd":
        return None
    return (code, view.tobytes(), view.shape if view.ndim > 1 else ())


_epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_millisecond = datetime.timedelta(milliseconds=1)


def to_datetime(milliseconds):
    return _epoch + datetime.timedelta(milliseconds=milliseconds)


def from_datetime(value):
    """Milliseconds since 1970, or None for a naive datetime, which names no moment."""
    return None if value.utcoffset() is None else float((value - _epoch) // _millisecond)


# Event loops ----------------------------------------------------------------------------------------------------

_eager = sys.version_info >= (3, 12)
_has_context = sys.version_info >= (3, 11)


class _Connection:
    """A loop's inbox: how JavaScript reaches its tasks and futures. Made on the loop's own thread."""

    def __init__(self, loop):
        self.task = None
        if hasattr(loop, "_proactor"):  # Windows' default loop has no add_reader, but sockets
            import socket
            self.reader, self.writer = socket.socketpair()
            self.reader.setblocking(False), self.writer.setblocking(False)
        else:
            self.reader, self.writer = os.pipe()
            os.set_blocking(self.reader, False), os.set_blocking(self.writer, False)
        self.id, self.drain = _shim["open_loop"](loop, self.fileno(), _eager, _has_context)
        if hasattr(loop, "_proactor"):
            self.task = loop.create_task(self._receive(loop))
        else:
            loop.add_reader(self.reader, self._wake)

    def fileno(self):
        return self.writer if isinstance(self.writer, int) else self.writer.fileno()

    def _wake(self):
        try:
            os.read(self.reader, 4096)  # before the inbox is taken: what comes later wakes again
        except BlockingIOError:
            pass
        self.drain()
        if _closing():
            _background.stop()

    async def _receive(self, loop):
        while True:
            await loop.sock_recv(self.reader, 4096)
            self.drain()
            if _closing():
                _background.stop()

    def close(self):
        _shim["close_loop"](self.id)
        for end in (self.reader, self.writer):
            os.close(end) if isinstance(end, int) else end.close()


_closing = _shim["closing"]
_connections = {}  # loop -> _Connection


def new_loop(loop):
    """Connects a loop that awaits JavaScript for the first time; loops that have been closed since are let go."""
    for other in [other for other in list(_connections) if other.is_closed()]:
        _connections.pop(other).close()
    _connections[loop] = _Connection(loop)


def loop_id(loop):
    """The id of a loop's inbox, for JavaScript to submit to."""
    if loop.is_closed():
        raise RuntimeError("Cannot use this event loop: it is closed")
    if loop not in _connections:
        loop.call_soon_threadsafe(new_loop, loop) if loop.is_running() else new_loop(loop)
        raise RuntimeError("This event loop is not connected to JavaScript yet")
    return _connections[loop].id


def ensure_task(awaitable, loop, context):
    """A Task or Future for what JavaScript awaits; raises TypeError at once for what cannot be awaited."""
    if asyncio.isfuture(awaitable):
        home = awaitable.get_loop()
        return awaitable if home is loop else asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_follow(awaitable), home), loop=loop)
    if isinstance(awaitable, collections.abc.Coroutine) or asyncio.iscoroutine(awaitable):
        make = functools.partial(loop.create_task, awaitable)
    elif hasattr(type(awaitable), "__await__"):
        make = functools.partial(loop.create_task, _follow(awaitable))
    else:
        raise TypeError("Cannot await %s: it is not awaitable" % _short_repr(awaitable))
    return make() if context is None else make(context=context) if _has_context else context.run(make)


async def _follow(awaitable):
    return await awaitable


def _short_repr(value):
    try:
        text = repr(value)
    except Exception:
        text = object.__repr__(value)
    return text if len(text) < 80 else text[:77] + "..."


# What JavaScript calls: src/helpers.ts names them --------------------------------------------------------------

_missing = object()


def entry(name):
    """A function of this module (or of builtins, operator) for JavaScript, by name."""
    return globals()[name] if name in globals() else getattr(operator, name, _missing) if hasattr(operator, name) else getattr(builtins, name)


def import_module(name):
    import importlib
    return importlib.import_module(name)


def next_step(iterator):
    """(True, item) or (False, the generator's return value)."""
    try:
        return (True, next(iterator))
    except StopIteration as stop:
        return (False, stop.value)


def send_step(generator, value):
    try:
        return (True, generator.send(value))
    except StopIteration as stop:
        return (False, stop.value)


def throw_step(generator, error):
    try:
        return (True, generator.throw(to_error(error)))
    except StopIteration as stop:
        return (False, stop.value)


def close_iterator(iterator):
    close = getattr(iterator, "close", None)
    if close is not None:
        close()


def item_at(sequence, index):
    """An item by position, or _missing: what `list[5]` gives JavaScript is never an IndexError."""
    try:
        return (sequence[index],)
    except (IndexError, KeyError):
        return ()


def list_names(value):
    return [name for name in dir(value) if isinstance(name, str)]


def error_parts(error):
    """(traceback text, [(function, file, line)] innermost first, cause or None, errors or None) of an exception."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    frames = [(frame.name, frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    errors = getattr(error, "exceptions", None)
    return (text, frames[::-1], cause, list(errors) if isinstance(errors, tuple) else None)


def type_name(value):
    return type(value).__name__


def version_text():
    return "%d.%d.%d" % sys.version_info[:3]


def prefix_text():
    return sys.prefix


def identity(value):
    return value


def number_of(value):
    """What `+x` is in JavaScript: the number of an object that has one, else None."""
    try:
        return operator.index(value)
    except TypeError:
        pass
    try:
        return float(value) if not isinstance(value, (bytes, bytearray)) else None
    except (TypeError, ValueError):
        return None


def hasattr_statically(value, name):
    """Whether there is such an attribute, without evaluating a property."""
    import inspect
    try:
        inspect.getattr_static(value, name)
        return True
    except AttributeError:
        return False


def _compile(code, filename, flags):
    code = textwrap.dedent(code)
    tree = ast.parse(code, filename, "exec")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    body = compile(tree, filename, "exec", flags=flags, dont_inherit=True) if tree.body else None
    value = compile(ast.Expression(last.value), filename, "eval", flags=flags, dont_inherit=True) if last else None
    return body, value


def _namespace(given):
    if given is None:
        import __main__
        return __main__.__dict__
    return given


def execute(code, namespace, filename):
    body, value = _compile(code, filename, 0)
    namespace = _namespace(namespace)
    if body is not None:
        exec(body, namespace)
    return eval(value, namespace) if value is not None else None


async def execute_async(code, namespace, filename):
    body, value = _compile(code, filename, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    namespace = _namespace(namespace)
    result = None
    for part in (body, value):
        if part is None:
            continue
        result = eval(part, namespace)
        if part.co_flags & 0x80:  # CO_COROUTINE: it has an await at its top level
            result = await result
    return result if value is not None else None


async def call_on_loop(function, args, kwargs):
    result = function(*args, **kwargs)
    return await result if isinstance(result, collections.abc.Awaitable) or asyncio.isfuture(result) else result


async def call_in_thread(function, args, kwargs):
    call = functools.partial(contextvars.copy_context().run, function, *args, **kwargs)
    return await get_running_loop().run_in_executor(None, call)


def start_async_iteration(iterable):
    return iterable.__aiter__()


async def async_next(iterator, value):
    try:
        if value is None or not hasattr(iterator, "asend"):
            return (True, await iterator.__anext__())
        return (True, await iterator.asend(value))
    except StopAsyncIteration:
        return (False, None)


async def async_throw(iterator, error):
    try:
        return (True, await iterator.athrow(to_error(error)))
    except StopAsyncIteration:
        return (False, None)


async def async_close(iterator, _):
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()


def close_coroutine(coroutine):
    coroutine.close()


def cancel_future(future):
    loop = future.get_loop()
    loop.call_soon_threadsafe(future.cancel)


def connect_pipe(heap):
    """Makes the pipe of a heap's bell and gives its read end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False), os.set_blocking(writer, False)
    _shim["set_bell"](heap, writer)
    return reader


_named_pipes = []


def connect_named_pipe(heap, name):
    """Windows: opens the pipe that JavaScript listens on."""
    import msvcrt
    pipe = open(name, "r+b", buffering=0)
    _named_pipes.append(pipe)
    _shim["set_bell"](heap, msvcrt.get_osfhandle(pipe.fileno()))


# Output ---------------------------------------------------------------------------------------------------------

import io


class _Output(io.TextIOBase):
    """A stream whose text goes to a JavaScript function."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, heap, code):
        self._heap, self._code = heap, code

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        if text:
            _shim["event"](self._heap, self._code, text)
        return len(text)

    def writable(self):
        return True


def redirect(heap, name, code):
    setattr(sys, name, _Output(heap, code))


# The life of the loop thread ----------------------------------------------------------------------------------

_background = None


def _make_loop(factory):
    if factory == "asyncio":
        return asyncio.new_event_loop()
    if factory == "uvloop":
        import uvloop
        return uvloop.new_event_loop()
    module, _, name = factory.partition(":")
    return operator.attrgetter(name)(import_module(module))()


def _main(configuration):
    """Python's main thread: runs the background loop until the process (or python.close) ends it."""
    global _background
    sys.path[0:0] = configuration["path"]
    sys.argv[:] = configuration["args"] if hasattr(sys, "argv") else []
    sys.setswitchinterval(configuration["switch_interval"])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # for interrupt(); the shim gives the real one back
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # Python and JavaScript write to the same place through different buffers
            stream.reconfigure(line_buffering=True)
    loop = _background = _make_loop(configuration["loop"])
    asyncio.set_event_loop(loop)
    new_loop(loop)
    if not hasattr(loop, "_proactor"):
        signal.set_wakeup_fd(_connections[loop].fileno(), warn_on_full_buffer=False)
    loop.call_soon(_shim["ready"])
    while not _closing():
        try:
            loop.run_forever()
        except (KeyboardInterrupt, SystemExit):
            pass  # it has been given to whoever awaits the task; the loop goes on
    _shutdown(loop)


def _own_tasks(loop):
    current = asyncio.current_task(loop) if loop.is_running() else None
    own = {current, getattr(_connections.get(loop), "task", None)}
    return [task for task in asyncio.all_tasks(loop) if task not in own]


async def end_tasks(timeout):
    """Cancels what runs on this loop and waits for it, then ends its async generators and its executor."""
    loop = get_running_loop()
    tasks = _own_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=timeout)
    await loop.shutdown_asyncgens()
    if hasattr(loop, "shutdown_default_executor"):
        await loop.shutdown_default_executor()


def _shutdown(loop):
    """Everything that a Python process does at its end but taking the interpreter apart, which is what crashes."""
    steps = (lambda: loop.run_until_complete(end_tasks(1.5)), threading._shutdown, __import__("atexit")._run_exitfuncs,
             sys.stdout.flush, sys.stderr.flush)
    for step in steps:
        try:
            step()
        except BaseException:
            try:
                sys.excepthook(*sys.exc_info())
            except BaseException:
                pass


def _after_fork():
    def refuse(*_):
        raise RuntimeError("Cannot call into JavaScript from a forked child: it is not in there; use multiprocessing's spawn")
    for name in ("call", "request", "abort", "release", "event"):
        _shim[name] = refuse
    globals().update(_call=refuse, _request=refuse, _abort=refuse, _release=lambda *_: None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

_shim["setup"](globals())
