"""The baselines: the time that plain Python takes for the same work, in the same interpreter, in microseconds.

Each function returns the median of its samples per operation, as measure.ts does.
"""

import asyncio
import statistics
import threading
import time

import called


def _samples(seconds, minimum=5):
    """Yields a list to append to, until the time is over."""
    end, samples = time.perf_counter() + seconds, []
    while time.perf_counter() < end or len(samples) < minimum:
        yield samples


def _median(samples):
    return statistics.median(samples) * 1e6


async def tasks(function, count, seconds, minimum=5):
    """create_task and a done callback for each of `count` coroutines, until the last one is done."""
    loop = asyncio.get_running_loop()
    for samples in _samples(seconds, minimum):
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
        async for _ in called.items(count):
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


def attributes(thing, seconds):
    """Reads of an attribute by Python."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        for _ in range(1000):
            thing.x
        samples.append((time.perf_counter() - begin) / 1000)
    return _median(samples)


def list_items(values, seconds):
    """Reads of an item by Python."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        for _ in range(1000):
            values[3]
        samples.append((time.perf_counter() - begin) / 1000)
    return _median(samples)


def sum_ids(records):
    """Iterates over a list of dicts."""
    total = 0
    for record in records:
        total += record["id"]
    return total


def iteration(records, seconds):
    for samples in _samples(seconds):
        begin = time.perf_counter()
        sum_ids(records)
        samples.append((time.perf_counter() - begin) / len(records))
    return _median(samples)


def thread_calls(function, seconds):
    """Calls of a JavaScript function by a Python thread, which waits for each."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        for n in range(50):
            assert function(n) == n
        samples.append((time.perf_counter() - begin) / 50)
    return _median(samples)


async def each_of(make, count, seconds):
    """`async for` over an async iterable of JavaScript, of `count` items."""
    for samples in _samples(seconds):
        begin, expected = time.perf_counter(), 0
        async for item in make():
            assert item == expected
            expected += 1
        assert expected == count
        samples.append((time.perf_counter() - begin) / count)
    return _median(samples)


def runs(seconds):
    """asyncio.run: a loop is made, runs a coroutine, and ends."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        assert asyncio.run(called.identity(1)) == 1
        samples.append(time.perf_counter() - begin)
    return _median(samples)


def start_loops(count):
    """Event loops, each running on a Python thread of its own."""
    loops = [asyncio.new_event_loop() for _ in range(count)]
    for loop in loops:
        threading.Thread(target=loop.run_forever, daemon=True).start()
    return loops


def stop_loops(loops):
    for loop in loops:
        loop.call_soon_threadsafe(loop.stop)


def spread(loops, count, seconds):
    """`count` coroutines at once, over the loops, by run_coroutine_threadsafe."""
    for samples in _samples(seconds):
        begin = time.perf_counter()
        futures = [asyncio.run_coroutine_threadsafe(called.identity(n), loops[n % len(loops)]) for n in range(count)]
        assert [future.result() for future in futures] == list(range(count))
        samples.append((time.perf_counter() - begin) / count)
    return _median(samples)


async def growth(function, count, seconds):
    """The time of a coroutine among `count` in flight, divided by that among 1,000."""
    many = await tasks(function, count, seconds, 2)
    return many / await tasks(function, 1000, seconds)
