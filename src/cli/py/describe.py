"""`pyawait types`: describes modules as JSON for TypeScript.

What a module's stub does not cover is read from the module itself, which is imported. A member that raises when it is
examined is "any".
"""

import contextlib
import dataclasses
import enum
import importlib
import inspect
import json
import pkgutil
import sys
import typing
import warnings


# Bases of these modules add nothing that a program uses by name.
_PLAIN_HOMES = {"builtins", "typing", "typing_extensions", "abc", "collections.abc", "enum"}


def name_of(item):
    name = attribute(item, "__name__")
    return name if type(name) is str else ""


def overloads_of(item):
    return (
        typing.get_overloads(getattr(item, "__func__", item))
        if sys.version_info >= (3, 11) and inspect.isroutine(item)
        else []
    )


def coroutine_kind(item):
    checks = (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction)
    return next((check.__name__ for check in checks if check(item)), "")


def nested_classes(cls):
    try:
        inner = [
            (key, each)
            for key, each in vars(cls).items()
            if type(key) is str and not key.startswith("_") and is_class(each)
        ]
        return [(key, each) for key, each in inner if each.__qualname__ == "%s.%s" % (cls.__qualname__, key)]
    except Exception:  # a metaclass may do anything
        return []


class Module:
    """A module that is examined."""

    def __init__(self, module, names, classes):
        self.module = module
        self.names = names
        self.classes = classes
        self.sources = Sources()

    def type_of(self, annotation, item=None):
        """The type of an annotation of `item`; strings in it are resolved in the globals of `item`."""
        function = inspect.unwrap(item) if inspect.isfunction(item) else item
        return type_of_value(
            annotation, self.names, self.names.within(getattr(function, "__globals__", vars(self.module)))
        )

    def call(self, item, bound=False):
        try:
            signature = inspect.signature(item)
            parameters = list(signature.parameters.values())
            if bound and parameters and parameters[0].kind is not inspect.Parameter.VAR_POSITIONAL:
                parameters = parameters[1:]
            call = {"positional": [], "rest": None, "keywords": [], "open": False}
            for each in parameters:
                type = self.type_of(each.annotation, item)
                entry = parameter(each.name, type, each.default is not each.empty, each.kind is each.POSITIONAL_ONLY)
                if each.kind is each.VAR_POSITIONAL:
                    call["rest"] = type
                elif each.kind is each.VAR_KEYWORD:
                    call["open"] = True
                else:
                    call["keywords" if each.kind is each.KEYWORD_ONLY else "positional"].append(entry)
            call["result"] = self.result(item, signature.return_annotation)
            return call
        except Exception:  # many C functions have no signature; a made-up one may be anything
            return _ANY_CALL

    def result(self, item, annotation):
        kind = coroutine_kind(item)
        if kind != coroutine_kind(inspect.unwrap(item)):
            return ["any"]  # a decorator's: it shows the annotation of what it wraps
        type = self.type_of(annotation, item)
        if kind == "iscoroutinefunction":
            return ["awaitable", type]
        if annotation is inspect.Signature.empty and kind:
            return ["async" if kind == "isasyncgenfunction" else "iterator", ["any"]]
        return type

    def function(self, item, bound=False):
        calls = [self.call(each, bound or inspect.ismethod(item)) for each in overloads_of(item)]
        return function(calls or [self.call(item, bound)], doc_of(item))

    def reference(self, cls):
        known = self.names.of(cls)
        return {"kind": "class", "name": known} if known else value(["any"])

    def add_classes(self, prefix, candidates):
        """Names the classes before any is described, because they refer to each other."""
        for name, cls in candidates:
            if is_class(cls) and not self.names.of(cls):
                self.names.add(cls, prefix + name)
                self.classes[prefix + name] = cls
                self.add_classes(prefix + name + ".", nested_classes(cls))

    def shape(self, cls):
        members, statics = {}, {}
        for owner in self.described_in(cls):
            found, of_class = self.own_members(owner)
            members.update((name, each) for name, each in found.items() if name not in members)
            statics.update((name, each) for name, each in of_class.items() if name not in statics)
        if issubclass(cls, enum.Enum):
            for name in cls.__members__:
                members[name] = statics[name] = value(["class", self.names.of(cls)])
        bases = [self.names.of(base) for base in cls.__bases__ if self.names.of(base)]
        calls = [_ANY_CALL] if issubclass(cls, enum.Enum) else [self.call(cls)]
        return class_shape(
            bases,
            members,
            statics,
            calls,
            doc_of(cls),
            plain=plain_of_class(cls),
            protocol=bool(getattr(cls, "_is_protocol", False)),
            awaits=hasattr(cls, "__await__"),
        )

    def described_in(self, cls):
        """The class and its bases that are described with it, because they have no name of their own here."""
        described = [base for base in cls.__mro__[1:] if self.names.of(base)]
        hidden = [base for base in cls.__mro__[1:] if base not in described and base.__module__ not in _PLAIN_HOMES]
        # What a described base has comes from there, with its own types.
        return [cls] + [base for base in hidden if not any(issubclass(each, base) for each in described)]

    def own_members(self, cls):
        members, statics = {}, {}
        for name, item in list(vars(cls).items()):
            if type(name) is not str or name.startswith("_"):
                continue
            try:
                self.class_member(cls, name, item, members, statics)
            except Exception:
                members[name] = value(["any"])
        for name, type_ in self.instance_attributes(cls).items():
            if name not in members or members[name] == value(["any"]):
                members[name] = value(type_)
        for name, annotation in annotations_of(cls).items():
            if getattr(annotation, "__class__", None) is dataclasses.InitVar:
                continue
            if members.get(name, value(["any"]))["kind"] == "value":
                members[name] = value(self.type_of(annotation, sys.modules.get(cls.__module__)))
                if name in statics:
                    statics[name] = members[name]
        return members, statics

    def instance_attributes(self, cls):
        try:
            node = self.sources.class_of(cls)
            return instance_attributes(node, self.names.within(vars(sys.modules[cls.__module__]))) if node else {}
        except Exception:  # reading a source never fails the command
            return {}

    def class_member(self, cls, name, item, members, statics):
        getter = getattr(item, "fget", None) or getattr(item, "func", None)
        if is_class(item):
            members[name] = statics[name] = self.reference(item)
        elif isinstance(item, property) or (getter and type(item).__name__.endswith("property")):
            annotation = getattr(getter, "__annotations__", {}).get("return", inspect.Parameter.empty)
            members[name] = value(self.type_of(annotation, getter), doc_of(item))
        elif isinstance(item, (classmethod, staticmethod)) or type(item).__name__ == "classmethod_descriptor":
            members[name] = statics[name] = self.function(getattr(cls, name))
        elif callable(item):
            members[name] = self.function(item, hasattr(type(item), "__get__"))
        else:
            members[name] = value(["any"], None)
            if not hasattr(type(item), "__get__"):
                statics[name] = members[name]

    def member(self, item, annotation=inspect.Parameter.empty):
        if is_class(item):
            return self.reference(item)
        if inspect.isroutine(item) or type(item).__module__ == "functools":
            return self.function(item)
        if annotation is not inspect.Parameter.empty and not is_bare_final(annotation):
            return value(self.type_of(annotation, self.module))
        if self.names.of(type(item)):
            return value(["class", self.names.of(type(item))])
        if isinstance(item, int) and not isinstance(item, bool) and abs(item) > 2**53 - 1:
            return value(["bigint"])
        kinds = ((bool, "boolean"), (int, "number"), (float, "number"), (str, "string"))
        kind = next((kind for cls, kind in kinds if isinstance(item, cls)), "bytes" if type(item) is bytes else "any")
        # None is often only the initial value of a variable.
        return function([self.call(item)], doc_of(item)) if kind == "any" and callable(item) else value([kind])


def is_bare_final(annotation):
    """`x: Final = 5`, whose type is its value's."""
    return annotation is typing.Final or annotation in ("Final", "typing.Final")


def annotations_of(item):
    """The annotations of the class or module itself; Python 3.8 and 3.9 also look in its bases."""
    found = vars(item).get("__annotations__")
    if found is None and sys.version_info >= (3, 14):
        found = attribute(item, "__annotations__")
    return found if isinstance(found, dict) else {}


# Modules -------------------------------------------------------------------------------------------------------------


def public_names(module):
    listed = attribute(module, "__all__")
    try:
        names = [name for name in listed if type(name) is str] if listed else None
    except TypeError:
        names = None
    return (
        [name for name in list(vars(module)) if type(name) is str and not name.startswith("_")]
        if names is None
        else names
    )


def describe(name, library):
    with contextlib.redirect_stdout(sys.stderr):  # the declarations may go to stdout
        module = importlib.import_module(name)
    names, classes, members = Names(), {}, {}
    looked_at = Module(module, names, {})
    found_stub = library.module(name)
    stub = Stub(found_stub, library, module, names, classes) if found_stub else None
    missing = object()
    found = [(key, attribute(module, key, missing)) for key in public_names(module)]
    found = [(key, item) for key, item in found if item is not missing]
    # A class is described under its own name; another name may be an alias.
    looked_at.add_classes("", sorted(found, key=lambda each: each[0] != name_of(each[1])))
    for key, cls in looked_at.classes.items():
        try:
            classes[key] = looked_at.shape(cls)
        except Exception:  # a metaclass may do anything
            classes[key] = class_shape([], {}, {}, None, None)
    if stub:
        members = stub.read()
    annotations = annotations_of(module)
    for key, item in found:
        try:
            if key not in members and not inspect.ismodule(item):
                members[key] = looked_at.member(item, annotations.get(key, inspect.Parameter.empty))
        except Exception:  # objects for which isinstance() and the like raise
            members[key] = value(["any"])
    if stub:
        members.update((key, value(["proxy"])) for key in submodules(module) if key not in members)
        members.update((key, value(["any"])) for key in unlisted(module) if key not in members)
    return {
        "name": name,
        "doc": doc_of(module),
        "members": members,
        "classes": classes,
        "open": not stub or found_stub.open,
        "source": source_of(module, found_stub, library),
    }


def submodules(module):
    """Also those that are not imported yet: they become attributes when they are."""
    imported = [
        key
        for key, item in list(vars(module).items())
        if type(key) is str and sys.modules.get("%s.%s" % (module.__name__, key)) is item
    ]
    try:
        found = [each.name for each in pkgutil.iter_modules(attribute(module, "__path__", []))]
    except Exception:  # a finder of someone's own
        found = []
    return [key for key in imported + found if not key.startswith("_")]


def unlisted(module):
    """What a program can use though neither `__all__` nor the stub lists it."""
    return [
        key
        for key, item in list(vars(module).items())
        if type(key) is str and not key.startswith("_") and not inspect.ismodule(item)
    ]


def source_of(module, stub, library):
    """Where the types come from, for whoever runs the command."""
    if stub:
        return stub.found.label
    if in_standard_library(module.__name__) and not library.files.has_typeshed():
        return "the running module, because no stubs are installed (pip install mypy, or --stubs FOLDER)"
    return "the running module, which has no stubs"


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # examining what is deprecated is not using it
    library = Library(folders)
    result = json.dumps([describe(name, library) for name in dict.fromkeys(names)])
