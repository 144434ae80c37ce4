"""Runs a program in a terminal of its own: `python pseudo_terminal.py PROGRAM [ARGUMENT]...`

What comes on stdin is typed there, and what the terminal shows goes to stdout. Ends with the program's exit code, or with
256 minus the number of the signal that has ended it.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
sources = [0, terminal]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:  # on Linux, a terminal that nothing has open any more
            data = b""
        if not data:
            sources.remove(source)
        elif source == terminal:
            os.write(1, data)
        else:
            os.write(terminal, data)
status = os.waitpid(child, 0)[1]
os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 256 - os.WTERMSIG(status))
