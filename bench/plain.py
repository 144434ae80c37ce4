"""The baselines: the time that plain Python takes for the same work, in the same interpreter, in microseconds.

Each function returns the median of its samples per operation, as run.ts does.
"""

import asyncio
import ctypes
import json
import statistics
import sys
import time


async def identity(value):
    return value


async def once_round(value):
    await asyncio.sleep(0)
    return value


async def items(count):
    for n in range(count):
        yield n


async def burn(seconds):
    """Computes, and never awaits."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(100))


async def hold_gil(seconds):
    """One C call that holds the GIL."""
    pause = ctypes.PyDLL("kernel32").Sleep if sys.platform == "win32" else ctypes.PyDLL(None).usleep
    pause(int(seconds * (1e3 if sys.platform == "win32" else 1e6)))


def noop():
    pass


def add(a, b):
    return a + b


def same(value):
    return value


def size(value):
    """Takes a value in and returns next to nothing."""
    return len(value)


def size_of_json(text):
    return len(json.loads(text))


def _samples(seconds, minimum=5):
    """Yields a list to append to, until the time is over."""
    end, samples = time.perf_counter() + seconds, []
    while time.perf_counter() < end or len(samples) < minimum:
        yield samples


def _median(samples):
    return statistics.median(samples) * 1e6


async def tasks(function, count, seconds):
    """create_task and a done callback for each of `count` coroutines, until the last one is done."""
    loop = asyncio.get_running_loop()
    for samples in _samples(seconds):
        all_done, left = loop.create_future(), count

        def done(task):
            nonlocal left
            task.result()
            left -= 1
            if left == 0:
                all_done.set_result(None)

        begin = time.perf_counter()
        for n in range(count):
            loop.create_task(function(n)).add_done_callback(done)
        await all_done
        samples.append((time.perf_counter() - begin) / count)
    return _median(samples)


async def each_item(count, seconds):
    """Iterates over an async generator of `count` items."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        async for _ in items(count):
            pass
        samples.append((time.perf_counter() - begin) / count)
    return _median(samples)


def threadsafe(function, loop, seconds):
    """run_coroutine_threadsafe(...).result(), called on a Python thread."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        for n in range(50):
            asyncio.run_coroutine_threadsafe(function(n), loop).result()
        samples.append((time.perf_counter() - begin) / 50)
    return _median(samples)


async def gather_futures(count, seconds):
    """gather of `count` `async def`s, each of which awaits a Future that the loop settles."""
    loop = asyncio.get_running_loop()

    async def wait(future):
        return await future

    def settle(futures):
        for n, future in enumerate(futures):
            future.set_result(n)

    for samples in _samples(seconds):
        begin = time.perf_counter()
        futures = [loop.create_future() for _ in range(count)]
        loop.call_soon(settle, futures)
        result = await asyncio.gather(*[wait(future) for future in futures])
        samples.append((time.perf_counter() - begin) / count)
        assert result == list(range(count))
    return _median(samples)


async def gather_calls(function, count, seconds):
    """gather of `count` calls of an `async def` that is a JavaScript function."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        result = await asyncio.gather(*[function(n) for n in range(count)])
        samples.append((time.perf_counter() - begin) / count)
        assert result == list(range(count))
    return _median(samples)


async def gather_promises(make, count, seconds):
    """gather of `count` Promises that JavaScript made."""
    for samples in _samples(seconds):
        promises = await make()
        begin = time.perf_counter()
        result = await asyncio.gather(*promises)
        samples.append((time.perf_counter() - begin) / count)
        assert result == list(range(count))
    return _median(samples)


async def one_by_one(function, seconds):
    """Awaits one call after the other."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        for n in range(50):
            assert await function(n) == n
        samples.append((time.perf_counter() - begin) / 50)
    return _median(samples)


def calls(function, arguments, seconds):
    """Calls of a Python function by Python."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        for _ in range(1000):
            function(*arguments)
        samples.append((time.perf_counter() - begin) / 1000)
    return _median(samples)
