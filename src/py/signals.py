"""Signals and child processes: Python's handlers beside the JavaScript runtime's.

Python's main thread is the loop thread, but the system delivers a signal to any thread, usually JavaScript's
(ffi/shim/platform_posix.c forwards it).
"""


def _action(number, given=None):
    """The process's action for a signal, as the C library's struct (152 bytes at most); `given` replaces it."""
    import ctypes

    action = ctypes.create_string_buffer(256)
    ctypes.CDLL(None).sigaction(int(number), given, action)
    return action


def _watch_signals(loop):
    """Lets signals and interrupt() wake this loop while it sleeps, unless the loop has a wakeup descriptor of its
    own.
    """
    if not hasattr(loop, "_proactor"):
        before = signal.set_wakeup_fd(_connections[loop].fileno(), warn_on_full_buffer=False)
        if before not in (-1, _connections[loop].fileno()):
            signal.set_wakeup_fd(before, warn_on_full_buffer=False)


def _forward_signals():
    """Makes Python's handlers run on this thread, wherever the signal arrives (ffi/shim/platform_posix.c)."""
    original = signal.signal

    @functools.wraps(original)
    def set_handler(number, handler):
        before = original(number, handler)
        if callable(handler):
            _shim["forward_signal"](int(number))
        return before

    signal.signal = set_handler


def _guard_signals(loop):
    """Restores the action that a signal had (JavaScript's, the runtime's) when the loop's handler for it is removed."""
    add, remove, before = loop.add_signal_handler, loop.remove_signal_handler, {}

    def add_signal_handler(number, callback, *args):
        action = _action(number) if isinstance(number, int) else None
        add(number, callback, *args)
        before.setdefault(number, action)

    def remove_signal_handler(number):
        removed = remove(number)
        if number in before:
            _action(number, before.pop(number))
            _watch_signals(loop)
        return removed

    loop.add_signal_handler, loop.remove_signal_handler = add_signal_handler, remove_signal_handler


def _interrupt(number, frame):
    """Raises where this thread runs user code. In the loop's own code it would lose a callback, and a task would
    never end.
    """
    if frame is not None and frame.f_code is call_on_loop.__code__:
        raise KeyboardInterrupt  # or in a C function, which has no frame
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name not in ("pyawait", "selectors", "weakref", "_weakrefset") and name.partition(".")[0] != "asyncio":
            raise KeyboardInterrupt
        frame = frame.f_back


def keep_child_action():
    """Undoes what uvloop does to SIGCHLD, to which Node listens, now and after each of its subprocesses."""
    _shim["keep_child_action"]()


_guarded = set()


def _guard_subprocesses(loop):
    """Guards SIGCHLD against uvloop, which takes it; asyncio's own loops do not."""
    cls = type(loop)
    if cls in _guarded or not cls.__module__.startswith("uvloop"):
        return
    _guarded.add(cls)

    def guard(method):
        @functools.wraps(method)
        async def create(self, *args, **kwargs):
            try:
                transport, protocol = await method(self, *args, **kwargs)
            finally:
                _shim["keep_child_action"]()
            self.create_task(_after_process(self, transport))
            return transport, protocol

        return create

    cls.subprocess_exec, cls.subprocess_shell = guard(cls.subprocess_exec), guard(cls.subprocess_shell)


async def _after_process(loop, transport):
    try:
        await transport._wait()
    finally:  # libuv gives the signal up a few rounds after the handle was closed
        for delay in (0, 0, 0.01, 0.1):
            loop.call_later(delay, _shim["keep_child_action"])
