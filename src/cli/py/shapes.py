"""`pyawait types`: the form in which members and classes go to declarations.ts, as JSON.

A class is described once, under its qualified name, and everything else refers to that.
"""

import inspect

_ANY_CALL = {"positional": [], "rest": ["any"], "keywords": [], "open": True, "result": ["any"]}
_NO_ARGUMENTS = dict(_ANY_CALL, rest=None, open=False)


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


def hidden_names(cls):
    try:
        names = set(dir(cls)) - set(dir(type)) - set(dir(object))
    except Exception:  # a metaclass may do anything
        return []
    return sorted(name for name in names if type(name) is str and name.startswith("_"))


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


def class_shape(
    bases,
    members,
    statics,
    calls,
    doc,
    plain=None,
    protocol=False,
    awaits=False,
    open=True,
    functional=False,
    hidden=(),
):
    """`plain`: what instances become in JavaScript if they do not stay proxies; `protocol`: other values are accepted as
    well; `calls`: None if unknown; `open`: there may be other members; `functional`:
    a call makes a class, as `Enum("Color", "RED GREEN")` does; `hidden`: names of the class itself that begin with an
    underscore, and that not all classes have.
    """
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
        "open": open,
        "functional": functional,
        "hidden": list(hidden),
    }
