"""Sends what tasks do through JavaScript and back, so that each test of somebody else's runs on hops of the bridge.

SUITES_BOUNCE says what: `coroutines`: the coroutine of every task, which awaits a Promise of it. That makes two tasks of
each. `awaits`: every future that a task waits for; the tasks stay what they are, for suites that keep books by task.

As a pytest plugin: `-p suite_bounce`. It needs the module `suite_bounce_js` (bounce.ts). Loops get a task factory when
they are made; a test that sets its own turns this off for its loop.

Many tests let other tasks go on with `sleep(0)`, one round of the loop. What bounces needs several, so `sleep(0)` lasts
until what is on its way has come through JavaScript.
"""

import asyncio
import asyncio.base_events
import collections.abc
import concurrent.futures
import inspect
import os

import suite_bounce_js

_hops = 3  # a cancellation takes most: to JavaScript, to the coroutine, its end to JavaScript, and back


async def _bounced(coroutine):
    outcome = concurrent.futures.Future()
    try:
        result = await suite_bounce_js.through(_noting(coroutine, outcome))
    except asyncio.CancelledError:
        # A cancelled await of a Promise ends cancelled, whatever the Promise came to; `await task` does not.
        if outcome.done():
            return outcome.result()
        raise
    return outcome.result() if result is suite_bounce_js else result


async def _noting(coroutine, outcome):
    try:
        outcome.set_result(await coroutine)
    except BaseException as error:
        outcome.set_exception(error)
    # A Promise cannot come to an awaitable: it comes to what that comes to. The module stands for it.
    return suite_bounce_js if inspect.isawaitable(outcome.result()) else outcome.result()


class _Awaits(collections.abc.Coroutine):
    """A coroutine whose futures are awaited in JavaScript. Only its task, which has the same loop, drives it."""

    def __init__(self, coroutine):
        self._coroutine, self._trip = coroutine, None

    def __getattr__(self, name):  # cr_frame, __qualname__ …
        return getattr(self._coroutine, name)

    def send(self, value):
        return self._step("send", value)

    def throw(self, *error):
        return self._step("throw", *error)

    def close(self):
        self._coroutine.close()

    def __await__(self):
        return self

    def _step(self, method, *args):
        if self._trip is not None:
            try:
                return getattr(self._trip, method)(*args)
            except StopIteration:  # the coroutine asks the future itself for its result
                method, args = "send", (None,)
            except BaseException as error:
                self._future.cancel()
                method, args = "throw", (error,)
            self._trip = None
        future = getattr(self._coroutine, method)(*args)
        if not self._bounces(future):
            return future
        future._asyncio_future_blocking = False
        self._future, self._trip = future, suite_bounce_js.through(future).__await__()
        return next(self._trip)

    @staticmethod
    def _bounces(future):
        return (
            asyncio.isfuture(future)
            and future.get_loop() is asyncio.get_running_loop()
            and future is not asyncio.current_task()
            and os.getpid() == _process
        )


def _of_awaits(loop, coroutine, **options):
    return asyncio.Task(_Awaits(coroutine), loop=loop, **options)


def _of_coroutines(loop, coroutine, **options):
    if inspect.iscoroutine(coroutine) and coroutine.cr_code not in _own and os.getpid() == _process:
        coroutine = _bounced(coroutine)
    return asyncio.Task(coroutine, loop=loop, **options)


factory = {"awaits": _of_awaits, "coroutines": _of_coroutines}[os.environ["SUITES_BOUNCE"]]
_own = {_bounced.__code__, _noting.__code__}
_process = os.getpid()  # JavaScript is not in a child that has been forked
_round = asyncio.tasks.__dict__["__sleep0"]


async def _rest():
    await _round()
    if asyncio.get_running_loop().get_task_factory() is factory and os.getpid() == _process:
        for _ in range(_hops):
            await suite_bounce_js.turn()
            await _round()


asyncio.tasks.__dict__["__sleep0"] = _rest
_init = asyncio.base_events.BaseEventLoop.__init__


def is_simulated(loop):
    """Is it a loop of test_asyncio's that JavaScript cannot wake, so that nothing may bounce there?

    TestLoop has a clock of its own and ends when it has nothing to do, also while a coroutine is in JavaScript; a
    BaseEventLoop gets a selector that never waits.
    """
    return type(loop) is asyncio.BaseEventLoop or type(loop).__name__ == "TestLoop"


def _init_bouncing(self, *args, **options):
    _init(self, *args, **options)
    if not is_simulated(self):
        self._task_factory = factory


asyncio.base_events.BaseEventLoop.__init__ = _init_bouncing


def pytest_collection_finish(session):
    """anyio's wait_all_tasks_blocked takes a task whose await is in JavaScript for blocked, so let that come back before."""
    try:
        from anyio._backends._asyncio import AsyncIOBackend
    except ImportError:
        return
    blocked = AsyncIOBackend.wait_all_tasks_blocked

    async def wait_all_tasks_blocked():
        await asyncio.sleep(0.1)
        await blocked()

    AsyncIOBackend.wait_all_tasks_blocked = staticmethod(wait_all_tasks_blocked)
