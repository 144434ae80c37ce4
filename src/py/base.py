"""Python's half of pyawait, chapter 1: imports and numbers. What is simplest in Python is in this folder.

The chapters are run one after the other, in the order of `src/source.ts`, in the namespace of one module, `pyawait`,
which the shim installs.

The one thing to know: nothing here runs JavaScript. `_shim` (ffi/shim) puts records into queues; JavaScript answers
through the inbox of the loop that asked.

    await js_function()                         the loop's thread              JavaScript's thread
      request ──► future, REQUEST record  ────────────────────────────────►    runs it
      `yield from future`   ◄──── SETTLE: future.set_result, unless done ──    its promise settles
"""

import os
import sys

# Before the first extension module: Node exports OpenSSL, Deno and Bun export libuv, and an extension that binds to
# the host's copies instead of its own crashes. Only glibc has this flag, and only there is it needed.
if hasattr(os, "RTLD_DEEPBIND") and os.environ.get("PYAWAIT_DEEPBIND") != "0":
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)

import threading  # on this thread first: it becomes threading.main_thread()
import array
import ast
import asyncio
import builtins
import collections.abc
import contextvars
import datetime
import functools
import inspect
import io
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

# Operations on JavaScript values, by number; src/operations.ts has the same list.
# fmt: off
(CALL, AWAIT, GET, SET, DELETE, HAS, KEYS, STRING, NEW, LENGTH, TYPEOF, ITERATE, NEXT, EQUALS, GET_ITEM, SET_ITEM,
 DELETE_ITEM, HAS_ITEM, COPY, PULL, CREDIT, ASYNC_ITERATE, ASYNC_NEXT, STEP,
 SIGNATURE, INSTANCE_OF, SUBCLASS_OF, DISPOSE, DISPOSE_ASYNC, CALL_METHOD, GET_ITEMS, SPLICE,
 ADVANCE, TEXT) = range(34)
# fmt: on

# Kinds of JavaScript values, by number; src/handles.ts has the same list.
OBJECT, FUNCTION, PROMISE, ASYNC_FUNCTION, ERROR, SOURCE, GENERATOR, ASYNC_GENERATOR = range(8)

_call = _shim["call"]
_request = _shim["request"]
_abort = _shim["abort"]
_give_up = _shim["give_up"]
_release = _shim["release"]
