"""`pyawait run`: runs a script as `__main__` on Python's main thread, and does at its end what `python` does."""


def _exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -1 << 63 <= code < 1 << 63 else 0xFF  # what does not fit into a C long is -1
    _tell(code)
    return 1


def _tell(text):
    """Prints to stderr, if it exists and can be written to."""
    try:
        if sys.stderr is not None:
            print(text, file=sys.stderr)
    except BaseException:
        pass


def _show_error(error):
    """Reports an exception that ends a script, and one in the hook for it, as Python does. Returns the exit code."""
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        _tell("sys.excepthook is missing")
        hook = sys.__excepthook__
    try:
        hook(type(error), error, error.__traceback__)
    except SystemExit as ended:
        return _exit_code(ended.code)
    except BaseException as failed:
        _tell("Error in sys.excepthook:")
        # without this function's frame
        sys.__excepthook__(type(failed), failed.with_traceback(failed.__traceback__.tb_next), None)
        _tell("\nOriginal exception was:")
        sys.__excepthook__(type(error), error, error.__traceback__)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def _join_own_threads():
    """Waits for the script's threads, as Python does at its end, but not for those of executors, which never end."""
    import concurrent.futures.thread

    for thread in threading.enumerate():
        if (
            not thread.daemon
            and thread is not threading.current_thread()
            and thread not in concurrent.futures.thread._threads_queues
        ):
            thread.join()


def run_as_main(path):
    """Runs a file as `__main__`, as `python FILE` does, and returns the exit code."""
    import __main__

    path = os.path.abspath(path)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        print("pyawait: can't open file '%s': [Errno %d] %s" % (path, error.errno, error.strerror), file=sys.stderr)
        return 2
    __main__.__file__ = path
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.executable, *sys.argv]
    sys.path.insert(0, os.path.dirname(path))
    code, failed = 0, None
    try:
        exec(compile(source, path, "exec"), __main__.__dict__)
    except SystemExit as error:
        code = _exit_code(error.code)
    except BaseException as error:
        failed = error.with_traceback(error.__traceback__.tb_next)  # without this function's own frame
    if failed is not None:  # outside of the handler, or a hook's exception would have this one as its context
        code = _show_error(failed)
    _join_own_threads()
    return code if flush_streams() else 120  # Python's own exit code for this


async def run_script(path):
    """Runs a script on this thread, Python's main thread, while the background loop stands still."""
    return await run_between(functools.partial(run_as_main, path))
