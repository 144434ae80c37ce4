"""Event loops: how JavaScript reaches the tasks and futures of each.

The one thing to know: a connection may be made before its loop runs; what is sent waits for it.
"""

_eager = sys.version_info >= (3, 12)
_has_context = sys.version_info >= (3, 11)


def keep_child_action():
    """Node listens to SIGCHLD: what uvloop does to it is undone, now and after each of its subprocesses."""
    _shim["keep_child_action"]()


_guarded = set()


def _guard_subprocesses(loop):
    """uvloop takes SIGCHLD for itself; asyncio's own loops do not."""
    cls = type(loop)
    if cls in _guarded or not cls.__module__.startswith("uvloop"):
        return
    _guarded.add(cls)

    def guard(method):
        @functools.wraps(method)
        async def create(self, *args, **kwargs):
            try:
                transport, protocol = await method(self, *args, **kwargs)
            finally:
                _shim["keep_child_action"]()
            self.create_task(_after_process(self, transport))
            return transport, protocol

        return create

    cls.subprocess_exec, cls.subprocess_shell = guard(cls.subprocess_exec), guard(cls.subprocess_shell)


async def _after_process(loop, transport):
    try:
        await transport._wait()
    finally:  # libuv gives the signal up when the handle has been closed, a few rounds later
        for delay in (0, 0, 0.01, 0.1):
            loop.call_later(delay, _shim["keep_child_action"])


class _Connection:
    """A loop's inbox: how JavaScript reaches its tasks and futures. May be made before the loop runs, on any thread."""

    def __init__(self, loop):
        self.task = None
        _guard_subprocesses(loop)
        if hasattr(loop, "_proactor"):  # Windows' default loop has no add_reader, but sockets
            import socket

            self.reader, self.writer = socket.socketpair()
            self.reader.setblocking(False), self.writer.setblocking(False)
        else:
            self.reader, self.writer = os.pipe()
            os.set_blocking(self.reader, False), os.set_blocking(self.writer, False)
        here = _get_running_loop() is loop
        thread = threading.get_ident() if here else 0
        self.id, self.drain = _shim["open_loop"](loop, self.fileno(), _eager, _has_context, thread)
        self.loop, self.close_loop, self.report, self.draining = loop, loop.close, loop.call_exception_handler, False
        loop.close = self.close
        if hasattr(loop, "_check_thread"):  # uvloop's cannot be replaced
            loop._check_thread = functools.partial(_check_thread, loop._check_thread)
        if _eager:
            loop.call_exception_handler = self.report_unless_told
        self.listen() if here else loop.call_soon_threadsafe(self.listen)

    def fileno(self):
        return self.writer if isinstance(self.writer, int) else self.writer.fileno()

    def listen(self):
        if hasattr(self.loop, "_proactor"):
            self.task = self.loop.create_task(self._receive())
        else:
            self.loop.add_reader(self.reader, self._wake)

    def _wake(self):
        try:
            os.read(self.reader, 4096)  # before the inbox is taken: what comes later wakes again
        except BlockingIOError:
            pass
        self.take()

    async def _receive(self):
        while True:
            await self.loop.sock_recv(self.reader, 4096)
            self.take()

    def take(self):
        self.draining = True
        try:
            self.drain()
        finally:
            self.draining = False
        stop_if_closing()

    def report_unless_told(self, context):
        """A task that is started at once and ends with these is gone before anybody could retrieve them: JavaScript has
        been told, by its Promise."""
        if not (
            self.draining
            and "future" in context
            and isinstance(context.get("exception"), (KeyboardInterrupt, SystemExit))
        ):
            self.report(context)

    def close(self):
        """`loop.close()`: what JavaScript still waits for on it is told."""
        self.close_loop()
        if _connections.pop(self.loop, None) is None:
            return
        _shim["close_loop"](self.id)
        for end in (self.reader, self.writer):
            os.close(end) if isinstance(end, int) else end.close()


def _check_thread(check):
    """In debug mode asyncio lets no other thread touch a loop. JavaScript's may: the shim wakes the loop after the call."""
    if not _shim["on_javascript"]():
        check()


_closing = _shim["closing"]
_stopping = False


def stop_if_closing():
    """Ends run_forever of the background loop once: what runs on it afterwards is its shutdown."""
    global _stopping
    if _closing() and not _stopping:
        _stopping = True
        _background.stop()


_connections = {}  # loop -> _Connection


def new_loop(loop):
    """Connects a loop that awaits JavaScript, or that JavaScript awaits, for the first time."""
    _connections[loop] = _Connection(loop)


def connect_loop(loop):
    """The id of a loop's inbox, for JavaScript to submit to; -1 - id where the loop does not run."""
    if not hasattr(loop, "call_soon_threadsafe"):
        raise TypeError("Cannot use %s as an event loop" % _short_repr(loop))
    if loop.is_closed():
        raise RuntimeError("Cannot await on this event loop: it is closed")
    if loop not in _connections:
        new_loop(loop)
    return _connections[loop].id if loop.is_running() else -1 - _connections[loop].id


def loop_by_id(id):
    for loop, connection in list(_connections.items()):
        if connection.id == id:
            return loop
    raise RuntimeError("Cannot get this event loop: it is closed")


def is_loop_running(id):
    return any(connection.id == id and loop.is_running() for loop, connection in list(_connections.items()))


def fresh_context():
    return contextvars.copy_context()


def copy_context_of(context):
    return context.copy()


def ensure_task(awaitable, loop, context):
    """A Task or Future for what JavaScript awaits; raises TypeError at once for what cannot be awaited."""
    if asyncio.isfuture(awaitable):
        home = awaitable.get_loop()
        return (
            awaitable
            if home is loop
            else asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_follow(awaitable), home), loop=loop)
        )
    if isinstance(awaitable, collections.abc.Coroutine) or asyncio.iscoroutine(awaitable):
        make = functools.partial(loop.create_task, awaitable)
    elif hasattr(type(awaitable), "__await__"):
        make = functools.partial(loop.create_task, _follow(awaitable))
    else:
        raise TypeError("Cannot await %s: it is not awaitable" % _short_repr(awaitable))
    return make() if context is None else make(context=context) if _has_context else context.run(make)


async def _follow(awaitable):
    return await awaitable


def _short_repr(value):
    try:
        text = repr(value)
    except Exception:
        text = object.__repr__(value)
    return text if len(text) < 80 else text[:77] + "..."


# A loop of the user's, for a while -------------------------------------------------------------------------------


async def call_main(main):
    """`main` of JavaScript's `run`: any awaitable, or a function."""
    return await (main if hasattr(type(main), "__await__") else main() if callable(main) else main)


def _end(loop, awaitables, patience):
    """Runs them to their end; what goes on for more seconds than `patience` is left alone."""

    async def wait():
        tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
        for task in (await asyncio.wait(tasks, timeout=patience))[1] if tasks else ():
            task._log_destroy_pending = False  # nobody can do anything about that

    loop.run_until_complete(wait())


def run_on_new_loop(factory, main, patience=None):
    """asyncio.run with a loop of a factory's, on every version: what is left is cancelled and the loop is closed. With
    `patience`, in seconds, what ignores its cancellation is cancelled again, and left alone at last."""
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
    """Runs it on a thread of its own, which is not one of the executor's: those are few, and the loop runs long. It has
    a copy of the context, and with it the scope of AsyncLocalStorage."""
    loop, done = get_running_loop(), get_running_loop().create_future()

    def settle(method, value):
        if not done.done():
            getattr(done, method)(value)

    def body():
        try:
            outcome = ("set_result", function(*args))
        except BaseException as error:
            outcome = ("set_exception", guard_error(error) if isinstance(error, StopIteration) else error)
        try:
            loop.call_soon_threadsafe(settle, *outcome)
        except RuntimeError:
            pass  # the background loop is closed: nobody waits

    threading.Thread(target=contextvars.copy_context().run, args=(body,), name="pyawait-run", daemon=True).start()
    return await done


async def run_main(factory, main):
    return await in_own_thread(run_on_new_loop, factory, main)


async def run_until_complete(loop, main):
    return await in_own_thread(run_on_loop, loop, main)
