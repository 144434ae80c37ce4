"""`pyawait types`: finds stubs, and what a name in one means, across files. Nothing of them is run or imported.

The order is that of PEP 561, with typeshed at its end: folders that the user names, `NAME-stubs`, the stub beside the
module, typeshed's standard library, typeshed's third-party stubs. Typeshed is data of type checkers; whichever is
installed in this Python has one.
"""

import ast
import importlib.util
import os
import sys
import sysconfig

# Newest first: mypy, basedpyright and pyright follow typeshed within weeks.
_CARRIERS = (
    ("mypy", ("typeshed",)),
    ("basedpyright", ("dist", "typeshed-fallback")),
    ("pyright", ("dist", "typeshed-fallback")),
    ("typeshed_client", ("typeshed",)),
    ("pytype", ("typeshed",)),
    ("jedi", ("third_party", "typeshed")),
)
_TYPESHEDS_OWN = {
    "_typeshed",
    "typing_extensions",
    "_collections_abc",
}  # in its standard library, wherever they are installed


def _version_of(distribution):
    try:
        import importlib.metadata

        return " " + importlib.metadata.version(distribution)
    except Exception:  # an installation without metadata
        return ""


def typesheds():
    """The typesheds of this Python's packages, then that of a pyright in node_modules, as (folder, label)."""
    for package, inside in _CARRIERS:
        try:
            places = list(getattr(importlib.util.find_spec(package), "submodule_search_locations", None) or [])
        except (ImportError, ValueError, AttributeError):
            places = []
        for place in places:
            folder = os.path.join(place, *inside)
            if standard_library_in(folder):
                yield folder, package + _version_of(package.replace("_", "-"))
    folder = os.getcwd()
    while True:
        for package in ("basedpyright", "pyright"):
            found = os.path.join(folder, "node_modules", package, "dist", "typeshed-fallback")
            if os.path.isdir(os.path.join(found, "stdlib")):
                yield found, package + " in node_modules"
        if os.path.dirname(folder) == folder:
            return
        folder = os.path.dirname(folder)


def standard_library_in(folder):
    """The folders with the standard library's stubs in a typeshed, the most specific first."""
    inner = os.path.join(folder, "stdlib")
    if os.path.isdir(os.path.join(inner, "3")):  # before 2021: a folder for what is new in each version
        names = ["3.%d" % minor for minor in range(sys.version_info[1], 4, -1)] + ["3", "2and3"]
        return [each for each in (os.path.join(inner, name) for name in names) if os.path.isdir(each)]
    if os.path.isdir(inner):
        return [inner]
    return [folder] if os.path.exists(os.path.join(folder, "VERSIONS")) else []  # typeshed_client has nothing else


def versions_of(folder):
    """The first and last Python of each module, as typeshed's VERSIONS lists them."""
    found = {}
    try:
        with open(os.path.join(folder, "VERSIONS"), encoding="utf-8") as file:
            lines = [line.partition("#")[0] for line in file]
    except OSError:
        return found
    number = lambda text: tuple(int(part) for part in text.strip().split("."))
    for line in lines:
        name, _, span = line.partition(":")
        first, _, last = span.partition("-")
        try:
            found[name.strip()] = (number(first), number(last) if last.strip() else (99,))
        except ValueError:  # an empty line, or a form that does not exist yet
            pass
    return found


def in_standard_library(name):
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    origin = getattr(spec, "origin", None) or getattr(module, "__file__", None)
    if name.partition(".")[0] in _TYPESHEDS_OWN:
        return True
    if module is None:
        names = getattr(sys, "stdlib_module_names", None)
        return names is None or name.partition(".")[0] in names
    if origin is None:  # a program has made it, or Python at its start (3.8)
        return spec is not None and name in sys.builtin_module_names
    if not isinstance(origin, str) or origin in ("built-in", "frozen"):
        return True
    folders = {os.path.realpath(sysconfig.get_path(key)) for key in ("stdlib", "platstdlib")}
    inside = os.path.dirname(os.path.realpath(origin)) + os.sep
    return any(inside.startswith(each + os.sep) for each in folders) and not any(
        part in inside for part in ("site-packages", "dist-packages")
    )


class Found:
    """A stub: its syntax, and where it comes from."""

    def __init__(self, tree, path, label, partial=False, typeshed=False):
        self.tree, self.path, self.label, self.partial, self.typeshed = tree, path, label, partial, typeshed


class StubFiles:
    def __init__(self, folders):
        self._given = [os.path.abspath(folder) for folder in folders]
        for folder in self._given:
            if not os.path.isdir(folder):
                raise NotADirectoryError("--stubs takes a folder with stubs: there is no folder '%s'" % folder)
        self._typesheds = None
        self._versions = {}

    def find(self, name):
        for folder, top, label, typeshed in self._places(name):
            rest = name.split(".")[1:]
            base = os.path.join(folder, top, *rest)
            for path in (os.path.join(base, "__init__.pyi"), base + ".pyi"):
                tree = self._parsed(path)
                if tree:
                    return Found(tree, path, label, self._is_partial(os.path.join(folder, top)), typeshed)
        return None

    def _places(self, name):
        top = name.partition(".")[0]
        for folder in self._given:
            inner = [each for each in standard_library_in(folder) if self._has(each, name)]
            for each in inner:
                yield each, top, "stubs in %s" % folder, True
            if folder not in inner and not os.path.exists(os.path.join(folder, "VERSIONS")):
                yield folder, top, "stubs in %s" % folder, False
                yield folder, top + "-stubs", "stubs in %s" % folder, False
        for folder in sys.path:
            yield folder, top + "-stubs", "%s-stubs" % top, False
        spec = getattr(sys.modules.get(name), "__spec__", None)
        origin = getattr(spec, "origin", None)
        if isinstance(origin, str) and getattr(spec, "has_location", False):  # wherever an import hook has found it
            folder = os.path.dirname(origin)
            for _ in range(name.count(".") + bool(getattr(spec, "submodule_search_locations", None))):
                folder = os.path.dirname(folder)
            yield folder, top, "its stub", False
        elif name not in sys.modules:
            for folder in sys.path:
                yield folder, top, "its stub", False
        for folder, label in self._installed():
            for inner in standard_library_in(folder) if in_standard_library(name) else []:
                if self._has(inner, name):
                    yield inner, top, "stubs of %s" % label, True
        for folder, label in self._installed():
            outer = os.path.join(folder, "stubs")
            if not in_standard_library(name) and os.path.isdir(outer):
                for distribution in sorted(os.listdir(outer)):
                    yield os.path.join(outer, distribution), top, "stubs of %s" % label, False

    def _installed(self):
        if self._typesheds is None:
            self._typesheds = list(typesheds())
        return self._typesheds

    def has_typeshed(self):
        return bool(self._given or self._installed())

    def _has(self, folder, name):
        """Whether the module exists in this Python, as far as VERSIONS of the folder says."""
        if folder not in self._versions:
            self._versions[folder] = versions_of(folder)
        while name:
            if name in self._versions[folder]:
                first, last = self._versions[folder][name]
                return first <= sys.version_info[:2] and sys.version_info[: len(last)] <= last
            name = name.rpartition(".")[0]
        return True

    @staticmethod
    def _parsed(path):
        try:
            with open(path, encoding="utf-8") as file:
                return ast.parse(file.read(), path)
        except (OSError, SyntaxError, ValueError, RecursionError):  # missing, or for a later Python
            return None

    @staticmethod
    def _is_partial(package):
        try:
            with open(os.path.join(package, "py.typed"), encoding="utf-8") as file:
                return "partial" in file.read()
        except (OSError, ValueError):
            return False


def statements(body):
    """The statements that apply here: conditions on `sys.version_info` and `sys.platform` are evaluated for this
    Python.
    """
    for node in body:
        if isinstance(node, ast.If):
            try:
                test = eval(compile(ast.Expression(node.test), "<stub>", "eval"), {"sys": sys, "TYPE_CHECKING": True})
            except Exception:
                test = True
            yield from statements(node.body if test else node.orelse)
        elif isinstance(node, ast.Try):
            yield from statements(node.body)
        else:
            yield node


class Definition:
    """What a name stands for: `kind` is class, function, value, alias, module or unknown (its stub is not there)."""

    def __init__(self, kind, home, name, node=None):
        self.kind, self.home, self.name, self.node = kind, home, name, node


class StubModule:
    """One stub and the names in it. `open`: it may have more names than it says."""

    def __init__(self, library, name, found):
        self.library, self.name, self.found = library, name, found
        self.tree = found.tree
        self.package = name if os.path.basename(found.path) == "__init__.pyi" else name.rpartition(".")[0]
        self.bindings, self.exported, self.listed = {}, [], None
        self.open = found.partial

    def read(self):
        for node in statements(self.tree.body):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.open = self.open or node.name == "__getattr__"
                known = self.bindings.get(node.name)
                nodes = known.node if known and known.kind == "function" and known.home == self.name else []
                self._bind(node.name, Definition("function", self.name, node.name, nodes + [node]))
            elif isinstance(node, ast.ClassDef):
                self._bind(node.name, Definition("class", self.name, node.name, node))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                alias = last_name(node.annotation) == "TypeAlias" and node.value is not None
                kind, payload = ("alias", node.value) if alias else ("value", node)
                self._bind(node.target.id, Definition(kind, self.name, node.target.id, payload))
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        self._bind(target.id, Definition("alias", self.name, target.id, node.value))
                        if target.id == "__all__":
                            self.listed = self._names_in(node.value)
            elif type(node).__name__ == "TypeAlias":  # `type X = …`
                self._bind(node.name.id, Definition("alias", self.name, node.name.id, node.value))
            elif isinstance(node, ast.AugAssign) and dotted_name(node.target) == "__all__":
                self.listed = (self.listed or []) + self._names_in(node.value)
            elif isinstance(node, ast.Import):
                for each in node.names:
                    target = each.name if each.asname else each.name.partition(".")[0]
                    self._bind(each.asname or target, Definition("module", target, target), each.asname == each.name)
            elif isinstance(node, ast.ImportFrom):
                self._import_from(node)

    def public(self):
        """The names that other modules see."""
        return list(dict.fromkeys(self.exported if self.listed is None else self.listed))

    def _bind(self, name, definition, exported=True):
        self.bindings[name] = definition
        if exported and not name.startswith("_"):
            self.exported.append(name)

    def _import_from(self, node):
        source = node.module or ""
        if node.level:
            package = self.package.split(".")
            package = package[: len(package) - node.level + 1]
            source = ".".join(package + [source] if source else package)
        for each in node.names:
            if each.name != "*":
                self._bind(each.asname or each.name, Definition("import", source, each.name), each.asname == each.name)
                if each.name == "__all__":
                    self.listed = getattr(self.library.module(source), "listed", None)
                continue
            other = self.library.module(source)
            self.open = self.open or other is None or other.open
            for name in other.public() if other else []:
                self._bind(name, Definition("import", source, name))

    def _names_in(self, node):
        if isinstance(node, (ast.List, ast.Tuple)):
            return [each.value for each in node.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if isinstance(node, ast.Attribute) and node.attr == "__all__":
            found = self.library.definition(self, dotted_name(node.value))
            return list(getattr(self.library.module(found.home), "listed", None) or []) if found else []
        return []


class Library:
    """All stubs that are read."""

    def __init__(self, folders):
        self.files = StubFiles(folders)
        self._modules = {}

    def module(self, name):
        if name not in self._modules:
            found = self.files.find(name)
            self._modules[name] = StubModule(self, name, found) if found else None
            if found:
                self._modules[name].read()  # stubs import each other in circles: it is listed before it is read
        return self._modules[name]

    def definition(self, module, dotted, seen=()):
        """What a dotted name stands for at a stub's top level, or None."""
        first, *rest = dotted.split(".")
        found = module.bindings.get(first)
        if found is None and module.name != "builtins":
            builtins = self.module("builtins")
            found = builtins.bindings.get(first) if builtins else None
        return self._inside(found, rest, seen)

    def _inside(self, found, rest, seen):
        if found is not None and found.kind == "import":
            source, name = self.module(found.home), found.name
            again = (found.home, name) in seen  # `from . import decoder` binds a submodule in its own package
            if source and name in source.bindings and not again:
                return self._inside(source.bindings[name], rest, seen + ((found.home, name),))
            submodule = "%s.%s" % (found.home, name)
            found = (
                Definition("module", submodule, submodule)
                if self.module(submodule)
                else Definition("unknown", found.home, name)
            )
        if found is None or not rest:
            return found
        name, *others = rest
        if found.kind == "module":
            source = self.module(found.home)
            if source and name in source.bindings:
                return self._inside(source.bindings[name], others, seen)
            submodule = "%s.%s" % (found.home, name)
            if self.module(submodule):
                return self._inside(Definition("module", submodule, submodule), others, seen)
            return Definition("unknown", ".".join([found.home] + rest[:-1]), rest[-1])
        if found.kind == "class":
            inner = [
                each for each in statements(found.node.body) if isinstance(each, ast.ClassDef) and each.name == name
            ]
            qualified = "%s.%s" % (found.name, name)
            return self._inside(Definition("class", found.home, qualified, inner[0]), others, seen) if inner else None
        return None
