"""Threads that wait for JavaScript: a line on stderr where that may be for ever.

`thread.join()` from JavaScript on a thread that calls JavaScript hangs, and nothing else would show where.
"""

_told_waits = set()  # pairs of places


def _place(frame):
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    if frame is None:
        return "unknown"
    return "%s:%d, in %s" % (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def report_wait(javascript_thread):
    """Called on a thread that has waited three seconds for a JavaScript function, while the thread that runs it was in
    one call into Python.
    """
    waiting = _place(sys._getframe())
    inside = _place(sys._current_frames().get(javascript_thread))
    if (waiting, inside) not in _told_waits and sys.__stderr__ is not None:
        _told_waits.add((waiting, inside))
        text = (
            "pyawait: thread %r has waited 3 seconds for a JavaScript function (%s), while JavaScript's thread is inside a "
            "call into Python (%s). If that waits for this thread, neither goes on: make the call with toThread or toLoop\n"
        )
        sys.__stderr__.write(text % (threading.current_thread().name, waiting, inside))
        sys.__stderr__.flush()
