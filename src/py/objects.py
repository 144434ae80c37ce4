"""What proxies do: functions that JavaScript calls by name, besides operator's and builtins'.

The one thing to know: JavaScript finds each once, by `entry`, and keeps it for ever.
"""

_missing = object()


def entry(name):
    """A function of this module (or of builtins, operator) for JavaScript, by name."""
    return (
        globals()[name]
        if name in globals()
        else getattr(operator, name, _missing)
        if hasattr(operator, name)
        else getattr(builtins, name)
    )


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
    """Leaving a loop ends a generator; a file that is gone through stays open, as in Python."""
    if isinstance(iterator, collections.abc.Generator):
        iterator.close()


def has_index(sequence, index):
    try:
        return index < len(sequence)
    except TypeError:
        return len(item_at(sequence, index)) > 0


def item_at(sequence, index):
    """An item by position, or _missing: what `list[5]` gives JavaScript is never an IndexError."""
    try:
        return (sequence[index],)
    except (IndexError, KeyError):
        return ()


def list_names(value):
    return list(dict.fromkeys(name for name in dir(value) if isinstance(name, str)))


def error_parts(error):
    """([(function, file, line)] innermost first, cause or None, errors or None) of an exception."""
    frames = [
        (frame.name, frame.filename, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<pyawait/")
    ]
    return (frames[::-1], cause_of(error), list(error.exceptions) if is_group(error) else None)


def traceback_text(error):
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def epitaph(value):
    """What an object was, in a few words and without running code of the user's."""
    cls = type(value)
    if cls.__module__ == "builtins":
        try:
            return reprlib.repr(value)
        except Exception:
            pass
    return object.__repr__(value)


def type_name(value):
    return type(value).__name__


def version_text():
    return "%d.%d.%d" % sys.version_info[:3]


def prefix_text():
    return sys.prefix


def identity(value):
    return value


def number_of(value, strict):
    """What `+x` is in JavaScript: the number of an object that has one, else None."""
    try:
        return operator.index(value)
    except TypeError:
        pass
    try:
        return float(value) if hasattr(type(value), "__float__") else None  # it reads text and bytes as well
    except TypeError:
        return None
    except ValueError:
        if strict:
            raise
        return None


def hasattr_statically(value, name):
    """Whether there is such an attribute, without evaluating a property."""
    import inspect

    try:
        inspect.getattr_static(value, name)
        return True
    except AttributeError:
        return False


async def call_on_loop(function, args, kwargs):
    result = function(*args, **kwargs)
    return await result if isinstance(result, collections.abc.Awaitable) or asyncio.isfuture(result) else result


def _in_thread(function, args, kwargs):
    try:
        return function(*args, **kwargs)
    except StopIteration as error:  # no future takes one: the executor's would stay pending for ever
        raise RuntimeError("the function raised StopIteration") from error


async def call_in_thread(function, args, kwargs):
    call = functools.partial(contextvars.copy_context().run, _in_thread, function, args, kwargs)
    return await get_running_loop().run_in_executor(None, call)


def make_buffer(code, length):
    """A writable memoryview of `length` items over memory of its own."""
    size = length * array.array(code).itemsize
    try:
        return memoryview(bytearray(size)).cast(code)
    except (MemoryError, OverflowError):
        raise MemoryError("no memory for a buffer of %d bytes" % size) from None


release_lock = _shim["release_lock"]


def make_async_generator(source):
    return async_generator(source)


def close_coroutine(coroutine):
    coroutine.close()


def connect_pipe(heap):
    """Makes the pipe of a heap's bell and gives its read end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False), os.set_blocking(writer, False)
    _shim["set_bell"](heap, writer)
    return reader


_open_pipes = []


def connect_socket(heap, name):
    """Connects to the bell that JavaScript listens on: a named pipe on Windows, else a socket."""
    if os.name == "posix":
        import socket

        bell = socket.socket(socket.AF_UNIX)
        bell.connect(name)
        bell.setblocking(False)
        os.unlink(name)
        return _shim["set_bell"](heap, bell.detach())
    import msvcrt

    pipe = open(name, "r+b", buffering=0)
    _open_pipes.append(pipe)
    _shim["set_bell"](heap, msvcrt.get_osfhandle(pipe.fileno()))


def enter_sync(manager, body):
    with manager as value:
        body(value)


async def enter_async(manager, body):
    async with manager as value:
        await body(value)


async def report_rejection(error):
    error = to_error(error)
    message = "A rejected JavaScript promise was never awaited"
    get_running_loop().call_exception_handler({"message": message, "exception": error})


def _method(function):
    """A JavaScript function as a method: a Python function, so that it binds `self`."""
    proxy = getattr(function, "__pyawait_js__", function)
    if function is proxy:

        def method(self, *args, **kwargs):
            return function(self, *args, **kwargs)
    else:

        async def method(self, *args, **kwargs):
            return await function(self, *args, **kwargs)

    method.__name__ = getattr(function, "__name__", "method")
    return method


def make_class(name, bases, members, properties):
    namespace = {}
    for key, value in members.items():
        is_function = isinstance(value, JsProxy) and value.typeof == "function" or hasattr(value, "__pyawait_js__")
        namespace[key] = _method(value) if is_function else value
        if is_function:
            namespace[key].__qualname__ = "%s.%s" % (name, key)
    for key, (getter, setter) in properties.items():
        namespace[key] = property(getter and _method(getter), setter and _method(setter))
    namespace.setdefault("__module__", "javascript")
    return types.new_class(name, bases, {}, lambda body: body.update(namespace))
