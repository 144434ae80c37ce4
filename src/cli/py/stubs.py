"""`pyawait types`: reads stubs as syntax, without running them.

The result has the same form as that of describe.py: members and classes, which go to declarations.ts as JSON. A class
is described once, under its qualified name, and everything else refers to that.
"""

import ast
import inspect
import os
import sys

_ANY_CALL = {"positional": [], "rest": ["any"], "keywords": [], "open": True, "result": ["any"]}
_ENUMS = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}
_CONTEXTS = {"contextmanager", "asynccontextmanager"}  # the function's annotation is not what these return


def value(type, doc=None):
    return {"kind": "value", "type": type, "doc": doc}


def function(calls, doc=None):
    return {"kind": "function", "calls": calls, "doc": doc}


def attribute(owner, name, default=None):
    try:
        return getattr(owner, name, default)
    except Exception:  # a property, or a module's __getattr__, may raise anything
        return default


def is_class(item):
    return issubclass(type(item), type)  # an object may raise, or lie, when asked for its __class__


def doc_of(item):
    try:
        return inspect.getdoc(item)
    except Exception:
        return None


def parameter(name, type, optional, only=False):
    """`only`: cannot be given by keyword."""
    return {"name": name, "type": type, "optional": optional, "only": only}


_PLAIN = (("string", str), ("boolean", bool), ("int", int), ("float", float))
_PLAIN_NAMES = (("string", {"str", "StrEnum"}), ("int", {"int", "IntEnum", "IntFlag"}), ("float", {"float"}))
_NUMPY = {"integer": "int", "floating": "float", "bool": "boolean", "bool_": "boolean"}


def plain_of_names(names):
    """What instances become in JavaScript if they do not stay proxies, by the names of the bases."""
    if "TypedDict" in names:
        return ["dict", ["any"]]
    return next(([plain] for plain, those in _PLAIN_NAMES if names & those), None)


def plain_of_class(cls):
    if type(cls).__name__ == "_TypedDictMeta":
        return ["dict", ["any"]]
    for plain, base in _PLAIN:
        if issubclass(cls, base):
            return [plain]
    bases = [base.__name__ for base in cls.__mro__ if base.__module__ == "numpy"]
    return next(([_NUMPY[base]] for base in bases if base in _NUMPY and bases[0] != "longdouble"), None)


def class_shape(bases, members, statics, calls, doc, plain=None, protocol=False, awaits=False):
    """`plain`: what instances become in JavaScript if they do not stay proxies; `calls`: None if unknown."""
    visible = lambda those: {name: each for name, each in those.items() if not name.startswith("_")}
    return {
        "bases": bases,
        "members": visible(members),
        "statics": visible(statics),
        "calls": calls,
        "doc": doc,
        "plain": plain,
        "protocol": protocol,
        "awaits": awaits,
    }


def stub_of(name, spec):
    """The syntax of a module's stub, which is beside the module or in a package of stubs."""
    candidates = []
    origin = getattr(spec, "origin", None)
    if origin and spec.has_location:
        folder, file = os.path.split(origin)
        candidates.append(os.path.join(folder, file.partition(".")[0] + ".pyi"))  # of `x.py`, of `x.cpython-311.so`
    top, _, rest = name.partition(".")
    for folder in sys.path:
        base = os.path.join(folder, top + "-stubs", *rest.split(".")) if rest else os.path.join(folder, top + "-stubs")
        candidates += [base + ".pyi", os.path.join(base, "__init__.pyi")]
    for path in candidates:
        try:
            with open(path, encoding="utf-8") as file:
                return ast.parse(file.read(), path)
        except (OSError, SyntaxError, ValueError):  # missing, or for a later Python
            pass
    return None


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


def call_of_ast(node, resolve, bound):
    arguments = node.args
    only = len(getattr(arguments, "posonlyargs", []))
    positional = getattr(arguments, "posonlyargs", []) + arguments.args
    first_default = len(positional) - len(arguments.defaults)
    convert = lambda each: type_of_ast(each.annotation, resolve)
    listed = [
        parameter(each.arg, convert(each), at >= first_default, at < only or each.arg.startswith("__"))
        for at, each in enumerate(positional)
    ]
    keywords = [
        parameter(each.arg, convert(each), default is not None)
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults)
    ]
    result = type_of_ast(node.returns, resolve)
    return {
        "positional": listed[1 if bound else 0 :],
        "rest": convert(arguments.vararg) if arguments.vararg else None,
        "keywords": keywords,
        "open": arguments.kwarg is not None,
        "result": ["awaitable", result] if isinstance(node, ast.AsyncFunctionDef) else result,
    }


class Stub:
    """One stub. Reading it fills `classes` and returns the module's members."""

    def __init__(self, tree, module, names, classes):
        self.classes = classes
        self.module = module
        self.runtime = names.within(vars(module))
        self.known = set(self._class_names(tree.body, ""))
        for name in self.known:
            cls = attribute(module, name)
            if is_class(cls):
                names.add(cls, name)
        self.tree = tree

    def read(self):
        return self._members(self.tree.body, "", False)[0]

    def _class_names(self, body, prefix):
        for node in statements(body):
            if isinstance(node, ast.ClassDef):
                yield prefix + node.name
                yield from self._class_names(node.body, "%s%s." % (prefix, node.name))

    def _resolver(self, scope):
        """Names are looked up in the class that is being read, then in the classes around it, then in the module."""

        def resolve(dotted):
            around = scope
            if dotted in ("Self", "typing.Self", "typing_extensions.Self") and scope:
                return scope[:-1]
            while around:
                if around + dotted in self.known:
                    return around + dotted
                around = around[:-1].rpartition(".")[0]
                around += "." if around else ""
            return dotted if dotted in self.known else self.runtime(dotted)

        return resolve

    def _members(self, body, scope, is_enum):
        """The members, and for a class also those of the class itself: static and class methods, constants, classes."""
        members, statics = {}, {}
        own = ["class", scope[:-1]] if is_enum else ["any"]
        resolve = self._resolver(scope)
        for node in statements(body):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._function(node, members, statics, resolve, bool(scope))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
                # Older stubs write the members of an enum as annotations.
                type = (
                    ["any"]
                    if is_enum and node.value is None
                    else own
                    if is_enum
                    else type_of_ast(node.annotation, resolve)
                )
                members[name] = value(type)
                if is_enum or node.value is not None or last_name(node.annotation) == "ClassVar":
                    statics[name] = members[name]
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        members.setdefault(target.id, value(own))
                        statics[target.id] = members[target.id]
            elif isinstance(node, ast.ClassDef):
                self.classes[scope + node.name] = self._class(node, scope)
                members[node.name] = statics[node.name] = {"kind": "class", "name": scope + node.name}
        return members, statics

    def _function(self, node, members, statics, resolve, method):
        decorators = {last_name(each) for each in node.decorator_list}
        call = call_of_ast(node, resolve, method and "staticmethod" not in decorators)
        if decorators & _CONTEXTS:
            call["result"] = ["any"]
        if decorators & {"setter", "deleter", "getter"}:
            return
        if any(name.lower().endswith("property") for name in decorators):
            members[node.name] = value(call["result"], ast.get_docstring(node))
            return
        known = members.get(node.name)
        if known is None or known["kind"] != "function" or "overload" not in decorators:
            known = members[node.name] = function([])
        known["calls"].append(call)
        known["doc"] = known["doc"] or ast.get_docstring(node)
        if decorators & {"staticmethod", "classmethod"}:
            statics[node.name] = known

    def _class(self, node, scope):
        name = scope + node.name
        resolve = self._resolver(scope)
        base_names = {last_name(each) for each in node.bases}
        base_nodes = [each.value if isinstance(each, ast.Subscript) else each for each in node.bases]
        bases = [base for base in (resolve(dotted_name(each)) for each in base_nodes) if base and base != name]
        members, statics = self._members(node.body, name + ".", bool(base_names & _ENUMS))
        made = members.get("__init__") or members.get("__new__")
        calls = made["calls"] if made and made["kind"] == "function" else None
        if calls is None and not node.bases and not node.keywords and not node.decorator_list:
            calls = [dict(_ANY_CALL, rest=None, open=False)]
        found = attribute(self.module, name)
        return class_shape(
            bases,
            members,
            statics,
            calls,
            ast.get_docstring(node),
            plain=plain_of_class(found) if is_class(found) else plain_of_names(base_names),
            protocol="Protocol" in base_names,
            awaits="__await__" in members,
        )
