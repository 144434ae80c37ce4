"""`pyawait types`: what annotations say, as small trees that TypeScript prints: ["name", …].

A type without a counterpart is "any", so the generated declarations never reject a correct program. An annotation is
syntax (in a stub, or as a string) or a value; both lead to the same names.
"""

import ast
import collections.abc
import enum
import inspect
import typing


_SIMPLE = {
    "int": "int",
    "float": "float",
    "complex": "any",
    "bool": "boolean",
    "str": "string",
    "LiteralString": "string",
    "None": "null",
    "NoneType": "null",
    "bytes": "bytes",
    "bytearray": "proxy",
    "memoryview": "proxy",
    "object": "unknown",
    "Any": "any",
    "NoReturn": "never",
    "Never": "never",
    "Self": "proxy",
    "type": "proxy",
    "Type": "proxy",
    "TypeGuard": "boolean",
    "TypeIs": "boolean",
    "SupportsFloat": "numeric",
    "SupportsIndex": "numeric",
    "SupportsInt": "numeric",
    "SupportsComplex": "numeric",
    "SupportsTrunc": "numeric",
    "Buffer": "buffer",
    "ByteString": "buffer",
    "PathLike": "object",
}
_LISTS = {"list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "Container"}
_DICTS = {"dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict"}
_SETS = {"set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"}
_AWAITABLES = {"Awaitable", "Future", "Task"}
_ITERATORS = {"Iterator", "Generator"}
_ASYNC_ITERATORS = {"AsyncIterator", "AsyncIterable", "AsyncGenerator"}
_WRAPPERS = {"Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"}
_FORMS = {"Literal", "Callable", "Optional", "Union", "tuple", "Tuple", "Coroutine"}
_KNOWN = set().union(_SIMPLE, _LISTS, _DICTS, _SETS, _AWAITABLES, _ITERATORS, _ASYNC_ITERATORS, _WRAPPERS, _FORMS)
_SAFE = 2**53 - 1

# The modules in which a class is what its name says: `concurrent.futures.Future` is not awaitable.
_HOMES = {
    "builtins",
    "types",
    "typing",
    "typing_extensions",
    "collections",
    "collections.abc",
    "_collections_abc",
    "_typeshed",
    "asyncio",
    "_asyncio",
    "asyncio.futures",
    "asyncio.tasks",
}


def is_known(home, name):
    """Whether a name of this module has a type of its own here."""
    return name in _KNOWN and (home in _HOMES or (home, name) == ("os", "PathLike"))


class Named(str):
    """What a resolver answers for a well-known type: its name where it is defined, for `import … as` and aliases."""


class Names:
    """The described classes of a module, and what a name in an annotation means."""

    def __init__(self):
        self._of = {}
        self._expanding = []

    def add(self, cls, name):
        self._of.setdefault(id(cls), name)

    def of(self, cls):
        """The name under which a class is described, or None."""
        return self._of.get(id(cls))

    def within(self, namespace):
        """A function that resolves dotted names as code with these globals would."""

        def resolve(dotted):
            first, *rest = dotted.split(".")
            value = namespace.get(first)
            for name in rest:
                value = getattr(value, name, None)
            return self.of(value) or self._meaning_of_alias(value, resolve)

        return resolve

    def _meaning_of_alias(self, value, resolve):
        """The type that a name stands for which is no class: `Mode = Literal["r", "w"]`; None for all that is none."""
        is_alias = bool(typing.get_args(value)) or isinstance(value, typing.TypeVar) or hasattr(value, "__supertype__")
        if not is_alias:
            return None
        if any(each is value for each in self._expanding):  # it contains itself
            return ["any"]
        self._expanding.append(value)
        try:
            return type_of_value(value, self, resolve)
        finally:
            self._expanding.pop()


def dotted_name(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return "%s.%s" % (dotted_name(node.value), node.attr)
    return ""


def last_name(node):
    """`C` of `C`, `a.b.C`, `C[…]`, `C(…)`."""
    if isinstance(node, ast.Subscript):
        node = node.value
    if isinstance(node, ast.Call):
        node = node.func
    return dotted_name(node).rpartition(".")[2]


def index_of(node):
    """The contents of the brackets, as a list; Python 3.8 wraps them."""
    index = node.slice.value if type(node.slice).__name__ == "Index" else node.slice
    return index.elts if isinstance(index, ast.Tuple) else [index]


def literal(value):
    """The type of one value, as in `Literal[value]`."""
    if value is None:
        return ["null"]
    if isinstance(value, bytes):
        return ["bytes"]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE:
        return ["bigint", str(value)]
    return ["literal", value] if isinstance(value, (bool, int, str)) else ["any"]


def literal_of_ast(node, resolve):
    try:
        return literal(ast.literal_eval(node))
    except (ValueError, TypeError):  # a member of an enum, or an alias of another Literal
        owner = resolve(dotted_name(node.value)) if isinstance(node, ast.Attribute) else None
        return ["class", owner] if isinstance(owner, str) and not isinstance(owner, Named) else ["any"]


def meaning(known, name, arguments):
    """The type of a name that was resolved to `known`."""
    if known is None:
        return named(name, arguments)
    if isinstance(known, Named):
        return named(known, arguments)
    return ["class", known] if isinstance(known, str) else known


def type_of_ast(node, resolve):
    """The type that an annotation's syntax denotes. `resolve` says of a dotted name what it stands for: a described
    class, by its name; a Named; a type; or None.
    """
    convert = lambda each: type_of_ast(each, resolve)
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return type_of_text(node.value, resolve)
        return ["null"] if node.value is None else ["any"]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return ["union", convert(node.left), convert(node.right)]
    if isinstance(node, (ast.Name, ast.Attribute)):
        return meaning(resolve(dotted_name(node)), last_name(node), [])
    if isinstance(node, ast.Subscript):
        base, items, known = last_name(node), index_of(node), resolve(dotted_name(node.value))
        if isinstance(known, Named):
            base = str(known)
        if base == "Literal":
            return ["union"] + [literal_of_ast(item, resolve) for item in items]
        if base == "Callable":
            parameters = items[0].elts if isinstance(items[0], ast.List) else None
            return [
                "function",
                None if parameters is None else [convert(each) for each in parameters],
                convert(items[-1]),
            ]
        if base == "Annotated":
            return convert(items[0])
        return meaning(known, base, [convert(each) for each in items])
    return ["any"]


def type_of_text(text, resolve):
    try:
        return type_of_ast(ast.parse(text.strip(), mode="eval").body, resolve)
    except (SyntaxError, ValueError):  # ValueError: a NUL
        return ["any"]


def named(name, arguments):
    """The type of a well-known name with the given arguments in its brackets."""
    first = arguments[0] if arguments else ["any"]
    if name in _SIMPLE:
        return [_SIMPLE[name]]
    if name == "Callable":
        return ["function", None, ["any"]]
    if name == "Optional":
        return ["union", first, ["null"]]
    if name == "Union":
        return ["union"] + arguments
    if name in _WRAPPERS:
        return first
    if name in _LISTS:
        return ["list", first]
    if name in ("tuple", "Tuple"):
        return ["list", ["union"] + arguments if arguments else ["any"]]
    if name in _DICTS:
        return ["dict", arguments[1] if len(arguments) > 1 else ["any"]]
    if name in _SETS:
        return ["set", first]
    if name in _AWAITABLES:
        return ["awaitable", first]
    if name == "Coroutine":
        return ["awaitable", arguments[2] if len(arguments) > 2 else ["any"]]
    if name in _ITERATORS:
        return ["iterator", first]
    if name in _ASYNC_ITERATORS:
        return ["async", first]
    return ["any"]


def type_of_value(annotation, names, resolve):
    """The type that an annotation denotes which Python has evaluated, or holds as a string."""
    convert = lambda each: type_of_value(each, names, resolve)
    if annotation is inspect.Parameter.empty:
        return ["any"]
    if annotation is None:
        return ["null"]
    if isinstance(annotation, str):
        return type_of_text(annotation, resolve)
    if isinstance(annotation, typing.ForwardRef):
        return type_of_text(annotation.__forward_arg__, resolve)
    origin, arguments = typing.get_origin(annotation), list(typing.get_args(annotation))
    if hasattr(annotation, "__metadata__"):  # Annotated, whose origin Python 3.8 does not report
        return convert(annotation.__origin__)
    if origin is None:
        origin = annotation
    known = names.of(origin)
    if known:
        return ["class", known]
    name = getattr(origin, "__name__", None) or getattr(origin, "_name", None) or ""
    if name == "Literal":
        return ["union"] + [
            ["class", names.of(type(each))] if isinstance(each, enum.Enum) and names.of(type(each)) else literal(each)
            for each in arguments
        ]
    if origin is collections.abc.Callable:
        parameters = arguments[0] if arguments and isinstance(arguments[0], list) else None
        result = convert(arguments[-1]) if arguments else ["any"]
        return ["function", None if parameters is None else [convert(each) for each in parameters], result]
    if origin is typing.Union or name == "UnionType":
        return ["union"] + [convert(each) for each in arguments]
    if isinstance(origin, typing.TypeVar):
        bound = origin.__constraints__ or (origin.__bound__,)
        return ["accepted"] + [convert(each) for each in bound] if bound != (None,) else ["any"]
    if hasattr(origin, "__supertype__"):
        return convert(origin.__supertype__)
    if getattr(origin, "__module__", "") not in _HOMES:
        return ["any"]
    return named(name, [convert(each) for each in arguments])
