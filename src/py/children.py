"""Children that Python starts: they get the process's three streams, blocking, and a forked one leaves JavaScript alone.

The shim does that in every child that is forked (ffi/shim/children.c). But no handlers run in a child of vfork or
posix_spawn, which `subprocess`, `multiprocessing` and `os.system` use, so here each gets its streams by number.
"""

import subprocess


def _with_streams(start):
    """Calls `start` with descriptors for a child's streams, by their number; without those that are closed."""
    streams = {stream: _shim["stream_for_child"](stream) for stream in range(3)}
    try:
        return start({stream: given for stream, given in streams.items() if given >= 0})
    finally:
        for given in streams.values():
            if given > 2:
                os.close(given)


def _guard_fork_exec(fork_exec):
    """Below subprocess.Popen and multiprocessing; -1 stands for the parent's stream there."""

    @functools.wraps(fork_exec)
    def start(*args):
        def with_streams(streams):
            given = list(args)
            for stream, position in enumerate((6, 9, 11)):  # p2cread, c2pwrite, errwrite
                wanted = stream if given[position] == -1 else given[position]
                given[position] = streams.get(wanted, given[position])
            return fork_exec(*given)

        return _with_streams(with_streams)

    return start


def _guard_spawn(spawn):
    @functools.wraps(spawn)
    def start(path, argv, env, *, file_actions=None, **options):
        def with_streams(streams):
            first = [(os.POSIX_SPAWN_DUP2, given, stream) for stream, given in streams.items() if given != stream]
            return spawn(path, argv, env, file_actions=[*first, *(file_actions or ())], **options)

        return _with_streams(with_streams)

    return start


def _guard_exec(execute):
    """The program that replaces this process has its streams as well."""

    @functools.wraps(execute)
    def replace(*args, **options):
        def with_streams(streams):
            for stream, given in streams.items():
                if given != stream:
                    os.dup2(given, stream)
            return execute(*args, **options)

        return _with_streams(with_streams)

    return replace


def _system(command):
    """os.system, whose own call cannot be told which streams to give. The same: the terminal's keys are for the child,
    and the signals that they send do not end this process meanwhile.
    """
    command = os.fsencode(command)
    sys.audit("os.system", command)
    defaults = [signal.SIGINT, signal.SIGQUIT]
    child = os.posix_spawn("/bin/sh", ["sh", "-c", command], os.environ, setsigdef=defaults)
    _shim["ignore_keys"](True)
    try:
        return os.waitpid(child, 0)[1]
    finally:
        _shim["ignore_keys"](False)


def _after_fork():
    """In a forked child: what it prints goes to its own streams, and its signals do not wake the parent's loop."""
    for name in ("stdout", "stderr"):
        if isinstance(getattr(sys, name), _Output):
            setattr(sys, name, getattr(sys, "__%s__" % name))
    signal.set_wakeup_fd(-1)


def _guard_children():
    import _posixsubprocess
    import posix

    _posixsubprocess.fork_exec = start = _guard_fork_exec(_posixsubprocess.fork_exec)
    if hasattr(subprocess, "_fork_exec"):  # 3.9
        subprocess._fork_exec = start
    guards = {
        "posix_spawn": _guard_spawn,
        "posix_spawnp": _guard_spawn,
        "execv": _guard_exec,
        "execve": _guard_exec,
        "system": lambda system: functools.wraps(system)(_system),
    }
    for name, guard in guards.items():
        guarded = guard(getattr(posix, name))
        setattr(posix, name, guarded), setattr(os, name, guarded)  # the same in both, or it could not be pickled
    os.register_at_fork(after_in_child=_after_fork)


if os.name == "posix":
    _guard_children()
