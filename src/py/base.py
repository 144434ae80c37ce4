"""Python's half of pyawait, chapter 3: what the others import.

The chapters run in the order of `src/interpreter/python_source.ts` in one namespace, that of the module `pyawait`,
which the shim installs. Before this one run the numbers of `src/wire/numbers.ts`: operations on JavaScript values (CALL,
GET, …), kinds of JavaScript values (PROMISE, …), what a type can do (KIND_CALLABLE, …).

Nothing here runs JavaScript: `_shim` (ffi/shim) puts records into queues, and JavaScript answers through the inbox of
the loop that asked.

    await js_function()                         the loop's thread              JavaScript's thread
      request ──► future, REQUEST record  ────────────────────────────────►    runs it
      `yield from future`   ◄──── SETTLE: future.set_result, unless done ──    its promise settles
"""

import threading  # first on this thread, which so becomes threading.main_thread()
import array
import ast
import asyncio
import builtins
import collections.abc
import concurrent.futures
import contextvars
import datetime
import enum
import functools
import importlib
import importlib.util
import inspect
import io
import linecache
import operator
import re
import reprlib
import signal
import textwrap
import time
import traceback
import types
import weakref
from asyncio import CancelledError, Task
from asyncio import _get_running_loop, get_running_loop

__all__ = ["JsProxy", "JsException"]
__name__ = "pyawait"

_call = _shim["call"]
_request = _shim["request"]
_abort = _shim["abort"]
_give_up = _shim["give_up"]
_release = _shim["release"]
