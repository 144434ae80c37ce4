"""The life of the loop thread, which is Python's main thread.

`_main` runs the background loop until the process (or python.close) ends Python.
"""

_background = None
_between = []  # functions to run on this thread while the loop is stopped


async def run_between(function):
    """Runs a function on the loop's thread while no loop runs there, and returns its result."""
    loop, done = get_running_loop(), get_running_loop().create_future()

    def job():
        try:
            outcome = done.set_result, function()
        except BaseException as error:
            outcome = done.set_exception, error
        if not loop.is_closed():
            outcome[0](outcome[1])

    stop_for(job)
    return await done


def stop_for(job):
    """Stops the background loop, on which this runs, for a function, which must not raise."""
    _between.append(job)
    get_running_loop().stop()


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
    """Runs the background loop until the process (or python.close) ends it.

    If it raises before the loop runs (`ready`), the exception goes to the opener, which may try again, so it leaves
    nothing.
    """
    global _make_background, _host_keeps_handlers
    path, loop = sys.path[:], None
    try:
        sys.path[0:0] = configuration["path"]
        sys.argv[:] = configuration["args"] if hasattr(sys, "argv") else []
        sys.setswitchinterval(configuration["switch_interval"])
        _host_keeps_handlers = configuration["keeps_signal_handlers"]
        leave_interrupts()
        _make_background = functools.partial(_make_loop, configuration["loop"])
        loop = _make_background()
        _use_background(loop, _open_background)
        loop.call_soon(_begin)
        _run()
    except BaseException:
        sys.path[:] = path
        _give_up_on(loop)
        raise
    _shutdown(_background)


_make_background = None  # makes a loop as it was configured


def _use_background(loop, open_inbox):
    """Makes it the background loop."""
    global _background
    _background = loop
    _connections[loop] = _Connection(loop, open_inbox)
    if not hasattr(loop, "_proactor"):
        _keep_watching_signals(loop)


def _report_loop_error(error):
    """A signal handler has raised while the loop was idle, or Python code has broken the loop: the program goes on."""
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException:
        pass


def _break_off(loop):
    """Replaces a background loop that raises instead of running."""
    _unwatch_signals(loop)
    try:
        loop.close()
    except BaseException as error:
        _report_loop_error(error)
        connection = _connections.pop(loop, None)
        replace_background()
        if connection is not None:
            connection.close_ends()


# The background loop runs on Python's main thread, which interrupt() has to know before the loop has drained once.


def _open_background(loop, wake, eager, has_context, _, take):
    return _shim["open_loop"](loop, wake, eager, has_context, threading.main_thread().ident, take, True)


def _move_background(loop, wake, eager, has_context, _, take):
    return _shim["move_background"](loop, wake, eager, has_context, threading.main_thread().ident, take)


def replace_background():
    """Python code has closed the background loop, which it can while the loop stands still (`run_between`). What ran on
    it has failed; JavaScript goes on with a new one.
    """
    _use_background(_make_background(), _move_background)
    _background.call_soon(_connections[_background].take)  # what has come since has woken the loop before


_has_run = False


def _begin():
    global _has_run
    _has_run = True
    _shim["ready"]()


def _run():
    failures = 0
    while not _closing():
        loop, begun = _background, time.monotonic()
        asyncio.set_event_loop(loop)
        _watch_signals(loop)
        try:
            loop.run_forever()
        except (KeyboardInterrupt, SystemExit):
            pass  # the awaiting code has received it; the loop goes on
        except BaseException as error:
            if not _has_run:
                raise
            failures = failures + 1 if time.monotonic() - begun < 0.1 else 1
            _report_loop_error(error)
            if failures == 3 and not loop.is_closed():  # it cannot run any more
                failures = 0  # the next loop has had none
                _break_off(loop)
        if _between:
            _unwatch_signals(_background)
        while _between and not _closing():
            _between.pop(0)()


def _give_up_on(loop):
    """Discards a loop that never ran. How far it got is unknown, so each step may fail."""
    global _background
    _background = None  # closing it must not replace it
    asyncio._set_running_loop(None)
    for step in (lambda: signal.set_wakeup_fd(-1), lambda: asyncio.set_event_loop(None), lambda: loop.close()):
        try:
            step()
        except BaseException:
            pass


if os.name == "posix":
    _share_signals()
else:
    _share_interrupts()
_guard_later_loops()
let_standard_streams_wait()


for _stream in (sys.stdin, sys.stdout, sys.stderr):
    if not hasattr(_stream, "reconfigure"):
        continue
    if _stream is not sys.stdin:  # Python and JavaScript write to the same stream through different buffers
        _stream.reconfigure(line_buffering=True)
    # JavaScript's text is UTF-8. In a pipe or a file, Windows' Pythons before 3.15 use the code page of the system.
    if os.name == "nt" and "PYTHONIOENCODING" not in os.environ:
        _stream.reconfigure(encoding="utf-8", errors=_stream.errors)


threading.excepthook = functools.partial(_report_thread_error, threading.excepthook)
_shim["setup"](globals())
