"""What runs on a loop or beside it: the user's own loops, calls on the loop's thread and on others, `async with`."""


async def call_main(main):
    """Awaits `main` of JavaScript's `run`, an awaitable or a function."""
    return await (main if hasattr(type(main), "__await__") else main() if callable(main) else main)


def _end(loop, awaitables, patience):
    """Runs awaitables to their end; abandons what takes longer than `patience` seconds."""

    async def wait():
        tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
        for task in (await asyncio.wait(tasks, timeout=patience))[1] if tasks else ():
            task._log_destroy_pending = False  # nothing can be done about it

    loop.run_until_complete(wait())


def run_on_new_loop(factory, main, patience=None):
    """asyncio.run with a loop of the given factory, on every version: cancels what is left and closes the loop.

    With `patience` (seconds) a task that ignores its cancellation is cancelled again, and abandoned at last.
    """
    loop = _make_loop(factory)
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(call_main(main))
    finally:
        try:
            leftovers = asyncio.all_tasks(loop) - {getattr(_connections.get(loop), "task", None)}
            for seconds in (None,) if patience is None else (patience, patience / 10, patience / 10):
                for task in leftovers:
                    task.cancel()
                _end(loop, [task for task in leftovers if not task.done()], seconds)
            for task in leftovers:
                if task.done() and not task.cancelled() and task.exception() is not None:
                    loop.call_exception_handler(
                        {
                            "message": "unhandled exception during run() shutdown",
                            "exception": task.exception(),
                            "task": task,
                        }
                    )
            _end(loop, [loop.shutdown_asyncgens()], patience)
            if hasattr(loop, "shutdown_default_executor"):
                _end(loop, [loop.shutdown_default_executor()], patience)
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def run_on_loop(loop, main):
    if not hasattr(loop, "run_until_complete"):
        raise TypeError("Cannot use %s as an event loop" % _short_repr(loop))
    if loop.is_running():
        raise RuntimeError("Cannot run on this event loop: it is running already; await with its TaskLocals instead")
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(call_main(main))
    finally:
        asyncio.set_event_loop(None)


async def in_own_thread(function, *args):
    """Runs a function on a thread of its own, with a copy of the context and so the scope of AsyncLocalStorage.

    Not on an executor's: those threads are few, and the loop runs long.
    """
    loop, done = get_running_loop(), get_running_loop().create_future()

    def set_outcome(method, value):
        if not done.done():
            getattr(done, method)(value)

    def body():
        try:
            outcome = ("set_result", function(*args))
        except BaseException as error:
            outcome = ("set_exception", guard_error(error) if isinstance(error, StopIteration) else error)
        try:
            loop.call_soon_threadsafe(set_outcome, *outcome)
        except RuntimeError:
            pass  # the background loop is closed: nothing waits

    threading.Thread(target=contextvars.copy_context().run, args=(body,), name="pyawait-run", daemon=True).start()
    return await done


async def run_main(factory, main):
    return await in_own_thread(run_on_new_loop, factory, main)


async def run_until_complete(loop, main):
    return await in_own_thread(run_on_loop, loop, main)


async def call_on_loop(function, args, kwargs):
    result = call_framed(function, args, kwargs)
    return await result if isinstance(result, collections.abc.Awaitable) or asyncio.isfuture(result) else result


def _in_thread(function, args, kwargs):
    try:
        return call_framed(function, args, kwargs)
    except StopIteration as error:  # a future refuses it: the executor's would stay pending for ever
        raise RuntimeError("the function raised StopIteration") from error


async def call_in_thread(function, args, kwargs):
    call = functools.partial(contextvars.copy_context().run, _in_thread, function, args, kwargs)
    return await get_running_loop().run_in_executor(None, call)


def enter_sync(manager, body):
    with manager as value:
        body(value)


def _has_aenter(value):
    return hasattr(type(value), "__aenter__")  # a class may have one for its objects


async def enter_async(manager, body):
    if not _has_aenter(manager) and callable(manager):
        manager = call_framed(manager, (), {})
        if not _has_aenter(manager) and isinstance(manager, collections.abc.Awaitable):
            manager = await manager
    async with manager as value:
        await body(value)


async def report_rejection(error):
    error = to_error(error)
    message = "A rejected JavaScript promise was never awaited"
    get_running_loop().call_exception_handler({"message": message, "exception": error})
