"""Python classes with JavaScript methods: what `pyClass` and `class … extends` (js_classes.py) make."""


def _is_js_function(value):
    return isinstance(value, JsProxy) and value.typeof == "function" or hasattr(value, "__pyawait_js__")


def _method(function, operation=CALL):
    """A JavaScript function as a Python function, which binds `self`: its first argument, or with CALL_METHOD its
    `this`.
    """
    proxy = getattr(function, "__pyawait_js__", function)
    handle = proxy._pyawait_handle
    if function is proxy:

        def method(self, *args, **kwargs):
            return _call(operation, proxy._pyawait_heap, handle, (self, *args), kwargs)
    else:

        async def method(self, *args, **kwargs):
            return await _wait(operation, proxy._pyawait_heap, handle, (self, *args), kwargs)

    method.__name__ = getattr(function, "__name__", "method")
    method.__module__ = "javascript"
    return method


def make_class(name, bases, members, properties):
    namespace = {}
    for key, value in members.items():
        is_function = _is_js_function(value)
        namespace[key] = _method(value) if is_function else value
        if is_function:
            namespace[key].__qualname__ = "%s.%s" % (name, key)
    for key, (getter, setter) in properties.items():
        namespace[key] = property(getter and _method(getter), setter and _method(setter))
    return _new_class(name, bases, namespace)


def _new_class(name, bases, namespace):
    namespace.setdefault("__module__", "javascript")

    def fill(body):
        for key, value in namespace.items():  # one by one: a metaclass's namespace may look at each
            body[key] = value

    return types.new_class(name, bases, {}, fill)
