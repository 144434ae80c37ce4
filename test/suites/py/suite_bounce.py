"""Sends every coroutine of a task through JavaScript and back: the task awaits a Promise of the coroutine.

So each test of somebody else's runs on two hops of the bridge. As a pytest plugin: `-p suite_bounce`. It needs the module
`suite_bounce_js` (bounce.ts). Loops get a task factory when they are made; a test that sets its own turns this off for
its loop.
"""

import asyncio
import asyncio.base_events
import concurrent.futures
import inspect

import suite_bounce_js

_inner = set()  # ids of coroutines on their way: the bridge makes their tasks by this factory too


async def _bounced(coroutine):
    _inner.add(id(coroutine))
    ended = []
    try:
        return await suite_bounce_js.through(_noting(coroutine, ended))
    except asyncio.CancelledError:
        # A cancelled await of a Promise ends cancelled, whatever the Promise came to; `await task` does not.
        if ended:
            return ended[0].result()
        raise
    finally:
        _inner.discard(id(coroutine))


async def _noting(coroutine, ended):
    outcome = concurrent.futures.Future()
    try:
        outcome.set_result(await coroutine)
    except BaseException as error:
        outcome.set_exception(error)
    ended.append(outcome)
    return outcome.result()


def factory(loop, coroutine, **options):
    if inspect.iscoroutine(coroutine) and coroutine.cr_code not in _own:
        coroutine = _bounced(coroutine)
    return asyncio.Task(coroutine, loop=loop, **options)


_own = {_bounced.__code__, _noting.__code__}
_init = asyncio.base_events.BaseEventLoop.__init__


def _init_bouncing(self, *args, **options):
    _init(self, *args, **options)
    # test_asyncio's loop with a clock of its own (test_utils.TestLoop) ends when it has nothing to do, and while a
    # coroutine is in JavaScript it has nothing to do.
    if type(self).__name__ != "TestLoop":
        self._task_factory = factory


asyncio.base_events.BaseEventLoop.__init__ = _init_bouncing
