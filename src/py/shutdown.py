"""The end of Python: everything that a Python process does at its end, except for finalising the interpreter.

Py_FinalizeEx crashes or hangs on every version while foreign threads are alive, so the loop thread is parked instead.
"""


def _report_thread_error(report, args):
    """Reports a thread's exception, unless the thread only called JavaScript while the process ends."""
    if not (_closing() and issubclass(args.exc_type, JavaScriptEnded)):
        report(args)


_ending = []  # tasks that were awaited once already; what did not end then is abandoned


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
    """Cancels what runs on this loop and waits for it, then ends its async generators and its executor. `timeout` is
    in seconds.
    """
    loop = get_running_loop()
    deadline = loop.time() + timeout
    tasks = _own_tasks(loop)
    for task in tasks:
        task.cancel()
    await _wait_once(tasks, loop, deadline)
    await _wait_once([loop.shutdown_asyncgens()], loop, deadline)
    if hasattr(loop, "shutdown_default_executor"):
        await _wait_once([loop.shutdown_default_executor()], loop, deadline)


async def close_down(timeout):
    """Everything of `_shutdown` that may call JavaScript, for `python.close()`. `timeout` is in seconds."""
    deadline = time.monotonic() + timeout
    await end_tasks(timeout)
    await run_between(functools.partial(_join_threads, max(0.4, deadline - time.monotonic())))
    await run_between(_run_atexit)


def _run_atexit():
    __import__("atexit")._run_exitfuncs()


def _ends_of_executors():
    """What joins their threads. In 3.8 atexit has it, which a stuck thread would hold up."""
    if hasattr(threading, "_threading_atexits"):
        return list(reversed(threading._threading_atexits))
    module = sys.modules.get("concurrent.futures.thread")
    if not module:
        return []
    __import__("atexit").unregister(module._python_exit)
    return [module._python_exit]


def _join_threads(timeout=0.4):
    """What threading._shutdown does, for a limited time: a stuck thread must not delay atexit."""
    deadline, callbacks = time.monotonic() + timeout, _ends_of_executors()

    def end_executors():
        for callback in callbacks:
            callback()

    ending = threading.Thread(target=end_executors, daemon=True)
    ending.start()
    for thread in [ending, *threading.enumerate()]:
        if thread is not threading.current_thread() and (thread is ending or not thread.daemon):
            while thread.ident is None and time.monotonic() < deadline:  # it is being started
                time.sleep(0.001)
            if thread.ident is not None:
                thread.join(max(0, deadline - time.monotonic()))


def _shutdown(loop):
    """The steps of a Python process's end, without finalising the interpreter. `end_tasks` has 1.2 seconds."""
    global _stopping
    _stopping = True
    steps = (
        lambda: loop.run_until_complete(end_tasks(1.2)),
        _join_threads,
        _run_atexit,
        flush_streams,
        give_signals_back,
    )
    for step in steps:
        try:
            step()
        except BaseException:
            try:
                sys.excepthook(*sys.exc_info())
            except BaseException:
                pass
