"""Python classes with JavaScript methods: what `pyClass` makes."""


def _method(function):
    """A JavaScript function as a Python function, which binds `self`."""
    proxy = getattr(function, "__pyawait_js__", function)
    if function is proxy:

        def method(self, *args, **kwargs):
            return function(self, *args, **kwargs)
    else:

        async def method(self, *args, **kwargs):
            return await function(self, *args, **kwargs)

    method.__name__ = getattr(function, "__name__", "method")
    return method


def make_class(name, bases, members, properties):
    namespace = {}
    for key, value in members.items():
        is_function = isinstance(value, JsProxy) and value.typeof == "function" or hasattr(value, "__pyawait_js__")
        namespace[key] = _method(value) if is_function else value
        if is_function:
            namespace[key].__qualname__ = "%s.%s" % (name, key)
    for key, (getter, setter) in properties.items():
        namespace[key] = property(getter and _method(getter), setter and _method(setter))
    namespace.setdefault("__module__", "javascript")
    return types.new_class(name, bases, {}, lambda body: body.update(namespace))
