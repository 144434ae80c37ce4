"""`pyawait/testing`: a test on an event loop of its own, and what it leaves behind.

Leftovers are searched on the test's own loop, so tests that run at the same time do not see each other's.
"""

_subjects = {
    "drive_stream": "iterable",
    "call_in_thread": "function",
    "call_on_loop": "function",
    "enter_async": "manager",
    "_follow": "awaitable",
}


def _is_ours(code):
    return code is not None and code.co_filename.startswith("<pyawait/")


def _subject(coroutine):
    """What a coroutine of pyawait's runs for the user: a generator, a function, a coroutine; else the coroutine
    itself.
    """
    if not _is_ours(getattr(coroutine, "cr_code", None)) or coroutine.cr_frame is None:
        return coroutine
    subject = coroutine.cr_frame.f_locals.get(_subjects.get(coroutine.__name__))
    inner = coroutine.cr_await if subject is None else None
    return (
        subject
        if subject is not None
        else inner
        if isinstance(inner, types.CoroutineType) and not _is_ours(inner.cr_code)
        else coroutine
    )


def _first(value, *names):
    return next((found for found in (getattr(value, name, None) for name in names) if found is not None), None)


def _describe_leftover(task):
    subject = _subject(task.get_coro()) if hasattr(task, "get_coro") else None  # tasks of uvloop and Cython may lack it
    code, frame = _first(subject, "cr_code", "ag_code", "__code__"), _first(subject, "cr_frame", "ag_frame")
    where = (
        " (%s:%d)" % (code.co_filename, frame.f_lineno if frame is not None else code.co_firstlineno)
        if code is not None and not _is_ours(code)
        else ""
    )
    return "the task %s of %s%s is still running" % (
        task.get_name(),
        getattr(subject, "__qualname__", None) or _short_repr(subject),
        where,
    )


async def _checked_main(main, leftovers):
    loop = get_running_loop()

    def handle(loop, context):
        error = context.get("exception")
        leftovers.append(
            "%s%s"
            % (context.get("message", "an error that nobody retrieved"), "" if error is None else ": %r" % (error,))
        )

    loop.set_exception_handler(handle)
    before = asyncio.all_tasks(loop)
    try:
        return await call_main(main)
    finally:
        import gc

        await asyncio.sleep(0)
        left = [
            task
            for task in asyncio.all_tasks(loop) - before
            if not task.done() and task is not getattr(_connections.get(loop), "task", None)
        ]
        leftovers.extend(sorted(map(_describe_leftover, left)))
        gc.collect()  # an unreferenced future reports its exception when it is collected
        await asyncio.sleep(0)


def _run_checked(factory, main):
    leftovers = []
    run_on_new_loop(factory, lambda: _checked_main(main, leftovers), patience=1)
    return leftovers


async def run_isolated(factory, main):
    """Descriptions of what the test has left behind; raises the test's own error."""
    return await in_own_thread(_run_checked, factory, main)
