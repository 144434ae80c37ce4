"""JavaScript classes that extend Python classes: the Python class that stands for each, and how its objects are made.

JavaScript's constructor makes the object, whoever asks for one. `new J(…)`: the constructor runs, and its `super(…)`
calls the class here with a plan (`construct_planned`). Python's `J(…)`: `__new__` allocates and `__init__` runs the
constructor on that object; where `__new__` itself takes arguments (`int`, `tuple`), it runs the constructor, so that
`super(…)` can say which.
"""


class _JsClassLink:
    """What a Python class has of its JavaScript class."""

    def __init__(self, constructor, construct, anchor):
        self.constructor, self.construct = constructor, construct
        self.anchor = anchor or self  # the link of the lowest class in an unbroken line of JavaScript's


def _link_of(cls):
    """A class's own link, or None."""
    return cls.__dict__.get("__pyawait_class__")


def _first_linked(cls, anchor=None):
    """The first class in the order of resolution that stands for one of JavaScript's."""
    for base in _mro_of(cls):
        link = _link_of(base)
        if link is not None and (anchor is None or link.anchor is anchor):
            return base
    return None


def _linked_by(cls, link):
    return next(base for base in _mro_of(cls) if _link_of(base) is link)


class _Making(threading.local):
    plan = None  # of the object that a `super(…)` makes
    constructed = None  # the object that `__new__` has run the constructor for


_making = _Making()


class _Plan:
    def __init__(self, cls, link):
        self.cls, self.link, self.made = cls, link, None


def _defines(cls, anchor, name):
    """Whether a class behind `anchor`, other than object, defines this method."""
    order = _mro_of(cls)
    return any(name in base.__dict__ for base in order[order.index(anchor) + 1 :] if base is not object)


def _allocate(link, cls, args, kwargs):
    anchor = _linked_by(cls, link)
    if _defines(cls, anchor, "__new__"):
        return super(anchor, cls).__new__(cls, *args, **kwargs)
    return object.__new__(cls)


def _initialise(link, self, args, kwargs):
    anchor = _linked_by(type(self), link)
    if _defines(type(self), anchor, "__init__"):
        super(anchor, self).__init__(*args, **kwargs)
    elif (args or kwargs) and not _defines(type(self), anchor, "__new__"):
        raise TypeError("%s() takes no arguments" % _mro_of(anchor)[1].__name__)


def _run_constructor(link, self, cls, args, kwargs):
    first = _link_of(_first_linked(cls, link))
    return first.construct(first.constructor, self, cls, bool(kwargs), *args, **kwargs)


def _constructors(link):
    """`__new__` and `__init__` of the lowest class; those above it inherit them."""

    def __new__(cls, /, *args, **kwargs):
        plan = _making.plan
        if plan is not None and plan.cls is cls and plan.link is link and plan.made is None:
            plan.made = _allocate(link, cls, args, kwargs)
            return plan.made
        if cls.__init__ is not __init__:  # a subclass says what the constructor is called with
            return _allocate(link, cls, args, kwargs)
        if not _defines(cls, _linked_by(cls, link), "__new__"):
            return object.__new__(cls)
        made = _run_constructor(link, None, cls, args, kwargs)
        _making.constructed = made if isinstance(made, cls) else None  # whether `__init__` follows
        return made

    def __init__(self, /, *args, **kwargs):
        plan = _making.plan
        if plan is not None and plan.made is self and plan.link is link:
            _initialise(link, self, args, kwargs)
        elif _making.constructed is self:
            _making.constructed = None
        else:
            _run_constructor(link, self, type(self), args, kwargs)

    return __new__, __init__


def construct_planned(cls, anchor, *args, **kwargs):
    """`super(…)` in the constructor of `new J(…)`: makes the object as Python does, by the metaclass's `__call__`."""
    outer, _making.plan = _making.plan, _Plan(cls, _link_of(anchor))
    try:
        return cls(*args, **kwargs)
    finally:
        _making.plan = outer


def construct_base(cls, anchor, *args, **kwargs):
    """`super(…)` in a constructor that `__new__` runs."""
    link = _link_of(anchor)
    made = _allocate(link, cls, args, kwargs)
    if isinstance(made, cls):
        _initialise(link, made, args, kwargs)
    return made


def initialise_base(self, anchor, *args, **kwargs):
    """`super(…)` in a constructor that `__init__` runs."""
    _initialise(_link_of(anchor), self, args, kwargs)


class _JsClassProperty:
    """A static accessor."""

    def __init__(self, getter):
        self._get = getter

    def __get__(self, instance, owner):
        if self._get is None:
            raise AttributeError("this property of a JavaScript class has no getter")
        return self._get(owner)


def _js_method(function, name):
    method = _method(function, CALL_METHOD)
    method.__qualname__, method.__pyawait_method__ = name, function
    return method


def _member(role, value, setter, name):
    """A member as a class body has it. `role`: see membersOf in src/proxy/js_class_members.ts."""
    if role == "method":
        return _js_method(value, name)
    if role == "static":
        return classmethod(_js_method(value, name))
    if role == "property":
        return property(value and _js_method(value, name), setter and _js_method(setter, name))
    if role == "static property":
        return _JsClassProperty(value and _js_method(value, name))
    is_async = isinstance(value, types.FunctionType) and value.__code__ in async_codes
    return staticmethod(value) if is_async else value  # it would bind `self`


def _check_base(name, base):
    if _is_subclass(base, enum.Enum):
        raise TypeError(
            "Cannot make a Python class of %s: an Enum's members are made with the class, before a JavaScript constructor "
            "could run; use python.import('enum').%s(name, members)" % (name, base.__name__)
        )
    if any(_is_subclass(base, plain) for plain in (int, float, str, bytes)) or _is_numpy_scalar(base):
        raise TypeError(
            "Cannot make a Python class of %s: an object of %s is a plain value in JavaScript, which has no methods of "
            "its class; let the object have the value as a field" % (name, base.__name__)
        )


def make_js_class(name, base, members, constructor, construct):
    """The Python class of a JavaScript class that extends `base`."""
    _check_base(name, base)
    parent = _link_of(base)
    if parent is not None and _heap_of(parent.constructor) != _heap_of(constructor):
        parent = None  # another thread's class, which JavaScript here takes for a Python class
    link = _JsClassLink(constructor, construct, parent and parent.anchor)
    namespace = {"__qualname__": name, "__pyawait_class__": link}
    if parent is None:
        namespace["__new__"], namespace["__init__"] = _constructors(link)
    for key, role, value, setter in members:
        namespace[key] = _member(role, value, setter, "%s.%s" % (name, key))
    return _new_class(name, (base,), namespace)


def add_members(cls, members):
    for key, role, value, setter in members:
        setattr(cls, key, _member(role, value, setter, "%s.%s" % (cls.__qualname__, key)))


def is_exception_class(cls):
    return _is_subclass(cls, BaseException)


def js_class_in(cls):
    """(JavaScript's class,) for the Python class that stands for it, else ()."""
    link = _link_of(cls)
    return () if link is None else (link.constructor,)


def js_class_of(value):
    """(JavaScript's class of an object, whether no class of Python's lies between)."""
    first = _first_linked(type(value))
    return (_link_of(first).constructor, first is type(value))


def finds_js_method(value, name):
    """Whether a lookup of this name ends at a method of JavaScript's."""
    for base in _mro_of(type(value)):
        if name in base.__dict__:
            try:
                fields = object.__getattribute__(value, "__dict__")
            except AttributeError:
                fields = ()
            return name not in fields and hasattr(base.__dict__[name], "__pyawait_method__")
    return False


def _found(value, owner, cls):
    """(value,); for a method of JavaScript's (function,), which the JavaScript of `cls` calls itself."""
    function = getattr(value, "__func__", None) if isinstance(value, types.MethodType) else None
    js = getattr(function, "__pyawait_method__", None)
    own = js is not None and value.__self__ is owner and _heap_of(js) == _heap_of(_link_of(cls).constructor)
    return (js,) if own else (value,)


def _heap_of(value):
    return getattr(value, "__pyawait_js__", value)._pyawait_heap


def read_member(value, name):
    try:
        return _found(getattr(value, name), value, _first_linked(type(value)))
    except AttributeError:
        return ()


def read_super(cls, value, name):
    """`super.name` in a method of JavaScript's; a value of the object itself where no class has one."""
    try:
        return _found(getattr(super(cls, value), name), value, cls)
    except AttributeError:
        fields = getattr(value, "__dict__", {})
        return (fields[name],) if not isinstance(value, type) and name in fields else ()


def set_super(cls, value, name, item):
    """`super.name = item`: a property's setter behind `cls`, else a value of the object itself."""
    order = _mro_of(type(value))
    for base in order[order.index(cls) + 1 :]:
        if name in base.__dict__:
            descriptor = base.__dict__[name]
            if hasattr(type(descriptor), "__set__"):
                return type(descriptor).__set__(descriptor, value, item)
            break
    try:
        value.__dict__[name] = item
    except AttributeError:
        super(cls, value).__setattr__(name, item)
