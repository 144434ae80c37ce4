"""JavaScript modules in Python: `from my_module import js_sleep`.

They are found by a finder on `sys.meta_path`, so `import`, `reload` and `from ... import *` are Python's own. The
contents of a module are looked up when it is executed.
"""

import importlib.abc
import importlib.machinery
import importlib.util

_js_modules = {}  # full name -> {attribute: value}
_js_aliases = {}  # full name -> the full name of the module that it also names
_js_owners = {}  # full name -> the name under which it was registered
_covered = {}  # full name -> Python's own module of that name, to put back
_covered_attributes = {}  # full name -> the attribute of that name in its package, if that is a Python package


class _JsFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name not in _js_modules:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin="javascript", is_package=True)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        package, last = _package_at(module.__name__)
        # `import` sets this attribute to the module itself.
        if not _is_js_module(package) and package.__dict__.get(last, module) is not module:
            _covered_attributes[module.__name__] = package.__dict__[last]
        _fill_module(module, _js_modules[module.__name__])


def _is_js_module(module):
    return isinstance(getattr(getattr(module, "__spec__", None), "loader", None), _JsFinder)


def _package_at(name):
    """The package in which a module of this name is an attribute, and the attribute's name."""
    parent, _, last = name.rpartition(".")
    return sys.modules.get(parent, _no_package), last


_no_package = types.ModuleType("none")
_kept_names = frozenset(("__name__", "__loader__", "__package__", "__spec__", "__path__", "__builtins__"))


def _fill_module(module, exports):
    """Replaces the module's contents in place, so that code that has imported it sees the new names."""
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


_registering = threading.RLock()  # Workers register, too


def register_module(modules, aliases):
    with _registering:
        return _register_module(modules, aliases)


def _register_module(modules, aliases):
    """Registers a module and the modules nested in it: {full name: {attribute: value}} and {full name: full name}.

    Returns None, or the name of the parent if that cannot have submodules.
    """
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
    """Removes a module, and puts back what Python itself has under that name."""
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
    """Whether there was one. What has been imported from it stays where it is."""
    with _registering:
        gone = _names_within(name)
        for known in gone:
            _forget(known)
        return bool(gone)
