"""Conversions that C cannot do alone: arrays, buffers, dates."""


def to_array(code, data):
    return array.array(code, data)


def from_buffer(value):
    """(array typecode, bytes in C order, shape), or None where no typed array has such items."""
    try:
        view = memoryview(value)
    except (TypeError, BufferError, ValueError):
        return None
    if view.format[:1] == (">" if sys.byteorder == "little" else "<") and hasattr(value, "astype"):  # numpy's
        view = memoryview(value.astype(value.dtype.newbyteorder("=")))
    code = view.format.lstrip("@=<") if sys.byteorder == "little" else view.format.lstrip("@=")
    if code == "?":
        code = "B"
    elif code == "c":
        code = "B"
    elif code in ("l", "L", "q", "Q", "n", "N"):
        code = ("q" if code in "lqn" else "Q") if view.itemsize == 8 else ("i" if code in "lqn" else "I")
    if len(code) != 1 or code not in "bBhHiIqQefd":
        return None
    return (code, view.tobytes(), view.shape if view.ndim > 1 else ())


def check_keys(mapping):
    """Raises if two keys, which are str or of subclasses of str, have the same text. None: its own code has raised."""
    try:
        keys = [str.encode(key, "utf-16", "surrogatepass") for key, _ in mapping.items()]  # as JavaScript sees them
    except MemoryError:
        raise
    except Exception:
        return None
    if len(set(keys)) < len(keys):
        raise TypeError("Cannot convert a dict: two of its keys are the same in JavaScript")
    return True


_epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_millisecond = datetime.timedelta(milliseconds=1)


def to_datetime(milliseconds):
    return _epoch + datetime.timedelta(milliseconds=milliseconds)


def from_datetime(value):
    """Milliseconds since 1970, or None for a naive datetime, which names no moment."""
    return None if value.utcoffset() is None else float((value - _epoch) // _millisecond)


def make_buffer(code, length):
    """A writable memoryview of `length` items in memory of its own."""
    size = length * array.array(code).itemsize
    try:
        return memoryview(bytearray(size)).cast(code)
    except (MemoryError, OverflowError):
        raise MemoryError("no memory for a buffer of %d bytes" % size) from None


release_lock = _shim["release_lock"]
