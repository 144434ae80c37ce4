"""Coroutines that JavaScript has called and never awaited.

Such a call is bytes that were never sent. The warning is CPython's own: a coroutine with the function's name is made and
dropped in a frame that has JavaScript's line. So filters, `-W error`, `sys.unraisablehook` and tracemalloc see what they
see of a coroutine of Python's.
"""

_drop_code = compile("make()", _FRAME_FILE, "exec")
_make_code = compile("make()", _FRAME_FILE, "eval")
_scripts = {}  # file -> the globals of the frames in it: they keep which warnings were shown


def is_debugging():
    """Whether asyncio's debug mode is on for all loops, or tracemalloc, which the warnings advise to enable."""
    flags = sys.flags
    asked = flags.dev_mode or not flags.ignore_environment and bool(os.environ.get("PYTHONASYNCIODEBUG"))
    return asked or __import__("_tracemalloc").is_tracing()


async def _nothing():
    pass


def _coroutine_named(function):
    coroutine, name = _nothing(), getattr(function, "__qualname__", "?")
    coroutine.__name__, coroutine.__qualname__ = getattr(function, "__name__", "?"), name
    return coroutine


def _track_origins(depth):
    """Sets how many frames new coroutines of this thread remember, and gives the number before."""
    before = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(depth)
    return before


def warn_never_awaited(calls):
    """Warns of calls, each as (function or None, file or None, line). Works when it is called, and not when it is
    awaited: at the end tasks are cancelled before they start.
    """
    before = _track_origins(0)
    try:
        for function, file, line in calls:
            file = file or _FRAME_FILE
            script = _scripts.setdefault(file, {"__name__": "__main__"})
            script["make"] = functools.partial(_coroutine_named, function)
            exec(_drop_code.replace(co_filename=file, co_firstlineno=line), script)
    finally:
        _track_origins(before)
    return _nothing()


def make_coroutine_at(file, line, function, *args, **kwargs):
    """`function(*args, **kwargs)`, whose coroutine remembers that JavaScript has called it there."""
    code = _make_code.replace(co_filename=file, co_firstlineno=line)
    before = _track_origins(max(1, sys.get_coroutine_origin_tracking_depth()))
    try:
        return eval(code, globals(), {"make": functools.partial(function, *args, **kwargs)})
    finally:
        _track_origins(before)


def close_if_alone(coroutines):
    """Closes the coroutine in this list if it never ran and only JavaScript has it, so that Python does not warn of it."""
    alone, coroutine = held_by_javascript_alone(coroutines)[0], coroutines[0]
    is_new = type(coroutine) is types.CoroutineType and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED
    if alone and is_new:
        coroutine.close()
