"""`pyawait repl`: Python's prompt in a JavaScript runtime.

The loop thread is Python's main thread, which gets signals, so what is typed runs there, as tasks of the background loop,
and Ctrl-C stops it even in `time.sleep`. Another thread, `pyawait-repl`, reads the lines and waits while one runs; both
event loops go on. Signals do not interrupt a read on that thread, so Ctrl-C at the prompt is a key (`_Keyboard`).
"""

import ast
import asyncio
import atexit
import builtins
import code
import contextvars
import functools
import inspect
import keyword
import os
import re
import signal
import sys
import threading
import types

import __main__
import pyawait


def _remove_own_frames(error, first=None):
    """Takes the frames of pyawait out of a traceback, and those before the code `first`, here and in what it refers to."""
    seen, waiting = set(), [(error, first)]
    while waiting:
        error, first = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        entries, entry = [], error.__traceback__
        while entry is not None:
            entries.append(entry)
            entry = entry.tb_next
        start = next((at for at, entry in enumerate(entries) if entry.tb_frame.f_code is first), 0)
        head = None
        for entry in reversed(entries[start:]):
            if entry.tb_frame.f_globals not in _own_namespaces:
                entry.tb_next, head = head, entry
        error.__traceback__ = head
        waiting += [(other, None) for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ()))]


class _Namespaces(list):
    def __contains__(self, namespace):
        return any(namespace is each for each in self)


_own_namespaces = _Namespaces([globals(), pyawait.__dict__])


class _Line:
    """One statement while it runs: a task on the loop's thread."""

    def __init__(self, code, loop, context):
        self.code, self.loop, self.context = code, loop, context
        self.task = self.error = None
        self.done = self.interrupted = self.cancelling = False
        self.cancelled = 0  # how often
        self.ended = threading.Event()

    def start(self):
        try:
            if sys.version_info >= (3, 11):  # what it sets in context variables is there for the next line
                self.task = self.loop.create_task(self.run(), context=self.context)
            else:
                self.task = self.context.run(self.loop.create_task, self.run())
        except BaseException as error:  # of a task factory
            self.end(error)
        else:  # one that is cancelled before its first step runs nothing
            self.task.add_done_callback(lambda task: self.end(asyncio.CancelledError()))

    async def run(self):
        try:
            result = types.FunctionType(self.code, __main__.__dict__)()
            if self.code.co_flags & inspect.CO_COROUTINE:
                await result
        except BaseException as error:  # also those that would stop the loop
            self.end(error)
        else:
            self.end(None)

    def end(self, error):
        if not self.done:
            self.done, self.error = True, error
            self.ended.set()

    def interrupt(self, number, frame):
        """Handles SIGINT: raises in the statement's own code, and cancels it where it waits. Code of other tasks that runs at
        the moment is let alone, unless it keeps the cancellation from being done.
        """
        outer = frame
        while outer is not None and outer.f_code is not self.code:
            outer = outer.f_back
        if outer is not None:
            self.interrupted = True
            raise KeyboardInterrupt
        if self.cancelling:
            pyawait._interrupt(number, frame)
        self.interrupted = self.cancelling = True
        self.loop.call_soon_threadsafe(self.cancel)

    def cancel(self):
        self.cancelling = False
        if self.task is None or self.done:
            return
        self.task.cancel()
        self.cancelled += 1
        if self.cancelled == 3:  # it goes on, without the prompt
            self.end(asyncio.CancelledError())


class _Console(code.InteractiveConsole):
    def __init__(self, loop):
        super().__init__(__main__.__dict__, filename="<stdin>")
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self.loop, self.context = loop, contextvars.copy_context()
        self.line, self.keyboard = None, None
        self.stale = False  # Ctrl-C has given up the lines before the next one
        self.below = False  # the cursor is on a line of its own

    def runcode(self, code):
        self.line = line = _Line(code, self.loop, self.context)
        self.loop.call_soon_threadsafe(line.start)
        line.ended.wait()
        self.line = None
        if pyawait._closing():  # JavaScript has ended the process: whatever the line has raised comes of that
            raise SystemExit
        if isinstance(line.error, SystemExit):
            raise line.error
        if line.error is not None:
            self.show(line)

    def show(self, line):
        error = line.error
        _remove_own_frames(error, line.code)
        if line.interrupted and isinstance(error, asyncio.CancelledError):
            self.write("\nKeyboardInterrupt\n")
            return
        if sys.version_info >= (3, 12):
            sys.last_exc = error
        pyawait._show_error(error)

    def interrupt(self, number, frame):
        """Handles SIGINT."""
        line = self.line
        if line is not None:
            line.interrupt(number, frame)
        elif self.keyboard is not None:
            self.keyboard.interrupt()

    def push(self, line, *args, **kwargs):
        if self.stale:
            self.stale = False
            self.resetbuffer()
        return super().push(line, *args, **kwargs)

    def write(self, text):
        super().write(text[1:] if self.below and text.startswith("\n") else text)
        self.below = False

    def raw_input(self, prompt=""):
        return self.keyboard.read(prompt)

    def read_all(self):
        self.keyboard = _Keyboard(self)
        try:
            self.interact(banner="", exitmsg="")
        finally:
            self.keyboard = None


class _Keyboard:
    """Lines through `input`: GNU readline or libedit, or neither.

    readline's read on this thread does not end at a signal. So while it reads, Ctrl-C is no signal but a key, which puts
    Ctrl-C's character at the end of the line and enters it. Without readline the terminal itself empties its line.
    """

    def __init__(self, console):
        self.console, self.settings = console, None
        readline = sys.modules.get("readline")
        if readline is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
            return
        try:
            import termios
        except ImportError:
            return
        self.termios, self.readline = termios, readline
        if "libedit" in (readline.__doc__ or ""):
            for command in (
                "bind '\\e[91~' ed-move-to-end",
                "bind '\\e[92~' ed-quoted-insert",
                "bind '\\e[93~' ed-newline",
            ):
                readline.parse_and_bind(command)
            readline.parse_and_bind("bind -s '^C' '\\e[91~\\e[92~\\003\\e[93~'")
        else:
            for keymap in ("vi-command", "vi-insert", "emacs"):  # the last one stays the current one
                readline.parse_and_bind("set keymap " + keymap)
                readline.parse_and_bind(
                    r'"\e[91~": %s' % ("vi-append-eol" if keymap == "vi-command" else "end-of-line")
                )
                readline.parse_and_bind(r'"\e[92~": quoted-insert')
                readline.parse_and_bind(r'"\e[93~": accept-line')
                readline.parse_and_bind(r'"\C-c": "\e[91~\e[92~\C-c\e[93~"')
        self.settings = termios.tcgetattr(0)

    def set_key(self, character):
        """Sets the character that is Ctrl-C's signal."""
        settings = self.termios.tcgetattr(0)
        settings[6][self.termios.VINTR] = character
        self.termios.tcsetattr(0, self.termios.TCSANOW, settings)

    def read(self, prompt):
        if self.settings is None:
            return input(prompt)
        self.set_key(bytes([os.fpathconf(0, "PC_VDISABLE") & 0xFF]))
        try:
            text = input(prompt)
        finally:
            self.set_key(self.settings[6][self.termios.VINTR])
        if not text.endswith("\x03"):
            return text
        last = self.readline.get_current_history_length()
        if last and (self.readline.get_history_item(last) or "").endswith("\x03"):
            self.readline.remove_history_item(last - 1)
        self.console.below = True
        raise KeyboardInterrupt

    def interrupt(self):
        self.console.stale = True
        self.console.write("\nKeyboardInterrupt\n%s" % getattr(sys, "ps1", ">>> "))


def _import_completer():
    import rlcompleter

    class Completer(rlcompleter.Completer):
        """Python's, which also reads each attribute that it finds. Of a JavaScript object that would run getters."""

        def attr_matches(self, text):
            found = re.match(r"(\w+(?:\.\w+)*)\.(\w*)$", text)
            if not found:
                return []
            try:
                value = eval(found.group(1), self.namespace)
                if not isinstance(value, pyawait.JsProxy):
                    return super().attr_matches(text)
                names = dir(value)
            except Exception:
                return []
            start = found.group(2)
            return [
                "%s.%s%s" % (found.group(1), name, "_" if keyword.iskeyword(name) else "")
                for name in names
                if name.startswith(start) and name.isidentifier() and (start or not name.startswith("_"))
            ]

    return Completer(__main__.__dict__).complete


def _prepare_terminal():
    """What `python` does for a prompt at a terminal: completion and history, if this Python has them."""
    try:
        import readline
    except ImportError:
        readline = None
    hook = getattr(sys, "__interactivehook__", None)
    try:
        if hook is not None:
            # From 3.13 on it prepares for Python's own editor, which loses signals where the loop is the main thread's.
            basic = os.environ.get("PYTHON_BASIC_REPL")
            os.environ["PYTHON_BASIC_REPL"] = "1"
            try:
                hook()
            finally:
                os.environ.pop("PYTHON_BASIC_REPL") if basic is None else os.environ.update(PYTHON_BASIC_REPL=basic)
        completer = _import_completer()
        if readline is not None:
            readline.set_completer(completer)
    except Exception as error:  # as Python does
        sys.stderr.write("Failed calling sys.__interactivehook__\n")
        pyawait._show_error(error)


def _run_startup_file(console):
    path = os.environ.get("PYTHONSTARTUP")
    if not path:
        return
    import tokenize

    try:
        with tokenize.open(path) as file:
            text = file.read()
    except OSError as error:
        console.write("Could not open PYTHONSTARTUP\n%s: %s\n" % (type(error).__name__, error))
        return
    try:
        startup = compile(text, path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError) as error:
        pyawait._show_error(error.with_traceback(None))
    else:
        console.runcode(startup)


class _Settings:
    """Gives the terminal back as it was if JavaScript ends the process while a line is read."""

    def __init__(self):
        try:
            import termios
        except ImportError:
            return
        self.put_back = functools.partial(termios.tcsetattr, 0, termios.TCSANOW, termios.tcgetattr(0))
        atexit.register(self.put_back)

    def forget(self):
        if hasattr(self, "put_back"):
            atexit.unregister(self.put_back)


def _converse(console, banner, at_terminal):
    """The thread that reads. Returns the exit code."""
    settings = _Settings() if at_terminal else None
    try:
        console.write(banner)
        if at_terminal:
            _run_startup_file(console)
        console.read_all()
    except SystemExit as ended:
        return pyawait._exit_code(ended.code)
    except BaseException as error:
        pyawait._show_error(error)
        return 1
    finally:
        if settings is not None and not pyawait._closing():
            settings.forget()
    return 0


async def start_repl(js, banner, ended):
    """Begins to read; at the end calls `ended` with the exit code."""
    loop = asyncio.get_running_loop()
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.executable]
    pyawait._prepend_path("")
    __main__.__dict__.update(asyncio=asyncio, js=js)
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    if at_terminal:
        _prepare_terminal()
    console = _Console(loop)
    signal.signal(signal.SIGINT, console.interrupt)

    def finish(code):
        pyawait.take_interrupts()  # Ctrl-C ends what the end waits for
        try:
            code = pyawait.finish_main(code)
        except BaseException as error:  # of a broken sys.excepthook
            pyawait._show_error(error)
        ended(code)

    def stop(code):
        if not pyawait._closing():
            pyawait.stop_for(functools.partial(finish, code))

    def converse():
        code = _converse(console, banner, at_terminal)
        try:
            loop.call_soon_threadsafe(stop, code)
        except RuntimeError:
            pass  # the loop is closed: the process is ending

    threading.Thread(target=converse, name="pyawait-repl", daemon=True).start()
