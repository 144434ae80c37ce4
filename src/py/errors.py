"""Exceptions across the border: what JavaScript threw (JsException), and what JavaScript asks of an exception.

An exception that comes back from JavaScript is the same object; a value that JavaScript threw is itself there again.
"""

_unset = object()
_view = object()  # placeholder for a thrown object, whose JsErrorView is made when it is read


class JsException(_Handle, Exception):
    """What JavaScript threw.

    `value` is the thrown value itself, an Error or not; None if Python has made or unpickled this exception.
    """

    def __init__(self, name, message=None, stack=None, value=_unset):
        if message is None:
            name, message = "Error", name
        Exception.__init__(self, message)
        self.name, self.message, self.stack, self._value = name, message, stack, value

    def __reduce_ex__(self, protocol):
        return JsException, (self.name, self.message, self.stack)

    @property
    def value(self):
        if self._value is _view:
            self._value = JsErrorView(self)
        return None if self._value is _unset else self._value

    def __str__(self):
        return "%s: %s" % (self.name, self.message) if self.name else str(self.message)


_too_deep = "JavaScript and Python have called each other too deep"


class TooDeep(RecursionError):
    """JavaScript's stack has overflowed in pyawait's own code."""

    def __init__(self, message=_too_deep):
        RecursionError.__init__(self, message)


TooDeep.__name__ = TooDeep.__qualname__ = "RecursionError"


def too_deep(depth, advice=None):
    """Raises TooDeep while there is still stack to handle it."""
    text = "%s: %d times, each within the other, and this thread's stack is nearly full. Use a loop%s"
    raise TooDeep(text % (_too_deep, depth, ", or " + advice if advice else ""))


class JavaScriptEnded(JsException, RuntimeError):
    """JavaScript's thread, or the process, has ended, so it cannot be called."""

    def __init__(self, message):
        JsException.__init__(self, "Error", message)


if sys.version_info >= (3, 11):

    class JsExceptionGroup(JsException, ExceptionGroup):
        """An AggregateError: `except*` and `exceptions` reach its errors."""

        def __new__(cls, name, message, stack, errors):
            return ExceptionGroup.__new__(cls, message or name, [to_error(error) for error in errors])

        def __init__(self, name, message, stack, errors):
            self.name, self.stack, self._value = name, stack, None

        def __reduce_ex__(self, protocol):
            return ExceptionGroup, (self.message, self.exceptions)

        def derive(self, exceptions):
            return ExceptionGroup(self.message, exceptions)
else:
    JsExceptionGroup = None


class JsErrorView(*_traits[:-1], JsProxy):
    """The object in a JsException, with everything that it may be able to do; lives as long as the exception."""

    def __init__(self, exception):
        self._pyawait_heap, self._pyawait_handle = exception._pyawait_heap, exception._pyawait_handle
        self._pyawait_count, self._pyawait_exception = 0, exception


def _new_exception(name, message, stack, frames, errors=None, cause=None, *value):
    """`value`: what was thrown, if no handle can represent it."""
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


# "    at name (file:1:2)" of V8, "name@file:1:2" of JavaScriptCore
_js_frame = re.compile(
    r"(?:\s+at (?:async )?(?:(?P<name>.+?) \()?|(?P<jsc>.*?)@)(?P<url>file://)?(?P<file>.+?):(?P<line>\d+):\d+\)?$"
)


def _here():
    return sys._getframe()


def _path_in(frame):
    """The file of a frame, which ES modules name by a URL, as Python names files."""
    path = frame["file"]
    if not frame["url"]:
        return path
    if "%" in path:
        from urllib.parse import unquote

        path = unquote(path)
    return path.lstrip("/").replace("/", "\\") if os.name == "nt" and path[2:3] == ":" else path


def _js_traceback(frames, limit=16):
    """JavaScript's frames as a traceback. Python prepends its own when the exception is raised."""
    inner = None
    for line in frames.splitlines()[:limit]:
        found = _js_frame.match(line)
        if found is None:
            continue
        name, number = found["name"] or found["jsc"] or "<anonymous>", int(found["line"])
        code = _here.__code__.replace(co_name=name, co_filename=_path_in(found), co_firstlineno=number)
        inner = types.TracebackType(inner, types.FunctionType(code, {"sys": sys})(), -1, number)
    return inner


def to_error(value):
    """What JavaScript threw, as an exception; Python's own exceptions come back as themselves."""
    if isinstance(value, BaseException):
        if value.__traceback__ is None and getattr(value, "_frames", None):
            value.__traceback__ = _js_traceback(value._frames)
        return value
    if isinstance(value, type) and issubclass(value, BaseException):
        return value()
    return JsException(None, "JavaScript threw %r" % (value,), None, value)


def describe_error(error):
    """(value,) for what JavaScript threw, else (class name, message, 1 if it has a cause + 2 if it is a group)."""
    strip_traceback(error)
    if issubclass(type(error), ModuleNotFoundError):
        explain_missing_module(error)
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
    """Its cause as a traceback shows it, or None.

    Read through BaseException's descriptors: an exception may be falsy, and its class may have properties of these
    names.
    """
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
    """Whether it is an ExceptionGroup: Python's own, or that of the backport before 3.11."""
    if not hasattr(type(error), "exceptions"):
        return False
    return any(type.__dict__["__name__"].__get__(base) == "BaseExceptionGroup" for base in type(error).__mro__)


def guard_error(error):
    """An exception that a future accepts in place of StopIteration, which would end the awaiting generator."""
    guarded = RuntimeError("JavaScript raised StopIteration")
    guarded.__cause__ = error
    return guarded


def error_parts(error):
    """([(function, file, line)] innermost first, cause or None, errors or None, hint or None, notes) of an exception."""
    frames = [
        (frame.name, frame.filename, frame.lineno)
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<pyawait/")
    ]
    members = list(error.exceptions) if is_group(error) else None
    return (frames[::-1], cause_of(error), members, hint_of(error), notes_of(error))


def notes_of(error):
    """What `add_note` has added, and what other code has put there instead of text, as a traceback shows it."""
    notes = getattr(error, "__notes__", None)
    return (
        [note if isinstance(note, str) else _safe_repr(note) for note in notes]
        if isinstance(notes, (list, tuple))
        else []
    )


_loop_hint = (
    "What asks for a running event loop has to be called where one runs: withLoop(() => ...) makes synchronous calls "
    "so, await toLoop(fn, args) any call"
)
_main_thread_hint = (
    "Python's main thread is that of the background loop: await python.importAsync(name) imports a module there, "
    "await toLoop(fn, args) calls a function there"
)
_recursion_hint = (
    "Python's limit counts calls, several for each JavaScript function between: "
    'python.import("sys").setrecursionlimit(n) raises it, as far as the stacks go'
    + (", and Python 3.12's fixed limit for calls in C" if sys.version_info[:2] == (3, 12) else "")
)
_outside_function = re.compile("'await' outside function|'async (for|with)' outside|asynchronous comprehension outside")
_await_hint = "python.execAsync(code) runs code with await, async for and async with at its top level"
_trio_hint = "pyawait awaits asyncio: run trio itself with trio.run on another thread, or use anyio on asyncio"


def hint_of(error):
    """What to do in JavaScript about this exception, where Python cannot know it; else None."""
    if not isinstance(error, (RuntimeError, ValueError, SyntaxError)):
        return None
    text = str(error)
    if isinstance(error, SyntaxError):
        return _await_hint if _outside_function.match(text) else None
    if "main thread" in text:
        return _main_thread_hint
    if isinstance(error, ValueError):
        return None
    if isinstance(error, RecursionError):
        return _recursion_hint if text.startswith("maximum recursion depth exceeded") else None
    if (
        "no running event loop" in text
        or "no current event loop" in text
        or "Not currently running on any async" in text
    ):
        return _loop_hint
    return _trio_hint if text == "must be called from async context" else None


def traceback_text(error):
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))
