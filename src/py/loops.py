"""Event loops: how JavaScript reaches the tasks and futures of each.

A loop may be connected before it runs; what is sent to it waits.
"""

_eager = sys.version_info >= (3, 12)
_has_context = sys.version_info >= (3, 11)


class _Connection:
    """The inbox of a loop. Can be made before the loop runs, and on any thread."""

    def __init__(self, loop, open_inbox):
        _guard_subprocesses(type(loop))
        if os.name == "nt":  # no loop of Windows waits for a pipe of os.pipe
            import socket

            self.reader, self.writer = socket.socketpair()
            self.reader.setblocking(False), self.writer.setblocking(False)
            self.read = self.reader.recv
        else:
            self.reader, self.writer = os.pipe()
            os.set_blocking(self.reader, False), os.set_blocking(self.writer, False)
            self.read = functools.partial(os.read, self.reader)
        here = _get_running_loop() is loop
        thread = threading.get_ident() if here else 0
        self.context = contextvars.copy_context()  # the reader's, which is another one if the loop runs elsewhere
        self.id, self.drain = open_inbox(loop, self.fileno(), _eager, _has_context, thread, self.take_here)
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
        self.context = contextvars.copy_context()
        if hasattr(self.loop, "_proactor"):  # Windows' default loop has no add_reader
            self._receive()
        else:
            self.loop.add_reader(self.reader, self._wake)

    def _wake(self):
        try:
            self.read(4096)  # before the inbox is taken: what arrives later wakes again
        except BlockingIOError:
            pass
        self.take()

    def _receive(self, received=None):
        """Reads the socket as the loop reads its own: no task of ours is among the user's, or pending when the loop is closed."""
        if received is not None:
            if received.cancelled():
                return  # the loop is being closed
            received.result()
        self.loop._proactor.recv(self.reader, 4096).add_done_callback(self._receive)
        if received is not None:
            self.take()

    def take(self):
        """Drains, and again while the drain finds more at its end; but the loop's other callbacks have their turn."""
        self.draining = True
        try:
            for _ in range(8):
                if not self.drain():
                    break
            else:
                self.loop.call_soon(self.take)
        finally:
            self.draining = False
        stop_if_closing()

    def take_here(self):
        """`take`, in the context of the reader: this is called in that of any task."""
        self.context.copy().run(self.take)

    def report_unless_told(self, context):
        """Reports an exception unless JavaScript has been told by its Promise.

        A task that starts eagerly and ends with one of these two is gone before anything could retrieve the
        exception.
        """
        if not (
            self.draining
            and "future" in context
            and isinstance(context.get("exception"), (KeyboardInterrupt, SystemExit))
        ):
            self.report(context)

    def close(self):
        """`loop.close()`, which also tells JavaScript what it still waits for."""
        self.close_loop()
        if _connections.pop(self.loop, None) is None:
            return
        if self.loop is _background and not _closing():
            replace_background()
        else:
            _shim["close_loop"](self.id)
        self.close_ends()

    def close_ends(self):
        for end in (self.reader, self.writer):
            os.close(end) if isinstance(end, int) else end.close()


def _check_thread(check):
    """Lets JavaScript threads touch the loop in debug mode: the shim wakes the loop after such a call."""
    if not _shim["on_javascript"]():
        check()


_closing = _shim["closing"]
_stopping = False


def stop_if_closing():
    """Ends run_forever of the background loop, once: what runs on it afterwards is its shutdown."""
    global _stopping
    if _closing() and not _stopping:
        _stopping = True
        _background.stop()


_connections = {}  # loop -> _Connection
_connecting = threading.RLock()  # two inboxes would share the loop's records: awaits that never end


def new_loop(loop):
    """Connects a loop that awaits JavaScript, or that JavaScript awaits, for the first time."""
    with _connecting:
        if loop not in _connections:
            _connections[loop] = _Connection(loop, _open_inbox)


def _open_inbox(*arguments):
    return _shim["open_loop"](*arguments, False)


def connect_loop(loop):
    """The id of a loop's inbox, for JavaScript to submit to; -1 - id if the loop does not run."""
    if not hasattr(loop, "call_soon_threadsafe"):
        raise TypeError("Cannot use %s as an event loop" % _short_repr(loop))
    if loop.is_closed():
        raise RuntimeError("Cannot await on this event loop: it is closed")
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
    """A Task or Future of what JavaScript awaits; raises TypeError for what cannot be awaited."""
    if asyncio.isfuture(awaitable):
        home = awaitable.get_loop()
        return awaitable if home is loop else _OutcomeElsewhere(awaitable, loop, home.call_soon_threadsafe)
    if isinstance(awaitable, concurrent.futures.Future):
        return _OutcomeElsewhere(awaitable, loop, lambda function, *args: function(*args))
    if isinstance(awaitable, collections.abc.Coroutine) or asyncio.iscoroutine(awaitable):
        make = functools.partial(loop.create_task, awaitable)
    elif hasattr(type(awaitable), "__await__"):
        make = functools.partial(loop.create_task, _follow(awaitable))
    else:
        raise TypeError("Cannot await %s: it is not awaitable" % _short_repr(awaitable))
    return make() if context is None else make(context=context) if _has_context else context.run(make)


def forget_task(task):
    """A task that will never be done, as its loop is closed. JavaScript is told, so that Python need not report it."""
    task._log_destroy_pending = False
    coroutine = task.get_coro() if hasattr(task, "get_coro") else None
    if inspect.iscoroutine(coroutine) and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        coroutine.close()


async def _follow(awaitable):
    return await awaitable


class _OutcomeElsewhere(asyncio.Future):
    """What comes of a thread's future, or of another loop's. Cancelling it asks that one, and its end is awaited: a thread's
    that runs already goes on.

    It is no task: one that is cancelled before its first step would have asked nobody.
    """

    def __init__(self, source, loop, where):
        """`where` calls a function where the source may be touched."""
        super().__init__(loop=loop)
        self._source, self._where = source, where
        where(source.add_done_callback, self._tell)

    def cancel(self, *_, **__):
        try:
            self._where(self._source.cancel)
        except RuntimeError:
            super().cancel()  # its loop is closed: it will not end
        return True

    def _tell(self, _):
        try:
            self.get_loop().call_soon_threadsafe(self._end)
        except RuntimeError:
            pass  # the loop is closed: nothing waits

    def _end(self):
        if self.done():
            return
        if self._source.cancelled():
            super().cancel()
            return
        error = self._source.exception()
        if isinstance(error, StopIteration):  # a future refuses it, and a coroutine would raise this
            cause, error = error, RuntimeError("future raised StopIteration")
            error.__cause__ = cause
        if error is None:
            self.set_result(self._source.result())
        else:
            self.set_exception(error)


def _short_repr(value):
    try:
        text = repr(value)
    except Exception:
        text = object.__repr__(value)
    return text if len(text) < 80 else text[:77] + "..."
