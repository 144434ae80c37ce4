"""Signals and child processes: Python's handlers beside the JavaScript runtime's.

Python's main thread is the loop thread, but the system delivers a signal to any thread, usually JavaScript's. The shim
stands in front of both (ffi/shim/signals_posix.c), so that a handler of Python's takes nothing from JavaScript's. Windows
knows Ctrl-C alone, and there a handler of Python's is the only one that gets it.

SIG_DFL means "what the host does with it": Python sees it where only the host has a handler, and setting it gives the
signal back. So does default_int_handler for SIGINT, except while `pyawait run` runs a script.
"""


def _wakeup_descriptor(loop):
    """Windows' Proactor loop has a socket of its own for this."""
    return loop._csock.fileno() if hasattr(loop, "_proactor") else _connections[loop].fileno()


def _watch_signals(loop):
    """Lets signals and interrupt() wake this loop while it sleeps, unless the loop has a wakeup descriptor of its
    own.
    """
    before = signal.set_wakeup_fd(_wakeup_descriptor(loop), warn_on_full_buffer=False)
    if before not in (-1, _wakeup_descriptor(loop)):
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)


def _unwatch_signals(loop):
    """Gives the wakeup descriptor up while this loop stands still: trio and others refuse to take it from another."""
    before = signal.set_wakeup_fd(-1)
    if before != _wakeup_descriptor(loop):
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)


_handlers = {}  # by number, what Python code has set
_signal_heaps = set()  # ids of the heaps on JavaScript's main thread
# Whether the host's handler stays when its last listener is gone, and then does what the signal does by default (Deno).
# So it is called beside Python's only when JavaScript has said that it listens.
_host_keeps_handlers = False
_interrupts_scripts = False  # whether SIGINT is Python's by default


def _owner(number, handler):
    if handler is signal.default_int_handler and number == signal.SIGINT:
        return OWNER_PYTHON if _interrupts_scripts else OWNER_HOST
    return OWNER_PYTHON if callable(handler) else OWNER_NONE if handler == signal.SIG_IGN else OWNER_HOST


def _handle_nothing(number, frame):
    """Stands for a handler that Python code has given up. The shim sets the action itself: in between, Python's own
    SIG_DFL could end the process, and its SIG_IGN could be taken for the host's.
    """


def _share_signals():
    """Replaces signal.signal and signal.getsignal: Python's main thread gets the signal wherever it arrives, and the
    host gets back what Python gives up.
    """
    set_in_python, get_in_python = signal.signal, signal.getsignal

    @functools.wraps(get_in_python)
    def getsignal(number):
        handler = get_in_python(number)
        handler = _handlers.get(number, handler)
        return signal.SIG_DFL if handler is None else handler

    @functools.wraps(set_in_python)
    def set_handler(number, handler):
        before = getsignal(number)
        owner = _owner(number, handler)
        given = next((each for each in signal.Handlers if each == handler), handler)
        ours = handler
        if number == signal.SIGINT and owner == OWNER_HOST and callable(handler):
            ours = _interrupt
        elif isinstance(given, signal.Handlers):
            ours = _interrupt if number == signal.SIGINT and owner == OWNER_HOST else _handle_nothing
        _shim["read_host_signal"](int(number))
        set_in_python(number, ours)
        _handlers[number] = given
        _shim["share_signal"](int(number), owner, not _host_keeps_handlers)
        _tell_heaps(int(number), owner)
        return before

    signal.signal, signal.getsignal = set_handler, getsignal


def _share_interrupts():
    """Windows: replaces signal.signal and signal.getsignal, so that the host gets Ctrl-C unless Python code handles it.

    Python gets Ctrl-C from the C runtime, which tells no other part of the program of what it has a handler for. So its
    handler is taken away again where Python only needs an entry in a table of its own, for interrupt().
    """
    import ctypes

    set_in_runtime = ctypes.CDLL("ucrtbase").signal
    set_in_runtime.argtypes, set_in_runtime.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
    set_in_python, get_in_python = signal.signal, signal.getsignal

    @functools.wraps(get_in_python)
    def getsignal(number):
        return _handlers.get(number, get_in_python(number))

    @functools.wraps(set_in_python)
    def set_handler(number, handler):
        before, given = getsignal(number), next((each for each in signal.Handlers if each == handler), handler)
        if number != signal.SIGINT:
            set_in_python(number, handler)
        elif _owner(number, handler) != OWNER_HOST or not (callable(given) or isinstance(given, signal.Handlers)):
            set_in_python(number, handler)  # which refuses what is no handler
            _handlers[number] = given
        else:
            set_in_python(number, _interrupt)
            set_in_runtime(number, None)
            _handlers[number] = given
        return before

    signal.signal, signal.getsignal = set_handler, getsignal


def leave_interrupts():
    """SIGINT is the host's; interrupt() raises KeyboardInterrupt where that is safe."""
    global _interrupts_scripts
    _interrupts_scripts = False
    signal.signal(signal.SIGINT, signal.default_int_handler)


def take_interrupts():
    """SIGINT raises KeyboardInterrupt, as in a Python process."""
    global _interrupts_scripts
    _interrupts_scripts = True
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _tell_heaps(number, owner, heaps=_signal_heaps):
    """Tells JavaScript's main thread whose a signal is."""
    for heap in heaps:
        _shim["event"](heap, EVENT_SIGNAL, number << 2 | owner)


def share_signals(heap):
    """A heap on JavaScript's main thread takes part."""
    _signal_heaps.add(heap)
    for number, handler in _handlers.items():
        if _owner(number, handler) != OWNER_HOST:
            _tell_heaps(int(number), _owner(number, handler), [heap])


def give_signals_back():
    """Python ends, and the process may go on."""
    if os.name == "nt":
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for number, handler in _handlers.items():
        if _owner(number, handler) != OWNER_HOST:
            _shim["share_signal"](int(number), OWNER_HOST, not _host_keeps_handlers)
            _tell_heaps(int(number), OWNER_HOST)


def _keep_watching_signals(loop):
    """A loop that removes its last handler gives up the wakeup descriptor, which interrupt() needs."""
    remove = loop.remove_signal_handler

    def remove_signal_handler(number):
        removed = remove(number)
        _watch_signals(loop)
        return removed

    loop.remove_signal_handler = remove_signal_handler


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


def _guard_subprocesses(cls):
    """Guards SIGCHLD against uvloop, which takes it, and passes on the environment; asyncio's own loops need neither."""
    if cls in _guarded or not cls.__module__.startswith("uvloop"):
        return
    _guarded.add(cls)

    def guard(method):
        @functools.wraps(method)
        async def create(self, *args, **kwargs):
            env = kwargs.get("env")
            if env is not None:
                kwargs["preexec_fn"] = functools.partial(_set_environment, dict(env), kwargs.get("preexec_fn"))
            try:
                transport, protocol = await method(self, *args, **kwargs)
            finally:
                _shim["keep_child_action"]()
            self.create_task(_after_process(self, transport))
            return transport, protocol

        return create

    cls.subprocess_exec, cls.subprocess_shell = guard(cls.subprocess_exec), guard(cls.subprocess_shell)


def _guard_later_loops():
    """uvloop's class of loops is guarded when it is imported: a loop that JavaScript never meets has subprocesses too."""
    asyncio.AbstractEventLoop.__init_subclass__ = classmethod(_guard_subprocesses)


def _set_environment(env, preexec):
    """In the forked child. libuv assigns `environ`, which in an extension loaded with DEEPBIND (base.py) is not the
    variable that exec reads where the runtime's executable has a copy of its own.
    """
    os.environ.clear()
    for name, value in env.items():
        os.environb[os.fsencode(name)] = os.fsencode(value)
    if preexec is not None:
        preexec()


async def _after_process(loop, transport):
    try:
        await transport._wait()
    finally:  # libuv gives the signal up a few rounds after the handle was closed
        for delay in (0, 0, 0.01, 0.1):
            loop.call_later(delay, _shim["keep_child_action"])
