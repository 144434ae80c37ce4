"""`python.exec` and `python.execAsync`.

If the last statement is an expression it is compiled separately, so that its value can be returned.
"""


def _parse(code, filename):
    """Retries `ast.parse`: CPython before 3.13 shares one depth counter between threads, and may fail because of
    another thread (gh-106905).
    """
    for attempt in range(20):
        try:
            return ast.parse(code, filename, "exec")
        except SystemError as error:
            if "recursion depth mismatch" not in str(error) or attempt == 19:
                raise


def _compile(code, filename, flags):
    tree = _parse(textwrap.dedent(code), filename)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    body = compile(tree, filename, "exec", flags=flags, dont_inherit=True) if tree.body else None
    value = compile(ast.Expression(last.value), filename, "eval", flags=flags, dont_inherit=True) if last else None
    return body, value


def _namespace(given):
    if given is None:
        import __main__

        return __main__.__dict__
    return given


def execute(code, namespace, filename):
    body, value = _compile(code, filename, 0)
    namespace = _namespace(namespace)
    if body is not None:
        exec(body, namespace)
    return eval(value, namespace) if value is not None else None


async def execute_async(code, namespace, filename):
    body, value = _compile(code, filename, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    namespace = _namespace(namespace)
    result = None
    for part in (body, value):
        if part is None:
            continue
        result = eval(part, namespace)
        if part.co_flags & 0x80:  # CO_COROUTINE: it awaits at its top level
            result = await result
    return result if value is not None else None
