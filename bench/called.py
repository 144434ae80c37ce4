"""What the cases call: the same functions for pyawait, for the baselines and for the other bridges."""

import asyncio
import ctypes
import json
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


kept = []


def keep(value):
    """Takes a value in, for `kept_value` to give it out."""
    kept[:] = [value]
    return len(value)


def kept_value():
    return kept[0]


def size_of_json(text):
    return len(json.loads(text))


class Thing:
    """Has an attribute and a method."""

    x = 7

    def noop(self):
        pass


def records(count):
    return [{"id": n, "name": "User %d" % n} for n in range(count)]


async def wait_for(future):
    return await future


async def pending_tasks(future, count):
    """`count` tasks that wait for a future, each with a done callback."""
    results = []
    tasks = [asyncio.ensure_future(wait_for(future)) for _ in range(count)]
    for task in tasks:
        task.add_done_callback(lambda task: results.append(task.result()))
    await asyncio.wait(tasks)
    return results


def runs(count):
    """asyncio.run, often."""
    for n in range(count):
        assert asyncio.run(identity(n)) == n
