"""`pyawait run`: runs a script, a module or code as `__main__` on Python's main thread, and does at its end what `python`
does.

JavaScript's event loop turns meanwhile, so all of it, `atexit` included, can call and await JavaScript.
"""

INTERRUPTED = -2  # the exit code of a KeyboardInterrupt that nothing caught: the process ends by SIGINT


def _exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        bits, mask = (31, 0xFFFFFFFF) if os.name == "nt" else (63, 0xFF)
        return code & mask if -1 << bits <= code < 1 << bits else mask  # what does not fit into a C long is -1
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
    return INTERRUPTED if type(error) is KeyboardInterrupt else 1


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


def _compile_text(source, name):
    """Compiles what has no file. Since 3.13 Python shows its lines in tracebacks."""
    text = source if isinstance(source, str) else None
    if text is not None and sys.version_info >= (3, 13):
        import linecache

        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    return compile(source, name, "exec")


def _run_module(name, alter_argv):
    import runpy

    runpy._run_module_as_main(name, alter_argv)


def _code_of(source):
    """`python -c`; its first directory is the current one, whatever that will be."""
    if sys.version_info >= (3, 14):
        import textwrap

        source = textwrap.dedent(source)
    _prepend_path("")
    return _compile_text(source + "\n", "<string>")


def _script(path):
    """Reads a script, or prepares a folder or archive with a `__main__`; returns what to do with it."""
    import zipfile

    if path == "-":
        _prepend_path("")
        return functools.partial(_exec, _compile_text(sys.stdin.buffer.read(), "<stdin>"))
    path = os.path.abspath(path)
    if os.path.isdir(path) or zipfile.is_zipfile(path):
        sys.path.insert(0, path)
        return functools.partial(_run_module, "__main__", False)
    import __main__

    with open(path, "rb") as file:
        source = file.read()
    __main__.__file__ = path
    _prepend_path(os.path.dirname(path))
    return functools.partial(_exec_source, source, path)


def _prepend_path(folder):
    if not getattr(sys.flags, "safe_path", False):
        sys.path.insert(0, folder)


def _exec(code):
    import __main__

    exec(code, __main__.__dict__)


def _exec_source(source, path):
    _exec(compile(source, path, "exec"))


def _as_main(kind, target):
    """Runs it, and returns the exception that ended it, if any, without this file's frames."""
    try:
        if kind == "-m":
            _prepend_path(os.getcwd())
            _run_module(target, True)
        elif kind == "-c":
            _exec(_code_of(target))
        else:
            _script(target)()
    except BaseException as error:
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_frame.f_globals is globals():
            traceback = traceback.tb_next
        return error.with_traceback(traceback)


def run_as_main(kind, target, arguments):
    """Runs a script (`kind` is ""), a module ("-m") or code ("-c") as `python` does, and returns the exit code."""
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.executable, *([kind] if kind else []), target, *arguments]
    if kind == "" and target != "-" and not os.access(target, os.R_OK):
        try:
            open(target, "rb").close()
        except OSError as error:
            text = "pyawait: can't open file '%s': [Errno %d] %s"
            print(text % (os.path.abspath(target), error.errno, error.strerror), file=sys.stderr)
            return 2
    take_interrupts()
    ended = _as_main(kind, target)
    code = 0
    if isinstance(ended, SystemExit):
        code = _exit_code(ended.code)
    elif ended is not None:  # outside of the handler, or a hook's exception would have this one as its context
        code = _show_error(ended)
    return finish_main(code)


def finish_main(code):
    """What `python` does at its end, on the loop's thread while the loop stands still. Returns the exit code."""
    for step in (_join_own_threads, _run_atexit):
        try:
            step()
        except BaseException as error:  # Ctrl-C while it waits
            sys.excepthook(type(error), error, error.__traceback__)
    leave_interrupts()
    return code if flush_streams() else 120  # Python's own exit code for this


async def run_script(kind, target, arguments, ended):
    """Runs it on this thread, Python's main thread, while the background loop stands still; calls `ended` with the exit
    code. A Promise would not do: the script may close the background loop.
    """

    def job():
        code = 1
        _forget_event_loop()
        try:
            code = run_as_main(kind, target, arguments)
        except BaseException as error:
            _show_error(error)
        ended(code)

    stop_for(job)


def _forget_event_loop():
    """asyncio.get_event_loop() makes a loop for the script, or raises, as in a process that has none."""
    asyncio.set_event_loop(None)
    if sys.version_info < (3, 14):
        local = getattr(asyncio.get_event_loop_policy(), "_local", None)
        if local is not None:
            local._set_called = False
