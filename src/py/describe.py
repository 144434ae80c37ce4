"""`pyawait types`: what a module's stubs, annotations and signatures say, as JSON for TypeScript.

The one thing to know: a stub is read and never run; without one the module is imported and looked at. A type that has
no counterpart is "any", so what is generated never refuses a program that is right.
"""
import ast
import importlib.util
import inspect
import json
import os
import sys
import typing


# Types: ["name", …], a small tree that TypeScript prints ------------------------------------------------------------

_SIMPLE = {
    "int": "number", "float": "number", "complex": "any", "bool": "boolean", "str": "string", "LiteralString": "string",
    "None": "null", "NoneType": "null", "bytes": "bytes", "bytearray": "proxy", "object": "unknown", "Any": "any",
    "NoReturn": "never", "Never": "never", "Self": "proxy", "type": "proxy",
}
_LISTS = {"list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "Container"}
_DICTS = {"dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict"}
_SETS = {"set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"}
_AWAITABLES = {"Awaitable", "Future", "Task"}
_ITERATORS = {"Iterator", "Generator"}
_ASYNC_ITERATORS = {"AsyncIterator", "AsyncIterable", "AsyncGenerator"}


def type_of_ast(node, classes):
    """The type that an annotation's syntax says."""
    convert = lambda each: type_of_ast(each, classes)
    if node is None:
        return ["any"]
    if isinstance(node, ast.Constant):
        if node.value is None:
            return ["null"]
        if isinstance(node.value, str):
            try:
                return convert(ast.parse(node.value, mode="eval").body)
            except SyntaxError:
                return ["any"]
        return ["any"]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return ["union", convert(node.left), convert(node.right)]
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = node.id if isinstance(node, ast.Name) else node.attr
        return [_SIMPLE[name]] if name in _SIMPLE else named(name, [], classes)
    if isinstance(node, ast.Subscript):
        base = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
        index = getattr(node.slice, "value", node.slice) if isinstance(node.slice, getattr(ast, "Index", ())) else node.slice
        items = index.elts if isinstance(index, ast.Tuple) else [index]
        if base == "Literal":
            return ["union"] + [["literal", item.value] if isinstance(item, ast.Constant) else ["any"] for item in items]
        if base == "Callable":
            parameters = items[0].elts if isinstance(items[0], ast.List) else None
            return ["function", None if parameters is None else [convert(each) for each in parameters], convert(items[-1])]
        return named(base, [convert(each) for each in items], classes)
    return ["any"]


def named(name, arguments, classes):
    first = arguments[0] if arguments else ["any"]
    if name == "Optional":
        return ["union", first, ["null"]]
    if name == "Union":
        return ["union"] + arguments
    if name in ("Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"):
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
    return ["class", name] if name in classes else ["any"]


def type_of_value(annotation, classes):
    """The type that an annotation says that has been evaluated."""
    if annotation is inspect.Parameter.empty:
        return ["any"]
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    try:
        return type_of_ast(ast.parse(text, mode="eval").body, classes)
    except SyntaxError:
        return ["any"]


# Functions, classes, modules ----------------------------------------------------------------------------------------


def parameters_of_ast(arguments, classes, method):
    positional = getattr(arguments, "posonlyargs", []) + arguments.args
    first_default = len(positional) - len(arguments.defaults)
    listed = [
        {"name": each.arg, "type": type_of_ast(each.annotation, classes), "optional": at >= first_default}
        for at, each in enumerate(positional)
    ][1 if method else 0:]
    keywords = [
        {"name": each.arg, "type": type_of_ast(each.annotation, classes), "optional": default is not None}
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults)
    ]
    rest = arguments.vararg and type_of_ast(arguments.vararg.annotation, classes)
    return {"positional": listed, "rest": rest, "keywords": keywords, "open": arguments.kwarg is not None}


def function_of_ast(node, classes, method=False):
    decorators = {getattr(each, "id", getattr(each, "attr", "")) for each in node.decorator_list}
    call = parameters_of_ast(node.args, classes, method and "staticmethod" not in decorators)
    result = type_of_ast(node.returns, classes)
    if isinstance(node, ast.AsyncFunctionDef):
        result = ["awaitable", result]
    call.update(result=result, doc=ast.get_docstring(node))
    return call, decorators


def members_of_ast(body, classes, method):
    members = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            call, decorators = function_of_ast(node, classes, method)
            if decorators & {"property", "cached_property", "setter"}:
                if "setter" not in decorators:
                    members[node.name] = {"kind": "value", "type": call["result"], "doc": call["doc"]}
            else:
                members.setdefault(node.name, {"kind": "function", "calls": []})
                if members[node.name]["kind"] == "function":
                    members[node.name]["calls"].append(call)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            members[node.target.id] = {"kind": "value", "type": type_of_ast(node.annotation, classes), "doc": None}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            members.setdefault(node.targets[0].id, {"kind": "value", "type": ["any"], "doc": None})
        elif isinstance(node, ast.ClassDef):
            members[node.name] = class_of_ast(node, classes)
        elif isinstance(node, ast.If):  # sys.version_info and sys.platform are as they are here
            try:
                chosen = node.body if eval(compile(ast.Expression(node.test), "<stub>", "eval"), {"sys": sys, "TYPE_CHECKING": True}) else node.orelse
            except Exception:
                chosen = node.body
            members.update(members_of_ast(chosen, classes, method))
    return members


def class_of_ast(node, classes):
    bases = [each.id for each in node.bases if isinstance(each, ast.Name) and each.id in classes]
    return {"kind": "class", "bases": bases, "members": members_of_ast(node.body, classes, True), "doc": ast.get_docstring(node)}


def function_of_value(value, classes, method=False):
    try:
        signature = inspect.signature(value)
    except (ValueError, TypeError):
        return {"positional": [], "rest": ["any"], "keywords": [], "open": True, "result": ["any"], "doc": inspect.getdoc(value)}
    call = {"positional": [], "rest": None, "keywords": [], "open": False, "doc": inspect.getdoc(value)}
    for at, parameter in enumerate(signature.parameters.values()):
        if method and at == 0:
            continue
        kind, entry = parameter.kind, {
            "name": parameter.name, "type": type_of_value(parameter.annotation, classes),
            "optional": parameter.default is not parameter.empty,
        }
        if kind is parameter.VAR_POSITIONAL:
            call["rest"] = entry["type"]
        elif kind is parameter.VAR_KEYWORD:
            call["open"] = True
        else:
            call["keywords" if kind is parameter.KEYWORD_ONLY else "positional"].append(entry)
    result = type_of_value(signature.return_annotation, classes)
    call["result"] = ["awaitable", result] if inspect.iscoroutinefunction(value) else result
    return call


def class_of_value(cls, classes):
    members = {}
    for name, value in vars(cls).items():
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(value, property):
            annotation = getattr(value.fget, "__annotations__", {}).get("return", inspect.Parameter.empty)
            members[name] = {"kind": "value", "type": type_of_value(annotation, classes), "doc": inspect.getdoc(value)}
        elif callable(value) or isinstance(value, (classmethod, staticmethod)):
            bound = isinstance(value, staticmethod)
            function = getattr(value, "__func__", value)
            members[name] = {"kind": "function", "calls": [function_of_value(function, classes, not bound)]}
        else:
            members[name] = {"kind": "value", "type": ["any"], "doc": None}
    for name, annotation in getattr(cls, "__annotations__", {}).items():
        members[name] = {"kind": "value", "type": type_of_value(annotation, classes), "doc": None}
    bases = [base.__name__ for base in cls.__bases__ if base.__name__ in classes]
    return {"kind": "class", "bases": bases, "members": members, "doc": inspect.getdoc(cls)}


def member_of_value(value, classes):
    if inspect.isclass(value):
        return class_of_value(value, classes)
    if callable(value):
        return {"kind": "function", "calls": [function_of_value(value, classes)]}
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null", bytes: "bytes"}
    return {"kind": "value", "type": [kinds.get(type(value), "any")], "doc": None}


def stub_of(name, spec):
    """The path of a module's stub: beside it, or in a package of stubs."""
    candidates = []
    if spec.origin and spec.origin.endswith(".py"):
        candidates.append(spec.origin + "i")
    top, _, rest = name.partition(".")
    for folder in sys.path:
        base = os.path.join(folder, top + "-stubs", *rest.split(".")) if rest else os.path.join(folder, top + "-stubs")
        candidates += [base + ".pyi", os.path.join(base, "__init__.pyi")]
    return next((path for path in candidates if os.path.isfile(path)), None)


def describe(name):
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError("No module named %r" % name, name=name)
    stub = stub_of(name, spec)
    module = importlib.import_module(name)
    members = {}
    if stub:
        with open(stub, encoding="utf-8") as file:
            tree = ast.parse(file.read(), stub)
        classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        members = {key: value for key, value in members_of_ast(tree.body, classes, False).items() if not key.startswith("_")}
    else:
        classes = {key for key, value in vars(module).items() if inspect.isclass(value)}
    for key in getattr(module, "__all__", None) or [key for key in vars(module) if not key.startswith("_")]:
        if key in members or not hasattr(module, key):
            continue
        value = getattr(module, key)
        if inspect.ismodule(value):
            continue
        members[key] = member_of_value(value, classes)
    return {"name": name, "doc": inspect.getdoc(module), "members": members, "stub": stub is not None}


result = json.dumps([describe(name) for name in names])
