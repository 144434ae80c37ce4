"""`pyawait top`: prints the tasks of a process, what awaits what, once or again and again.

Runs by itself in a Python of the process's version, and reads the process's memory; the process does not notice.
"""

import re
import sys
import time


def tree(pid):
    """The tasks as lines. An await of JavaScript is shown as that."""
    from asyncio import tools

    parts = tools.build_async_tree(tools.get_all_awaited_by(pid), task_emoji="task", cor_emoji="")
    lines = [line for part in parts for line in part]
    return [
        re.sub(r"─ +\S+ <pyawait/promises\.py>:\d+$", "─ JavaScript", line).replace("──  ", "── ") for line in lines
    ]


def read(pid, tries=20):
    """The same, tried again: a task may change while it is read."""
    for _ in range(tries - 1):
        try:
            return tree(pid)
        except (PermissionError, ProcessLookupError):
            raise
        except Exception:
            time.sleep(0.02)
    return tree(pid)


def explain(pid, error):
    """Why the process cannot be read."""
    if isinstance(error, ProcessLookupError):
        return "There is no process %d" % pid
    if isinstance(error, PermissionError):
        return "This user may not read process %d (on Linux see /proc/sys/kernel/yama/ptrace_scope; or use sudo)" % pid
    while error.__context__ is not None:
        error = error.__context__
    return "Cannot read the tasks of process %d with Python %s (%s): %s" % (
        pid,
        sys.version.split()[0],
        sys.executable,
        error or type(error).__name__,
    )


def main(pid, again):
    while True:
        try:
            lines = read(pid) or ["no task"]
        except Exception as error:
            sys.exit("pyawait: " + explain(pid, error))
        if not again:
            return print("\n".join(lines))
        print("\x1b[H\x1b[2J" + time.strftime("%X"), *lines, sep="\n", flush=True)
        time.sleep(1)


try:
    main(int(sys.argv[1]), sys.argv[2:] == ["again"])
except KeyboardInterrupt:
    pass
