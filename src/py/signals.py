"""Signals and children: Python's handlers beside the JavaScript runtime's.

Python's main thread is the loop thread, but the system delivers a signal to any thread, mostly JavaScript's
(ffi/shim/platform_posix.c forwards it).
"""


def _action(number, given=None):
    """What the process does about a signal, as the C library has it (152 bytes at most); `given` takes its place."""
    import ctypes

    action = ctypes.create_string_buffer(256)
    ctypes.CDLL(None).sigaction(int(number), given, action)
    return action


def _watch_signals(loop):
    """Signals, and interrupt(), wake this loop where it sleeps; unless it watches them itself."""
    if not hasattr(loop, "_proactor"):
        before = signal.set_wakeup_fd(_connections[loop].fileno(), warn_on_full_buffer=False)
        if before not in (-1, _connections[loop].fileno()):
            signal.set_wakeup_fd(before, warn_on_full_buffer=False)


def _forward_signals():
    """A handler that Python gets is called on this thread, wherever the signal arrives (ffi/shim/platform_posix.c)."""
    original = signal.signal

    @functools.wraps(original)
    def set_handler(number, handler):
        before = original(number, handler)
        if callable(handler):
            _shim["forward_signal"](int(number))
        return before

    signal.signal = set_handler


def _guard_signals(loop):
    """Whoever had a signal before a handler of the loop's has it again after it: JavaScript's listeners, the runtime."""
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
    """Raises where this thread is in somebody's code. In the loop's own it would lose a callback, and some task for ever."""
    if frame is not None and frame.f_code is call_on_loop.__code__:
        raise KeyboardInterrupt  # or in a function in C, that has no frame
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name not in ("pyawait", "selectors", "weakref", "_weakrefset") and name.partition(".")[0] != "asyncio":
            raise KeyboardInterrupt
        frame = frame.f_back


def keep_child_action():
    """Node listens to SIGCHLD: what uvloop does to it is undone, now and after each of its subprocesses."""
    _shim["keep_child_action"]()


_guarded = set()


def _guard_subprocesses(loop):
    """uvloop takes SIGCHLD for itself; asyncio's own loops do not."""
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
    finally:  # libuv gives the signal up when the handle has been closed, a few rounds later
        for delay in (0, 0, 0.01, 0.1):
            loop.call_later(delay, _shim["keep_child_action"])
