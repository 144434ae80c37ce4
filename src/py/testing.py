"""`pyawait/testing`: a test on an event loop of its own, and what it leaves behind.

The one thing to know: leftovers are found on the loop that the test had, so tests that run at once do not see each
other's.
"""


def _describe_leftover(task):
    coroutine = task.get_coro() if hasattr(task, "get_coro") else None
    code = getattr(coroutine, "cr_code", None)
    frame = getattr(coroutine, "cr_frame", None)
    where = " (%s:%d)" % (code.co_filename, frame.f_lineno if frame is not None else code.co_firstlineno) if code is not None else ""
    return "the task %s of %s%s is still running" % (task.get_name(), getattr(coroutine, "__qualname__", repr(coroutine)), where)


async def _checked_main(main, leftovers):
    loop = get_running_loop()

    def handle(loop, context):
        error = context.get("exception")
        leftovers.append("%s%s" % (context.get("message", "an error that nobody retrieved"), "" if error is None else ": %r" % (error,)))

    loop.set_exception_handler(handle)
    before = asyncio.all_tasks(loop)
    try:
        return await call_main(main)
    finally:
        import gc
        await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks(loop) - before if not task.done() and task is not getattr(_connections.get(loop), "task", None)]
        leftovers.extend(sorted(map(_describe_leftover, left)))
        gc.collect()  # a future that nobody looks at any more tells its exception when it goes
        await asyncio.sleep(0)


def _run_checked(factory, main):
    leftovers = []
    run_on_new_loop(factory, lambda: _checked_main(main, leftovers))
    return leftovers


async def run_isolated(factory, main):
    """What the test has left behind, in words; its own error is raised."""
    return await in_own_thread(_run_checked, factory, main)
