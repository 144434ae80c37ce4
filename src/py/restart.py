"""The end of a program whose process goes on: `deno run --watch` starts the changed program in the same process.

Python stays open, since it cannot be opened twice; what the old program has started ends.
"""


def command_line():
    """The arguments with which the runtime was started. Deno does not tell a program its own flags."""
    if os.name == "nt":
        import ctypes

        command, count = ctypes.windll.kernel32.GetCommandLineW, ctypes.c_int()
        command.restype, split = ctypes.c_wchar_p, ctypes.windll.shell32.CommandLineToArgvW
        split.argtypes, split.restype = [ctypes.c_wchar_p, ctypes.c_void_p], ctypes.POINTER(ctypes.c_wchar_p)
        words = split(command(), ctypes.byref(count))
        return [words[i] for i in range(count.value)]
    try:
        if sys.platform == "darwin":
            import subprocess

            shown = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(os.getpid())], stdout=subprocess.PIPE)
            return shown.stdout.decode("utf-8", "replace").split()
        with open("/proc/self/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")[:-1]
    except OSError:
        return []  # no descriptor is left, or no /proc: the process is taken for one that ends


async def _cancel_tasks(timeout):
    tasks = _own_tasks(get_running_loop())
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=timeout)


def end_program(timeout):
    """Cancels the background loop's tasks and waits for them, at most `timeout` seconds: a server gives its port back
    before the next program wants it. Output goes to the process again.
    """
    try:
        asyncio.run_coroutine_threadsafe(_cancel_tasks(timeout), _background).result(timeout + 0.3)
    except Exception:
        pass  # the loop is stuck in code that does not return
    flush_streams()
    for name in ("stdout", "stderr"):
        if isinstance(getattr(sys, name), _Output):
            setattr(sys, name, getattr(sys, "__%s__" % name))
