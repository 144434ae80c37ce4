"""Asynchronous generators across the border, in both directions.

The one thing to know: one task drives a generator from its start to its end, so its context variables, its timeouts
and its cancel scopes hold; JavaScript tells that task what to do next. Whatever cancels it while the generator is paused is
raised in the generator.
"""


async def drive_stream(iterable, stream, credits):
    """Drives `iterable` for JavaScript. Items go to `stream`; the end, or the error, is this coroutine's own."""
    iterator = type(iterable).__aiter__(iterable)
    try:
        await (_run_ahead(iterator, stream, credits) if credits else _lock_step(iterator, stream))
    except StopAsyncIteration:
        pass
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            try:
                await close()
            except BaseException as error:
                if not _is_exit(error):
                    raise


def _is_exit(error):
    """What aclose() raises where a TaskGroup in the generator has wrapped its GeneratorExit."""
    errors = getattr(error, "exceptions", None)
    return isinstance(error, GeneratorExit) or isinstance(errors, tuple) and all(map(_is_exit, errors))


async def _throw(iterator, error):
    """Raises `error` where the generator is paused, and gives what it yields then. So does a cancellation of this task
    between two items, whether a timeout or a cancel scope inside the generator asks for it or somebody outside."""
    if not hasattr(iterator, "athrow"):
        raise error
    return await iterator.athrow(error)


async def _lock_step(iterator, stream):
    """An item is made when JavaScript asks for it: what `next(value)` and `throw(error)` gave comes along."""
    heap, handle, item = stream._pyawait_heap, stream._pyawait_handle, ()
    while True:
        try:
            command = await _wait(PULL, heap, handle, item, None)
        except CancelledError as error:
            _shim["item"](heap, handle, await _throw(iterator, error))
            item = ()  # JavaScript sees by this that its command was not received
            continue
        if command is None:  # its reader has left
            return
        throws, value = command
        if throws:
            item = (await _throw(iterator, to_error(value)),)
        elif value is None:
            item = (await iterator.__anext__(),)
        else:
            item = (await iterator.asend(value),)


async def _run_ahead(iterator, stream, limit):
    """Items are sent as they are made, as many as JavaScript has given credit for; it is asked at half of that."""
    push, heap, handle = _shim["item"], stream._pyawait_heap, stream._pyawait_handle
    credits, asked = limit, None
    try:
        while True:
            push(heap, handle, await iterator.__anext__())
            credits -= 1
            while credits <= 0 or asked is not None and asked.done():
                if asked is None:
                    slot, asked = _request(CREDIT, heap, handle, (), None)
                try:
                    granted = await asyncio.shield(asked)  # credit that is on its way must not be lost
                except CancelledError as error:
                    push(heap, handle, await _throw(iterator, error))
                    credits -= 1
                    continue
                asked = None
                if granted == 0:  # its reader has left
                    return
                credits += granted
            if asked is None and credits <= limit // 2:
                slot, asked = _request(CREDIT, heap, handle, (), None)
    finally:
        if asked is not None and not asked.done():
            _give_up(slot)


async def async_generator(source):
    """A JavaScript async iterable (or iterable) as an async generator. Nothing is read before it is asked for."""
    iterator = await _wait(ASYNC_ITERATE, source._pyawait_heap, source._pyawait_handle, (), None)
    step = functools.partial(_wait, ASYNC_NEXT, iterator._pyawait_heap, iterator._pyawait_handle)
    done, command = False, (0, None)
    try:
        while True:
            done, value = await step(command, None)
            if done:
                return
            try:
                command = (0, (yield value))
            except (GeneratorExit, CancelledError):
                raise  # the reader leaves: return() in JavaScript, which knows no cancellation
            except BaseException as error:
                command = (1, error)
    finally:
        if not done:  # also where this was cancelled while JavaScript makes the next item
            try:
                await step((2, None), None)
            except JavaScriptEnded:
                pass


def generator(source):
    """A JavaScript iterable as a generator."""
    iterator = _call(ITERATE, source._pyawait_heap, source._pyawait_handle, (), None)
    heap, handle = iterator._pyawait_heap, iterator._pyawait_handle
    done, command = False, (0, None)
    try:
        while True:
            done, value = _call(STEP, heap, handle, command, None)
            if done:
                return value
            try:
                command = (0, (yield value))
            except GeneratorExit:
                raise
            except BaseException as error:
                command = (1, error)
    finally:
        if not done:
            try:
                _call(STEP, heap, handle, (2, None), None)
            except JavaScriptEnded:
                pass


def make_async_generator(source):
    return async_generator(source)
