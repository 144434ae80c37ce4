"""Async generators across the border, in both directions.

One task drives a generator from its start to its end, so its context variables, timeouts and cancel scopes hold;
JavaScript tells that task what to do next. What cancels the task while the generator is paused is raised in the
generator.
"""


async def drive_stream(iterable, stream, credits):
    """Drives `iterable` for JavaScript. Items go to `stream`; the end, or the error, is that of this coroutine."""
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
    """Whether aclose() raised the generator's own GeneratorExit, which a TaskGroup may have wrapped."""
    errors = getattr(error, "exceptions", None)
    return isinstance(error, GeneratorExit) or isinstance(errors, tuple) and all(map(_is_exit, errors))


async def _throw(iterator, error):
    """Raises `error` where the generator is paused, and returns what it yields then.

    Also for a cancellation of this task between two items, by a timeout or cancel scope inside the generator or from
    outside.
    """
    if not hasattr(iterator, "athrow"):
        raise error
    return await iterator.athrow(error)


async def _lock_step(iterator, stream):
    """Makes an item when JavaScript asks for it, with the argument of its `next(value)` or `throw(error)`."""
    heap, handle, item = stream._pyawait_heap, stream._pyawait_handle, ()
    while True:
        try:
            command = await _wait(PULL, heap, handle, item, None)
        except CancelledError as error:
            _shim["item"](heap, handle, await _throw(iterator, error))
            item = ()  # tells JavaScript that its command was not received
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
    """Sends items as they are made, as many as JavaScript has granted; asks for more credit at half of that."""
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
                    granted = await asyncio.shield(asked)  # shielded: granted credit must not be lost
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
            _give_up(slot, asked)


async def async_generator(source):
    """A JavaScript async iterable or iterable as an async generator. Reads nothing before it is asked."""
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
                raise  # the reader leaves: JavaScript has return(), and no cancellation
            except BaseException as error:
                command = (1, error)
    finally:
        if not done:  # also if this was cancelled while JavaScript makes the next item
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
