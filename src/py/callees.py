"""Asynchronous callees: which synchronous calls of JavaScript's are made on an event loop's thread, and on which loop.

The shim makes them (ffi/shim/visits.c). It asks `is_asynchronous` when a callable crosses, and only where the types
alone do not rule it out.
"""

asyncio_modules = {name: True for name in sys.modules if name.partition(".")[0] in ("asyncio", "_asyncio")}
asyncio_modules.update(dict.fromkeys(("uvloop", "uvloop.loop"), True))

# Those that have a loop of their own, that are made for other threads, or that no loop matters to.
_loopless_functions = {
    "run",
    "run_coroutine_threadsafe",
    "new_event_loop",
    "iscoroutine",
    "iscoroutinefunction",
    "isfuture",
}
_loopless_methods = {"call_soon_threadsafe", "is_running", "is_closed", "time", "get_debug"}
_policy = "_AbstractEventLoopPolicy" if sys.version_info >= (3, 14) else "AbstractEventLoopPolicy"  # whose name warns
_loopless_classes = (
    BaseException,
    enum.Enum,
    asyncio.AbstractEventLoop,
    getattr(asyncio.events, _policy, asyncio.AbstractEventLoop),
    getattr(asyncio, "Runner", asyncio.AbstractEventLoop),
)
current_task = asyncio.current_task
partial, getattr, getitem = functools.partial, builtins.getattr, operator.getitem  # for the shim
_leave_task, _enter_task = asyncio.tasks._leave_task, asyncio.tasks._enter_task


def is_asynchronous(callee):
    """Whether calls of this function, method or class are made as a callback of a loop.

    That are asyncio's own, the methods of what belongs to a loop, and the construction of what is awaitable or an
    asynchronous iterator or context manager; and a `functools.partial` of one of these.
    """
    if isinstance(callee, partial):
        return not inspect.iscoroutinefunction(callee) and is_asynchronous(callee.func)
    if isinstance(callee, type):
        bound = describe_type(callee) & (KIND_LOOP_BOUND | KIND_ASYNC_OBJECT)
        return bool(bound) and not issubclass(callee, _loopless_classes)
    if isinstance(callee, types.GeneratorType):  # before 3.13 as_completed is one
        return callee.gi_frame is not None and callee.gi_frame.f_globals.get("__name__") in asyncio_modules
    owner = _owner_of(callee)
    if owner is None or isinstance(owner, types.ModuleType):
        is_function = isinstance(callee, (types.FunctionType, types.BuiltinFunctionType))
        return is_function and callee.__module__ in asyncio_modules and callee.__name__ not in _loopless_functions
    if isinstance(owner, type):
        return bool(describe_type(owner) & KIND_LOOP_BOUND) and not issubclass(owner, _loopless_classes)
    if describe_type(type(owner)) & KIND_LOOP_BOUND:
        return callee.__name__ not in _loopless_methods and not isinstance(owner, _loopless_classes[-1:])
    return _loop_in(owner) is not None


def _owner_of(callee):
    """The object whose method this is, or None. Runs no code of the callee's own, whatever it is."""
    while isinstance(callee, partial):
        callee = callee.func
    return callee.__self__ if isinstance(callee, (types.MethodType, types.BuiltinFunctionType)) else None


def _loop_in(owner):
    """The event loop that an object is, or that it says it belongs to."""
    if isinstance(owner, asyncio.AbstractEventLoop):
        return owner
    if describe_type(type(owner)) & KIND_LOOP_BOUND:
        return _loop_by_attribute(owner)
    try:
        fields = object.__getattribute__(owner, "__dict__")  # runs no code of its own
    except AttributeError:
        return None
    loops = (fields.get(name) for name in ("_loop", "loop") if isinstance(fields, dict))
    return next((loop for loop in loops if isinstance(loop, asyncio.AbstractEventLoop)), None)


def _loop_by_attribute(owner):
    """asyncio's own objects have `_loop`, uvloop's servers `get_loop`. A subclass may have made something else of it."""
    for ask in (lambda: owner._loop, lambda: owner.get_loop()):
        try:
            loop = ask()
        except Exception:
            continue
        if isinstance(loop, asyncio.AbstractEventLoop):
            return loop
    return None


def loop_of_call(callee, current):
    """The loop on whose thread a call is made: the object's own, else the current one. None: it is made here.

    A loop that does not run has no thread, and in one that runs here the call is in a callback already.
    """
    loop = _loop_in(_owner_of(callee)) or loop_by_id(current)
    return loop if loop.is_running() and loop is not _get_running_loop() else None


def loop_to_stay_on(current):
    """The loop that stands still for `withLoop`. None: it runs here, and so stands still already."""
    loop = loop_by_id(current)
    if not loop.is_running():
        raise RuntimeError(
            "Cannot use withLoop: the current event loop is not running; runUntilComplete(loop, main) runs it, or "
            "loop.run_forever on a thread of its own"
        )
    return loop if loop is not _get_running_loop() else None
