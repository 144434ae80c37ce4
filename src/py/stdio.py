"""Standard streams: the process's own wait until they can be read or written; those that JavaScript takes send text
there.

Descriptors 0 to 2 may be non-blocking: Node sets that for the whole process when `process` is imported, Bun when
`process.stdout` is used. Python's FileIO takes EAGAIN for the end of the file when it reads, and drops output when it
writes.
"""

from select import select as _select  # not select.poll: macOS lacks it for terminals


def _waiting(operation, wait):
    """A method of FileIO that waits, without the GIL, where the original returns None."""

    def method(self, *args):
        while True:
            result = operation(self, *args)
            if result is not None:
                return result
            wait(self.fileno())

    return method


class _Standard(io.FileIO):
    readinto = _waiting(io.FileIO.readinto, lambda descriptor: _select([descriptor], [], []))
    write = _waiting(io.FileIO.write, lambda descriptor: _select([], [descriptor], []))
    _read = _waiting(io.FileIO.read, lambda descriptor: _select([descriptor], [], []))

    def read(self, size=-1):
        return self.readall() if size is None or size < 0 else self._read(size)

    def readall(self):
        return b"".join(iter(functools.partial(self._read, 1 << 16), b""))


class _Unbuffered(_Standard):
    """Directly below the text layer (PYTHONUNBUFFERED), which ignores how much was written: writes all of it."""

    def write(self, data):
        rest, written = memoryview(data).cast("B"), 0
        while written < len(rest):
            written += super().write(rest[written:])
        return written


def _let_wait(stream):
    """Replaces the plain file below a stream by one that waits; a stream that is something else stays as it is."""
    if type(stream) is not io.TextIOWrapper or os.name != "posix":
        return
    buffer = stream.buffer
    raw = getattr(buffer, "raw", buffer)
    if type(raw) is not io.FileIO or raw.closed or raw.fileno() > 2:
        return
    waiting = (_Unbuffered if raw is buffer else _Standard)(raw.fileno(), raw.mode, closefd=False)
    waiting.name = raw.name
    if waiting.readable() and waiting.isatty():
        # On a terminal input() reads through C's stdio. Node has opened the terminal a second time for itself.
        os.set_blocking(raw.fileno(), True)
    if raw is not buffer:
        waiting = type(buffer)(waiting)
    stream.flush()
    # The same object, because sys.__stdout__ and other code refer to it. Python gives all three streams this newline.
    stream.__init__(waiting, stream.encoding, stream.errors, "\n", stream.line_buffering, stream.write_through)


def let_standard_streams_wait():
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        _let_wait(stream)


def flush_streams():
    """Whether everything written has been flushed; a closed stream was."""
    flushed = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not getattr(stream, "closed", False):
                stream.flush()
        except BaseException as error:
            flushed = False
            if stream is sys.stdout:
                _tell("Exception ignored in: %r\n%s: %s" % (stream, type(error).__name__, error))
    return flushed


_PART = 1 << 24  # characters; a JavaScript string has a maximum length, 2**29 - 24 on V8


class _Output(io.TextIOBase):
    """A stream whose text goes to a JavaScript function."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, heap, code):
        self._pyawait_heap, self._code = heap, code

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        for at in range(0, len(text), _PART):
            _shim["event"](self._pyawait_heap, self._code, text[at : at + _PART])
        return len(text)

    def writable(self):
        return True


def redirect(heap, name, code):
    setattr(sys, name, _Output(heap, code))
