"""The life of the loop thread, and where Python's output goes.

The one thing to know: `_main` runs until the process (or python.close) ends Python; the interpreter itself is never
taken apart, which is what crashes.
"""


class _Output(io.TextIOBase):
    """A stream whose text goes to a JavaScript function."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, heap, code):
        self._pyawait_heap, self._code = heap, code

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        if text:
            _shim["event"](self._pyawait_heap, self._code, text)
        return len(text)

    def writable(self):
        return True


def redirect(heap, name, code):
    setattr(sys, name, _Output(heap, code))


_background = None
_between = []  # what this thread does before the loop goes on


async def run_between(function):
    """Runs a function on the loop's thread with no loop running there, and gives its result."""
    loop, done = get_running_loop(), get_running_loop().create_future()

    def job():
        try:
            done.set_result(function())
        except BaseException as error:
            done.set_exception(error)

    _between.append(job)
    loop.stop()
    return await done


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


def _make_loop(factory):
    if factory == "asyncio":
        return asyncio.new_event_loop()
    if factory == "uvloop":
        import uvloop

        return uvloop.new_event_loop()
    module, _, name = factory.partition(":")
    loop = operator.attrgetter(name)(import_module(module))()
    if not hasattr(loop, "run_until_complete"):
        raise TypeError(
            "Cannot use loop %r: it has to return a new event loop, and returned %s" % (factory, _short_repr(loop))
        )
    return loop


def _main(configuration):
    """Python's main thread: runs the background loop until the process (or python.close) ends it.

    What it raises before the loop runs (`ready`) is told to whoever opens Python, who may try again: it leaves nothing.
    """
    path, loop = sys.path[:], None
    try:
        sys.path[0:0] = configuration["path"]
        sys.argv[:] = configuration["args"] if hasattr(sys, "argv") else []
        sys.setswitchinterval(configuration["switch_interval"])
        signal.signal(signal.SIGINT, _interrupt)  # for interrupt(); the shim gives the real one back
        loop = _make_loop(configuration["loop"])
        _connect(loop)
        loop.call_soon(_shim["ready"])
        _run(loop)
    except BaseException:
        sys.path[:] = path
        _give_up_on(loop)
        raise
    _shutdown(loop)


def _connect(loop):
    """Makes it the background loop."""
    global _background
    _background = loop
    asyncio.set_event_loop(loop)
    asyncio._set_running_loop(loop)
    new_loop(loop)
    asyncio._set_running_loop(None)
    if not hasattr(loop, "_proactor"):
        _guard_signals(loop)


def _run(loop):
    while not _closing():
        _watch_signals(loop)
        try:
            loop.run_forever()
        except (KeyboardInterrupt, SystemExit):
            pass  # it has been given to whoever awaits the task; the loop goes on
        while _between and not _closing():
            _between.pop(0)()


def _give_up_on(loop):
    """A loop that never came to run; nobody knows how far it got, so each step may fail."""
    asyncio._set_running_loop(None)
    for step in (lambda: signal.set_wakeup_fd(-1), lambda: asyncio.set_event_loop(None), lambda: loop.close()):
        try:
            step()
        except BaseException:
            pass


def _interrupt(number, frame):
    """Raises where this thread is in somebody's code. In the loop's own it would lose a callback, and some task for ever."""
    if frame is not None and frame.f_code is call_on_loop.__code__:
        raise KeyboardInterrupt  # or in a function in C, that has no frame
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if name not in ("pyawait", "selectors", "weakref", "_weakrefset") and name.partition(".")[0] != "asyncio":
            raise KeyboardInterrupt
        frame = frame.f_back


def _report_thread_error(report, args):
    """A thread that still calls JavaScript when the process ends is no error that anybody has to read of."""
    if not (_closing() and issubclass(args.exc_type, JavaScriptEnded)):
        report(args)


_ending = []  # tasks that have been waited for once: what does not end then is left alone


async def _wait_once(awaitables, loop, deadline):
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    _ending.extend(tasks)
    if tasks:
        await asyncio.wait(tasks, timeout=max(0, deadline - loop.time()))


def _own_tasks(loop):
    current = asyncio.current_task(loop) if loop.is_running() else None
    own = {current, getattr(_connections.get(loop), "task", None), *_ending}
    return [task for task in asyncio.all_tasks(loop) if task not in own]


async def end_tasks(timeout):
    """Cancels what runs on this loop and waits for it, then ends its async generators and its executor."""
    loop = get_running_loop()
    deadline = loop.time() + timeout
    tasks = _own_tasks(loop)
    for task in tasks:
        task.cancel()
    await _wait_once(tasks, loop, deadline)
    await _wait_once([loop.shutdown_asyncgens()], loop, deadline)
    if hasattr(loop, "shutdown_default_executor"):
        await _wait_once([loop.shutdown_default_executor()], loop, deadline)


def _join_threads():
    """What threading._shutdown does, but for a while only: a thread that is stuck must not hold up atexit."""
    deadline = time.monotonic() + 0.4

    def end_executors():  # joins the threads of executors
        for call in reversed(getattr(threading, "_threading_atexits", ())):
            call()

    ending = threading.Thread(target=end_executors, daemon=True)
    ending.start()
    for thread in [ending, *threading.enumerate()]:
        if thread is not threading.current_thread() and (thread is ending or not thread.daemon):
            thread.join(max(0, deadline - time.monotonic()))


def _shutdown(loop):
    """Everything that a Python process does at its end but taking the interpreter apart, which is what crashes."""
    global _stopping
    _stopping = True
    steps = (
        lambda: loop.run_until_complete(end_tasks(1.2)),
        _join_threads,
        __import__("atexit")._run_exitfuncs,
        flush_streams,
    )
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
        raise RuntimeError(
            "Cannot call into JavaScript from a forked child: it is not in there; use multiprocessing's spawn"
        )

    for name in ("call", "request", "abort", "release", "event"):
        _shim[name] = refuse
    globals().update(_call=refuse, _request=refuse, _abort=refuse, _release=lambda *_: None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

_forward_signals()
let_standard_streams_wait()
for _stream in (sys.stdout, sys.stderr):
    if hasattr(_stream, "reconfigure"):  # Python and JavaScript write to the same place through different buffers
        _stream.reconfigure(line_buffering=True)
threading.excepthook = functools.partial(_report_thread_error, threading.excepthook)

_shim["setup"](globals())
