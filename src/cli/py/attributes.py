"""`pyawait types`: the attributes that a class's methods set, read from its source.

`self.x = …` counts if `__init__` (or another method that makes an instance, or one that it calls) does it; the type
is the union of what every method of the class assigns, so a later `self.x = None` is not forgotten.
"""

import ast
import sys

_MAKERS = {"__init__", "__new__", "__post_init__", "__attrs_post_init__"}
_CONSTRUCTORS = {"int", "float", "bool", "str", "bytes", "list", "dict", "set", "frozenset", "tuple"}
_DISPLAYS = {
    ast.JoinedStr: ["string"],
    ast.List: ["list", ["any"]],
    ast.ListComp: ["list", ["any"]],
    ast.Tuple: ["list", ["any"]],
    ast.Dict: ["dict", ["any"]],
    ast.DictComp: ["dict", ["any"]],
    ast.Set: ["set", ["any"]],
    ast.SetComp: ["set", ["any"]],
}


class Sources:
    """The classes in the sources of modules; a module is parsed once."""

    def __init__(self):
        self._classes = {}

    def class_of(self, cls):
        """The syntax of a class, or None: it has no source, or is inside a function."""
        name = attribute(cls, "__module__")
        if type(name) is not str:
            return None
        if name not in self._classes:
            self._classes[name] = dict(self._read(sys.modules.get(name)))
        return self._classes[name].get(attribute(cls, "__qualname__"))

    def _read(self, module):
        path = attribute(module, "__file__")
        if type(path) is not str or not path.endswith(".py"):
            return []
        try:
            with open(path, "rb") as file:
                return list(self._listed(ast.parse(file.read(), path).body, ""))
        except (OSError, SyntaxError, ValueError, RecursionError):
            return []

    def _listed(self, body, prefix):
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield prefix + node.name, node
                yield from self._listed(node.body, "%s%s." % (prefix, node.name))
            elif isinstance(node, (ast.If, ast.Try)):
                yield from self._listed(node.body, prefix)
                yield from self._listed(node.orelse, prefix)
                for handler in getattr(node, "handlers", []):
                    yield from self._listed(handler.body, prefix)


def instance_attributes(node, resolve):
    """The attributes that making an instance of this class sets, as {name: type}."""
    methods = {
        each.name: _Method(each, resolve)
        for each in node.body
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
    making = [name for name in methods if name in _MAKERS]
    for name in making:  # grows while it is read
        making += [each for each in methods[name].called if each in methods and each not in making]
    types = {name: [] for each in making for name in methods[each].types}
    for method in methods.values():
        for name, assigned in method.types.items():
            if name in types:
                types[name] += assigned
    for each in node.body:  # a default that instances share
        if isinstance(each, ast.Assign):
            for target in each.targets:
                if isinstance(target, ast.Name) and target.id in types:
                    types[target.id].append(type_of_expression(each.value, {}, resolve))
    return {name: _union(those) for name, those in types.items()}


def _union(types):
    different = [each for at, each in enumerate(types) if each not in types[:at]]
    # None alone is only the initial value: what comes later is assigned elsewhere.
    return ["any"] if ["any"] in different or different == [["null"]] else ["union"] + different


class _Method:
    """What one method assigns to attributes of its first parameter, and which methods of it are called."""

    def __init__(self, node, resolve):
        self.types, self.called = {}, []
        arguments = node.args
        listed = getattr(arguments, "posonlyargs", []) + arguments.args
        if not listed:
            return
        self._owner = {listed[0].arg}
        self._resolve = resolve
        self._parameters = {
            each.arg: type_of_ast(each.annotation, resolve) if each.annotation else ["any"]
            for each in listed[1:] + arguments.kwonlyargs
        }
        inside = list(_inside(node))
        for each in inside:  # a parameter that is assigned to may be something else by then
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                self._parameters.pop(each.id, None)
        if node.name == "__new__":  # the instance is what it returns: `self = object.__new__(cls)`
            self._owner = {
                each.value.id for each in inside if isinstance(each, ast.Return) and isinstance(each.value, ast.Name)
            }
        typed = set()
        for each in inside:
            if isinstance(each, ast.AnnAssign):
                typed.add(id(each.target))
                self._add(each.target, type_of_ast(each.annotation, resolve))
            elif isinstance(each, ast.Assign):
                for target in each.targets:
                    typed.add(id(target))
                    self._add(target, type_of_expression(each.value, self._parameters, resolve))
            elif isinstance(each, ast.Call) and self._is_own(each.func):
                self.called.append(each.func.attr)
        for each in inside:  # `self.a, self.b = …`, `with … as self.x`, `self.x += 1`
            if isinstance(getattr(each, "ctx", None), ast.Store) and id(each) not in typed:
                self._add(each, ["any"])

    def _is_own(self, node):
        return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in self._owner

    def _add(self, target, type):
        if self._is_own(target):
            self.types.setdefault(target.attr, []).append(type)


def _inside(node):
    """What a function contains, without what functions and classes in it contain."""
    for each in ast.iter_child_nodes(node):
        if not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield each
            yield from _inside(each)


def type_of_expression(node, parameters, resolve):
    """The type of what is assigned; `parameters` are the types of names."""
    if isinstance(node, ast.Name):
        return parameters.get(node.id, ["any"])
    if isinstance(node, ast.UnaryOp):
        return ["boolean"] if isinstance(node.op, ast.Not) else type_of_expression(node.operand, parameters, resolve)
    if isinstance(node, ast.Constant):
        kinds = (
            (bool, "boolean"),
            (int, "int"),
            (float, "float"),
            (str, "string"),
            (bytes, "bytes"),
            (type(None), "null"),
        )
        return [next((kind for cls, kind in kinds if isinstance(node.value, cls)), "any")]
    if isinstance(node, ast.Call):
        name = dotted_name(node.func)
        known = resolve(name) if name else None
        return meaning(known, name, []) if known or name in _CONSTRUCTORS else ["any"]
    return _DISPLAYS.get(type(node), ["any"])
