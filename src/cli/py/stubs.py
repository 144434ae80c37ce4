"""`pyawait types`: describes what stubs declare, without running them.

The result has the same form as that of describe.py (`shapes.py`).
"""

import ast
import datetime
import enum
import sys

_ENUMS = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}
_CONTEXTS = {"contextmanager", "asynccontextmanager"}  # the function's annotation is not what these return
_PROPERTIES = ("property", "_magic_enum_attr", "dynamicclassattribute")
_BASES_WITHOUT_MEMBERS = {"object", "Generic", "Protocol", "TypedDict", "str", "int", "float", "bool"}
_BASES_THAT_ARE_CALLED = {"str", "int", "float", "bool", "TypedDict"}
_DECORATORS_WITHOUT_EFFECT = {
    "final",
    "disjoint_base",
    "type_check_only",
    "runtime_checkable",
    "deprecated",
    "total_ordering",
}
_UNRESOLVED = object()


def call_of_ast(node, resolve, bound, resolve_result=None):
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
    result = type_of_ast(node.returns, resolve_result or resolve)
    return {
        "positional": listed[1 if bound else 0 :],
        "rest": convert(arguments.vararg) if arguments.vararg else None,
        "keywords": keywords,
        "open": arguments.kwarg is not None,
        "result": ["awaitable", result] if isinstance(node, ast.AsyncFunctionDef) else result,
    }


class Stub:
    """The stub of a module. Reading it fills `classes` and returns the module's members.

    Classes of other stubs are described with it if they are its names, bases of its classes, or (`near`) what its
    functions return; what those return in turn is "any", or one module would describe half of the standard library.
    """

    def __init__(self, stub, library, module, names, classes):
        self.stub, self.library, self.module = stub, library, module
        self.names, self.classes = names, classes
        self.runtime = names.within(vars(module))
        self.keys, self.waiting, self.expanding = {}, [], []
        for name in stub.public():
            definition = self._class_named(stub, name)
            if definition:
                self._add(definition, name if definition.home != stub.name else definition.name, True)

    def read(self):
        members = {}
        for name in self.stub.public():
            if not name.startswith("_") or name in (self.stub.listed or ()):
                member, item = self._member(name), attribute(self.module, name, _UNRESOLVED)
                if member == value(["int"]) and type(item) is int and abs(item) > _SAFE:
                    member = value(["bigint"])  # sys.maxsize
                if member and not (self.stub.found.typeshed and item is _UNRESOLVED):
                    members[name] = member
        for key, definition, near in self.waiting:  # grows while it is read
            self.classes[key] = self._class(key, definition, near)
        for key, definition, _ in self.waiting:
            self._finish(key, self._runtime_class(definition))
        return members

    # Classes: which are described, and as what

    def _class_named(self, stub, dotted):
        """The class that a name of a stub stands for, through aliases."""
        seen = set()
        while True:
            found = self.library.definition(stub, dotted)
            if found is None or found.kind == "class":
                return found
            if found.kind != "alias" or not isinstance(found.node, (ast.Name, ast.Attribute)) or id(found) in seen:
                return None
            seen.add(id(found))
            stub, dotted = self.library.module(found.home), dotted_name(found.node)

    def _add(self, definition, key, near):
        place = (definition.home, definition.name)
        if place in self.keys:
            return self.keys[place]
        if key in self.classes or key in self.keys.values():
            key = "%s:%s" % place
        self.keys[place] = key
        self.waiting.append((key, definition, near))
        cls = self._runtime_class(definition)
        if cls is not None:
            self.names.add(cls, key)
        for node in statements(definition.node.body):
            if isinstance(node, ast.ClassDef):
                name = "%s.%s" % (definition.name, node.name)
                self._add(Definition("class", definition.home, name, node), "%s.%s" % (key, node.name), near)
        return key

    def _runtime_class(self, definition):
        found = self.module if definition.home == self.stub.name else sys.modules.get(definition.home)
        for name in definition.name.split("."):
            found = attribute(found, name)
        return found if is_class(found) else None

    def _resolver(self, stub, scope="", near=False, follow=False):
        """Names are looked up in the class that is being read, then in the classes around it, then in the module.
        `follow`: a class of another stub becomes described.
        """

        def resolve(dotted):
            around = scope
            if scope and dotted.rpartition(".")[2] == "Self":
                return self.keys.get((stub.name, scope))
            while around:
                known = self.keys.get((stub.name, "%s.%s" % (around, dotted)))
                if known:
                    return known
                around = around.rpartition(".")[0]
            definition = self.library.definition(stub, dotted)
            if definition is None:
                return self.runtime(dotted) if stub is self.stub else None
            return self._stands_for(definition, near and follow)

        return resolve

    def _stands_for(self, definition, follow):
        if is_known(definition.home, definition.name):
            return Named(definition.name)
        if definition.kind == "class":
            known = self.keys.get((definition.home, definition.name))
            own = definition.home == self.stub.name
            if (
                known is None
                and (own or follow)
                and "Protocol" not in {last_name(each) for each in definition.node.bases}
            ):
                key = definition.name if own else "%s:%s" % (definition.home, definition.name)
                known = self._add(definition, key, own)
            return known or ["any"]
        if definition.kind == "unknown":
            cls = attribute(sys.modules.get(definition.home), definition.name)
            return (self.names.of(cls) if is_class(cls) else None) or ["any"]
        if definition.kind != "alias" or definition in self.expanding:
            return ["any"]
        node = definition.node
        if isinstance(node, ast.Call):
            if last_name(node) != "NewType" or len(node.args) < 2:
                return ["any"]
            node = node.args[1]
        self.expanding.append(definition)  # an alias may contain itself
        try:
            return type_of_ast(node, self._resolver(self.library.module(definition.home), "", True, follow))
        finally:
            self.expanding.pop()

    # Members

    def _member(self, name):
        definition = self.library.definition(self.stub, name)
        cls = self._class_named(self.stub, name)
        if cls and (cls.home, cls.name) in self.keys:
            return {"kind": "class", "name": self.keys[cls.home, cls.name]}
        if definition is None or definition.kind == "unknown":
            return None
        home = self.library.module(definition.home)
        if definition.kind == "module":
            return value(["proxy"])
        if definition.kind == "function":
            members = {}
            for node in definition.node:
                self._function(node, members, {}, home, "", True)
            return members.get(definition.name)
        if definition.kind == "value":
            return value(self._value_type(definition.node, home, "", True))
        if definition.kind == "alias":
            if isinstance(definition.node, (ast.Name, ast.Attribute)):
                other = self.library.definition(home, dotted_name(definition.node))
                if other and other.kind == "function":
                    members = {}
                    for node in other.node:
                        self._function(node, members, {}, self.library.module(other.home), "", True)
                    return members.get(other.name)
            return value(_of_constant(definition.node))
        return None

    def _value_type(self, node, home, scope, near):
        resolve = self._resolver(home, scope, near, follow=True)
        if last_name(node.annotation) == "Final" and not isinstance(node.annotation, ast.Subscript):
            return _of_constant(node.value)
        return type_of_ast(node.annotation, resolve)

    def _members(self, body, home, scope, key, is_enum, near):
        """The members of a class, and those of the class itself: static and class methods, constants, classes."""
        members, statics = {}, {}
        own = ["class", key] if is_enum else ["any"]
        for node in statements(body):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._function(node, members, statics, home, scope, near)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
                # Older stubs write the members of an enum as annotations.
                unsure = is_enum and node.value is None
                type = ["any"] if unsure else own if is_enum else self._value_type(node, home, scope, near)
                members[name] = value(type)
                if is_enum or node.value is not None or last_name(node.annotation) in ("ClassVar", "Final"):
                    statics[name] = members[name]
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        same = members.get(node.value.id) if isinstance(node.value, ast.Name) else None
                        members.setdefault(target.id, same or value(own))
                        statics[target.id] = members[target.id]
            elif isinstance(node, ast.ClassDef):
                inner = self.keys.get((home.name, "%s.%s" % (scope, node.name)))
                members[node.name] = statics[node.name] = {"kind": "class", "name": inner} if inner else value(["any"])
        return members, statics

    def _function(self, node, members, statics, home, scope, near):
        decorators = {last_name(each) for each in node.decorator_list}
        if decorators & {"setter", "deleter", "getter"}:
            return
        resolve = self._resolver(home, scope)
        follow = self._resolver(home, scope, near, follow=True)
        bound = bool(scope) and "staticmethod" not in decorators
        call = call_of_ast(node, resolve, bound, follow)
        if decorators & _CONTEXTS:
            call["result"] = ["any"]
        if any(name.lower().endswith(_PROPERTIES) for name in decorators):
            members[node.name] = value(call["result"], ast.get_docstring(node))
            return
        known = members.get(node.name)
        if known is None or known["kind"] != "function" or "overload" not in decorators:
            known = members[node.name] = function([])
        known["calls"].append(call)
        known["doc"] = known["doc"] or ast.get_docstring(node)
        if decorators & {"staticmethod", "classmethod"}:
            statics[node.name] = known

    def _class(self, key, definition, near):
        node, home = definition.node, self.library.module(definition.home)
        found = self._runtime_class(definition)
        base_names = {last_name(each) for each in node.bases}
        bases, open = [], False
        for each in node.bases:
            dotted = dotted_name(each.value if isinstance(each, ast.Subscript) else each)
            if dotted.rpartition(".")[2] in _BASES_WITHOUT_MEMBERS:
                continue
            base = self._class_named(home, dotted) if dotted else None
            scoped = self.keys.get((home.name, "%s.%s" % (definition.name.rpartition(".")[0], dotted)))
            if base and base.node is not node:
                own = base.home == self.stub.name
                bases.append(scoped or self._add(base, base.name if own else "%s:%s" % (base.home, base.name), own))
            elif scoped:
                bases.append(scoped)
            elif dotted:
                runtime = self.runtime(dotted) if home is self.stub else None
                bases += [runtime] if isinstance(runtime, str) else []
                open = True
            else:
                open = True
        is_enum = issubclass(found, enum.Enum) if found else bool(base_names & _ENUMS)
        members, statics = self._members(node.body, home, definition.name, key, is_enum, near)
        made = members.get("__init__") or members.get("__new__")
        calls = made["calls"] if made and made["kind"] == "function" else None
        if {last_name(each) for each in node.decorator_list} - _DECORATORS_WITHOUT_EFFECT or node.keywords or is_enum:
            calls = calls if made and not is_enum else [_ANY_CALL]
        elif "NamedTuple" in base_names:
            calls = [_call_of_fields(node, self._resolver(home, definition.name))]
        elif calls is None and base_names & _BASES_THAT_ARE_CALLED:
            calls = [_ANY_CALL]
        has_all = definition.name in ("type", "super") or members.keys() & {"__getattr__", "__getattribute__"}
        return class_shape(
            bases,
            members,
            statics,
            calls,
            ast.get_docstring(node) or (doc_of(found) if found else None),
            plain=plain_of_class(found) if found else plain_of_names(base_names),
            protocol="Protocol" in base_names or (found is not None and _is_made_of_others(found)),
            awaits="__await__" in members,
            open=open
            or self.library.module(definition.home).found.partial
            or (bool(has_all) and definition.name != "object"),
            functional=is_enum and definition.home == "enum",
            hidden=hidden_names(found) if found else (),
        )

    def _finish(self, key, cls):
        """Adds what follows from the bases, and what the stub does not mention though the class has it."""
        shape = self.classes[key]
        shape["open"] = self._is_open(key)
        if shape["calls"] is None:
            shape["calls"] = self._inherited_calls(key) or (None if shape["open"] else [_NO_ARGUMENTS])
        if cls is None:
            return
        for name in list(vars(cls)):
            if type(name) is str and not name.startswith("_") and not self._has(key, name):
                shape["members"][name] = value(["any"])
        for name in dir(type(cls)):
            if not name.startswith("_") and not self._has(key, name):
                shape["statics"][name] = value(["any"])

    def _is_open(self, key):
        shape = self.classes[key]
        return shape["open"] or any(self._is_open(base) for base in shape["bases"])

    def _has(self, key, name):
        shape = self.classes[key]
        return (
            name in shape["members"]
            or name in shape["statics"]
            or any(self._has(base, name) for base in shape["bases"])
        )

    def _inherited_calls(self, key):
        shape = self.classes[key]
        return shape["calls"] or next(filter(None, map(self._inherited_calls, shape["bases"])), None)


def _of_constant(node):
    type = type_of_expression(node, {}, lambda name: None)
    return ["any"] if type == ["null"] else type


def _call_of_fields(node, resolve):
    """The call of a NamedTuple."""
    fields = [
        each for each in statements(node.body) if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]
    listed = [
        parameter(each.target.id, type_of_ast(each.annotation, resolve), each.value is not None) for each in fields
    ]
    return dict(_NO_ARGUMENTS, positional=listed)


def _is_made_of_others(cls):
    """Whether JavaScript values become instances, or are taken for them."""
    return issubclass(cls, (BaseException, datetime.date)) or cls.__module__ == "builtins" or cls.__name__ == "array"
