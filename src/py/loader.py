"""Python's half of pyawait, chapter 1: runs the other chapters.

To compile them takes about as long as to import asyncio. So their code is kept in the user's cache folder under the hash of
their text, as Python keeps that of modules in `__pycache__`; PYTHONDONTWRITEBYTECODE, which is about that, does not count.
"""

import os
import sys

# Node exports OpenSSL, Deno and Bun export libuv. An extension that binds to the host's copy instead of its own
# crashes, so the flag is set before the first extension module is imported. Only glibc has this flag, and only there
# is it needed.
if hasattr(os, "RTLD_DEEPBIND") and os.environ.get("PYAWAIT_DEEPBIND") != "0":
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)

import contextlib
import marshal
import stat
from importlib.util import MAGIC_NUMBER, source_hash


def _file_for_code(chapters):
    """Where their code belongs; None if it is not to be kept. `_code_folder` was checked by ffi/native/trust.ts."""
    tag = sys.implementation.cache_tag
    if not _code_folder or not tag:
        return None
    text = source_hash("\0".join(map("\0".join, chapters)).encode()).hex()
    return os.path.join(_code_folder, "code-%s-%s-%d.bin" % (text, tag, sys.flags.optimize))


def _read_code(path):
    """What an earlier process of this user, or root, has kept there; None if there is nothing usable."""
    try:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            return None
        if os.name == "posix" and (found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022):
            return None
        with open(path, "rb") as file:
            return marshal.loads(file.read()) if file.read(len(MAGIC_NUMBER)) == MAGIC_NUMBER else None
    except (OSError, EOFError, ValueError, TypeError):
        return None  # there is none, or the disk was full


def _write_code(path, code):
    """Keeps it, as a whole: no process sees a part of it."""
    part = "%s.%d" % (path, os.getpid())
    try:
        with open(part, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(MAGIC_NUMBER + marshal.dumps(code))
        os.replace(part, path)
    except OSError:  # it is compiled again the next time
        with contextlib.suppress(OSError):
            os.remove(part)


def _chapter_code(chapters):
    path = _file_for_code(chapters)
    code = path and _read_code(path)
    if not code:
        code = [compile(text, name, "exec", dont_inherit=True) for name, text in chapters]
        if path:
            _write_code(path, code)
    return code


for _code in _chapter_code(list(zip(_texts[::2], _texts[1::2]))):
    exec(_code, globals())
del _code, _texts
