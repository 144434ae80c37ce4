"""JavaScript modules in Python: `from my_module import js_sleep`.

The one thing to know: they are found by a finder like any other's, so `import`, `reload` and `from … import *` are
Python's own; what a name holds is looked up when the module is executed.
"""

import importlib.abc
import importlib.machinery
import importlib.util

_js_modules = {}  # full name -> {attribute: value}
_js_aliases = {}  # full name -> the full name of the module that it also names
_js_owners = {}  # full name -> the name with which it was registered
_covered = {}  # full name -> Python's own module of that name, which is put back
_covered_attributes = {}  # full name -> what its package, one of Python's own, had by that name


class _JsFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name not in _js_modules:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin="javascript", is_package=True)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        package, last = _package_at(module.__name__)
        # `import` sets it to the module
        if not _is_js_module(package) and package.__dict__.get(last, module) is not module:
            _covered_attributes[module.__name__] = package.__dict__[last]
        _fill_module(module, _js_modules[module.__name__])


def _is_js_module(module):
    return isinstance(getattr(getattr(module, "__spec__", None), "loader", None), _JsFinder)


def _package_at(name):
    """The package that has a module of this name as an attribute, and the attribute's name."""
    parent, _, last = name.rpartition(".")
    return sys.modules.get(parent, _no_package), last


_no_package = types.ModuleType("none")
_kept_names = frozenset(("__name__", "__loader__", "__package__", "__spec__", "__path__", "__builtins__"))


def _fill_module(module, exports):
    """Replaces what the module holds, in place: whoever has imported it sees the new names."""
    children = {
        name[len(module.__name__) + 1 :]
        for name in (*_js_modules, *_js_aliases)
        if name.startswith(module.__name__ + ".")
    }
    for name in [name for name in module.__dict__ if name not in _kept_names and name not in children]:
        del module.__dict__[name]
    module.__dict__.update(exports)
    module.__dict__.setdefault("__doc__", None)
    names = [*exports, *(name for name in children if "." not in name)]
    module.__dict__.setdefault("__all__", [name for name in names if not name.startswith("_")])


def _is_importable(name):
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _is_package(name):
    if name in sys.modules:
        return hasattr(sys.modules[name], "__path__")
    return importlib.util.find_spec(name).submodule_search_locations is not None


def register_module(modules, aliases):
    """{full name: {attribute: value}} and {full name: full name}: the module and what is nested in it. Gives None, or the
    name of the parent that can have no submodules."""
    root = min(modules, key=len)
    parent = root.rpartition(".")[0]
    if parent and _is_importable(parent) and not _is_package(parent):
        return parent
    for name in _names_within(root):
        if name in aliases or (name in _js_aliases if name in modules else _js_owners[name] == root):
            _forget(name)
    _js_owners.update(dict.fromkeys((*modules, *aliases), root))
    while parent and parent not in _js_modules and not _is_importable(parent):
        modules = dict(modules, **{parent: {}})
        _js_owners[parent] = parent
        parent = parent.rpartition(".")[0]
    _js_modules.update(modules)
    _js_aliases.update(aliases)
    for name in sorted(modules, key=len):
        for value in modules[name].values():
            if isinstance(value, types.FunctionType) and hasattr(value, "__pyawait_js__"):
                value.__module__ = name
        if _is_js_module(sys.modules.get(name)):
            _fill_module(sys.modules[name], modules[name])
    for name in (*modules, *aliases):
        if name in sys.modules and not _is_js_module(sys.modules[name]):
            _covered[name] = sys.modules.pop(name)
    if not any(isinstance(finder, _JsFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _JsFinder())
    for name in sorted(modules, key=len):
        if name != root and name.startswith(root + "."):
            import_module(name)  # nested names are attributes as well
    for name, module in aliases.items():
        parent, _, last = name.rpartition(".")
        sys.modules[name] = import_module(module)
        setattr(import_module(parent), last, sys.modules[name])


def _names_within(root):
    return [name for name in _js_owners if name == root or name.startswith(root + ".")]


def _forget(name):
    """Takes a module away, and puts back what Python itself has by that name."""
    for known in (_js_modules, _js_aliases, _js_owners):
        known.pop(name, None)
    package, last = _package_at(name)
    if _is_js_module(sys.modules.get(name)):
        if package.__dict__.get(last) is sys.modules.pop(name):
            delattr(package, last)
    if name in _covered:
        sys.modules[name] = _covered.pop(name)
    if name in _covered_attributes:
        setattr(package, last, _covered_attributes.pop(name))


def unregister_module(name):
    """Whether there was one; what has been imported from it stays where it is."""
    gone = _names_within(name)
    for known in gone:
        _forget(known)
    return bool(gone)


def _signature(proxy):
    """inspect.signature of a JavaScript function, as far as its source tells."""
    parameters = []
    for name, rest, optional in _call(SIGNATURE, proxy._pyawait_heap, proxy._pyawait_handle, (), None):
        kind = inspect.Parameter.VAR_POSITIONAL if rest else inspect.Parameter.POSITIONAL_ONLY
        parameters.append(
            inspect.Parameter(name, kind, default=None if optional and not rest else inspect.Parameter.empty)
        )
    return inspect.Signature(parameters)


# pyawait run -----------------------------------------------------------------------------------------------------


def _exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF if -1 << 63 <= code < 1 << 63 else 0xFF  # what C's long cannot hold is -1
    _tell(code)
    return 1


def _tell(text):
    """Prints to stderr, if there is one that can be written to."""
    try:
        if sys.stderr is not None:
            print(text, file=sys.stderr)
    except BaseException:
        pass


def _show_error(error):
    """What Python does about an exception that ends a script, one in the hook for that included. Gives the exit code."""
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        _tell("sys.excepthook is missing")
        hook = sys.__excepthook__
    try:
        hook(type(error), error, error.__traceback__)
    except SystemExit as ended:
        return _exit_code(ended.code)
    except BaseException as failed:
        _tell("Error in sys.excepthook:")
        # without this function's frame
        sys.__excepthook__(type(failed), failed.with_traceback(failed.__traceback__.tb_next), None)
        _tell("\nOriginal exception was:")
        sys.__excepthook__(type(error), error, error.__traceback__)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def flush_streams():
    """Whether all that was written is out; a stream that is closed has been flushed."""
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


def _join_own_threads():
    """Waits for the script's threads, as Python does at its end; those of executors wait for work for ever."""
    import concurrent.futures.thread

    for thread in threading.enumerate():
        if (
            not thread.daemon
            and thread is not threading.current_thread()
            and thread not in concurrent.futures.thread._threads_queues
        ):
            thread.join()


def run_as_main(path):
    """Runs a file as `__main__`, as `python FILE` does, and gives the exit code."""
    import __main__

    path = os.path.abspath(path)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        print("pyawait: can't open file '%s': [Errno %d] %s" % (path, error.errno, error.strerror), file=sys.stderr)
        return 2
    __main__.__file__ = path
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.executable, *sys.argv]
    sys.path.insert(0, os.path.dirname(path))
    code, failed = 0, None
    try:
        exec(compile(source, path, "exec"), __main__.__dict__)
    except SystemExit as error:
        code = _exit_code(error.code)
    except BaseException as error:
        failed = error.with_traceback(error.__traceback__.tb_next)  # without this function's own frame
    if failed is not None:  # here: what a hook raises has not been raised in its handler
        code = _show_error(failed)
    _join_own_threads()
    return code if flush_streams() else 120  # which is Python's own for that


async def run_script(path):
    """Runs a script on this thread, Python's main one, while the background loop stands still."""
    return await run_between(functools.partial(run_as_main, path))
