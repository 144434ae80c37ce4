"""Bells: what Python's threads write to, to wake a JavaScript heap. The shim writes; this only opens them."""


def connect_pipe(heap):
    """Makes the pipe of a heap's bell and returns its read end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False), os.set_blocking(writer, False)
    _shim["set_bell"](heap, writer)
    return reader


def connect_socket(heap, name):
    """Connects to the bell on which JavaScript listens: a named pipe on Windows, else a Unix socket."""
    if os.name == "posix":
        import socket

        bell = socket.socket(socket.AF_UNIX)
        try:
            bell.connect(name)
        finally:
            if name[0] != "\0":  # Linux: a name without a file
                os.unlink(name)
        bell.setblocking(False)
        return _shim["set_bell"](heap, bell.detach())
    import _winapi

    access = _winapi.GENERIC_READ | _winapi.GENERIC_WRITE
    _shim["set_bell"](heap, _winapi.CreateFile(name, access, 0, _winapi.NULL, _winapi.OPEN_EXISTING, 0, _winapi.NULL))
